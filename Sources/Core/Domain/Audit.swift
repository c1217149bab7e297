/// Where an operator's session came from, as far as it is known; empty texts where it is not.
package struct OperatorOrigin: Hashable, Sendable, Codable {
    /// Eight hexadecimal digits: the same for all that one session did.
    package let session: String
    /// Such as `pts/4`; empty for a script.
    package let tty: String
    /// The user id that the operating system vouches for, in decimal.
    package let uid: String
    /// The address that the terminal's SSH connection came from. The session itself says so: true as long as the
    /// operator does not lie about it.
    package let from: String

    package init(session: String = "", tty: String = "", uid: String = "", from: String = "") {
        self.session = session
        self.tty = tty
        self.uid = uid
        self.from = from
    }

    package static let unknown = Self()

    /// `pts/4 uid 1000 from 10.2.0.9`, without what is not known.
    package var words: String {
        [tty, uid.isEmpty ? "" : "uid \(uid)", from.isEmpty ? "" : "from \(from)"]
            .filter { !$0.isEmpty }.joined(separator: " ")
    }
}

/// What an operator or the gateway itself changed: the content of an audit record before it is chained.
///
/// Holds no secret. Every text is plain data; whoever shows it removes control characters.
package struct AuditDraft: Hashable, Sendable, Codable {
    package let id: AuditID
    package let at: WallTime
    /// Who: an operator's name, or `gateway`.
    package let actor: String
    /// How the actor came: `console`, `command`, `engine`.
    package let via: String
    /// `noun.verb`, such as `breaker.trip`.
    package let action: String
    /// What it was done to, by name.
    package let target: String
    package let tenant: TenantID?
    package let before: String
    package let after: String
    package let reason: String
    /// `ok`, or why it was refused.
    package let result: String
    package let origin: OperatorOrigin

    package init(
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
package enum AuditForm: Int64, Sendable, Codable {
    /// Bytes with stated lengths, the operator among them: records from before there was a tree.
    case bytes = 1
    /// Canonical JSON, hashed as a leaf of the tree, with a commitment in the operator's place.
    case json = 2
}

/// A chained audit record.
package struct AuditRecord: Hashable, Sendable, Codable {
    /// 1, 2, 3 … without a gap.
    package let sequence: Int64
    package let draft: AuditDraft
    /// Hash of the record before; 32 zero bytes for the first.
    package let previous: [UInt8]
    /// Of the record's form. The leaf of the tree too.
    package let hash: [UInt8]
    package let form: AuditForm
    /// What stands in the hashed form instead of who it was: SHA-256 of the blinding and the operator's facts. Empty
    /// in the older form.
    package let commitment: [UInt8]
    /// 32 random bytes, without which nobody can find out by trying whom a commitment is to. Empty when the operator's
    /// facts were erased: the record still verifies.
    package let blinding: [UInt8]

    package init(
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
    package var withoutOperator: AuditRecord? {
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
package struct StoredCheckpoint: Sendable, Hashable, Codable {
    /// 1, 2, 3 …; 0 in one that is not stored yet.
    package var position: Int64
    package let origin: String
    package let size: Int64
    package let at: WallTime
    package let note: String

    package init(position: Int64 = 0, origin: String, size: Int64, at: WallTime, note: String) {
        self.position = position
        self.origin = origin
        self.size = size
        self.at = at
        self.note = note
    }
}
