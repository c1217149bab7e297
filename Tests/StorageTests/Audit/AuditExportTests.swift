import Domain
import Testing

@testable import Storage

/// Exports, whole and manipulated: each manipulation is a refusal that names the record and the reason.
@Suite struct AuditExportTests {
    private static let key = AuditLogKey(
        vault: .init(high: 1, low: 2), log: .init(high: 3, low: 4),
        publicKey: [UInt8](repeating: 9, count: 32))

    private static func sign(_ message: [UInt8], _ key: [UInt8]) -> [UInt8] {
        let first = (key + message).withUnsafeBytes { referenceSHA256($0).bytes }
        return first + first.reversed()
    }

    private static let verify: AuditCheckpoint.Verifying = { sign($1, $2) == $0 }

    /// Records and the checkpoints after every third of them.
    private struct Log {
        var records: [AuditRecord] = []
        var notes: [Int: AuditCheckpoint] = [:]

        init(_ count: Int, key: AuditLogKey = AuditExportTests.key, mark: String = "") throws {
            var tree = MerkleFrontier()
            for index in 1...count {
                let draft = AuditDraft(
                    at: .init(milliseconds: 1_000_000 + Int64(index) * 1_000), actor: "ana", via: "console",
                    action: "breaker.trip", target: "openai/gpt \(index)\(mark)", reason: "\u{1}\"é\n",
                    origin: OperatorOrigin(session: "1", tty: "pts/4", uid: "1000", from: "::1"))
                let record = AuditChain.record(of: draft, after: records.last, hashing: referenceSHA256)
                records.append(record)
                tree.append(try #require(Digest256(bytes: record.hash)), hashing: referenceSHA256)
                guard index % 3 == 0 else { continue }
                notes[index] = try AuditCheckpoint(
                    of: AuditHead(
                        size: tree.size, head: record.hash, root: tree.root(hashing: referenceSHA256)),
                    key: key, at: draft.at, hashing: referenceSHA256,
                    signing: { AuditExportTests.sign($0, key.publicKey) })
            }
        }

        var lines: [[UInt8]] {
            var out = [
                AuditExport.head(
                    key: AuditExportTests.key.verifierKey(hashing: referenceSHA256),
                    records: Int64(records.count))
            ]
            for (index, record) in records.enumerated() {
                out.append(AuditExport.line(record))
                if let note = notes[index + 1] { out.append(AuditExport.checkpoint(note.note)) }
            }
            return out.map { Array($0.dropLast()) }
        }

        var outside: String { notes.sorted { $0.key < $1.key }.map { $0.value.note + "\n" }.joined() }
    }

    private func check(
        _ lines: [[UInt8]], outside: String = ""
    ) -> Result<AuditExportCheck.Report, AuditExportCheck.Fault> {
        var check = AuditExportCheck(
            outside: AuditNote.all(in: outside.utf8).notes, hashing: referenceSHA256, verifying: Self.verify,
            trusted: { $0 == Self.key })
        do throws(AuditExportCheck.Fault) {
            for line in lines { try check.take(line) }
            return .success(try check.finish())
        } catch {
            return .failure(error)
        }
    }

    private func fault(_ lines: [[UInt8]], outside: String = "") -> String {
        switch check(lines, outside: outside) {
        case .success: "nothing was found"
        case .failure(let fault): fault.description
        }
    }

    @Test func `an untouched export verifies, and says how far it is signed`() throws {
        let log = try Log(10)
        let report = try check(log.lines, outside: log.outside).get()
        #expect(report.records == 10 && report.inside == 3 && report.outside == 3 && report.signed == 9)
        #expect(report.signedAt == 1_009 && report.clockJumps.isEmpty && report.erased == 0)
        #expect(report.head == log.records[9].hash)
        #expect(try check(log.lines).get().outside == 0)
    }

    @Test func `a line is one JSON object in which the hashed bytes stand as they are`() throws {
        let record = try Log(1).records[0]
        let line = String(decoding: AuditExport.line(record), as: UTF8.self)
        let json = AuditChain.canonicalJSON(
            of: record.draft, sequence: 1, previous: record.previous, commitment: record.commitment)
        #expect(line.hasSuffix(",\"record\":" + String(decoding: json.bytes, as: UTF8.self) + "}\n"))
        #expect(
            line.contains(
                #""operator":{"actor":"ana","blinding":"\#(hexadecimalText(of: record.blinding))","#
                    + #""from":"::1","session":"1","tty":"pts/4","uid":"1000"}"#))
    }

    @Test func `a bit changed anywhere in an export is found`() throws {
        let log = try Log(3)
        let lines = log.lines
        for (number, line) in lines.enumerated() {
            for place in stride(from: number % 7, to: line.count, by: 7) {
                var changed = lines
                changed[number][place] ^= 1
                let found = fault(changed)
                let isNamed = ["line \(number + 1)", "record ", "another key"].contains { found.contains($0) }
                #expect(isNamed, "\(number) \(place) \(found)")
            }
        }
    }

    @Test func `removed, doubled, swapped and inserted records are named`() throws {
        let log = try Log(6)
        let lines = log.lines  // head, 1, 2, 3, checkpoint, 4, 5, 6, checkpoint
        var removed = lines
        removed.remove(at: 2)
        #expect(fault(removed) == "record 2 (line 3): the record is missing")
        var doubled = lines
        doubled.insert(lines[2], at: 3)
        #expect(fault(doubled) == "record 2 (line 4): the record is there twice or out of order")
        var swapped = lines
        swapped.swapAt(1, 2)
        #expect(fault(swapped) == "record 1 (line 2): the record is missing")
        var inserted = lines
        inserted[5] = Array(
            AuditExport.line(
                AuditChain.record(
                    of: AuditDraft(
                        at: .init(milliseconds: 1), actor: "eve", via: "console", action: "token.issue",
                        target: ""),
                    after: log.records[2], hashing: referenceSHA256)
            ).dropLast())
        #expect(fault(inserted) == "record 5 (line 7): the record does not follow from the one before")
    }

    @Test func `an end that was cut off shows by the head, and with another head by the checkpoints outside`()
        throws
    {
        let log = try Log(9)
        let cut = Array(log.lines.dropLast(4))
        #expect(fault(cut).hasPrefix("record 7: the export's head says 9 records, and there are 6"))
        let short = try Log(6)
        var lying = short
        lying.records = Array(log.records.prefix(6))
        lying.notes = log.notes.filter { $0.key <= 6 }
        #expect(try check(lying.lines).get().records == 6)
        #expect(
            fault(lying.lines, outside: log.outside)
                == "record 7: missing at the end, as are all up to 9: the checkpoint outside in line 13 covers them "
                + "(or is younger than the export: take those of its time)"
        )
    }

    @Test
    func `a history that was written anew shows by the checkpoints outside, and by its own without the key`()
        throws
    {
        let log = try Log(9)
        let forged = try Log(9, mark: "!")
        #expect(
            fault(forged.lines, outside: log.outside)
                == "record 3 or one before it is not what it was: the checkpoint outside in line 1 has another root, "
                + "and the one before it covers 0")
        let stranger = AuditLogKey(
            vault: .init(high: 1, low: 2), log: .init(high: 3, low: 4),
            publicKey: [UInt8](repeating: 8, count: 32))
        let unsigned = try Log(9, key: stranger, mark: "!")
        #expect(fault(unsigned.lines) == "the checkpoint in line 5 is not signed by the log's key")
        var renamed = unsigned.lines
        renamed[0] = Array(
            AuditExport.head(key: stranger.verifierKey(hashing: referenceSHA256), records: 9).dropLast())
        #expect(fault(renamed).hasPrefix("the export is signed by another key than the one given"))
    }

    @Test func `a log that was put back, and went on, shows by the order of its checkpoints`() throws {
        let log = try Log(9)
        let back = try #require(log.notes[9]).note + "\n" + #require(log.notes[6]).note
        #expect(
            fault(log.lines, outside: back)
                == "the checkpoint outside in line 7 covers 6 records, the one before it 9: the log was put back"
        )
    }

    @Test func `a checkpoint in another place, of another size or with another signature is refused`() throws
    {
        let log = try Log(6)
        var moved = log.lines
        moved.swapAt(4, 5)
        #expect(fault(moved) == "line 6: the checkpoint covers 3 records and stands after 4")
        var other = log
        other.notes[3] = log.notes[6]
        #expect(
            fault(other.lines)
                == "record 4 (line 5): missing, as are all up to 6: the checkpoint in this line covers them")
        let raised = log.outside.replacing("\n6\n", with: "\n7\n")
        #expect(
            fault(log.lines, outside: raised)
                == "the checkpoint outside in line 7 was changed: its signature does not fit")
    }

    @Test func `an erased operator leaves the export as good as it was, and a clock that went back is told`()
        throws
    {
        let log = try Log(3)
        var erased = log
        let old = log.records[1]
        erased.records[1] = AuditRecord(
            sequence: 2,
            draft: AuditDraft(
                id: old.draft.id, at: old.draft.at, actor: "", via: "console", action: "breaker.trip",
                target: old.draft.target, reason: old.draft.reason), previous: old.previous, hash: old.hash,
            form: .json, commitment: old.commitment)
        let report = try check(erased.lines, outside: log.outside).get()
        #expect(report.erased == 1 && report.outside == 1)
        var back = log
        back.records.append(
            AuditChain.record(
                of: AuditDraft(at: .init(milliseconds: 7), actor: "", via: "", action: "", target: ""),
                after: log.records[2], hashing: referenceSHA256))
        let jumps = try check(back.lines).get().clockJumps
        #expect(jumps.map(\.sequence) == [4] && jumps.map(\.to.milliseconds) == [7])
    }

    @Test func `records of the older form are exported and verified too`() throws {
        var previous = AuditChain.origin
        var log = try Log(1)
        log.records = (Int64(1)...3).map { sequence in
            let draft = AuditDraft(
                at: .init(milliseconds: sequence), actor: "ana", via: "command", action: "old.\(sequence)",
                target: "x", tenant: .init(high: 5, low: 6))
            let bare = AuditRecord(sequence: sequence, draft: draft, previous: previous, hash: [])
            previous = AuditChain.hash(of: bare, hashing: referenceSHA256)
            return AuditRecord(sequence: sequence, draft: draft, previous: bare.previous, hash: previous)
        }
        #expect(try check(log.lines).get().records == 3)
        var changed = log.lines
        changed[2] = Array(
            String(decoding: changed[2], as: UTF8.self).replacing("\"ana\"", with: "\"bob\"").utf8)
        #expect(fault(changed) == "record 2 (line 3): the record was changed")
    }

    @Test func `what is no export is refused`() throws {
        #expect(fault([]) == "the file is empty")
        #expect(fault([Array("TIME,ACTOR".utf8)]).hasPrefix("line 1 is not what an export writes"))
        let lines = try Log(2).lines
        #expect(fault(Array(lines.dropFirst())) == "line 1 is not the head of an export")
        #expect(fault([lines[0]] + lines) == "line 2: a second head")
    }
}
