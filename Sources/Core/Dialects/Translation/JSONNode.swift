/// A JSON value as a tree, for the calls that are translated; calls that keep their format are never read this far.
///
/// Members keep their order and numbers their spelling, so that what is only handed on (tool schemas, arguments) stays
/// what it was. Repeated members are refused, as everywhere.
public indirect enum JSONNode: Hashable, Sendable {
    case null
    case bool(Bool)
    /// As it was written (RFC 8259 section 6).
    case number(String)
    case string(String)
    case array([JSONNode])
    case object([Member])

    /// One member of an object.
    public struct Member: Hashable, Sendable {
        public var name: String
        public var value: JSONNode

        public init(_ name: String, _ value: JSONNode) {
            self.name = name
            self.value = value
        }
    }

    /// Reads one value with nothing but blanks around it; the nesting is bounded by ``JSONScanner/depthMost``.
    public static func read(_ bytes: UnsafeRawBufferPointer) throws(JSONFault) -> JSONNode {
        var scanner = JSONScanner(bytes)
        let node = try take(&scanner)
        try scanner.finish()
        return node
    }

    public static func read(_ text: String) throws(JSONFault) -> JSONNode {
        let bytes = Array(text.utf8)
        let result: Result<JSONNode, JSONFault> = bytes.withUnsafeBytes { buffer in
            Result { () throws(JSONFault) in try read(buffer) }
        }
        return try result.get()
    }

    private static func take(_ scanner: inout JSONScanner) throws(JSONFault) -> JSONNode {
        switch scanner.peek() {
        case UInt8(ascii: "{"): return try takeObject(&scanner)
        case UInt8(ascii: "["):
            var elements: [JSONNode] = []
            try scanner.enterArray()
            while try scanner.nextElement() { elements.append(try take(&scanner)) }
            return .array(elements)
        case UInt8(ascii: "\""): return .string(try scanner.takeText() ?? "")
        case UInt8(ascii: "t"), UInt8(ascii: "f"): return .bool(try scanner.takeBool() ?? false)
        case UInt8(ascii: "n"):
            _ = try scanner.takeNull()
            return .null
        default:
            let start = scanner.position
            try scanner.skipValue()
            return .number(
                String(decoding: scanner.bytes[start..<scanner.position], as: UTF8.self))
        }
    }

    private static func takeObject(_ scanner: inout JSONScanner) throws(JSONFault) -> JSONNode {
        var members: [Member] = []
        try scanner.enterObject()
        // Names may be anything here (a tool's parameters are in the caller's language), but none may come twice.
        var names: Set<[UInt8]> = []
        while let raw = try scanner.nextMember() {
            let name = try scanner.unescaped(raw.start..<raw.start + raw.raw.count)
            guard names.insert(Array(name)).inserted else {
                throw JSONFault(
                    "the member is there twice", at: raw.start, field: String(decoding: name, as: UTF8.self))
            }
            members.append(Member(String(decoding: name, as: UTF8.self), try take(&scanner)))
        }
        return .object(members)
    }
}

extension JSONNode {
    /// The value of a member; nil for one that is missing or null, and for what is not an object.
    public subscript(name: String) -> JSONNode? {
        guard case .object(let members) = self,
            let found = members.first(where: { $0.name.utf8.elementsEqual(name.utf8) })
        else { return nil }
        if case .null = found.value { return nil }
        return found.value
    }

    public var text: String? { if case .string(let text) = self { text } else { nil } }
    public var flag: Bool? { if case .bool(let flag) = self { flag } else { nil } }
    public var elements: [JSONNode]? { if case .array(let elements) = self { elements } else { nil } }
    public var members: [Member]? { if case .object(let members) = self { members } else { nil } }
    /// A whole number within 64 bits, written without fraction or exponent.
    public var whole: Int64? { if case .number(let text) = self { Int64(text) } else { nil } }
    public var isNumber: Bool { if case .number = self { true } else { false } }

    /// An object of the members that have a value.
    public static func object(_ pairs: KeyValuePairs<String, JSONNode?>) -> JSONNode {
        .object(pairs.compactMap { name, value in value.map { Member(name, $0) } })
    }

    public static func whole(_ value: Int64) -> JSONNode { .number(String(value)) }

    /// The value as JSON text.
    public var bytes: [UInt8] {
        var writer = JSONWriter(capacity: 1_024)
        write(to: &writer)
        return writer.bytes
    }

    public var json: String { String(decoding: bytes, as: UTF8.self) }

    public func write(to writer: inout JSONWriter) {
        switch self {
        case .null: writer.raw("null")
        case .bool(let value): writer.raw(value ? "true" : "false")
        case .number(let text): writer.raw(verbatim: text)
        case .string(let text): writer.text(text)
        case .array(let elements):
            writer.raw("[")
            for (index, element) in elements.enumerated() {
                if index > 0 { writer.raw(",") }
                element.write(to: &writer)
            }
            writer.raw("]")
        case .object(let members):
            writer.raw("{")
            for (index, member) in members.enumerated() {
                if index > 0 { writer.raw(",") }
                writer.text(member.name)
                writer.raw(":")
                member.value.write(to: &writer)
            }
            writer.raw("}")
        }
    }
}
