public import Cipher
public import Domain
public import NIOCore
public import NIOHTTP1

/// A request in the form it goes out: one buffer with head and key, and the body unless that stands in it too.
///
/// The key's bytes go straight from the lent secret into this buffer, whose room is reserved beforehand so that no
/// growing leaves a copy behind. `wipe` overwrites them. What remains out of reach: the TLS library's own copy
/// while a record is made, and the kernel's socket buffer.
public struct OutgoingRequest: Sendable {
    let endpoint: UpstreamEndpoint
    var head: ByteBuffer
    /// Nil where the body stands in `head`.
    var body: ByteBuffer?
    /// Where in `head` the key stands; empty once wiped, or where there is none.
    private(set) var secret: Range<Int>

    /// Up to this size a body is copied behind its head, to leave in one write (measured: two buffers cost more).
    static let inlineBodyMax = 16 * 1024
    /// Longest provider key: JSON Web Tokens of some providers reach 2 KiB.
    static let secretMax = 8 * 1024
    /// Longest value of a forwarded header, and how many are forwarded at most.
    static let forwardedValueMax = 1_024
    static let forwardedMax = 8

    /// Lends the secret to the other initialiser.
    public init(
        to endpoint: UpstreamEndpoint, body: ByteBuffer, callerHeaders: HTTPHeaders? = nil,
        secret: borrowing SecretBytes?, time: WallTime = WallTime(milliseconds: 0),
        room: ByteBuffer = ByteBuffer()
    ) throws(ProviderRefusal) {
        switch secret {
        case .none:
            try self.init(
                to: endpoint, body: body, callerHeaders: callerHeaders, lent: nil, time: time, room: room)
        case .some(let secret):
            self = try secret.withBytes { (bytes) throws(ProviderRefusal) in
                try Self(
                    to: endpoint, body: body, callerHeaders: callerHeaders, lent: bytes, time: time,
                    room: room)
            }
        }
    }

    /// Writes the head into `room`, which must be empty, with a key lent for this call. Refuses with a sentence, and
    /// then nothing of the key stays.
    init(
        to endpoint: UpstreamEndpoint, body: ByteBuffer, callerHeaders: HTTPHeaders?,
        lent: UnsafeRawBufferPointer?, time: WallTime = WallTime(milliseconds: 0), room: ByteBuffer
    ) throws(ProviderRefusal) {
        self.endpoint = endpoint
        head = room
        self.secret = 0..<0
        head.reserveCapacity(1_024)
        head.writeBytes(endpoint.fixedBytes)
        try writeCallerHeaders(callerHeaders)
        if endpoint.isPost {
            head.writeStaticString("content-length: ")
            head.writeString(String(body.readableBytes))
            head.writeStaticString("\r\n")
        }
        let inline = body.readableBytes <= Self.inlineBodyMax
        let following = inline ? body.readableBytes : 0
        if let lent, endpoint.signs {
            try writeAWS(lent, body: body, time: time, thenAtMost: following)
        } else {
            try writeSecret(lent, thenAtMost: following)
        }
        head.writeStaticString("\r\n")
        if inline { head.writeImmutableBuffer(body) } else { self.body = body }
    }

    private mutating func writeCallerHeaders(_ headers: HTTPHeaders?) throws(ProviderRefusal) {
        var given = 0
        var replaced: UInt64 = 0
        if let headers, !endpoint.forwarded.isEmpty {
            for (name, value) in headers {
                guard let lower = endpoint.forwarded.first(where: { isSameHeader(name, $0) }) else {
                    continue
                }
                given += 1
                guard given <= Self.forwardedMax, value.utf8.count <= Self.forwardedValueMax else {
                    throw ProviderRefusal("the header \(lower) is too long or repeated too often")
                }
                guard value.utf8.allSatisfy({ $0 >= 0x20 && $0 < 0x7f }) else {
                    throw ProviderRefusal("the header \(lower) holds a byte that is not printable ASCII")
                }
                if let index = endpoint.defaults.firstIndex(where: { isSameHeader(name, $0.name) }) {
                    replaced |= 1 << UInt64(index)
                }
                head.writeString(lower)
                head.writeStaticString(": ")
                head.writeString(value)
                head.writeStaticString("\r\n")
            }
        }
        for (index, header) in endpoint.defaults.enumerated() where replaced & 1 << UInt64(index) == 0 {
            head.writeBytes(header.line)
        }
    }

    private mutating func writeSecret(
        _ secret: UnsafeRawBufferPointer?, thenAtMost following: Int
    ) throws(ProviderRefusal) {
        switch secret {
        case nil:
            guard endpoint.keyless else {
                throw ProviderRefusal(
                    "provider \(endpoint.provider) is called with a key only, and none was given")
            }
            head.reserveCapacity(minimumWritableBytes: following + 2)
        case let bytes?:
            try refuseOpenLine()
            guard !bytes.isEmpty, bytes.count <= Self.secretMax, bytes.allSatisfy({ $0 > 0x20 && $0 < 0x7f })
            else {
                throw ProviderRefusal(
                    "the provider key is empty, too long, or holds a byte that cannot stand in a header")
            }
            var before = endpoint.authorizationBytes
            if let tokenBytes = endpoint.tokenBytes, isToken(bytes) { before = tokenBytes }
            head.reserveCapacity(minimumWritableBytes: before.count + bytes.count + 4 + following)
            head.writeBytes(before)
            writeSecretBytes(bytes)
        }
    }

    /// Whether these are three parts between two dots, the first of which spells `{"` in base64url: a signed JSON Web Token
    /// (RFC 7515 section 7.1). No provider's own keys look like that.
    private func isToken(_ bytes: UnsafeRawBufferPointer) -> Bool {
        bytes.starts(with: "eyJ".utf8) && bytes.count { $0 == UInt8(ascii: ".") } == 2
    }

    /// The one part of a head that `wipe` overwrites, and the end of its line.
    private mutating func writeSecretBytes(_ bytes: UnsafeRawBufferPointer) {
        let start = head.writerIndex
        head.writeBytes(bytes)
        secret = start..<(start + bytes.count)
        head.writeStaticString("\r\n")
    }

    private func refuseOpenLine() throws(ProviderRefusal) {
        guard endpoint.takesKeys else {
            throw ProviderRefusal("a provider key is never sent over plain HTTP to another machine")
        }
    }

    /// An AWS access key stays here and signs the request; only its session token goes along. A Bedrock API key goes
    /// as a bearer.
    private mutating func writeAWS(
        _ lent: UnsafeRawBufferPointer, body: ByteBuffer, time: WallTime, thenAtMost following: Int
    ) throws(ProviderRefusal) {
        let text: AWSCredentialText
        do throws(AWSCredentialFault) { text = try AWSCredentialText(lent) } catch {
            throw ProviderRefusal("\(error)")
        }
        guard case .accessKey(let key) = text else {
            guard endpoint.service.utf8.elementsEqual("bedrock".utf8) else {
                throw ProviderRefusal("this service of AWS takes an access key only")
            }
            return try writeSecret(lent, thenAtMost: following)
        }
        try refuseOpenLine()
        guard let signer = endpoint.region.flatMap({ SigV4(region: $0, service: endpoint.service) }) else {
            throw ProviderRefusal("provider \(endpoint.provider) has no region to sign for")
        }
        let request = SigV4.Request(
            method: endpoint.isPost ? "POST" : "GET", canonicalPath: endpoint.canonicalPath,
            headers: [ProviderHeader("host", endpoint.origin.authority)] + endpoint.signedHeaders,
            bodyDigest: body.withUnsafeReadableBytes { SHA256.digest($0) })
        let headers: [ProviderHeader]
        do throws(CipherFailure) {
            headers = try signer.sign(request, with: key, at: time)
        } catch {
            throw ProviderRefusal("the request could not be signed: \(error)")
        }
        let token = key.sessionToken?.count ?? 0
        head.reserveCapacity(minimumWritableBytes: 512 + token + following)
        for header in headers { head.writeString("\(header.name): \(header.value)\r\n") }
        if let sessionToken = key.sessionToken {
            head.writeStaticString("x-amz-security-token: ")
            writeSecretBytes(sessionToken)
        }
    }

    /// Overwrites the key. False where the buffer was still shared, so that the other holder's copy stays.
    mutating func wipe() -> Bool {
        guard !secret.isEmpty else { return true }
        let before = head.withUnsafeReadableBytes { UInt(bitPattern: $0.baseAddress) }
        head.setRepeatingByte(0, count: secret.count, at: secret.lowerBound)
        secret = 0..<0
        return before == head.withUnsafeReadableBytes { UInt(bitPattern: $0.baseAddress) }
    }
}

/// Whether a header's name is `lower`, which is lower-case ASCII; byte by byte, for a name is not text.
private func isSameHeader(_ name: String, _ lower: String) -> Bool {
    let bytes = name.utf8
    let wanted = lower.utf8
    guard bytes.count == wanted.count else { return false }
    return zip(bytes, wanted).allSatisfy { byte, want in
        byte == want || ((UInt8(ascii: "A")...UInt8(ascii: "Z")).contains(byte) && byte | 0x20 == want)
    }
}
