/// JSON in the one form that RFC 8785 gives it, restricted to what an audit record needs: objects whose names are
/// ASCII and whose values are texts or such objects. Integers are texts in decimal.
///
/// The restriction takes away what two programs could do differently: there are no numbers (RFC 8785 writes those as
/// ECMAScript does, inexact above 2^53), and ASCII names have the same order as UTF-8 and as UTF-16.
public enum CanonicalJSON: Sendable {
    case text(String)
    case object([String: CanonicalJSON])

    public var bytes: [UInt8] {
        var out: [UInt8] = []
        write(to: &out)
        return out
    }

    /// The text of a member of an object.
    public subscript(name: String) -> String? {
        guard case .object(let members) = self, case .text(let text)? = members[name] else { return nil }
        return text
    }

    private func write(to out: inout [UInt8]) {
        switch self {
        case .text(let text): Self.write(text, to: &out)
        case .object(let members):
            out.append(UInt8(ascii: "{"))
            let sorted = members.sorted { $0.key.utf8.lexicographicallyPrecedes($1.key.utf8) }
            for (position, member) in sorted.enumerated() {
                if position > 0 { out.append(UInt8(ascii: ",")) }
                Self.write(member.key, to: &out)
                out.append(UInt8(ascii: ":"))
                member.value.write(to: &out)
            }
            out.append(UInt8(ascii: "}"))
        }
    }

    /// RFC 8785 section 3.2.2.2: the short escapes where there are some, `\u00xx` in lower case for other control
    /// characters, and everything else as it is.
    private static func write(_ text: String, to out: inout [UInt8]) {
        out.append(UInt8(ascii: "\""))
        for byte in text.utf8 {
            switch byte {
            case UInt8(ascii: "\""), UInt8(ascii: "\\"): out += [UInt8(ascii: "\\"), byte]
            case 0x08: out += Array("\\b".utf8)
            case 0x09: out += Array("\\t".utf8)
            case 0x0a: out += Array("\\n".utf8)
            case 0x0c: out += Array("\\f".utf8)
            case 0x0d: out += Array("\\r".utf8)
            case 0..<0x20: out += Array("\\u00\(hexadecimal(byte))".utf8)
            default: out.append(byte)
            }
        }
        out.append(UInt8(ascii: "\""))
    }

    private static func hexadecimal(_ byte: UInt8) -> String {
        (byte < 16 ? "0" : "") + String(byte, radix: 16)
    }
}

// MARK: Reading

extension CanonicalJSON {
    /// Deepest nesting that is read: an export has two levels.
    private static let deepest = 4

    /// Reads bytes that are in the canonical form, and nothing else: what is read gives the same bytes again.
    public init?(canonical bytes: some Sequence<UInt8>) {
        let bytes = Array(bytes)
        var position = 0
        guard let value = Self.value(bytes, &position, depth: 0), position == bytes.count,
            value.bytes == bytes
        else { return nil }
        self = value
    }

    private static func value(_ bytes: [UInt8], _ position: inout Int, depth: Int) -> Self? {
        guard position < bytes.count else { return nil }
        if bytes[position] == UInt8(ascii: "\"") { return text(bytes, &position).map(Self.text) }
        guard depth < deepest, take(UInt8(ascii: "{"), bytes, &position) else { return nil }
        var members: [String: Self] = [:]
        if take(UInt8(ascii: "}"), bytes, &position) { return .object(members) }
        repeat {
            // Names are ASCII, for which two that are equal as texts are equal as bytes.
            guard let name = text(bytes, &position), name.utf8.allSatisfy({ $0 < 0x80 }),
                members[name] == nil, take(UInt8(ascii: ":"), bytes, &position),
                let member = value(bytes, &position, depth: depth + 1)
            else { return nil }
            members[name] = member
        } while take(UInt8(ascii: ","), bytes, &position)
        return take(UInt8(ascii: "}"), bytes, &position) ? .object(members) : nil
    }

    private static func take(_ byte: UInt8, _ bytes: [UInt8], _ position: inout Int) -> Bool {
        guard position < bytes.count, bytes[position] == byte else { return false }
        position += 1
        return true
    }

    private static func text(_ bytes: [UInt8], _ position: inout Int) -> String? {
        guard take(UInt8(ascii: "\""), bytes, &position) else { return nil }
        var content: [UInt8] = []
        while position < bytes.count {
            let byte = bytes[position]
            position += 1
            switch byte {
            case UInt8(ascii: "\""):
                return String(validating: content, as: UTF8.self)
            case UInt8(ascii: "\\"):
                guard let plain = escaped(bytes, &position) else { return nil }
                content.append(plain)
            default: content.append(byte)
            }
        }
        return nil
    }

    private static func escaped(_ bytes: [UInt8], _ position: inout Int) -> UInt8? {
        guard position < bytes.count else { return nil }
        let letter = bytes[position]
        position += 1
        switch letter {
        case UInt8(ascii: "\""), UInt8(ascii: "\\"): return letter
        case UInt8(ascii: "b"): return 0x08
        case UInt8(ascii: "t"): return 0x09
        case UInt8(ascii: "n"): return 0x0a
        case UInt8(ascii: "f"): return 0x0c
        case UInt8(ascii: "r"): return 0x0d
        case UInt8(ascii: "u"):
            guard position + 4 <= bytes.count else { return nil }
            defer { position += 4 }
            return UInt8(String(decoding: bytes[position..<(position + 4)], as: UTF8.self), radix: 16)
        default: return nil
        }
    }
}
