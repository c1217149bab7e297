import CLibCrypto
public import Domain

/// Comparisons whose duration says nothing about where two values differ.
public enum ConstantTime {
    /// Whether the bytes are the same; values of different lengths are told apart at once.
    @inline(__always)
    public static func equal(_ left: UnsafeRawBufferPointer, _ right: UnsafeRawBufferPointer) -> Bool {
        left.count == right.count && CRYPTO_memcmp(left.baseAddress, right.baseAddress, left.count) == 0
    }

    public static func equal(_ left: Digest256, _ right: Digest256) -> Bool {
        withUnsafeBytes(of: left.words) { left in
            withUnsafeBytes(of: right.words) { right in equal(left, right) }
        }
    }
}

/// Overwrites bytes in a way the optimiser may not leave out.
public enum Eraser {
    public static func erase(_ bytes: UnsafeMutableRawBufferPointer) {
        OPENSSL_cleanse(bytes.baseAddress, bytes.count)
    }

    public static func erase(_ bytes: inout [UInt8]) {
        bytes.withUnsafeMutableBytes { erase($0) }
    }
}
