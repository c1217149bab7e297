import Domain
import Foundation
import PowerKit
import Storage
import TestKit
import Testing

@testable import SQLiteStorage

/// Power cuts: what a verb had acknowledged is there, whatever of the unflushed writes reached the disk. Kill -9 cannot show
/// that: after it the kernel still has every write.
@Suite struct PowerLossTests {
    private static let cuts = 500
    private static let workloads = 4

    @Test func `power cuts at 2,000 points lose nothing that was acknowledged`() async throws {
        let seed = Self.seed()
        print("power loss seed \(seed), \(Self.workloads * Self.cuts) cuts")
        let missing = try await withThrowingTaskGroup { work in
            for number in 0..<Self.workloads {
                work.addTask { try await Self.cut(seed + UInt64(number), Self.cuts) { $0 } }
            }
            return try await work.reduce(into: []) { $0 += $1 }
        }
        #expect(missing.isEmpty, "seed \(seed): \(missing.prefix(5))")
    }

    /// That the cuts would find it.
    @Test func `without waiting for the write-ahead log the same cuts do lose`() async throws {
        let seed = Self.seed()
        let missing = try await Self.cut(seed, 60) { $0.withoutSyncsOfLogs() }
        #expect(missing.count > 5, "seed \(seed)")
    }

    private static func seed() -> UInt64 {
        ProcessInfo.processInfo.environment["GATEHOUSE_POWER_SEED"].flatMap { UInt64($0) }
            ?? .random(in: 0..<1_000_000)
    }

    /// Sentences on what is missing after so many cuts of one workload.
    private static func cut(
        _ seed: UInt64, _ cuts: Int, _ change: (PowerLog) -> PowerLog
    ) async throws -> [String] {
        var random = SplitMix(seed: seed)
        var house = try PowerHouse()
        defer { house.files.release() }
        try await house.work(60, &random, limit: seed % 2 == 0 ? 1 : 256)
        let steps = change(house.files.log).steps
        let points = (0..<cuts).map { _ in Int.random(in: 0...steps.count, using: &random) }.sorted()
        var disk = PowerDisk()
        var taken = 0
        var missing: [String] = []
        for point in points {
            while taken < point {
                disk.take(steps[taken])
                taken += 1
            }
            do {
                missing += try await PowerHouse.missing(
                    of: house.promised[disk.acknowledged], in: disk.cut(&random)
                ).map { "step \(point): \($0)" }
            } catch {
                missing.append("step \(point): \(error)")
            }
        }
        return missing
    }

    // MARK: A disk that refuses

    @Test(arguments: PowerFiles.Fault.allCases, [0, 1, 3])
    func `a disk that refuses costs the change, and nothing that was there`(
        fault: PowerFiles.Fault, writes: Int
    ) async throws {
        var random = SplitMix(seed: UInt64(writes))
        var house = try PowerHouse()
        defer { house.files.release() }
        try await house.work(30, &random)
        let control = try house.folder.controlStore()
        let before = try await control.load()
        house.files.refuse(fault, after: writes)
        var refused: StorageFailure?
        for number in 0..<40 where refused == nil {
            let limits = LimitRecord(
                tenant: before.tenants[0].id, owner: .team(try Label("red")),
                limits: .init(requestsPerMinute: number))
            refused = await refusal { try await control.setLimits(limits, audit: Samples.draft()) }
        }
        guard case .unavailable(let why)? = refused else {
            Issue.record("it was \(String(describing: refused))")
            return
        }
        #expect(house.files.refused > 0)
        #expect(fault != .full || why.contains("the disk is full"))
        // Reading goes on meanwhile.
        if fault != .sync { #expect(try await control.load().tenants == before.tenants) }
        house.files.refuse(nil)
        let limits = LimitRecord(
            tenant: before.tenants[0].id, owner: .team(try Label("red")), limits: .init(requestsPerMinute: 77)
        )
        if fault == .sync {
            // What the system holds of the file is not known any more: this handle stays closed.
            let still = await refusal { try await control.setLimits(limits, audit: Samples.draft()) }
            #expect(still?.description.contains("restart") == true)
        } else {
            try await control.setLimits(limits, audit: Samples.draft())
        }
        try? control.close()
        let again = try house.folder.controlStore()
        try await again.setLimits(limits, audit: Samples.draft())
        #expect(try await again.load().tenants == before.tenants)
        guard case .intact = try await again.verifyAudit() else {
            Issue.record("the audit is broken")
            return
        }
        try again.close()
    }
}
