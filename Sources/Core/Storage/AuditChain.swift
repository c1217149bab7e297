public import Domain

/// SHA-256 as the stores get it from their maker: this module does not know who computes it.
public typealias Hashing = @Sendable (UnsafeRawBufferPointer) -> Digest256

/// Chains audit records: what exactly is hashed, and how one record follows from the one before.
///
/// A record is written as canonical JSON (`CanonicalJSON`) with the members `action`, `after`, `at` (milliseconds since
/// 1970), `before`, `format` (2), `id`, `operator`, `previous`, `reason`, `result`, `sequence`, `target`, `tenant` (empty
/// for none) and `via`; hashes are lower-case hexadecimal. Its hash is that of a leaf (RFC 6962: a zero byte and the
/// JSON): what the next record names as `previous` is also what stands in the tree.
///
/// `operator` is a commitment: SHA-256 of 32 random bytes and the canonical JSON of `actor`, `from`, `session`, `tty`
/// and `uid`. Those facts and the random bytes stand beside the record and can be erased; without them nobody finds out
/// by trying whom the commitment is to, and the record verifies as before.
///
/// Records of the form before have bytes instead of JSON, in this order, integers big-endian, hashed without a prefix.
/// They are longer than the 65 bytes of an inner node, so their hashes serve as leaves as well:
///
///     32 bytes  hash of the record before; zeros for the first
///      1 byte   version of this form: 1
///      8 bytes  sequence
///      8 bytes  time, milliseconds since 1970
///     16 bytes  id of the draft
///      1 byte   1 and 16 bytes of tenant id, or 0 alone
///     then actor, via, action, target, before, after, reason, result,
///              each as 4 bytes of length and that many bytes of UTF-8
///
/// Every field has a fixed or a stated length, so no two different records have the same form.
public enum AuditChain {
    /// What stands for "the record before" at the start of a chain.
    public static let origin = [UInt8](repeating: 0, count: 32)
    /// Longest text of a record, in bytes of UTF-8; longer ones are cut and end in `…`. Keeps a record far below
    /// a page of the database's cache however long a pasted reason is.
    public static let longestText = 4_096

    /// The bytes that are hashed for a record of the older form.
    public static func canonicalForm(of draft: AuditDraft, sequence: Int64, previous: [UInt8]) -> [UInt8] {
        let texts = [
            draft.actor, draft.via, draft.action, draft.target, draft.before, draft.after, draft.reason,
            draft.result,
        ]
        var form = previous
        form.reserveCapacity(96 + texts.reduce(0) { $0 + 4 + $1.utf8.count })
        form.append(1)
        form.append(bigEndian: UInt64(bitPattern: sequence))
        form.append(bigEndian: UInt64(bitPattern: draft.at.milliseconds))
        form.append(contentsOf: draft.id.bytes)
        if let tenant = draft.tenant {
            form.append(1)
            form.append(contentsOf: tenant.bytes)
        } else {
            form.append(0)
        }
        for text in texts {
            form.append(bigEndian: UInt32(truncatingIfNeeded: text.utf8.count))
            form.append(contentsOf: text.utf8)
        }
        return form
    }

    /// A record in the JSON form.
    public static func canonicalJSON(
        of draft: AuditDraft, sequence: Int64, previous: [UInt8], commitment: [UInt8]
    ) -> CanonicalJSON {
        .object([
            "action": .text(draft.action), "after": .text(draft.after),
            "at": .text("\(draft.at.milliseconds)"), "before": .text(draft.before), "format": .text("2"),
            "id": .text(draft.id.text), "operator": .text(hexadecimalText(of: commitment)),
            "previous": .text(hexadecimalText(of: previous)), "reason": .text(draft.reason),
            "result": .text(draft.result), "sequence": .text("\(sequence)"), "target": .text(draft.target),
            "tenant": .text(draft.tenant?.text ?? ""), "via": .text(draft.via),
        ])
    }

    /// What the commitment is to.
    public static func operatorJSON(of draft: AuditDraft) -> CanonicalJSON {
        .object([
            "actor": .text(draft.actor), "from": .text(draft.origin.from),
            "session": .text(draft.origin.session), "tty": .text(draft.origin.tty),
            "uid": .text(draft.origin.uid),
        ])
    }

    public static func commitment(
        to draft: AuditDraft, blinding: [UInt8], hashing: Hashing
    ) -> [UInt8] {
        (blinding + operatorJSON(of: draft).bytes).withUnsafeBytes { hashing($0).bytes }
    }

    /// The record that follows `last` (nil: the first one). The draft is first made storable.
    public static func record(
        of draft: AuditDraft, after last: AuditRecord?, blinding: [UInt8] = randomBlinding(),
        hashing: Hashing
    ) -> AuditRecord {
        let content = storable(draft)
        let sequence = (last?.sequence ?? 0) + 1
        let previous = last?.hash ?? origin
        let commitment = commitment(to: content, blinding: blinding, hashing: hashing)
        let form = canonicalJSON(
            of: content, sequence: sequence, previous: previous, commitment: commitment)
        return AuditRecord(
            sequence: sequence, draft: content, previous: previous,
            hash: MerkleHash.leaf(form.bytes, hashing: hashing).bytes, form: .json, commitment: commitment,
            blinding: blinding)
    }

    /// From the system's generator.
    public static func randomBlinding() -> [UInt8] { (0..<32).map { _ in UInt8.random(in: .min ... .max) } }

    /// What the hash of a record has to be.
    public static func hash(of record: AuditRecord, hashing: Hashing) -> [UInt8] {
        switch record.form {
        case .bytes:
            canonicalForm(of: record.draft, sequence: record.sequence, previous: record.previous)
                .withUnsafeBytes { hashing($0).bytes }
        case .json:
            MerkleHash.leaf(
                canonicalJSON(
                    of: record.draft, sequence: record.sequence, previous: record.previous,
                    commitment: record.commitment
                ).bytes, hashing: hashing
            ).bytes
        }
    }

    /// Whether the operator's facts are what the record commits to, or were erased.
    public static func namesOperator(_ record: AuditRecord, hashing: Hashing) -> Bool {
        guard record.form == .json else { return true }
        guard !record.blinding.isEmpty else {
            return record.draft.actor.isEmpty && record.draft.origin == .unknown
        }
        return record.blinding.count == 32
            && commitment(to: record.draft, blinding: record.blinding, hashing: hashing) == record.commitment
    }

    /// The draft with texts that every store gives back as they went in: NUL, which ends a text in SQLite, becomes
    /// U+FFFD, and texts above `longestText` are cut.
    public static func storable(_ draft: AuditDraft) -> AuditDraft {
        AuditDraft(
            id: draft.id, at: draft.at, actor: storable(draft.actor), via: storable(draft.via),
            action: storable(draft.action), target: storable(draft.target), tenant: draft.tenant,
            before: storable(draft.before), after: storable(draft.after), reason: storable(draft.reason),
            result: storable(draft.result),
            origin: OperatorOrigin(
                session: storable(draft.origin.session), tty: storable(draft.origin.tty),
                uid: storable(draft.origin.uid), from: storable(draft.origin.from)))
    }

    private static func storable(_ text: String) -> String {
        guard text.utf8.count > longestText || text.utf8.contains(0) else { return text }
        var out = String.UnicodeScalarView()
        var bytes = 0
        for scalar in text.unicodeScalars {
            let kept: Unicode.Scalar = scalar.value == 0 ? "\u{fffd}" : scalar
            let width = UTF8.width(kept)
            // Three bytes are kept for the mark of the cut.
            guard bytes + width <= longestText - 3 else {
                out.append("…")
                break
            }
            out.append(kept)
            bytes += width
        }
        return String(out)
    }
}

extension [UInt8] {
    fileprivate mutating func append(bigEndian value: some FixedWidthInteger) {
        Swift.withUnsafeBytes(of: value.bigEndian) { append(contentsOf: $0) }
    }
}
