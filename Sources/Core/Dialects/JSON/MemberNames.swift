/// One member name of an object, lent from the bytes it was read from.
package struct MemberName {
    /// The bytes between the quotes, escapes unresolved.
    package let raw: UnsafeRawBufferPointer
    /// Where they begin in the scanned bytes.
    package let start: Int
    /// The resolved name, where it was written with escapes and ``MemberNames`` has seen it.
    private(set) var resolved: [UInt8]?

    init(raw: UnsafeRawBufferPointer, start: Int, resolved: [UInt8]? = nil) {
        self.raw = raw
        self.start = start
        self.resolved = resolved
    }

    /// The length of the resolved name in bytes.
    @inline(__always)
    package var count: Int { resolved?.count ?? raw.count }

    /// Whether the name is this ASCII literal, byte for byte.
    @inline(__always)
    package func matches(_ literal: StaticString) -> Bool {
        resolved.map { $0.withUnsafeBytes { bytesEqual($0, literal) } } ?? bytesEqual(raw, literal)
    }

    /// Whether the name differs from this lower-case ASCII literal in nothing but the case of its letters.
    package func resembles(_ literal: StaticString) -> Bool {
        func compare(_ bytes: UnsafeRawBufferPointer) -> Bool {
            bytes.indices.allSatisfy { lowered(bytes[$0]) == literal.utf8Start[$0] }
        }
        guard count == literal.utf8CodeUnitCount else { return false }
        return resolved.map { $0.withUnsafeBytes(compare) } ?? compare(raw)
    }

    fileprivate func isSame(as other: Self) -> Bool {
        func bytes(_ name: Self) -> [UInt8] { name.resolved ?? Array(name.raw) }
        return bytes(self) == bytes(other)
    }
}

/// The names seen so far in one object that a decision relies on: refuses what two readers may read differently.
///
/// Refused are a repeated name, a name with anything but printable ASCII (a reader that folds case or normalises
/// may take `ſtream` or a full-width letter for ours, one that ends at a NUL byte may cut; no provider has such a
/// name), a name over ``longest`` bytes, and more than ``most`` names.
package struct MemberNames {
    /// The most members of one object; the longest documented body has about 40.
    package static var most: Int { 128 }
    /// The longest name in bytes as written; the longest documented one has 24.
    package static var longest: Int { 256 }

    /// A hash of each name above, its offset below.
    private var slots = InlineArray<128, UInt64>(repeating: 0)
    private var count = 0

    package init() {}

    /// Takes note of a name and resolves its escapes; refuses it as stated above.
    package mutating func admit(_ name: MemberName, in scanner: JSONScanner) throws(JSONFault) -> MemberName {
        guard count < Self.most else {
            throw JSONFault("the object has more than \(Self.most) members", at: name.start)
        }
        guard name.raw.count <= Self.longest else {
            throw JSONFault("a member name has more than \(Self.longest) bytes", at: name.start)
        }
        var checked = name
        var (hash, isPlain) = Self.hash(name.raw)
        if !isPlain {
            checked = try Self.resolve(name, in: scanner)
            hash = checked.resolved.map { $0.withUnsafeBytes(Self.hash).hash } ?? hash
        }
        for index in 0..<count where UInt32(slots[index] >> 32) == hash {
            let earlier = try Self.reread(at: Int(slots[index] & 0xffff_ffff), in: scanner)
            guard !earlier.isSame(as: checked) else {
                throw JSONFault("the member is there twice", at: name.start, field: Self.text(of: checked))
            }
        }
        slots[count] = UInt64(hash) << 32 | UInt64(name.start)
        count += 1
        return checked
    }

    /// Resolves the escapes of a name that has some.
    private static func resolve(_ name: MemberName, in scanner: JSONScanner) throws(JSONFault) -> MemberName {
        let bytes = try scanner.unescaped(name.start..<name.start + name.raw.count)
        guard bytes.allSatisfy({ $0 >= 0x20 && $0 < 0x7f }) else {
            throw JSONFault("a member name holds something else than printable ASCII", at: name.start)
        }
        return MemberName(raw: name.raw, start: name.start, resolved: bytes)
    }

    private static func reread(at start: Int, in scanner: JSONScanner) throws(JSONFault) -> MemberName {
        var copy = scanner
        copy.position = start - 1
        try copy.skipString()
        let raw = UnsafeRawBufferPointer(rebasing: scanner.bytes[start..<copy.position - 1])
        return try resolve(MemberName(raw: raw, start: start), in: scanner)
    }

    /// A hash, and whether all bytes are printable ASCII but the backslash. Cheap and weak: equal hashes cost one
    /// comparison of at most `longest` bytes, and there are at most `most`.
    @inline(__always)
    private static func hash(_ bytes: UnsafeRawBufferPointer) -> (hash: UInt32, isPlain: Bool) {
        var hash = UInt32(truncatingIfNeeded: bytes.count)
        var isPlain = true
        for index in 0..<bytes.count {
            let byte = bytes[index]
            hash = (hash << 5 | hash >> 27) ^ UInt32(byte)
            if byte &- 0x20 > 0x5e || byte == UInt8(ascii: "\\") { isPlain = false }
        }
        return (hash, isPlain)
    }

    private static func text(of name: MemberName) -> String {
        String(decoding: name.resolved ?? Array(name.raw), as: UTF8.self)
    }
}

/// ASCII lower case of a byte.
@inline(__always)
func lowered(_ byte: UInt8) -> UInt8 {
    byte &- UInt8(ascii: "A") < 26 ? byte | 0x20 : byte
}
