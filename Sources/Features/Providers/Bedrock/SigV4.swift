public import Cipher
public import Domain

/// Signs requests to AWS with an access key (AWS IAM User Guide, "Create a signed AWS API request", Signature Version 4).
///
/// A pure function of request, key and time. The secret goes from the lent bytes into the secure heap and nowhere
/// else: the derived keys and the text to be hashed, which holds the session token, lie there too and are wiped. Out
/// of reach are libcrypto's own contexts and the registers that carry a digest.
public struct SigV4: Sendable {
    private let region: String
    private let service: String

    /// - Parameter region: such as `eu-central-1`: lower-case letters, digits and `-`, else nil.
    public init?(region: String, service: String = "bedrock") {
        for name in [region, service] {
            let isRight = name.utf8.allSatisfy { byte in
                switch byte {
                case UInt8(ascii: "a")...UInt8(ascii: "z"), UInt8(ascii: "0")...UInt8(ascii: "9"),
                    UInt8(ascii: "-"):
                    true
                default: false
                }
            }
            guard isRight, (1...64).contains(name.utf8.count) else { return nil }
        }
        self.region = region
        self.service = service
    }

    /// What of a request is signed.
    public struct Request: Sendable {
        public var method: String
        /// The path in canonical form: for Bedrock `BedrockPath.canonicalPath`, encoded twice.
        public var canonicalPath: String
        /// In canonical form: encoded and sorted.
        public var canonicalQuery: String
        /// The headers that are signed besides those that `sign` adds, each name once: `host` above all, and
        /// `content-type`. They must go out with these values.
        public var headers: [ProviderHeader]
        public var bodyDigest: Digest256
        /// Whether `x-amz-content-sha256` is sent and signed too; the body's digest is signed in any case.
        public var namesBodyDigest: Bool

        public init(
            method: String, canonicalPath: String, canonicalQuery: String = "", headers: [ProviderHeader],
            bodyDigest: Digest256, namesBodyDigest: Bool = true
        ) {
            self.method = method
            self.canonicalPath = canonicalPath
            self.canonicalQuery = canonicalQuery
            self.headers = headers
            self.bodyDigest = bodyDigest
            self.namesBodyDigest = namesBodyDigest
        }
    }

    /// The headers to send in addition to those of the request: `x-amz-date`, `x-amz-content-sha256` and
    /// `authorization`.
    ///
    /// Where the key has a session token, the caller also sends it as `x-amz-security-token`, which is signed here; it
    /// is a secret, so it is written from its own bytes and not handed back as text.
    public func sign(
        _ request: Request, with key: AWSAccessKey, at time: WallTime
    ) throws(CipherFailure) -> [ProviderHeader] {
        let stamp = Self.stamp(time)
        let day = String(stamp.prefix(8))
        var added = [ProviderHeader("x-amz-date", stamp)]
        if request.namesBodyDigest {
            added.append(
                ProviderHeader("x-amz-content-sha256", hexadecimalText(of: request.bodyDigest.bytes)))
        }
        let canonical = CanonicalRequest(request, added: added, sessionToken: key.sessionToken)
        let scope = "\(day)/\(region)/\(service)/aws4_request"
        let digest = hexadecimalText(of: try canonical.digest().bytes)
        let text = "AWS4-HMAC-SHA256\n\(stamp)\n\(scope)\n\(digest)"
        let signature = try HMACSHA256.code(of: Array(text.utf8), key: try signingKey(key.secret, day: day))
        added.append(
            ProviderHeader(
                "authorization",
                "AWS4-HMAC-SHA256 Credential=\(key.id)/\(scope), SignedHeaders=\(canonical.signedHeaders), "
                    + "Signature=\(hexadecimalText(of: signature.bytes))"))
        return added
    }

    /// `20261123T120431Z`
    private static func stamp(_ time: WallTime) -> String {
        let civil = time.civil
        return padded(civil.year, to: 4) + padded(civil.month, to: 2) + padded(civil.day, to: 2) + "T"
            + padded(civil.hour, to: 2) + padded(civil.minute, to: 2) + padded(civil.second, to: 2) + "Z"
    }

    private func signingKey(
        _ secret: UnsafeRawBufferPointer, day: String
    ) throws(CipherFailure) -> SecretBytes {
        let prefix = Array("AWS4".utf8)
        let start = try SecretBytes(count: prefix.count + secret.count) { out in
            out.copyBytes(from: prefix)
            UnsafeMutableRawBufferPointer(rebasing: out[prefix.count...]).copyMemory(from: secret)
        }
        let ofDay = try Self.derived(day, from: start)
        let ofRegion = try Self.derived(region, from: ofDay)
        let ofService = try Self.derived(service, from: ofRegion)
        return try Self.derived("aws4_request", from: ofService)
    }

    private static func derived(
        _ text: String, from key: borrowing SecretBytes
    ) throws(CipherFailure) -> SecretBytes {
        let words = try HMACSHA256.code(of: Array(text.utf8), key: key).words
        return try SecretBytes(count: SHA256.byteCount) { out in
            for (index, word) in [words.0, words.1, words.2, words.3].enumerated() {
                out.storeBytes(of: word.bigEndian, toByteOffset: index * 8, as: UInt64.self)
            }
        }
    }
}

/// The canonical request in pieces, the session token among them still where it was lent.
private struct CanonicalRequest {
    private enum Piece {
        case text([UInt8])
        case lent(UnsafeRawBufferPointer)

        var count: Int {
            switch self {
            case .text(let bytes): bytes.count
            case .lent(let bytes): bytes.count
            }
        }
    }

    private var pieces: [Piece] = []
    /// The names of the signed headers as the `authorization` header gives them.
    let signedHeaders: String

    init(_ request: SigV4.Request, added: [ProviderHeader], sessionToken: UnsafeRawBufferPointer?) {
        var lines = (request.headers + added).map { header in
            (name: header.name, value: Piece.text(Self.trimmed(header.value)))
        }
        if let sessionToken { lines.append(("x-amz-security-token", .lent(sessionToken))) }
        lines.sort { $0.name.utf8.lexicographicallyPrecedes($1.name.utf8) }
        signedHeaders = lines.map(\.name).joined(separator: ";")
        add("\(request.method)\n\(request.canonicalPath)\n\(request.canonicalQuery)\n")
        for line in lines {
            add("\(line.name):")
            pieces.append(line.value)
            add("\n")
        }
        add("\n\(signedHeaders)\n\(hexadecimalText(of: request.bodyDigest.bytes))")
    }

    private mutating func add(_ text: String) { pieces.append(.text(Array(text.utf8))) }

    /// Without blanks at both ends, and with one blank for several.
    private static func trimmed(_ value: String) -> [UInt8] {
        Array(
            value.utf8.split(separator: UInt8(ascii: " ")).joined(
                separator: CollectionOfOne(UInt8(ascii: " "))))
    }

    func digest() throws(CipherFailure) -> Digest256 {
        let joined = try SecretBytes(count: pieces.reduce(0) { $0 + $1.count }) { out in
            var position = 0
            for piece in pieces {
                let room = UnsafeMutableRawBufferPointer(rebasing: out[position..<position + piece.count])
                switch piece {
                case .text(let bytes): room.copyBytes(from: bytes)
                case .lent(let bytes): room.copyMemory(from: bytes)
                }
                position += piece.count
            }
        }
        return joined.withBytes { SHA256.digest($0) }
    }
}
