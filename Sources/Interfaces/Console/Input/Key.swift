/// What a person did at the terminal, decoded.
public enum Input: Sendable, Hashable {
    case key(Key)
    /// A bracketed paste, whole; bytes beyond the bound were dropped and are counted.
    case paste(Paste)
    case resized(width: Int, height: Int)
    case wheel(up: Bool)
    case click(column: Int, row: Int)
    /// An escape sequence nobody knows: swallowed, never typed.
    case unknownSequence
}

/// A key press.
public enum Key: Sendable, Hashable {
    /// A printable character.
    case character(Character)
    /// Control with a letter, given in lower case: `.control("d")`.
    case control(Character)
    case enter, escape, tab, backTab, backspace, delete
    case up, down, left, right, home, end, pageUp, pageDown
}

/// A pasted text on its way to the one field that takes it: bytes, wiped by who uses them.
public final class Paste: @unchecked Sendable, Hashable {
    // Safe because the bytes are written once before the object is shared, and wiped only by the one reducer.
    private var bytes: [UInt8]
    public let dropped: Int

    public init(bytes: [UInt8], dropped: Int) {
        self.bytes = bytes
        self.dropped = dropped
    }

    deinit { wipe() }

    public var count: Int { bytes.count }

    /// Lends the bytes to one call.
    public func withBytes<Result>(_ body: (UnsafeRawBufferPointer) throws -> Result) rethrows -> Result {
        try bytes.withUnsafeBytes(body)
    }

    public func wipe() {
        bytes.withUnsafeMutableBytes { buffer in
            for index in buffer.indices { buffer[index] = 0 }
        }
        bytes.removeAll()
    }

    public static func == (left: Paste, right: Paste) -> Bool { left === right }
    public func hash(into hasher: inout Hasher) { hasher.combine(ObjectIdentifier(self)) }
}
