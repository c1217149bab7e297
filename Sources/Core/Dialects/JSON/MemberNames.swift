/// One member name of an object, lent from the bytes it was read from.
///
/// Holds no array, so that passing it around costs nothing; the rare name with escapes is resolved when asked about.
public struct MemberName {
    /// The bytes between the quotes, escapes unresolved.
    public let raw: UnsafeRawBufferPointer
    /// Where they begin in the scanned bytes.
    public let start: Int
    /// Whether there are escapes to resolve; only ``MemberNames`` looks, other readers compare names as written.
    fileprivate(set) var isEscaped = false

    /// - Parameter end: where the quote stands that ends the name; a string was passed to it, so it lies within the
    ///   bytes that begin at `base`.
    @inline(__always)
    init(_ base: UnsafeRawPointer, from start: Int, to end: Int) {
        raw = UnsafeRawBufferPointer(start: base + start, count: end &- start)
        self.start = start
    }

    /// Whether the name is this ASCII literal, byte for byte.
    @inline(__always)
    public func matches(_ literal: StaticString) -> Bool {
        isEscaped ? resolved.withUnsafeBytes { bytesEqual($0, literal) } : bytesEqual(raw, literal)
    }

    /// Whether the name differs from this lower-case ASCII literal in nothing but the case of its letters.
    @inline(__always)
    public func resembles(_ literal: StaticString) -> Bool {
        guard !isEscaped else { return Self.areAlike(resolved, literal) }
        return raw.count == literal.utf8CodeUnitCount && Self.areAlike(raw, literal)
    }

    /// The bytes that the name stands for. A half surrogate resolves to nothing, but ``MemberNames`` admits none.
    fileprivate var resolved: [UInt8] {
        isEscaped ? (try? JSONScanner(raw).unescaped(0..<raw.count)) ?? [] : Array(raw)
    }

    private static func areAlike(_ bytes: some RandomAccessCollection<UInt8>, _ literal: StaticString) -> Bool
    {
        guard bytes.count == literal.utf8CodeUnitCount else { return false }
        var index = 0
        for byte in bytes {
            guard lowered(byte) == literal.utf8Start[index] else { return false }
            index += 1
        }
        return true
    }
}

/// The names seen so far in one object that a decision relies on: refuses what two readers may read differently.
///
/// Refused are a repeated name, a name with anything but printable ASCII (a reader that folds case or normalises
/// may take `ſtream` or a full-width letter for ours, one that ends at a NUL byte may cut; no provider has such a
/// name), a name over ``longest`` bytes, and more than ``most`` names.
public struct MemberNames {
    /// The most members of one object; the longest documented body has about 40.
    public static var most: Int { 128 }
    /// The longest name in bytes as written; the longest documented one has 24.
    public static var longest: Int { 256 }

    /// A hash of each name above, its offset below.
    private var slots = InlineArray<128, UInt64>(repeating: 0)
    private var count = 0

    public init() {}

    /// Takes note of a name and resolves its escapes; refuses it as stated above.
    public mutating func admit(_ name: MemberName, in scanner: JSONScanner) throws(JSONFault) -> MemberName {
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
            hash = checked.resolved.withUnsafeBytes(Self.hash).hash
        }
        for index in 0..<count where UInt32(slots[index] >> 32) == hash {
            let earlier = try Self.reread(at: Int(slots[index] & 0xffff_ffff), in: scanner)
            guard earlier.resolved != checked.resolved else {
                throw JSONFault(
                    "the member is there twice", at: name.start,
                    field: String(decoding: checked.resolved, as: UTF8.self))
            }
        }
        slots[count] = UInt64(hash) << 32 | UInt64(name.start)
        count += 1
        return checked
    }

    /// Checks a name that is not plain, and marks it as one to resolve.
    private static func resolve(_ name: MemberName, in scanner: JSONScanner) throws(JSONFault) -> MemberName {
        let bytes = try scanner.unescaped(name.start..<name.start + name.raw.count)
        guard bytes.allSatisfy({ $0 >= 0x20 && $0 < 0x7f }) else {
            throw JSONFault("a member name holds something else than printable ASCII", at: name.start)
        }
        var marked = name
        marked.isEscaped = true
        return marked
    }

    private static func reread(at start: Int, in scanner: JSONScanner) throws(JSONFault) -> MemberName {
        var copy = scanner
        copy.position = start - 1
        try copy.skipString()
        return try resolve(MemberName(scanner.base, from: start, to: copy.position - 1), in: scanner)
    }

    /// A hash, and whether all bytes are printable ASCII but the quote and the backslash. Cheap and weak: equal hashes
    /// cost one comparison of at most `longest` bytes, and there are at most `most`.
    private static func hash(_ bytes: UnsafeRawBufferPointer) -> (hash: UInt32, isPlain: Bool) {
        var sum = Sum(count: bytes.count)
        var index = 0
        while index &+ 8 <= bytes.count {
            sum.add(UInt64(littleEndian: bytes.loadUnaligned(fromByteOffset: index, as: UInt64.self)))
            index &+= 8
        }
        if index < bytes.count {
            // Filled up with a byte that is plain.
            var rest: UInt64 = 0x2020_2020_2020_2020
            while index < bytes.count {
                rest = rest << 8 | UInt64(bytes[index])
                index &+= 1
            }
            sum.add(rest)
        }
        return (UInt32(truncatingIfNeeded: sum.value >> 32), sum.special == 0)
    }

    /// Adds up a name eight bytes at a time.
    private struct Sum {
        var value: UInt64
        var special: UInt64 = 0

        init(count: Int) { value = UInt64(truncatingIfNeeded: count) }

        @inline(__always)
        mutating func add(_ word: UInt64) {
            // A multiplier without a pattern, as in Fibonacci hashing: 2^64 divided by the golden ratio.
            value = (value ^ word) &* 0x9e37_79b9_7f4a_7c15
            // One more than DEL (0x7f) sets the top bit.
            special |=
                JSONScanner.specialBytes(of: word) | (word &+ 0x0101_0101_0101_0101) & 0x8080_8080_8080_8080
        }
    }
}

/// ASCII lower case of a byte.
@inline(__always)
func lowered(_ byte: UInt8) -> UInt8 {
    byte &- UInt8(ascii: "A") < 26 ? byte | 0x20 : byte
}
