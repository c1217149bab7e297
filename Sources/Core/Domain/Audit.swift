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

    package init(
        id: AuditID = .random(), at: WallTime, actor: String, via: String, action: String, target: String,
        tenant: TenantID? = nil, before: String = "", after: String = "", reason: String = "",
        result: String = "ok"
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
    }
}

/// A chained audit record.
package struct AuditRecord: Hashable, Sendable, Codable {
    /// 1, 2, 3 … without a gap.
    package let sequence: Int64
    package let draft: AuditDraft
    /// Hash of the record before; 32 zero bytes for the first.
    package let previous: [UInt8]
    /// SHA-256 over the previous hash and the record's canonical form.
    package let hash: [UInt8]

    package init(sequence: Int64, draft: AuditDraft, previous: [UInt8], hash: [UInt8]) {
        self.sequence = sequence
        self.draft = draft
        self.previous = previous
        self.hash = hash
    }
}
