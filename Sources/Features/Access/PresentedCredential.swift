package import Domain
import Cipher

/// What a caller showed: the hash of its virtual key; the text goes no further.
package struct PresentedCredential: Sendable, Hashable {
    let hash: Digest256
    let wellFormed: Bool

    /// Takes the one credential out of a request's headers.
    ///
    /// More than one, in whatever headers, is refused: two readers might choose differently.
    /// - Parameter repeated: one of these headers stood more than once, or a key stood in the query.
    package static func from(authorization: String?, apiKey: String?, azureKey: String?, repeated: Bool)
        throws(CallFailure) -> PresentedCredential
    {
        let shown = [authorization, apiKey, azureKey].compactMap { $0 }
        guard !repeated, shown.count < 2 else {
            throw CallFailure(
                .ambiguousKey, source: .caller,
                "send exactly one virtual key: in authorization (Bearer), x-api-key or api-key, never in the query")
        }
        guard var text = shown.first else {
            throw CallFailure(
                .missingKey, source: .caller,
                "a virtual key is needed: authorization: Bearer gth_…, or x-api-key: gth_…")
        }
        if authorization != nil {
            guard let bare = token(ofBearer: text) else {
                throw CallFailure(.invalidKey, source: .caller, "authorization must be: Bearer gth_…")
            }
            text = bare
        }
        return text.utf8.withContiguousStorageIfAvailable { utf8 in
            let bytes = UnsafeRawBufferPointer(utf8)
            return PresentedCredential(
                hash: SHA256.digest(bytes), wellFormed: VirtualKeyText.isWellFormed(bytes))
        } ?? PresentedCredential(hash: Digest256(0, 0, 0, 0), wellFormed: false)
    }

    /// RFC 6750 section 2.1; the scheme's case does not matter (RFC 9110 section 11.1).
    private static func token(ofBearer value: String) -> String? {
        let bytes = value.utf8
        let scheme = bytes.prefix(7)
        guard scheme.count == 7, zip(scheme, "bearer ".utf8).allSatisfy({ $0 | 0x20 == $1 }) else { return nil }
        return String(value[bytes.index(bytes.startIndex, offsetBy: 7)...])
    }
}
