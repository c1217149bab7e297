public import Domain
import Glibc

/// What routing may want to know of a body besides ``RequestFields``; read only for calls whose route asks for it, after
/// the body was found to be good.
public enum CallTraits {
    /// A number that every call of one conversation has: from the caller's own `prompt_cache_key`, else from what the
    /// conversation began with, which each later call repeats. nil where nothing of the kind is there.
    public static func conversation(_ body: UnsafeRawBufferPointer, as dialect: Dialect) -> UInt64? {
        var hash = Hash()
        var found = false
        var named: UInt64?
        try? members(of: body) { (name, scanner) throws(JSONFault) in
            if name.matches("prompt_cache_key") {
                guard let text = try scanner.takeText() else { return try scanner.skipValue() }
                var own = Hash()
                text.utf8.withContiguousStorageIfAvailable { own.add(UnsafeRawBufferPointer($0)) }
                named = own.value
            } else if name.matches("messages") || name.matches("input") {
                found = try addBeginning(to: &hash, &scanner) || found
            } else {
                try scanner.skipValue()
            }
        }
        return named ?? (found ? hash.value : nil)
    }

    /// What the model has to be able to do.
    public static func needs(_ body: UnsafeRawBufferPointer, as dialect: Dialect) -> Capabilities {
        var needs: Capabilities = []
        try? members(of: body) { (name, scanner) throws(JSONFault) in
            _ = scanner.peek()
            let start = scanner.position
            try scanner.skipValue()
            let value = UnsafeRawBufferPointer(rebasing: body[start..<scanner.position])
            if name.matches("tools") {
                // An empty list asks for nothing.
                if value.count > 2 { needs.insert(.tools) }
            } else if name.matches("response_format") || name.matches("text") || name.matches("output_format")
            {
                if holds(value, "\"json_schema\"") { needs.insert(.jsonSchema) }
            } else if name.matches("messages") || name.matches("input") {
                // With both quotes: inside a text they would be escaped.
                if holds(value, "\"image_url\"") || holds(value, "\"input_image\"")
                    || holds(value, "\"image\"")
                {
                    needs.insert(.vision)
                }
            }
        }
        return needs
    }

    /// Whether images or files may stand in the body as base64: as data URLs (RFC 2397), or as Anthropic's and OpenAI's
    /// own sources.
    public static func inlinesData(_ body: UnsafeRawBufferPointer) -> Bool {
        holds(body, ";base64,") || holds(body, "\"base64\"") || holds(body, "\"input_audio\"")
    }

    private static func members(
        of body: UnsafeRawBufferPointer,
        _ each: (MemberName, inout JSONScanner) throws(JSONFault) -> Void
    ) throws(JSONFault) {
        var scanner = JSONScanner(body)
        try scanner.enterObject()
        while let name = try scanner.nextMember() { try each(name, &scanner) }
    }

    /// Adds the first messages, through the first that is not the system's; says whether there was any.
    private static func addBeginning(
        to hash: inout Hash, _ scanner: inout JSONScanner
    ) throws(JSONFault) -> Bool {
        guard scanner.peek() == UInt8(ascii: "[") else {
            // One text: a conversation of its own.
            let start = scanner.position
            try scanner.skipValue()
            hash.add(UnsafeRawBufferPointer(rebasing: scanner.bytes[start..<scanner.position]))
            return true
        }
        try scanner.enterArray()
        var isOpen = true
        var any = false
        while try scanner.nextElement() {
            guard isOpen else {
                try scanner.skipValue()
                continue
            }
            any = true
            _ = scanner.peek()
            let start = scanner.position
            isOpen = try takeMessage(&scanner)
            hash.add(UnsafeRawBufferPointer(rebasing: scanner.bytes[start..<scanner.position]))
        }
        return any
    }

    /// Goes past one message; says whether it is the system's.
    private static func takeMessage(_ scanner: inout JSONScanner) throws(JSONFault) -> Bool {
        guard scanner.peek() == UInt8(ascii: "{") else {
            try scanner.skipValue()
            return false
        }
        var isSystem = false
        try scanner.enterObject()
        while let name = try scanner.nextMember() {
            guard name.matches("role") else {
                try scanner.skipValue()
                continue
            }
            let role = try scanner.takeText()?.utf8
            if role == nil { try scanner.skipValue() }
            isSystem =
                role?.elementsEqual("system".utf8) ?? false || role?.elementsEqual("developer".utf8) ?? false
        }
        return isSystem
    }

    private static func holds(_ bytes: UnsafeRawBufferPointer, _ needle: StaticString) -> Bool {
        guard let start = bytes.baseAddress else { return false }
        let length = needle.utf8CodeUnitCount
        var place = 0
        while place + length <= bytes.count,
            let found = memchr(
                start + place, Int32(needle.utf8Start.pointee), bytes.count - place - length + 1)
        {
            if memcmp(found, needle.utf8Start, length) == 0 { return true }
            place = UnsafeRawPointer(found) - start + 1
        }
        return false
    }

    /// FNV-1a (Fowler, Noll, Vo), over at most 4 KiB of each piece from its beginning and its end: long system prompts
    /// and images are not walked.
    private struct Hash {
        private(set) var value: UInt64 = 0xcbf2_9ce4_8422_2325
        private static let most = 2_048

        mutating func add(_ bytes: UnsafeRawBufferPointer) {
            for byte in bytes.prefix(Self.most) { value = (value ^ UInt64(byte)) &* 0x100_0000_01b3 }
            for byte in bytes.dropFirst(Self.most).suffix(Self.most) {
                value = (value ^ UInt64(byte)) &* 0x100_0000_01b3
            }
        }
    }
}
