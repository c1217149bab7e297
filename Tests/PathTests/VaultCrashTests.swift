import Domain
import Foundation
import Locking
import TestKit
import TestTraits
import Testing

/// Kill -9 while calls are metered, keys change and the vault rotates: every secret opens, the chain holds, and nothing
/// that was acknowledged is gone.
@Suite(.serialized, .ownThread) struct VaultCrashTests {
    /// As long as the other tests take; 500 and more by the variable.
    private static let cycles = number("GATEHOUSE_VAULT_CRASH_CYCLES").map { Int($0) } ?? 40

    private static func number(_ variable: String) -> UInt64? {
        ProcessInfo.processInfo.environment[variable].flatMap { UInt64($0) }
    }

    @Test func `kill -9 during rotations, key changes and calls loses nothing that was acknowledged`() throws
    {
        let seed = Self.number("GATEHOUSE_VAULT_CRASH_SEED") ?? .random(in: 0..<1_000_000)
        print("vault crash seed \(seed), \(Self.cycles) cycles")
        var generator = SplitMix(seed: seed)
        let house = try House()
        let token = try house.tenant("acme")
        _ = try house.tenant("beta")
        var known = Known()
        for cycle in 0..<Self.cycles {
            try house.start()
            let calls = Acknowledged(house, token)
            // Some commands may end; the engine is killed while the next one, or what it began, is at work.
            let victim = Int.random(in: 1...3, using: &generator)
            let delay = Double.random(in: 0..<0.25, using: &generator)
            let kill = DispatchWorkItem { house.stop(SIGKILL) }
            var number = 0
            while house.engine?.status == nil {
                number += 1
                if number == victim {
                    DispatchQueue.global().asyncAfter(deadline: .now() + delay, execute: kill)
                }
                let change = Change("k\(cycle)-\(number)", known, &generator)
                known.expect(change)
                let ended = try Tool.run(
                    try House.binary, change.arguments + ["--data", house.data], input: change.input,
                    expect: nil)
                if ended.status == 0 { known.take(change) }
            }
            kill.wait()
            let ids = try calls.ids()
            known.calls += ids.count
            try check(house, &known, ids, "seed \(seed), cycle \(cycle)")
        }
        // The cycles did what they are for.
        print("vault crash: finished \(known.finished), \(known.calls) calls acknowledged")
        #expect(known.calls > Self.cycles)
        try house.start()
        #expect(try house.call(token: token, body: House.chat("openai/gpt-6-sol")).status == 200)
        #expect(try house.command(["vault", "rotate-dek"]).out.contains("destroyed"))
        #expect(try house.command(["vault", "rotate-kek"]).out.contains("destroyed"))
        try check(house, &known, [], "seed \(seed), at the end")
    }

    /// With the engine dead or alive: all open, the chain holds, acknowledged keys and calls are there.
    private func check(_ house: House, _ known: inout Known, _ calls: Set<String>, _ place: String) throws {
        let verified = try house.command(["vault", "verify"], expect: nil)
        #expect(verified.status == 0 && verified.out.contains("all open"), "\(place): \(verified)")
        #expect(try house.command(["audit", "verify"]).out.contains("intact"), "\(place)")
        let keys = try rows(house, ["key", "list"]).filter {
            $0["tenant"] as? String == "acme" && $0["state"] as? String == "active"
        }
        let stored = Set(keys.map(Known.name))
        #expect(known.keys.isSubset(of: stored), "\(place): missing \(known.keys.subtracting(stored))")
        let names = Set(try rows(house, ["token", "list"]).compactMap { $0["name"] as? String })
        #expect(known.tokens.isSubset(of: names), "\(place): missing \(known.tokens.subtracting(names))")
        for key in keys { known.ids[Known.name(key)] = key["id"] as? String }
        guard !calls.isEmpty else { return }
        // The newest rows, with room for calls that were metered and whose answer nobody saw.
        let ledger = try rows(house, ["usage", "calls", "acme", "--limit", "\(calls.count + 500)"])
        let metered = ledger.compactMap { $0["call"] as? String }
        #expect(calls.isSubset(of: metered), "\(place): missing \(calls.subtracting(metered))")
        #expect(Set(metered).count == metered.count, "\(place): a call stands twice in the ledger")
    }

    private func rows(_ house: House, _ command: [String]) throws -> [[String: Any]] {
        let text = try house.command(command + ["--json"]).out
        return try JSONSerialization.jsonObject(with: Data(text.utf8)) as? [[String: Any]] ?? []
    }
}

/// What was acknowledged, and so has to be there.
private struct Known {
    var keys: Set<String> = ["openai/main", "anthropic/main"]
    var tokens: Set<String> = []
    var ids: [String: String] = [:]
    var finished: [String: Int] = [:]
    var calls = 0

    static func name(_ row: [String: Any]) -> String { "\(row["provider"] ?? "")/\(row["label"] ?? "")" }

    /// From here on the key may be gone, also where nobody was told.
    mutating func expect(_ change: Change) {
        if change.name == "revoke" { keys.remove("openai/\(change.label)") }
    }

    mutating func take(_ change: Change) {
        finished[change.name, default: 0] += 1
        switch change.name {
        case "key": keys.insert("openai/\(change.label)")
        case "token": tokens.insert(change.label)
        default: break
        }
    }
}

/// One command that changes what is stored.
private struct Change {
    let name: String
    let label: String
    let arguments: [String]
    var input = ""

    init(_ fresh: String, _ known: Known, _ generator: inout SplitMix) {
        switch Int.random(in: 0..<9, using: &generator) {
        case 0, 1: (name, label, arguments) = ("root", "", ["vault", "rotate-kek"])
        case 2, 3: (name, label, arguments) = ("keys", "", ["vault", "rotate-dek"])
        case 4: (name, label, arguments) = ("one", "", ["vault", "rotate-dek", "--tenant", "beta"])
        case 5, 6: (name, label, arguments) = ("token", fresh, ["token", "issue", "acme", "--name", fresh])
        default:
            // Every cycle lists them all: they stay few.
            let old = known.keys.filter { $0.hasPrefix("openai/k") }.min()
            if known.keys.count > 12, let old, let id = known.ids[old] {
                label = String(old.dropFirst("openai/".count))
                (name, arguments) = ("revoke", ["key", "revoke", id, "--reason", "old"])
            } else {
                (name, label) = ("key", fresh)
                arguments = ["key", "add", "acme", "openai", "--label", fresh, "--from-stdin"]
                input = "sk-test-\(fresh)-0123456789abcdef"
            }
        }
    }
}

/// Calls one after another over some connections until the engine is gone, and the ids of those that were answered.
private final class Acknowledged: Sendable {
    private let output: Locked<Result<String, any Error>?> = Locked(nil)
    private let done = DispatchGroup()

    init(_ house: House, _ token: String) {
        let port = house.port
        done.enter()
        DispatchQueue.global().async { [self] in
            let result = Result {
                try Tool.run(
                    try House.python, [try House.script("load"), "\(port)", "2000"], input: token + "\n"
                ).out
            }
            output.withLock { $0 = result }
            done.leave()
        }
    }

    func ids() throws -> Set<String> {
        done.wait()
        return Set(try output.withLock { try $0?.get() ?? "" }.split(separator: "\n").map(String.init))
    }
}
