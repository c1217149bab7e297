import Glibc

extension String {
    /// Whether a header's name, or a word in one, is this lower-case ASCII literal, ignoring ASCII case (RFC 9110 section
    /// 5.1), byte by byte.
    @inlinable
    public func isHeader(_ name: StaticString) -> Bool {
        // Most texts differ in their length: these pass by without a call.
        utf8.count == name.utf8CodeUnitCount && isSameHeader(name)
    }

    @usableFromInline
    func isSameHeader(_ name: StaticString) -> Bool {
        // A native text has its bytes in one piece; another kind is copied first.
        utf8.withContiguousStorageIfAvailable { Self.isHeader($0, name) }
            ?? Array(utf8).withUnsafeBufferPointer { Self.isHeader($0, name) }
    }

    private static func isHeader(_ bytes: UnsafeBufferPointer<UInt8>, _ name: StaticString) -> Bool {
        // Most write it in lower case.
        if let start = bytes.baseAddress, memcmp(start, name.utf8Start, bytes.count) == 0 { return true }
        for index in 0..<bytes.count {
            // A lower-case letter is at most 0x20 away from its capital, in that one bit.
            let byte = bytes[index]
            let wanted = name.utf8Start[index]
            if byte != wanted, byte | 0x20 != wanted || byte < 0x41 || byte > 0x5a { return false }
        }
        return true
    }
}
