import Domain

/// What a caller presented to prove who it is: the values of the headers that may hold a virtual key.
///
/// The bytes are lent by whoever read the request and must outlive the value; nothing is copied.
public struct PresentedCredential {
    public let authorization: UnsafeRawBufferPointer?
    public let xAPIKey: UnsafeRawBufferPointer?
    public let apiKey: UnsafeRawBufferPointer?
    /// One of these headers came more than once.
    public let repeated: Bool
    /// The query string holds something that looks like a credential.
    public let inQuery: Bool

    public init(
        authorization: UnsafeRawBufferPointer? = nil, xAPIKey: UnsafeRawBufferPointer? = nil,
        apiKey: UnsafeRawBufferPointer? = nil, repeated: Bool = false, inQuery: Bool = false
    ) {
        self.authorization = authorization
        self.xAPIKey = xAPIKey
        self.apiKey = apiKey
        self.repeated = repeated
        self.inQuery = inQuery
    }

    /// The one credential, without its scheme.
    ///
    /// With two credentials, two parties on the way could each see another caller; so two are none.
    func token() throws(CallFailure) -> UnsafeRawBufferPointer {
        guard !inQuery else {
            throw CallFailure(
                .ambiguousKey, source: .caller,
                "credentials in the query string are refused; send the virtual key as 'authorization: Bearer'"
            )
        }
        guard !repeated else { throw Self.several }
        switch (authorization, xAPIKey, apiKey) {
        case (nil, nil, nil):
            throw CallFailure(
                .missingKey, source: .caller,
                "no virtual key; send it as 'authorization: Bearer', 'x-api-key' or 'api-key'")
        case (let value?, nil, nil): return try Self.bearer(value)
        case (nil, let value?, nil), (nil, nil, let value?): return value
        default: throw Self.several
        }
    }

    private static let several = CallFailure(
        .ambiguousKey, source: .caller,
        "more than one credential; send the virtual key once, in one of 'authorization', 'x-api-key', 'api-key'"
    )

    /// RFC 6750 section 2.1: the scheme in any case (RFC 9110 section 11.1), at least one space, the token.
    private static func bearer(_ value: UnsafeRawBufferPointer) throws(CallFailure) -> UnsafeRawBufferPointer
    {
        let scheme: StaticString = "bearer "
        let fits =
            value.count > scheme.utf8CodeUnitCount
            && (0..<scheme.utf8CodeUnitCount).allSatisfy { index in
                let byte = value[index]
                let lower = byte >= 0x41 && byte <= 0x5a ? byte | 0x20 : byte
                return lower == scheme.utf8Start[index]
            }
        guard fits else {
            throw CallFailure(
                .invalidKey, source: .caller,
                "the authorization header must be 'Bearer', a space and the virtual key")
        }
        let rest = value[scheme.utf8CodeUnitCount...].drop { $0 == UInt8(ascii: " ") }
        return UnsafeRawBufferPointer(rebasing: rest)
    }
}
