/// A 256-bit digest as four words: hashable without an allocation.
public struct Digest256: Hashable, Sendable {
    /// Big-endian words, first to last.
    public let words: (UInt64, UInt64, UInt64, UInt64)

    @inlinable public init(_ first: UInt64, _ second: UInt64, _ third: UInt64, _ fourth: UInt64) {
        words = (first, second, third, fourth)
    }

    /// Reads 32 bytes; nil for any other length.
    public init?(bytes: some Collection<UInt8>) {
        guard bytes.count == 32 else { return nil }
        var out: [UInt64] = [0, 0, 0, 0]
        for (index, byte) in bytes.enumerated() { out[index / 8] = out[index / 8] << 8 | UInt64(byte) }
        self.init(out[0], out[1], out[2], out[3])
    }

    public var bytes: [UInt8] {
        [words.0, words.1, words.2, words.3].flatMap { word in
            (0..<8).map { UInt8(truncatingIfNeeded: word >> UInt64(56 - 8 * $0)) }
        }
    }

    @inlinable public static func == (left: Self, right: Self) -> Bool {
        left.words.0 == right.words.0 && left.words.1 == right.words.1 && left.words.2 == right.words.2
            && left.words.3 == right.words.3
    }

    @inlinable public func hash(into hasher: inout Hasher) {
        hasher.combine(words.0)
        hasher.combine(words.1)
        hasher.combine(words.2)
        hasher.combine(words.3)
    }
}
