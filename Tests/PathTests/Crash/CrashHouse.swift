import Assembly
import Domain
import Foundation
import Operations
import TestKit

/// One data folder whose engine is killed again and again, and looked at after each time.
struct CrashHouse {
    /// What came of it.
    struct Tally: Sendable {
        var cycles = 0
        var calls = 0
        var finished: [CrashChange.Kind: Int] = [:]
        var moments: [String: Int] = [:]
        /// Rotations that were found half-done at a start, and how far they were.
        var interrupted: [String: Int] = [:]
        /// Ledger rows that were found in the journal at a start.
        var recovered = 0
        var records = 0
        /// Of the first cycle that was not well.
        var wrong: [String] = []

        static func += (all: inout Tally, one: Tally) {
            all.cycles += one.cycles
            all.calls += one.calls
            all.finished.merge(one.finished, uniquingKeysWith: +)
            all.moments.merge(one.moments, uniquingKeysWith: +)
            all.interrupted.merge(one.interrupted, uniquingKeysWith: +)
            all.recovered += one.recovered
            all.records += one.records
            all.wrong += one.wrong
        }
    }

    private let house: House
    private let client: @Sendable () -> EngineClient?
    private var slots: CrashChange.Slots
    private let ledger: CrashLedger
    private let logs: CrashLogs
    private var paces: [CrashChange.Kind: CrashPace] = [:]
    /// One certificate for the many of the system, which take a third of a start and are not needed on loopback.
    private let authorities: String
    private var generator: SplitMix
    private var known = CrashKnowledge()
    /// The first was there before, the second is an acknowledged one of the cycles'.
    private var tokens: [String]
    private var audited: Int64 = 0
    private var ours: [String: Int] = [:]
    private var all: [String: Int] = [:]
    private var named = 0
    private(set) var tally = Tally()

    private static let operatorName = "crash"

    init(seed: UInt64) throws {
        generator = SplitMix(seed: seed)
        house = try House()
        // A program that traces a crash would keep the crashed one's connections open.
        house.environment = ["SWIFT_BACKTRACE": "enable=no"]
        let socket = house.data + "/engine.sock"
        client = { EngineClient(path: socket, operatorName: Self.operatorName) }
        tokens = [try house.tenant("acme")]
        _ = try house.tenant("beta")
        let second = String(repeating: "5ec0", count: 16)
        let path = house.folder.path + "/second.key"
        try second.write(toFile: path, atomically: true, encoding: .utf8)
        try FileManager.default.setAttributes([.posixPermissions: 0o600], ofItemAtPath: path)
        slots = .init(
            first: Array(try String(contentsOfFile: house.keyFile, encoding: .utf8).utf8),
            second: Array(second.utf8))
        authorities = try Self.authorities(in: house.folder.path)
        try house.start()
        let tenants = try client()?.snapshot().tenants ?? []
        let data = house.data
        func file(of name: String) throws -> String {
            guard let tenant = tenants.first(where: { $0.name.text == name }) else {
                throw Tool.Failure(description: "there is no tenant \(name)")
            }
            return data + "/tenants/\(tenant.id.text)/tenant.sqlite"
        }
        ledger = CrashLedger(file: try file(of: "acme"))
        // All calls are acme's.
        let quiet = [data + "/control.sqlite-wal", try file(of: "beta") + "-wal"]
        logs = CrashLogs(quiet: quiet, all: quiet + [ledger.file + "-wal"])
        try measureRotations()
        house.stop(SIGKILL)
    }

    /// How long each kind of rotation takes while nothing else is done.
    private mutating func measureRotations() throws {
        guard let client = client() else { throw Tool.Failure(description: "the engine is gone") }
        let picture = try client.snapshot()
        for kind in Set(CrashChange.rotations).sorted(by: { $0.rawValue < $1.rawValue }) {
            guard let change = try CrashChange.make(kind, "", picture, slots, &generator) else { continue }
            known.expect(change)
            paces[kind] = try CrashPace.measure(logs) {
                known.take(change, try client.perform(change.command, secret: change.secret).receipt)
            } toItsEnd: {
                try waitUntil("the rotation ends") { try client.snapshot().vault.work == nil }
            }
        }
    }

    private static func authorities(in folder: String) throws -> String {
        let all = (try? String(contentsOfFile: "/etc/ssl/certs/ca-certificates.crt", encoding: .utf8)) ?? ""
        guard let end = all.range(of: "-----END CERTIFICATE-----\n") else { return "" }
        try String(all[..<end.upperBound]).write(
            toFile: folder + "/ca.pem", atomically: true, encoding: .utf8)
        return "[upstream]\nca_file = \"\(folder)/ca.pem\"\n"
    }

    /// Kills it so often, as long as all is well, and brings it to rest in the end.
    mutating func run(_ cycles: Int) throws {
        for cycle in 0..<cycles {
            try live(through: cycle)
            guard tally.wrong.isEmpty else { return }
        }
        try start()
        try check("at the end")
        try finishRotations()
        try check("after the last rotation")
        house.stop(SIGTERM)
        tally.calls = known.callCount
        tally.finished = known.finished
    }

    // MARK: One life

    private mutating func live(through cycle: Int) throws {
        let moment = CrashMoment(&generator)
        tally.moments[moment.name, default: 0] += 1
        tally.cycles += 1
        if case .starting(let pause) = moment {
            // What the life before left is looked at by the next one.
            try configure()
            try house.launch()
            usleep(pause)
            return house.stop(SIGKILL)
        }
        try start()
        let picture = try check("cycle \(cycle)")
        guard tally.wrong.isEmpty, let engine = house.engine, let client = client() else { return }
        let kill = CrashKill(engine, at: moment, watching: logs, paces)
        // Mostly it is the changes that shall have the machine; at times it is the ledger.
        let isBusy = Int.random(in: 0..<10, using: &generator) == 0
        let callers = isBusy ? 6 : Int.random(in: 1...3, using: &generator)
        let calls = CrashCalls(
            port: house.port, tokens: (0..<callers).map { tokens[$0 % tokens.count] },
            pause: isBusy ? 0 : moment.isTick || moment.isRotation ? 40_000 : 5_000)
        let changes = Int.random(in: 1...3, using: &generator)
        for number in 1...changes {
            named += 1
            slots.hasSecond = known.hasSecondSlot
            let change = try CrashChange.draw(
                "k\(named)", isRotation: moment.isRotation && number == changes, picture, slots, &generator)
            known.expect(change)
            if number == changes { kill.arm(change.kind) }
            guard let outcome = try? client.perform(change.command, secret: change.secret) else { continue }
            known.take(change, outcome.receipt)
            guard let issued = outcome.issued else { continue }
            tokens = [tokens[0], issued.withBytes { String(decoding: $0, as: UTF8.self) }]
        }
        kill.wait()
        tally.wrong += known.take(calls.end())
        if engine.status != 128 + SIGKILL {
            tally.wrong.append("cycle \(cycle): the engine ended by itself, \(engine.status ?? 0)")
        }
    }

    private mutating func start() throws {
        try configure()
        try house.start()
        let log = try String(contentsOfFile: house.logs.last ?? "", encoding: .utf8)
        if let mark = log.range(of: "rows=") {
            tally.recovered += Int(log[mark.upperBound...].prefix { $0.isNumber }) ?? 0
        }
    }

    /// The slot that was added opens the vault as the first does.
    private mutating func configure() throws {
        let isSecond = known.hasSecondSlot == true && Bool.random(using: &generator)
        house.keyFile = house.folder.path + (isSecond ? "/second.key" : "/vault.key")
        try house.configure(authorities)
    }

    private mutating func finishRotations() throws {
        guard let client = client() else { throw Tool.Failure(description: "the engine is gone") }
        try waitUntil("the interrupted rotations end") { try client.snapshot().vault.work == nil }
        let change = CrashChange(kind: .allKeys, command: .vaultRotateKeys(tenant: nil))
        known.expect(change)
        known.take(change, try client.perform(change.command, secret: nil).receipt)
        try waitUntil("the rotation of the keys ends") { try client.snapshot().vault.work == nil }
    }

    // MARK: Looking

    /// What the life before left, as the engine that was started on it sees it.
    @discardableResult
    private mutating func check(_ place: String) throws -> EngineSnapshot {
        guard let client = client() else { throw Tool.Failure(description: "the engine is gone") }
        var wrong: [String] = []
        let picture = try client.snapshot()
        if let work = picture.vault.work {
            let place =
                work.done == 0 ? "at the beginning" : work.done < work.total ? "between" : "at the end"
            tally.interrupted["\(work.what.rawValue) \(place)", default: 0] += 1
        }
        wrong += known.compare(picture)
        let verified = try client.perform(.vaultVerify, secret: nil).receipt
        if verified.isBad || !verified.message.hasSuffix("all open") {
            wrong += [verified.message] + verified.details
        }
        if case .auditBroken(let sequence, let what) = try client.ask(.verifyAudit) {
            wrong.append("the chain is broken at \(sequence): \(what)")
        }
        try readAudit(client)
        wrong += known.compare(ours, all: all, picture)
        wrong += try checkLedger()
        tally.wrong += wrong.map { "\(place): \($0)" }
        tally.records = Int(audited)
        return picture
    }

    /// The journal goes into the ledger in the background.
    private func checkLedger() throws -> [String] {
        var wrong = known.compare(try ledger.calls())
        try? waitUntil("the journal is in the ledger", seconds: 30) {
            wrong = known.compare(try ledger.calls())
            return wrong.isEmpty
        }
        return wrong
    }

    /// Counts what was done; who was refused does not count.
    private mutating func readAudit(_ client: EngineClient) throws {
        while case .audit(let page) = try client.ask(.auditFrom(sequence: audited + 1, limit: 500)),
            let last = page.last
        {
            audited = last.sequence
            for draft in page.lazy.map(\.draft) where draft.result == "ok" {
                all[draft.action, default: 0] += 1
                guard draft.actor == Self.operatorName, draft.action != "vault.verify" else { continue }
                ours[draft.action, default: 0] += 1
            }
        }
    }
}
