public import Domain

/// A walk over an audit chain from its first record, one record at a time; it makes the tree on its way.
///
/// Finds changed, missing, doubled and swapped records and a chain that does not begin at 1. It cannot find that
/// records were cut off at the end, nor that someone who can write the whole file computed all hashes anew: only a
/// checkpoint that is kept elsewhere shows that.
public struct AuditWalk: Sendable {
    /// A record that is earlier than the one before.
    public struct ClockJump: Sendable, Equatable {
        public let sequence: Int64
        public let from: WallTime
        public let to: WallTime
    }

    private var count: Int64 = 0
    private var head = AuditChain.origin
    private var last: WallTime?
    /// Of the records up to here.
    public private(set) var tree = MerkleFrontier()
    /// The first findings about the clock, which are no fault of the chain; `clockJumpCount` has all of them.
    public private(set) var clockJumps: [ClockJump] = []
    public private(set) var clockJumpCount = 0
    /// What ended the walk.
    public private(set) var finding: AuditVerification?
    private static let clockJumpsMost = 20
    private let hashing: Hashing

    public init(hashing: @escaping Hashing) { self.hashing = hashing }

    /// What the walk has found, if it ends here.
    public var verdict: AuditVerification { finding ?? .intact(records: count, head: head) }

    public var root: Digest256 { tree.root(hashing: hashing) }

    /// Takes the next record as stored; nil while all is well. After a finding the walk is over.
    @discardableResult
    public mutating func take(_ record: AuditRecord) -> AuditVerification? {
        if finding == nil { finding = fault(of: record) }
        guard finding == nil, let leaf = Digest256(bytes: record.hash) else { return finding }
        if let last, record.draft.at < last {
            clockJumpCount += 1
            if clockJumps.count < Self.clockJumpsMost {
                clockJumps.append(ClockJump(sequence: record.sequence, from: last, to: record.draft.at))
            }
        }
        count = record.sequence
        head = record.hash
        last = record.draft.at
        tree.append(leaf, hashing: hashing)
        return nil
    }

    /// Ends the walk with something that was found beside the records.
    public mutating func stop(at sequence: Int64, _ what: String) {
        if finding == nil { finding = .broken(at: sequence, what: what) }
    }

    private func fault(of record: AuditRecord) -> AuditVerification? {
        let expected = count + 1
        if record.sequence < expected {
            return .broken(at: record.sequence, what: "the record is there twice or out of order")
        }
        if record.sequence > expected {
            let last = record.sequence - 1
            return .broken(
                at: expected,
                what: expected == last ? "the record is missing" : "records up to \(last) are missing")
        }
        guard AuditChain.hash(of: record, hashing: hashing) == record.hash else {
            return .broken(at: expected, what: "the record was changed")
        }
        guard AuditChain.namesOperator(record, hashing: hashing) else {
            return .broken(at: expected, what: "who did it was changed")
        }
        guard record.previous == head else {
            return .broken(at: expected, what: "the record does not follow from the one before")
        }
        return nil
    }

    /// Walks over records that are all at hand, in the order they are given.
    public static func verify(
        _ records: some Sequence<AuditRecord>, hashing: @escaping Hashing
    ) -> AuditVerification {
        var walk = AuditWalk(hashing: hashing)
        for record in records { if let finding = walk.take(record) { return finding } }
        return walk.verdict
    }
}
