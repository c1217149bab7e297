import Foundation
import TestKit
import Testing

/// Kill -9 while keys change and the vault rotates: every secret opens, and nothing that was acknowledged is gone.
@Suite(.serialized) struct VaultCrashTests {
    /// More cycles for a longer run.
    private static let cycles =
        ProcessInfo.processInfo.environment["GATEHOUSE_VAULT_CRASH_CYCLES"].flatMap { Int($0) } ?? 20

    @Test func `kill -9 during rotations and key changes loses no acknowledged key and no secret`() throws {
        let seed =
            ProcessInfo.processInfo.environment["GATEHOUSE_VAULT_CRASH_SEED"].flatMap { UInt64($0) }
            ?? UInt64.random(in: 0..<1_000_000)
        print("vault crash seed \(seed), \(Self.cycles) cycles")
        var generator = Dice(state: seed)
        let house = try House()
        let token = try house.tenant("acme")
        _ = try house.tenant("beta")
        var keys: Set<String> = ["openai/main", "anthropic/main"]
        var finished: [String: Int] = [:]
        for cycle in 0..<Self.cycles {
            try house.start()
            // Some commands may end; the engine is killed while the next one, or what it began, is at work.
            let victim = Int.random(in: 1...4, using: &generator)
            let delay = Double.random(in: 0..<0.6, using: &generator)
            let kill = DispatchWorkItem { house.stop(SIGKILL) }
            var number = 0
            while house.engine?.status == nil {
                number += 1
                if number == victim {
                    DispatchQueue.global().asyncAfter(deadline: .now() + delay, execute: kill)
                }
                let label = "k\(cycle)-\(number)"
                let (name, arguments, input) = change(label, &generator)
                let ended = try Tool.run(
                    try House.binary, arguments + ["--data", house.data], input: input, expect: nil)
                guard ended.status == 0 else { continue }
                finished[name, default: 0] += 1
                if name == "add" { keys.insert("openai/\(label)") }
            }
            kill.wait()
            try check(house, keys, "seed \(seed), cycle \(cycle)")
        }
        // The cycles did what they are for.
        print("vault crash: finished \(finished)")
        try house.start()
        #expect(try house.call(token: token, body: House.chat("openai/gpt-6-sol")).status == 200)
        #expect(try house.command(["vault", "rotate-dek"]).out.contains("destroyed"))
        #expect(try house.command(["vault", "rotate-kek"]).out.contains("destroyed"))
        try check(house, keys, "seed \(seed), at the end")
    }

    private func change(
        _ label: String, _ generator: inout Dice
    ) -> (name: String, arguments: [String], input: String) {
        switch Int.random(in: 0..<8, using: &generator) {
        case 0, 1: ("root", ["vault", "rotate-kek"], "")
        case 2, 3: ("keys", ["vault", "rotate-dek"], "")
        case 4: ("one", ["vault", "rotate-dek", "--tenant", "beta"], "")
        default:
            (
                "add", ["key", "add", "acme", "openai", "--label", label, "--from-stdin"],
                "sk-test-\(label)-0123456789abcdef"
            )
        }
    }

    /// With the engine dead or alive: all open, the chain holds, acknowledged keys are there.
    private func check(_ house: House, _ keys: Set<String>, _ place: String) throws {
        let verified = try house.command(["vault", "verify"], expect: nil)
        #expect(verified.status == 0 && verified.out.contains("all open"), "\(place): \(verified)")
        #expect(try house.command(["audit", "verify"]).out.contains("intact"), "\(place)")
        let listed = try house.command(["key", "list", "--json"]).out
        let rows = try JSONSerialization.jsonObject(with: Data(listed.utf8)) as? [[String: Any]] ?? []
        let stored = Set(
            rows.filter { $0["tenant"] as? String == "acme" && $0["state"] as? String == "active" }
                .compactMap { row in
                    (row["provider"] as? String).flatMap { provider in
                        (row["label"] as? String).map { "\(provider)/\($0)" }
                    }
                })
        #expect(keys.isSubset(of: stored), "\(place): missing \(keys.subtracting(stored))")
    }
}

/// Random numbers that a seed repeats (SplitMix64, Steele, Lea and Flood 2014).
private struct Dice: RandomNumberGenerator {
    var state: UInt64

    mutating func next() -> UInt64 {
        state &+= 0x9e37_79b9_7f4a_7c15
        var mixed = state
        mixed = (mixed ^ (mixed >> 30)) &* 0xbf58_476d_1ce4_e5b9
        mixed = (mixed ^ (mixed >> 27)) &* 0x94d0_49bb_1331_11eb
        return mixed ^ (mixed >> 31)
    }
}
