import Domain
import Foundation
import Storage
import TestKit
import Testing

@testable import SQLiteStorage

@Suite struct MappedJournalTests {
    private let folder = StorageFolder()
    private let tenant = TenantID(high: 1, low: 2)

    /// A journal with rows in it that nobody closes or confirms: what a killed process leaves behind.
    private func abandoned(_ rows: [LedgerRow], capacity: Int = 8) throws {
        let journal = try MappedJournal(in: folder.data(), capacity: capacity)
        for row in rows {
            #expect(journal.reserve())
            journal.append(row)
        }
        // A place that was reserved and never written.
        _ = journal.reserve()
    }

    private func edit(_ offset: Int, _ bytes: [UInt8]) throws {
        let handle = try #require(FileHandle(forUpdatingAtPath: folder.path + "/usage.journal"))
        try handle.seek(toOffset: UInt64(offset))
        try handle.write(contentsOf: Data(bytes))
        try handle.close()
    }

    @Test func `rows outlive a process that never closed its journal; reserved places do not`() throws {
        let rows = try Samples.rows(5, of: tenant, seed: 1)
        let dead = try MappedJournal(in: folder.data(), capacity: 8)
        for row in rows {
            #expect(dead.reserve())
            dead.append(row)
        }
        #expect(dead.reserve())
        #expect(dead.load == (6, 8))
        // Opened beside the first, which stays as it was at the moment of its death.
        let next = try MappedJournal(in: folder.data(), capacity: 8)
        #expect(next.recovery == JournalRecovery(rows: 5, torn: 0))
        #expect(next.load == (5, 8))
        #expect(try next.pending(limit: 99) == rows)
        try next.confirm(rows.prefix(3).map(\.call))
        let more = try Samples.rows(2, of: tenant, seed: 2)
        for row in more {
            #expect(next.reserve())
            next.append(row)
        }
        let third = try MappedJournal(in: folder.data(), capacity: 8)
        // Slots were used again, yet the order is that of the writing.
        #expect(try third.pending(limit: 99) == Array(rows[3...]) + more)
        #expect(third.load == (4, 8))
    }

    @Test func `torn slots are counted and freed, and the whole rows beside them kept`() throws {
        let rows = try Samples.rows(6, of: tenant, seed: 3)
        try abandoned(rows)
        let slot = { JournalFile.headerSize + $0 * JournalFile.slotSize }
        // A byte of the row, the checksum, the length, and the sequence number itself.
        try edit(slot(0) + JournalFile.slotHead + 70, [0xff])
        try edit(slot(1) + 8, [1, 2, 3, 4])
        try edit(slot(2) + 16, [0xff, 0xff, 0xff, 0xff])
        try edit(slot(3), [0x77])
        // A free slot that says it is written.
        try edit(slot(7), [9])
        let journal = try MappedJournal(in: folder.data())
        #expect(journal.recovery == JournalRecovery(rows: 2, torn: 5))
        #expect(try journal.pending(limit: 99) == Array(rows[4...]))
        #expect(journal.load == (2, 8))
        let again = try MappedJournal(in: folder.data())
        #expect(again.recovery == JournalRecovery(rows: 2, torn: 0))
    }

    @Test func `a slot cut anywhere in its writing is never taken for a row`() throws {
        // Each length of a prefix that reached the disk, over an older row in the same slot.
        let rows = try Samples.rows(2, of: tenant, seed: 4)
        try abandoned([rows[0]], capacity: 1)
        let path = folder.path + "/usage.journal"
        let old = try Data(contentsOf: URL(fileURLWithPath: path))
        let writer = try MappedJournal(in: folder.data())
        _ = try writer.pending(limit: 1)
        try writer.confirm([rows[0].call])
        #expect(writer.reserve())
        writer.append(rows[1])
        let new = try Data(contentsOf: URL(fileURLWithPath: path))
        let base = JournalFile.headerSize
        for cut in stride(from: 512, to: JournalFile.slotSize, by: 512) + [1, 8, 9, 16, 20, 24, 100, 300] {
            var mixed = new
            mixed.replaceSubrange((base + cut)..., with: old[(base + cut)...])
            try edit(base, Array(mixed[base...]))
            let journal = try MappedJournal(in: folder.data())
            let found = try journal.pending(limit: 9)
            #expect(found.allSatisfy { rows.contains($0) }, "cut at \(cut)")
            #expect(journal.recovery.rows + journal.recovery.torn == 1, "cut at \(cut)")
        }
    }

    @Test func `another format, another size and another file are refused and left as they were`() throws {
        try abandoned(try Samples.rows(2, of: tenant, seed: 5))
        let path = try folder.data().journalFile
        try edit(8, [2])
        let version = #expect(throws: StorageFailure.self) { try MappedJournal(in: folder.data()) }
        #expect(version?.description.contains("has format 2") == true)
        #expect(version?.description.contains("start the version that wrote it once") == true)
        try edit(8, [1])
        #expect(try MappedJournal(in: folder.data()).recovery.rows == 2)

        try edit(JournalFile.headerSize + 8 * JournalFile.slotSize, [0])
        let size = #expect(throws: StorageFailure.self) { try MappedJournal(in: folder.data()) }
        #expect(size?.description.contains("does not fit its 8 slots") == true)
        #expect(truncate(path, off_t(JournalFile.headerSize + 8 * JournalFile.slotSize)) == 0)
        #expect(try MappedJournal(in: folder.data()).recovery.rows == 2)

        try edit(0, [0x7f])
        #expect(
            throws: StorageFailure.corrupt("\(path) is not a usage journal; move it away to begin a new one")
        ) {
            try MappedJournal(in: folder.data())
        }
        try edit(0, Array("G".utf8))
        #expect(try MappedJournal(in: folder.data()).recovery.rows == 2)
    }

    @Test func `the capacity is that of the file that is there`() throws {
        _ = try MappedJournal(in: folder.data(), capacity: 5)
        #expect(try MappedJournal(in: folder.data(), capacity: 50).load == (0, 5))
    }

    @Test func `a row that breaks under a running journal is counted and does not stop the others`() throws {
        let rows = try Samples.rows(3, of: tenant, seed: 6)
        let journal = try MappedJournal(in: folder.data(), capacity: 4)
        for row in rows {
            #expect(journal.reserve())
            journal.append(row)
        }
        try edit(JournalFile.headerSize + JournalFile.slotSize + JournalFile.slotHead, [0xee, 0xee])
        #expect(try journal.pending(limit: 9) == [rows[0], rows[2]])
        #expect(journal.unreadable == 1)
        #expect(journal.load == (2, 4))
    }

    @Test func `the longest row fits, its texts cut at a character and its tags after a pair`() throws {
        var generator = SplitMix(seed: 7)
        let base = try Samples.row(of: tenant, at: .max, using: &generator)
        let longName = String(repeating: "m", count: 200)
        let pairs = (0..<100).map { "name\($0)=value" }.joined(separator: ",")
        let row = LedgerRow(
            call: base.call, tenant: tenant, virtualKey: base.virtualKey, at: base.at,
            dialect: .openAIEmbeddings,
            model: String(repeating: "é", count: 300),
            target: Target(
                provider: try ProviderName(String(repeating: "p", count: 48)), model: try ModelName(longName)),
            providerKey: .random(), user: "x" + String(repeating: "日", count: 40),
            team: String(repeating: "t", count: 99), tags: pairs, status: .max, end: .cancelled,
            failure: .modelNotAllowed, cache: .hit, attempts: .max,
            usage: Usage(
                input: .max, cacheRead: .min, cacheWrite: -1, cacheWriteHour: 0, output: 1, reasoning: 2),
            usageSource: .estimated, cost: Money(nanoUSD: .max), saved: Money(nanoUSD: .min),
            priceVersion: String(repeating: "v", count: 50), latencyMicroseconds: .max,
            firstByteMicroseconds: .max)
        let journal = try MappedJournal(in: folder.data(), capacity: 1)
        #expect(journal.reserve())
        journal.append(row)
        let found = try #require(try journal.pending(limit: 1).first)
        #expect(found.model == String(repeating: "é", count: 100))
        #expect(found.user == "x" + String(repeating: "日", count: 21))
        #expect(found.team == String(repeating: "t", count: 64))
        #expect(found.priceVersion == String(repeating: "v", count: 32))
        #expect(pairs.hasPrefix(found.tags + ","))
        #expect(found.tags.utf8.count > LedgerRowCoding.tagsAtLeast - "name00=value,".utf8.count)
        #expect(found.target == row.target)
        #expect(found.usage == row.usage)
        #expect(found.cost == row.cost && found.saved == row.saved)
        #expect(found.failure == row.failure && found.status == .max && found.at == row.at)
        #expect(found.latencyMicroseconds == .max && found.providerKey == row.providerKey)
    }

    @Test func `rows of every kind come back as they were, and no prefix of one is read as a row`() throws {
        let seed: UInt64 = 99
        let bytes = UnsafeMutableRawBufferPointer.allocate(byteCount: JournalFile.rowSize, alignment: 8)
        defer { bytes.deallocate() }
        for row in try Samples.rows(300, of: tenant, seed: seed) {
            let length = LedgerRowCoding.encode(row, into: bytes)
            let whole = UnsafeRawBufferPointer(rebasing: bytes[..<length])
            #expect(LedgerRowCoding.decode(whole) == row, "seed \(seed)")
            for cut in [0, 1, 47, 100, length / 2, length - 1] {
                #expect(LedgerRowCoding.decode(UnsafeRawBufferPointer(rebasing: whole[..<cut])) == nil)
            }
        }
    }

    @Test func `words read before stand for the same bytes only`() throws {
        let seed: UInt64 = 100
        let bytes = UnsafeMutableRawBufferPointer.allocate(byteCount: JournalFile.rowSize, alignment: 8)
        defer { bytes.deallocate() }
        // So few places that words push each other out all the time, and as many as a journal has.
        for capacity in [1, 3, 512] {
            var words = KnownWords(capacity: capacity)
            for row in try Samples.rows(400, of: tenant, seed: seed) {
                let length = LedgerRowCoding.encode(row, into: bytes)
                let whole = UnsafeRawBufferPointer(rebasing: bytes[..<length])
                #expect(LedgerRowCoding.decode(whole, knowing: &words) == row, "\(capacity), seed \(seed)")
                let cut = UnsafeRawBufferPointer(rebasing: whole[..<(length - 1)])
                #expect(LedgerRowCoding.decode(cut, knowing: &words) == nil)
            }
        }
    }

    @Test func `a late confirmation of a row that broke does not free the row that came into its slot`()
        throws
    {
        let rows = try Samples.rows(2, of: tenant, seed: 8)
        let journal = try MappedJournal(in: folder.data(), capacity: 1)
        #expect(journal.reserve())
        journal.append(rows[0])
        #expect(try journal.pending(limit: 1) == [rows[0]])
        try edit(JournalFile.headerSize + JournalFile.slotHead, [0xee, 0xee])
        #expect(try journal.pending(limit: 1).isEmpty)
        #expect(journal.reserve())
        journal.append(rows[1])
        try journal.confirm([rows[0].call])
        #expect(try journal.pending(limit: 1) == [rows[1]])
        try journal.confirm([rows[0].call])
        #expect(journal.load == (1, 1))
        try journal.confirm([rows[1].call])
        #expect(journal.load == (0, 1))
    }

    @Test func `given slots are found by their call through any sequence of steps`() {
        let seed: UInt64 = 4_712
        var generator = SplitMix(seed: seed)
        var given = GivenSlots(capacity: 5)
        var model: [Int: CallID] = [:]
        // Ids whose last bits are the same lie in one chain.
        let calls = (0..<6).map { CallID(high: UInt64($0), low: UInt64($0 % 2) * 8) }
        for step in 0..<5_000 {
            let slot = Int.random(in: 0..<5, using: &generator)
            let call = calls[Int.random(in: 0..<6, using: &generator)]
            switch Int.random(in: 0..<4, using: &generator) {
            case 0, 1:
                given.give(slot, of: call)
                model[slot] = call
            case 2:
                given.forget(slot)
                model[slot] = nil
            default:
                var taken: Set<Int> = []
                while let slot = given.take(call) { taken.insert(slot) }
                #expect(taken == Set(model.filter { $0.value == call }.keys), "step \(step), seed \(seed)")
                model = model.filter { $0.value != call }
            }
        }
    }

    @Test func `slots keep their order and number through any sequence of steps`() {
        let seed: UInt64 = 4_711
        var generator = SplitMix(seed: seed)
        var slots = JournalSlots(capacity: 7)
        var model: [Int] = []
        var reserved = 0
        for step in 0..<5_000 {
            switch Int.random(in: 0..<4, using: &generator) {
            case 0:
                let got = slots.reserve()
                #expect(got == (model.count + reserved < 7), "step \(step), seed \(seed)")
                reserved += got ? 1 : 0
            case 1 where reserved > 0:
                slots.release()
                reserved -= 1
            case 2 where reserved > 0:
                guard let taken = slots.take() else {
                    Issue.record("no slot for a reserved place: step \(step), seed \(seed)")
                    return
                }
                #expect(!model.contains(taken.slot))
                model.append(taken.slot)
                reserved -= 1
            case 3 where !model.isEmpty:
                slots.retire(model.remove(at: Int.random(in: 0..<model.count, using: &generator)))
            default: break
            }
            #expect(slots.oldest(99) == model, "step \(step), seed \(seed)")
            #expect(slots.used == model.count + reserved)
        }
    }
}
