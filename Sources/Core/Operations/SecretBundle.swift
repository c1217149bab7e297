/// Several secrets on one way: the old passphrase and the new one, or one for each slot of the vault.
///
/// Each is two bytes of length, most significant first, and the secret; an empty one stands for "none".
public enum SecretBundle {
    /// nil when they are longer together than one draft holds.
    public static func pack(_ secrets: [SecretDraft]) -> SecretDraft? {
        let bundle = SecretDraft()
        for secret in secrets {
            let isPacked = secret.withBytes { bytes in
                var fits = bundle.append(UInt8(truncatingIfNeeded: bytes.count >> 8))
                fits = bundle.append(UInt8(truncatingIfNeeded: bytes.count)) && fits
                for byte in bytes { fits = bundle.append(byte) && fits }
                return fits
            }
            guard isPacked else { return nil }
        }
        return bundle
    }

    /// nil when the draft is no bundle.
    public static func unpack(_ bundle: SecretDraft) -> [SecretDraft]? {
        bundle.withBytes { bytes in
            var secrets: [SecretDraft] = []
            var rest = bytes[...]
            while !rest.isEmpty {
                guard rest.count >= 2 else { return nil }
                let count = Int(rest[rest.startIndex]) << 8 | Int(rest[rest.startIndex + 1])
                rest = rest.dropFirst(2)
                guard rest.count >= count else { return nil }
                secrets.append(SecretDraft(copying: UnsafeRawBufferPointer(rebasing: rest.prefix(count))))
                rest = rest.dropFirst(count)
            }
            return secrets
        }
    }
}
