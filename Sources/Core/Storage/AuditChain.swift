package import Domain

/// SHA-256 as the stores get it from their maker: this module does not know who computes it.
package typealias Hashing = @Sendable (UnsafeRawBufferPointer) -> Digest256

/// Chains audit records: what exactly is hashed, and how one record follows from the one before.
///
/// The hashed form is bytes, not JSON: there is no question of number formats, key order or escapes (RFC 8785
/// would bring all three, and numbers above 2^53 besides). Fields, in this order, integers big-endian:
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
package enum AuditChain {
    /// What stands for "the record before" at the start of a chain.
    package static let origin = [UInt8](repeating: 0, count: 32)
    /// Longest text of a record, in bytes of UTF-8; longer ones are cut and end in `…`. Keeps a record far below
    /// a page of the database's cache however long a pasted reason is.
    package static let longestText = 4_096

    /// The bytes that are hashed for a record.
    package static func canonicalForm(of draft: AuditDraft, sequence: Int64, previous: [UInt8]) -> [UInt8] {
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

    /// The record that follows `last` (nil: the first one). The draft is first made storable.
    package static func record(
        of draft: AuditDraft, after last: AuditRecord?, hashing: Hashing
    ) -> AuditRecord {
        let content = storable(draft)
        let sequence = (last?.sequence ?? 0) + 1
        let previous = last?.hash ?? origin
        return AuditRecord(
            sequence: sequence, draft: content, previous: previous,
            hash: hash(of: content, sequence: sequence, previous: previous, hashing: hashing))
    }

    /// The draft with texts that every store gives back as they went in: NUL, which ends a text in SQLite, becomes
    /// U+FFFD, and texts above `longestText` are cut.
    package static func storable(_ draft: AuditDraft) -> AuditDraft {
        AuditDraft(
            id: draft.id, at: draft.at, actor: storable(draft.actor), via: storable(draft.via),
            action: storable(draft.action), target: storable(draft.target), tenant: draft.tenant,
            before: storable(draft.before), after: storable(draft.after), reason: storable(draft.reason),
            result: storable(draft.result))
    }

    static func hash(of draft: AuditDraft, sequence: Int64, previous: [UInt8], hashing: Hashing) -> [UInt8] {
        canonicalForm(of: draft, sequence: sequence, previous: previous).withUnsafeBytes { hashing($0).bytes }
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

/// A walk over an audit chain from its first record, one record at a time.
///
/// Finds changed, missing, doubled and swapped records and a chain that does not begin at 1. It cannot find that
/// records were cut off at the end, nor that someone who can write the whole file computed all hashes anew: only
/// a head that was noted elsewhere shows that.
package struct AuditWalk: Sendable {
    private var count: Int64 = 0
    private var head = AuditChain.origin
    private let hashing: Hashing

    package init(hashing: @escaping Hashing) { self.hashing = hashing }

    /// What the walk has found, if it ends here.
    package var verdict: AuditVerification { .intact(records: count, head: head) }

    /// Takes the next record as stored; nil while all is well. After a finding the walk is over.
    package mutating func take(_ record: AuditRecord) -> AuditVerification? {
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
        let hash = AuditChain.hash(
            of: record.draft, sequence: record.sequence, previous: record.previous, hashing: hashing)
        guard hash == record.hash else { return .broken(at: expected, what: "the record was changed") }
        guard record.previous == head else {
            return .broken(at: expected, what: "the record does not follow from the one before")
        }
        count = expected
        head = hash
        return nil
    }

    /// Walks over records that are all at hand, in the order they are given.
    package static func verify(
        _ records: some Sequence<AuditRecord>, hashing: @escaping Hashing
    ) -> AuditVerification {
        var walk = AuditWalk(hashing: hashing)
        for record in records {
            if let finding = walk.take(record) { return finding }
        }
        return walk.verdict
    }
}

extension [UInt8] {
    fileprivate mutating func append(bigEndian value: some FixedWidthInteger) {
        Swift.withUnsafeBytes(of: value.bigEndian) { append(contentsOf: $0) }
    }
}
