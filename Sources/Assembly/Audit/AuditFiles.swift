import Cipher
import Domain
import Glibc
public import Operations
import Storage

/// The audit as a file: written by an engine, verified by anyone.
public enum AuditFiles {
    /// How it is written.
    public enum Form: String, Sendable, CaseIterable { case jsonl, csv }

    private static let batch = 1_000

    /// What answers the questions of an export: an engine, or a session with one.
    public typealias Asking = (EngineQuery) async throws -> EngineAnswer

    /// Writes the records up to `records` into a new file; JSON lines with their checkpoints, CSV without.
    public static func export(
        to path: String, form: Form, records: Int64, asking: Asking
    ) async throws {
        let descriptor = open(path, O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC | O_NOFOLLOW, 0o600)
        guard descriptor >= 0 else {
            throw CommandFailure(
                "\(path) cannot be made: \(String(cString: strerror(errno))); an export never replaces a file"
            )
        }
        defer { close(descriptor) }
        do {
            try await write(form, records: records, asking: asking) { bytes in
                guard Self.write(bytes, to: descriptor) else {
                    throw CommandFailure("\(path) cannot be written: \(String(cString: strerror(errno)))")
                }
            }
            guard fsync(descriptor) == 0 else {
                throw CommandFailure("\(path) cannot be flushed to the disk")
            }
        } catch {
            unlink(path)
            throw error
        }
    }

    /// For an engine that writes the file itself: where it may lie, and which forms there are.
    static func export(
        to path: String, named form: String, records: Int64, outside folder: String, asking: Asking
    ) async throws {
        guard path.utf8.first == UInt8(ascii: "/"), !path.utf8.starts(with: (folder + "/").utf8) else {
            throw CommandFailure("an export goes to an absolute path outside \(folder)")
        }
        guard let form = Form(rawValue: form) else {
            throw CommandFailure("an export is jsonl or csv, not \(form)")
        }
        try await export(to: path, form: form, records: records, asking: asking)
    }

    private static func write(
        _ form: Form, records: Int64, asking: Asking, into sink: ([UInt8]) throws -> Void
    ) async throws {
        guard case .auditLog(let log) = try await asking(.auditLog) else { throw strange }
        switch form {
        case .jsonl: try sink(AuditExport.head(key: log.verifierKey, records: records))
        case .csv: try sink(Array(AuditTable.head.utf8))
        }
        var notes = form == .jsonl ? try await checkpoints(asking)[...] : []
        var next: Int64 = 1
        while next <= records {
            let wanted = Int(min(Int64(batch), records - next + 1))
            guard case .audit(let page) = try await asking(.auditFrom(sequence: next, limit: wanted)),
                let last = page.last
            else { throw strange }
            var bytes: [UInt8] = []
            for record in page where record.sequence <= records {
                bytes += form == .jsonl ? AuditExport.line(record) : Array(AuditTable.line(record).utf8)
                while let note = notes.first, note.size <= record.sequence {
                    if note.size == record.sequence { bytes += AuditExport.checkpoint(note.note) }
                    notes.removeFirst()
                }
            }
            try sink(bytes)
            next = last.sequence + 1
        }
    }

    private static func checkpoints(_ asking: Asking) async throws -> [StoredCheckpoint] {
        var all: [StoredCheckpoint] = []
        while case .checkpoints(let page) = try await asking(
            .checkpoints(after: all.last?.position ?? 0, limit: batch)), !page.isEmpty
        {
            all += page
        }
        return all
    }

    private static let strange = CommandFailure("the engine answered something else than was asked")

    private static func write(_ bytes: [UInt8], to descriptor: Int32) -> Bool {
        var rest = bytes[...]
        while !rest.isEmpty {
            let count = rest.withUnsafeBytes { Glibc.write(descriptor, $0.baseAddress, $0.count) }
            if count < 0, errno == EINTR { continue }
            guard count > 0 else { return false }
            rest = rest.dropFirst(count)
        }
        return true
    }

    // MARK: Verifying

    /// Verifies an export with nothing but the file, what was kept outside, and the key that was noted.
    ///
    /// - Parameter key: a verifier key, or the fingerprint of one; nil = the key that the export names itself.
    /// - Returns: what was found, a line each, when nothing speaks against the export.
    public static func verify(
        _ path: String, checkpoints: String?, key: String?
    ) throws -> [String] {
        let kept = try checkpoints.map { path in
            guard access(path, R_OK) == 0 else { throw CommandFailure("\(path) cannot be read") }
            return try CheckpointFile(path: path).notes()
        }
        let trusted = try key.map(trust)
        var check = AuditExportCheck(
            outside: kept?.notes ?? [], hashing: { SHA256.digest($0) },
            verifying: { Ed25519.verify($0, of: $1, publicKey: $2) }, trusted: trusted ?? { _ in true })
        do {
            try forEachLine(of: path) { try check.take($0) }
            let report = try check.finish()
            guard key == nil || report.key != nil else {
                throw CommandFailure(
                    "the export names no key, and one was given: it is from before there were keys")
            }
            return words(report, skipped: kept?.skipped, isKeyGiven: key != nil)
        } catch let fault as AuditExportCheck.Fault {
            throw CommandFailure("the audit does NOT verify: \(fault)")
        }
    }

    private static func words(
        _ report: AuditExportCheck.Report, skipped: [Int]?, isKeyGiven: Bool
    ) -> [String] {
        var out = [
            "the audit verifies: \(report.records) records, head \(hexadecimalText(of: report.head))",
            "tree root \(hexadecimalText(of: report.root.bytes))",
            "checkpoints checked: \(report.inside) in the export, \(report.outside) kept outside",
        ]
        if let at = report.signedAt {
            out.append(
                "signed: \(report.signed) of \(report.records) records, at \(WallTime(milliseconds: at * 1_000))"
            )
        } else {
            out.append("signed: none of the records")
        }
        if report.otherLogs > 0 {
            out.append("NOTE \(report.otherLogs) checkpoints are of other logs and were not checked")
        }
        if report.erased > 0 { out.append("NOTE in \(report.erased) records who did it was erased") }
        for jump in report.clockJumps {
            out.append("NOTE record \(jump.sequence): the clock went back, from \(jump.from) to \(jump.to)")
        }
        if report.clockJumpCount > report.clockJumps.count {
            out.append("NOTE the clock went back \(report.clockJumpCount) times in all")
        }
        for line in report.checkpointJumps {
            out.append("NOTE the checkpoint outside in line \(line) is of a time before the one before it")
        }
        for line in skipped ?? [] {
            out.append("NOTE from line \(line) of the checkpoints on something is no checkpoint")
        }
        if !isKeyGiven {
            out.append(
                "NOTE the key is the export's own: whoever wrote the file may have signed it; give --public-key"
            )
        }
        if skipped == nil {
            out.append("NOTE without --checkpoints an end that was cut off, head and all, is not seen")
        }
        return out
    }

    private static func trust(_ text: String) throws -> @Sendable (AuditLogKey) -> Bool {
        if let key = AuditLogKey(verifierKey: text, hashing: { SHA256.digest($0) }) { return { $0 == key } }
        guard text.utf8.count == 64, text.utf8.allSatisfy({ hexadecimalValue(of: $0) != nil }) else {
            throw CommandFailure(
                "--public-key takes what `gatehouse audit key` prints: the key, or its fingerprint of 64 digits",
                code: 2)
        }
        let wanted = text.lowercased()
        return { $0.fingerprint(hashing: { SHA256.digest($0) }).utf8.elementsEqual(wanted.utf8) }
    }

    /// Longest line of an export: a record's texts have 4 KiB each, six bytes a byte at worst when escaped.
    private static let longestLine = 1 << 20

    private static func forEachLine(of path: String, _ body: ([UInt8]) throws -> Void) throws {
        let descriptor = open(path, O_RDONLY | O_CLOEXEC)
        guard descriptor >= 0 else {
            throw CommandFailure("\(path) cannot be read: \(String(cString: strerror(errno)))")
        }
        defer { close(descriptor) }
        var pending: [UInt8] = []
        var buffer = [UInt8](repeating: 0, count: 256 << 10)
        while true {
            let count = buffer.withUnsafeMutableBytes { read(descriptor, $0.baseAddress, $0.count) }
            if count < 0, errno == EINTR { continue }
            guard count >= 0 else { throw CommandFailure("\(path) cannot be read") }
            if count == 0 { break }
            pending += buffer[..<count]
            var rest = pending[...]
            while let end = rest.firstIndex(of: UInt8(ascii: "\n")) {
                try body(Array(rest[..<end]))
                rest = rest[(end + 1)...]
            }
            pending = Array(rest)
            guard pending.count <= longestLine else {
                throw CommandFailure("\(path) has a line longer than any export's")
            }
        }
        // A last line without its newline is one that was cut.
        if !pending.isEmpty { try body(pending) }
    }
}

/// The audit as a table for spreadsheets: RFC 4180.
enum AuditTable {
    private static let columns = [
        "sequence", "time", "actor", "via", "session", "tty", "uid", "from", "action", "target", "tenant",
        "before", "after", "result", "reason", "hash",
    ]

    static var head: String { row(columns) }

    static func line(_ record: AuditRecord) -> String {
        let draft = record.draft
        let origin = draft.origin
        return row([
            "\(record.sequence)", draft.at.description, draft.actor, draft.via, origin.session, origin.tty,
            origin.uid, origin.from, draft.action, draft.target, draft.tenant?.text ?? "", draft.before,
            draft.after, draft.result, draft.reason, hexadecimalText(of: record.hash),
        ])
    }

    /// Cells that a spreadsheet would run get a quote in front (OWASP, "CSV Injection": = + - @, tab, carriage return, and
    /// line feed); every cell stands in quotation marks, so that none can leave its place.
    private static func row(_ cells: [String]) -> String {
        let risky: Set<UInt8> = [0x3d, 0x2b, 0x2d, 0x40, 0x09, 0x0d, 0x0a]
        return cells.map { cell in
            let isRisky = cell.utf8.first.map(risky.contains) ?? false
            var out: [UInt8] = [UInt8(ascii: "\"")]
            if isRisky { out.append(UInt8(ascii: "'")) }
            for byte in cell.utf8 {
                if byte == UInt8(ascii: "\"") { out.append(byte) }
                out.append(byte)
            }
            return String(decoding: out + [UInt8(ascii: "\"")], as: UTF8.self)
        }.joined(separator: ",") + "\r\n"
    }
}
