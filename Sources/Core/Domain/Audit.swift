/// Where an operator's session came from, as far as it is known; empty texts where it is not.
public struct OperatorOrigin: Hashable, Sendable, Codable {
    /// Eight hexadecimal digits: the same for all that one session did.
    public let session: String
    /// Such as `pts/4`; empty for a script.
    public let tty: String
    /// The user id that the operating system vouches for, in decimal.
    public let uid: String
    /// The address that the terminal's SSH connection came from. The session itself says so: true as long as the
    /// operator does not lie about it.
    public let from: String

    public init(session: String = "", tty: String = "", uid: String = "", from: String = "") {
        self.session = session
        self.tty = tty
        self.uid = uid
        self.from = from
    }

    public static let unknown = Self()

    /// `pts/4 uid 1000 from 10.2.0.9`, without what is not known.
    public var words: String {
        [tty, uid.isEmpty ? "" : "uid \(uid)", from.isEmpty ? "" : "from \(from)"]
            .filter { !$0.isEmpty }.joined(separator: " ")
    }
}

/// What an operator or the gateway itself changed: the content of an audit record before it is chained.
///
/// Holds no secret. Every text is plain data; whoever shows it removes control characters.
public struct AuditDraft: Hashable, Sendable, Codable {
    public let id: AuditID
    public let at: WallTime
    /// Who: an operator's name, or `gateway`.
    public let actor: String
    /// How the actor came: `console`, `command`, `engine`.
    public let via: String
    /// `noun.verb`, such as `breaker.trip`.
    public let action: String
    /// What it was done to, by name.
    public let target: String
    public let tenant: TenantID?
    public let before: String
    public let after: String
    public let reason: String
    /// `ok`, or why it was refused.
    public let result: String
    public let origin: OperatorOrigin

    public init(
        id: AuditID = .random(), at: WallTime, actor: String, via: String, action: String, target: String,
        tenant: TenantID? = nil, before: String = "", after: String = "", reason: String = "",
        result: String = "ok", origin: OperatorOrigin = .unknown
    ) {
        self.id = id
        self.at = at
        self.actor = actor
        self.via = via
        self.action = action
        self.target = target
        self.tenant = tenant
        self.before = before
        self.after = after
        self.reason = reason
        self.result = result
        self.origin = origin
    }
}

/// How a record is written down to be hashed; see `AuditChain`.
public enum AuditForm: Int64, Sendable, Codable {
    /// Bytes with stated lengths, the operator among them: records from before there was a tree.
    case bytes = 1
    /// Canonical JSON, hashed as a leaf of the tree, with a commitment in the operator's place.
    case json = 2
}

/// A chained audit record.
public struct AuditRecord: Hashable, Sendable, Codable {
    /// 1, 2, 3 … without a gap.
    public let sequence: Int64
    public let draft: AuditDraft
    /// Hash of the record before; 32 zero bytes for the first.
    public let previous: [UInt8]
    /// Of the record's form. The leaf of the tree too.
    public let hash: [UInt8]
    public let form: AuditForm
    /// What stands in the hashed form instead of who it was: SHA-256 of the blinding and the operator's facts. Empty
    /// in the older form.
    public let commitment: [UInt8]
    /// 32 random bytes, without which nobody can find out by trying whom a commitment is to. Empty when the operator's
    /// facts were erased: the record still verifies.
    public let blinding: [UInt8]

    public init(
        sequence: Int64, draft: AuditDraft, previous: [UInt8], hash: [UInt8], form: AuditForm = .bytes,
        commitment: [UInt8] = [], blinding: [UInt8] = []
    ) {
        self.sequence = sequence
        self.draft = draft
        self.previous = previous
        self.hash = hash
        self.form = form
        self.commitment = commitment
        self.blinding = blinding
    }
}

extension AuditRecord {
    /// The record without who it was; nil in the older form, where the name is part of what is hashed.
    public var withoutOperator: AuditRecord? {
        guard form == .json else { return nil }
        let erased = AuditDraft(
            id: draft.id, at: draft.at, actor: "", via: draft.via, action: draft.action, target: draft.target,
            tenant: draft.tenant, before: draft.before, after: draft.after, reason: draft.reason,
            result: draft.result)
        return AuditRecord(
            sequence: sequence, draft: erased, previous: previous, hash: hash, form: form,
            commitment: commitment)
    }
}

/// A signed checkpoint as it is kept.
public struct StoredCheckpoint: Sendable, Hashable, Codable {
    /// 1, 2, 3 …; 0 in one that is not stored yet.
    public var position: Int64
    public let origin: String
    public let size: Int64
    public let at: WallTime
    public let note: String

    public init(position: Int64 = 0, origin: String, size: Int64, at: WallTime, note: String) {
        self.position = position
        self.origin = origin
        self.size = size
        self.at = at
        self.note = note
    }
}
