public import Domain

/// Verifies an export by itself, line by line: the chain, the tree, and every checkpoint in it and outside of it.
///
/// With all leaves at hand the root at each checkpoint's size is computed anew from the same records; that is what a
/// consistency proof between two checkpoints stands for, and stronger.
public struct AuditExportCheck: Sendable {
    /// What speaks against an export, with the line or the record that it is about.
    public struct Fault: Error, Sendable, Equatable, CustomStringConvertible {
        public let description: String
        public init(_ description: String) { self.description = description }
    }

    /// What was found in an export against which nothing speaks.
    public struct Report: Sendable, Equatable {
        public var records: Int64 = 0
        public var head: [UInt8] = []
        public var root = Digest256(0, 0, 0, 0)
        public var key: AuditLogKey?
        /// Checkpoints in the export and outside of it that were checked; of other logs, that could not be.
        public var inside = 0
        public var outside = 0
        public var otherLogs = 0
        /// How many records a checked checkpoint covers.
        public var signed: Int64 = 0
        public var signedAt: Int64?
        public var erased = 0
        public var clockJumps: [AuditWalk.ClockJump] = []
        public var clockJumpCount = 0
        /// Checkpoints outside that are older than one before them.
        public var checkpointJumps: [Int] = []
    }

    private let hashing: Hashing
    private let verifying: AuditCheckpoint.Verifying
    private let trusted: @Sendable (AuditLogKey) -> Bool
    private let outside: [AuditNote]
    private var walk: AuditWalk
    private var report = Report()
    private var announced: Int64?
    private var lineNumber = 0
    /// Roots at the sizes that notes outside are about.
    private var roots: [Int64: Digest256] = [:]
    private let wanted: Set<Int64>
    /// Logs that the records name, and those that checkpoints are of besides the present one, with where that was.
    private var named: Set<String> = []
    private var others: [(origin: String, place: String)] = []

    /// - Parameters:
    ///   - outside: notes that were kept elsewhere, in their order.
    ///   - trusted: whether the key that the export names is the one that was noted elsewhere.
    public init(
        outside: [AuditNote], hashing: @escaping Hashing, verifying: @escaping AuditCheckpoint.Verifying,
        trusted: @escaping @Sendable (AuditLogKey) -> Bool
    ) {
        self.hashing = hashing
        self.verifying = verifying
        self.trusted = trusted
        self.outside = outside
        walk = AuditWalk(hashing: hashing)
        wanted = Set(outside.map(\.size))
    }

    /// Takes the next line, without its newline.
    public mutating func take(_ bytes: [UInt8]) throws(Fault) {
        lineNumber += 1
        guard let line = AuditExport.read(bytes) else {
            throw Fault(
                "line \(lineNumber) is not what an export writes: it was changed, or is another file's")
        }
        switch line {
        case .head(let text, let records):
            guard lineNumber == 1 else { throw Fault("line \(lineNumber): a second head") }
            try takeHead(text, records)
        case _ where announced == nil: throw Fault("line 1 is not the head of an export")
        case .record(let record): try take(record)
        case .checkpoint(let note): try takeInside(note)
        }
    }

    private mutating func takeHead(_ text: String, _ records: Int64) throws(Fault) {
        announced = records
        guard !text.isEmpty else { return }
        guard let key = AuditLogKey(verifierKey: text, hashing: hashing) else {
            throw Fault("line 1: the key is no verifier key")
        }
        guard trusted(key) else {
            throw Fault(
                "the export is signed by another key than the one given: \(key.fingerprint(hashing: hashing))"
            )
        }
        report.key = key
    }

    private mutating func take(_ record: AuditRecord) throws(Fault) {
        if case .broken(let sequence, let what)? = walk.take(record) {
            throw Fault("record \(sequence) (line \(lineNumber)): \(what)")
        }
        if record.form == .json, record.blinding.isEmpty { report.erased += 1 }
        if record.draft.action.utf8.elementsEqual("audit.new_log".utf8) {
            named.formUnion(record.draft.before.split(separator: " ").prefix(1).map(String.init))
            named.insert(record.draft.after)
        }
        if wanted.contains(walk.tree.size) { roots[walk.tree.size] = walk.root }
    }

    private mutating func takeInside(_ text: String) throws(Fault) {
        let (notes, skipped) = AuditNote.all(in: text.utf8)
        guard notes.count == 1, skipped.isEmpty, let note = notes.first,
            note.text.utf8.elementsEqual(text.utf8)
        else { throw Fault("line \(lineNumber): the checkpoint is no note") }
        if let key = report.key, !isSameVault(key, note.origin) {
            throw Fault("line \(lineNumber): the checkpoint is another gateway's, or was changed")
        }
        guard let checkpoint = try verified(note, "the checkpoint in line \(lineNumber)") else { return }
        guard note.size <= walk.tree.size else {
            throw Fault(
                "record \(walk.tree.size + 1) (line \(lineNumber)): missing, as are all up to \(note.size): the "
                    + "checkpoint in this line covers them")
        }
        guard note.size == walk.tree.size else {
            throw Fault(
                "line \(lineNumber): the checkpoint covers \(note.size) records and stands after \(walk.tree.size)"
            )
        }
        guard note.root == walk.root else {
            throw Fault(
                "line \(lineNumber): the checkpoint has another root for the first \(note.size) records: "
                    + "one of them was changed")
        }
        report.inside += 1
        cover(checkpoint)
    }

    /// nil for another log's.
    private mutating func verified(_ note: AuditNote, _ name: String) throws(Fault) -> AuditCheckpoint? {
        guard let key = report.key else {
            report.otherLogs += 1
            return nil
        }
        do throws(AuditNoteFault) {
            return try AuditCheckpoint(verifying: note, key: key, hashing: hashing, verifying: verifying)
        } catch {
            switch error {
            case .otherLog:
                report.otherLogs += 1
                others.append((note.origin, name))
                return nil
            case .badSignature: throw Fault("\(name) was changed: its signature does not fit")
            case .notSigned: throw Fault("\(name) is not signed by the log's key")
            }
        }
    }

    private mutating func cover(_ checkpoint: AuditCheckpoint) {
        guard checkpoint.size >= report.signed else { return }
        report.signed = checkpoint.size
        report.signedAt = checkpoint.time
    }

    /// After the last line.
    public consuming func finish() throws(Fault) -> Report {
        guard let announced else { throw Fault("the file is empty") }
        guard announced == walk.tree.size else {
            throw Fault(
                "record \(walk.tree.size + 1): the export's head says \(announced) records, and there are "
                    + "\(walk.tree.size): the end was cut off, or the head changed")
        }
        try checkOutside()
        // Of another gateway's logs nothing is known here; one of this gateway has a record.
        for (origin, place) in others where report.key.map({ isSameVault($0, origin) }) ?? false {
            guard named.contains(origin) else {
                throw Fault(
                    "\(place) is of a log that no record names: it was changed, or records are missing")
            }
        }
        guard case .intact(let records, let head) = walk.verdict else { throw Fault("the chain is broken") }
        report.records = records
        report.head = head
        report.root = walk.root
        report.clockJumps = walk.clockJumps
        report.clockJumpCount = walk.clockJumpCount
        return report
    }

    private func isSameVault(_ key: AuditLogKey, _ origin: String) -> Bool {
        AuditLogKey.vault(of: key.origin) == AuditLogKey.vault(of: origin)
    }

    private mutating func checkOutside() throws(Fault) {
        var last: AuditCheckpoint?
        for note in outside {
            let name = "the checkpoint outside in line \(note.line)"
            guard let checkpoint = try verified(note, name) else { continue }
            if let last, checkpoint.size < last.size {
                throw Fault(
                    "\(name) covers \(checkpoint.size) records, the one before it \(last.size): the log was put back"
                )
            }
            guard checkpoint.size <= walk.tree.size else {
                throw Fault(
                    "record \(walk.tree.size + 1): missing at the end, as are all up to \(checkpoint.size): "
                        + "\(name) covers them (or is younger than the export: take those of its time)")
            }
            let root = checkpoint.size == 0 ? MerkleHash.empty(hashing: hashing) : roots[checkpoint.size]
            guard root == checkpoint.root else {
                throw Fault(
                    "record \(checkpoint.size) or one before it is not what it was: \(name) has another root, and "
                        + "the one before it covers \(last?.size ?? 0)")
            }
            if let last, checkpoint.time < last.time { report.checkpointJumps.append(note.line) }
            report.outside += 1
            cover(checkpoint)
            last = checkpoint
        }
    }
}
