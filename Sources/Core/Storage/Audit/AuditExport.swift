public import Domain

/// The audit as lines of canonical JSON, to be verified anywhere: the head, then records and checkpoints in their order.
///
///     {"audit":"gatehouse 1","key":KEY,"records":N}
///     {"hash":H,"operator":{...},"record":{...}}     one a record; `record` is what is hashed, after a zero byte
///     {"checkpoint":NOTE}                            after the last record that it covers
///
/// `operator` holds `actor`, `from`, `session`, `tty`, `uid` and the `blinding` (hexadecimal), with which they give
/// what stands in the record as `operator`; it is empty where those facts were erased. A record of the older form has
/// its actor in the record.
public enum AuditExport {
    static let mark = "gatehouse 1"

    public static func head(key: String, records: Int64) -> [UInt8] {
        line(["audit": .text(mark), "key": .text(key), "records": .text("\(records)")])
    }

    public static func line(_ record: AuditRecord) -> [UInt8] {
        line([
            "hash": .text(hexadecimalText(of: record.hash)), "operator": operatorObject(record),
            "record": recordObject(record),
        ])
    }

    public static func checkpoint(_ note: String) -> [UInt8] { line(["checkpoint": .text(note)]) }

    private static func line(_ members: [String: CanonicalJSON]) -> [UInt8] {
        CanonicalJSON.object(members).bytes + [UInt8(ascii: "\n")]
    }

    private static func operatorObject(_ record: AuditRecord) -> CanonicalJSON {
        guard record.form == .json, !record.blinding.isEmpty,
            case .object(var facts) = AuditChain.operatorJSON(of: record.draft)
        else { return .object([:]) }
        facts["blinding"] = .text(hexadecimalText(of: record.blinding))
        return .object(facts)
    }

    private static func recordObject(_ record: AuditRecord) -> CanonicalJSON {
        let whole = AuditChain.canonicalJSON(
            of: record.draft, sequence: record.sequence, previous: record.previous,
            commitment: record.commitment)
        guard record.form == .bytes, case .object(var members) = whole else { return whole }
        members["operator"] = nil
        members["actor"] = .text(record.draft.actor)
        members["format"] = .text("1")
        return .object(members)
    }

    // MARK: Reading

    /// A line as it was read.
    enum Line {
        case head(key: String, records: Int64)
        case record(AuditRecord)
        case checkpoint(String)
    }

    /// nil for whatever this does not write: a line is read only if it would be written again byte for byte.
    static func read(_ bytes: [UInt8]) -> Line? {
        guard let json = CanonicalJSON(canonical: bytes), case .object(let members) = json else { return nil }
        let read: Line
        if json["audit"] != nil {
            guard let key = json["key"], let records = json["records"].flatMap({ Int64($0) }) else {
                return nil
            }
            read = .head(key: key, records: records)
        } else if let note = json["checkpoint"] {
            read = .checkpoint(note)
        } else {
            guard let hash = json["hash"].flatMap(bytes(hexadecimal:)), let facts = members["operator"],
                let content = members["record"], let record = record(hash, facts, content)
            else { return nil }
            read = .record(record)
        }
        let again =
            switch read {
            case .head(let key, let records): head(key: key, records: records)
            case .record(let record): line(record)
            case .checkpoint(let note): checkpoint(note)
            }
        return again.dropLast() == bytes[...] ? read : nil
    }

    private static func record(
        _ hash: [UInt8], _ facts: CanonicalJSON, _ content: CanonicalJSON
    ) -> AuditRecord? {
        guard let form = content["format"].flatMap({ Int64($0) }).flatMap(AuditForm.init(rawValue:)),
            let sequence = content["sequence"].flatMap({ Int64($0) }),
            let at = content["at"].flatMap({ Int64($0) }), let id = content["id"].flatMap({ AuditID($0) }),
            let previous = content["previous"].flatMap(bytes(hexadecimal:)), previous.count == 32,
            let tenant = content["tenant"]
        else { return nil }
        let actor = form == .bytes ? content["actor"] : facts["actor"]
        func text(_ name: String) -> String { content[name] ?? "" }
        let draft = AuditDraft(
            id: id, at: WallTime(milliseconds: at), actor: actor ?? "", via: text("via"),
            action: text("action"), target: text("target"), tenant: TenantID(tenant), before: text("before"),
            after: text("after"), reason: text("reason"), result: text("result"),
            origin: OperatorOrigin(
                session: facts["session"] ?? "", tty: facts["tty"] ?? "", uid: facts["uid"] ?? "",
                from: facts["from"] ?? ""))
        return AuditRecord(
            sequence: sequence, draft: draft, previous: previous, hash: hash, form: form,
            commitment: content["operator"].flatMap(bytes(hexadecimal:)) ?? [],
            blinding: facts["blinding"].flatMap(bytes(hexadecimal:)) ?? [])
    }

    private static func bytes(hexadecimal text: String) -> [UInt8]? {
        let digits = text.utf8.map(hexadecimalValue(of:))
        guard digits.count.isMultiple(of: 2), !digits.contains(nil) else { return nil }
        return stride(from: 0, to: digits.count, by: 2).map { (digits[$0] ?? 0) << 4 | (digits[$0 + 1] ?? 0) }
    }
}
