public import Cipher
public import Domain

/// A provider key in the clear, with the provider and the origin it may be sent to.
///
/// Sealed, it is three fields with two length bytes each (provider, origin, secret) and zero bytes up to the next
/// multiple of 64, so that the record's length says little about the key's.
public struct ProviderSecret: ~Copyable, Sendable {
    public let provider: ProviderName
    public let origin: Origin
    public let secret: SecretBytes

    /// Far above any provider's key; keeps a record small on the secure heap.
    static let longestSecret = 8_192
    static let paddedTo = 64

    public init(provider: ProviderName, origin: Origin, secret: consuming SecretBytes) {
        self.provider = provider
        self.origin = origin
        self.secret = secret
    }

    borrowing func encoded() throws(SealFailure) -> SecretBytes {
        guard secret.count > 0, secret.count <= Self.longestSecret else {
            throw .unsuitable("a provider key has 1 to \(Self.longestSecret) bytes")
        }
        let place =
            Self.field(provider.text) + Self.field(origin.description) + bigEndian(UInt16(secret.count))
        let length = place.count + secret.count
        let padded = (length + Self.paddedTo - 1) / Self.paddedTo * Self.paddedTo
        return try mapped { () throws(CipherFailure) in
            try secret.withBytes { (secret) throws(CipherFailure) in
                try SecretBytes(count: padded) { buffer in
                    buffer.copyBytes(from: place)
                    UnsafeMutableRawBufferPointer(rebasing: buffer[place.count...]).copyMemory(from: secret)
                }
            }
        }
    }

    /// The secret inside `plaintext`, if it is meant for this provider and origin; nil for these = any.
    static func decode(
        _ plaintext: borrowing SecretBytes, provider: ProviderName, origin: Origin?
    ) throws(SealFailure) -> SecretBytes {
        try plaintext.withBytes { (bytes) throws(SealFailure) in
            var reader = FieldReader(rest: bytes[...])
            guard !bytes.isEmpty, bytes.count.isMultiple(of: paddedTo), let boundProvider = reader.next(),
                let boundOrigin = reader.next(), let secret = reader.next(), !secret.isEmpty,
                reader.rest.count < paddedTo, reader.rest.allSatisfy({ $0 == 0 })
            else { throw .invalid(.content) }
            guard boundProvider.elementsEqual(provider.text.utf8) else { throw .wrongOrigin }
            if let origin {
                guard boundOrigin.elementsEqual(origin.description.utf8) else { throw .wrongOrigin }
            }
            return try mapped { () throws(CipherFailure) in try SecretBytes(copying: .init(rebasing: secret))
            }
        }
    }

    private static func field(_ text: String) -> [UInt8] {
        bigEndian(UInt16(text.utf8.count)) + Array(text.utf8)
    }
}

/// Reads length-prefixed fields one after the other; nil once one does not fit.
private struct FieldReader {
    var rest: Slice<UnsafeRawBufferPointer>

    mutating func next() -> Slice<UnsafeRawBufferPointer>? {
        guard rest.count >= 2 else { return nil }
        let count = Int(rest[rest.startIndex]) << 8 | Int(rest[rest.startIndex + 1])
        rest = rest.dropFirst(2)
        guard rest.count >= count else { return nil }
        defer { rest = rest.dropFirst(count) }
        return rest.prefix(count)
    }
}
