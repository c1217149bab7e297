/// A provider key for Amazon Bedrock as it is stored in one secret, taken apart where it lies.
///
/// Either a Bedrock API key, sent as `Bearer` (Amazon Bedrock User Guide, "API keys"), or
/// `ACCESS_KEY_ID:SECRET_ACCESS_KEY[:SESSION_TOKEN]`, which signs each request (``SigV4``). None of the three parts nor
/// an API key can hold a colon: they are base64 or letters and digits. The parts point into the lent bytes and are
/// void with them.
public enum AWSCredentialText {
    case apiKey(UnsafeRawBufferPointer)
    case accessKey(AWSAccessKey)

    /// Longest text: what a provider key may have in all; session tokens have up to about 4 KiB.
    public static var bytesMost: Int { 8 * 1_024 }

    public init(_ lent: UnsafeRawBufferPointer) throws(AWSCredentialFault) {
        guard !lent.isEmpty else { throw .empty }
        guard lent.count <= Self.bytesMost else { throw .tooLong }
        guard lent.first != UInt8(ascii: "{") else { throw .json }
        if let bad = lent.firstIndex(where: { $0 <= 0x20 || $0 >= 0x7f }) {
            throw .notPrintable(offset: bad)
        }
        // One part more than there may be, so that nothing is taken for part of the token.
        let parts = lent.split(separator: UInt8(ascii: ":"), maxSplits: 3, omittingEmptySubsequences: false)
            .map { UnsafeRawBufferPointer(rebasing: $0) }
        guard parts.count > 1 else {
            self = .apiKey(lent)
            return
        }
        guard parts.count <= 3 else { throw .tooManyParts }
        guard let id = Self.accessKeyID(parts[0]) else { throw .accessKeyID }
        guard !parts[1].isEmpty else { throw .secretMissing }
        let token = parts.count == 3 ? parts[2] : nil
        guard token?.isEmpty != true else { throw .tokenMissing }
        self = .accessKey(AWSAccessKey(id: id, secret: parts[1], sessionToken: token))
    }

    /// IAM API reference, "AccessKey": 16 to 128 letters, digits and `_`. It is no secret: requests and logs show it.
    private static func accessKeyID(_ bytes: UnsafeRawBufferPointer) -> String? {
        let isRight =
            (16...128).contains(bytes.count)
            && bytes.allSatisfy { byte in
                switch byte {
                case UInt8(ascii: "a")...UInt8(ascii: "z"), UInt8(ascii: "A")...UInt8(ascii: "Z"),
                    UInt8(ascii: "0")...UInt8(ascii: "9"), UInt8(ascii: "_"):
                    true
                default: false
                }
            }
        return isRight ? String(decoding: bytes, as: UTF8.self) : nil
    }
}

/// An access key of AWS, its secret parts lent: they are void once the bytes they came from are.
public struct AWSAccessKey {
    public let id: String
    public let secret: UnsafeRawBufferPointer
    /// Of temporary credentials only.
    public let sessionToken: UnsafeRawBufferPointer?

    public init(id: String, secret: UnsafeRawBufferPointer, sessionToken: UnsafeRawBufferPointer? = nil) {
        self.id = id
        self.secret = secret
        self.sessionToken = sessionToken
    }
}

/// Why a stored provider key for Amazon Bedrock cannot be used; says nothing of its content.
public enum AWSCredentialFault: Error, Hashable, Sendable, CustomStringConvertible {
    case empty, tooLong, json, accessKeyID, secretMissing, tokenMissing, tooManyParts
    /// A blank, a control character or a byte that is not ASCII; counted from 0.
    case notPrintable(offset: Int)

    public var description: String {
        let problem =
            switch self {
            case .empty: "is empty"
            case .tooLong: "is longer than \(AWSCredentialText.bytesMost) bytes"
            case .json: "is JSON"
            case .accessKeyID:
                "has something before its first ':' that is no access key id (16 to 128 letters, digits and _)"
            case .secretMissing: "has nothing behind its first ':'"
            case .tokenMissing: "has nothing behind its second ':'"
            case .tooManyParts: "has more than two ':'"
            case .notPrintable(let offset):
                "has a blank or a character that is not printable ASCII at byte \(offset)"
            }
        return "the provider key for Amazon Bedrock \(problem): write a Bedrock API key, "
            + "or ACCESS_KEY_ID:SECRET_ACCESS_KEY, or ACCESS_KEY_ID:SECRET_ACCESS_KEY:SESSION_TOKEN"
    }
}
