import Foundation
import Locking
import TestKit
import TestTraits
import Testing

/// Kill -9 while calls are metered, keys change and the vault rotates: every secret opens, the chain holds, and nothing
/// that was acknowledged is gone.
@Suite(.ownThread) struct VaultCrashTests {
    /// 10,000 and more by the variable.
    private static let cycles = number("GATEHOUSE_VAULT_CRASH_CYCLES").map { Int($0) } ?? 500
    /// Data folders beside each other: most of a life is waiting.
    private static let houses = 4

    private static func number(_ variable: String) -> UInt64? {
        ProcessInfo.processInfo.environment[variable].flatMap { UInt64($0) }
    }

    @Test func `kill -9 during rotations, key changes and calls loses nothing that was acknowledged`()
        async throws
    {
        let seed = Self.number("GATEHOUSE_VAULT_CRASH_SEED") ?? .random(in: 0..<1_000_000)
        print("vault crash seed \(seed), \(Self.cycles) cycles")
        let began = Date()
        var all = CrashHouse.Tally()
        for result in await Self.run(seed) { all += try result.get() }
        let changes = all.finished.map { "\($0.key) \($0.value)" }.sorted().joined(separator: ", ")
        let moments = all.moments.map { "\($0.key) \($0.value)" }.sorted().joined(separator: ", ")
        let places = all.interrupted.map { "\($0.key) \($0.value)" }.sorted().joined(separator: ", ")
        let interrupted = all.interrupted.values.reduce(0, +)
        print(
            """
            vault crash: \(all.cycles) cycles in \(Int(Date().timeIntervalSince(began))) s, killed while \(moments)
            vault crash: \(all.calls) calls acknowledged, \(all.recovered) rows found in the journal
            vault crash: finished \(changes); \(all.records) audit records
            vault crash: \(interrupted) rotations found half-way: \(places)
            """)
        #expect(all.wrong.isEmpty, "seed \(seed)")
        // The cycles did what they are for.
        #expect(all.cycles == Self.cycles)
        #expect(all.calls > Self.cycles)
        #expect(all.finished.values.reduce(0, +) > Self.cycles / 2)
        #expect(interrupted > Self.cycles / 3)
    }

    private static func run(_ seed: UInt64) async -> [Result<CrashHouse.Tally, any Error>] {
        await withTaskGroup { work in
            for number in 0..<houses {
                let share = cycles / houses + (number < cycles % houses ? 1 : 0)
                work.addTask {
                    Result {
                        var house = try CrashHouse(seed: seed + UInt64(number))
                        try house.run(share)
                        return house.tally
                    }
                }
            }
            return await work.reduce(into: []) { $0.append($1) }
        }
    }
}
