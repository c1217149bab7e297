import Cipher
import Dialects
import Domain
import Providers
import Testing

@Suite struct SigV4Tests {
    init() throws { try SecureHeap.start() }

    /// A request of AWS's Signature Version 4 test suite: signed at 2015-08-30T12:36:00Z for `us-east-1/service`.
    struct Vector: CustomTestStringConvertible, Sendable {
        let name: String
        var method = "GET"
        var path = "/"
        var query = ""
        var headers: [ProviderHeader] = []
        var body = ""
        var sessionToken: String?
        let signedHeaders: String
        let signature: String

        var testDescription: String { name }
    }

    static let suite: [Vector] = [
        Vector(
            name: "get-vanilla", signedHeaders: "host;x-amz-date",
            signature: "5fa00fa31553b73ebf1942676e86291e8372ff2a2260956d9b8aae1d763fbf31"),
        Vector(
            name: "post-vanilla", method: "POST", signedHeaders: "host;x-amz-date",
            signature: "5da7c1a2acd57cee7505fc6676e4e544621c30862966e37dddb68e92efbe5d6b"),
        Vector(
            name: "get-vanilla-query-order-key-case", query: "Param1=value1&Param2=value2",
            signedHeaders: "host;x-amz-date",
            signature: "b97d918cfa904a5beff61c982a1b6f458b799221646efd99d3219ec94cdf2500"),
        Vector(
            name: "post-vanilla-query", method: "POST", query: "Param1=value1",
            signedHeaders: "host;x-amz-date",
            signature: "28038455d6de14eafc1f9222cf5aa6f1a96197d7deb8263271d420d138af7f11"),
        Vector(
            name: "get-unreserved",
            path: "/-._~0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz",
            signedHeaders: "host;x-amz-date",
            signature: "07ef7494c76fa4850883e2b006601f940f8a34d404d0cfa977f52a65bbf5f24f"),
        Vector(
            name: "get-space", path: "/example%20space/", signedHeaders: "host;x-amz-date",
            signature: "652487583200325589f1fba4c7e578f72c47cb61beeca81406b39ddec1366741"),
        Vector(
            name: "get-header-value-trim",
            headers: [
                ProviderHeader("my-header2", "\"a   b   c\""), ProviderHeader("my-header1", " value1"),
            ],
            signedHeaders: "host;my-header1;my-header2;x-amz-date",
            signature: "acc3ed3afb60bb290fc8d2dd0098b9911fcaa05412b367055dee359757a9c736"),
        Vector(
            name: "post-x-www-form-urlencoded", method: "POST",
            headers: [ProviderHeader("content-type", "application/x-www-form-urlencoded")],
            body: "Param1=value1", signedHeaders: "content-type;host;x-amz-date",
            signature: "ff11897932ad3f4e8b18135d722051e5ac45fc38421b1da7b9d196a0fe09473a"),
        Vector(
            name: "post-sts-header-before", method: "POST",
            sessionToken:
                "AQoDYXdzEPT//////////wEXAMPLEtc764bNrC9SAPBSM22wDOk4x4HIZ8j4FZTwdQWLWsKWHGBuFqwAeMicRXm"
                + "xfpSPfIeoIYRqTflfKD8YUuwthAx7mSEI/qkPpKPi/kMcGdQrmGdeehM4IC1NtBmUpp2wUE8phUZampKsburEDy0KPkyQDYw"
                + "T7WZ0wq5VSXDvp75YU9HFvlRd8Tx6q6fE8YQcHNVXAkiY9q6d+xo0rKwT38xVqr7ZD0u0iPPkUL64lIZbqBAz+scqKmlzm8F"
                + "DrypNC9Yjc8fPOLn9FX9KSYvKTr4rvx3iSIlTJabIQwj2ICCR/oLxBA==",
            signedHeaders: "host;x-amz-date;x-amz-security-token",
            signature: "85d96828115b5dc0cfc3bd16ad9e210dd772bbebba041836c64533a82be05ead"),
    ]

    @Test(arguments: suite)
    func `AWS's own test suite is signed as published`(_ vector: Vector) throws {
        let signer = try #require(SigV4(region: "us-east-1", service: "service"))
        let request = SigV4.Request(
            method: vector.method, canonicalPath: vector.path, canonicalQuery: vector.query,
            headers: vector.headers + [ProviderHeader("host", "example.amazonaws.com")],
            bodyDigest: SHA256.digest(Array(vector.body.utf8)), namesBodyDigest: false)
        let headers = try sign(
            request, by: signer, id: "AKIDEXAMPLE", secret: "wJalrXUtnFEMI/K7MDENG+bPxRfiCYEXAMPLEKEY",
            token: vector.sessionToken, at: WallTime(milliseconds: 1_440_938_160_000))
        #expect(
            headers == [
                ProviderHeader("x-amz-date", "20150830T123600Z"),
                ProviderHeader(
                    "authorization",
                    "AWS4-HMAC-SHA256 Credential=AKIDEXAMPLE/20150830/us-east-1/service/aws4_request, "
                        + "SignedHeaders=\(vector.signedHeaders), Signature=\(vector.signature)"),
            ])
    }

    /// What botocore 1.44.5 sends for the same calls.
    @Test(arguments: [
        (
            "anthropic.claude-sonnet-4-5-20250929-v1:0", nil,
            "a10be08b69b7c4f563fceff57e1ab352c2d26d879fc925644459c1f13350fe02"
        ),
        (
            "anthropic.claude-sonnet-4-5-20250929-v1:0", "FwoGZXIvYXdzEXAMPLETOKEN//////////wEaDK==",
            "a42d121b48ab98ccd0ffb63eeba3364de00fe749af882fab9d31c8ecd123f07d"
        ),
        (
            "arn:aws:bedrock:eu-central-1:123456789012:inference-profile/eu.anthropic.claude-sonnet-5-5-v1:0",
            nil, "4c8c2b0fbcc3998c76ff9abd18ad6df639e4ffc63dd66ca2454ebd5c9770b03c"
        ),
        (
            "arn:aws:bedrock:eu-central-1:123456789012:inference-profile/eu.anthropic.claude-sonnet-5-5-v1:0",
            "FwoGZXIvYXdzEXAMPLETOKEN//////////wEaDK==",
            "ba10aebdf2c648899ee14a13d2705c44a5536dbfef2e058d5710c339517a7b40"
        ),
    ])
    func `a call of a model is signed as the AWS SDK does`(
        model: String, token: String?, signature: String
    ) throws {
        let signer = try #require(SigV4(region: "eu-central-1"))
        let body = #"{"messages": [{"role": "user", "content": [{"text": "Hi"}]}]}"#
        let request = SigV4.Request(
            method: "POST", canonicalPath: try #require(BedrockPath(.converse, model: model)).canonicalPath,
            headers: [
                ProviderHeader("host", "bedrock-runtime.eu-central-1.amazonaws.com"),
                ProviderHeader("content-type", "application/json"),
            ], bodyDigest: SHA256.digest(Array(body.utf8)))
        let headers = try sign(
            request, by: signer, id: "AKIAIOSFODNN7EXAMPLE",
            secret: "wJalrXUtnFEMI/K7MDENG/bPxRfiCYEXAMPLEKEY",
            token: token, at: WallTime(milliseconds: 1_795_435_471_999))
        let names =
            "content-type;host;x-amz-content-sha256;x-amz-date"
            + (token == nil ? "" : ";x-amz-security-token")
        #expect(
            headers == [
                ProviderHeader("x-amz-date", "20261123T120431Z"),
                ProviderHeader(
                    "x-amz-content-sha256", "b00b27ae96cce295b9d6456bac8d08b3e3114022bfcf26610ff22e99a58513c3"
                ),
                ProviderHeader(
                    "authorization",
                    "AWS4-HMAC-SHA256 Credential=AKIAIOSFODNN7EXAMPLE/20261123/eu-central-1/bedrock/aws4_request, "
                        + "SignedHeaders=\(names), Signature=\(signature)"),
            ])
    }

    @Test(arguments: ["", "eu central 1", "eu-central-1/x", "eu-central-1\r\nx: y", "EU", "é"])
    func `a region that could break out of a header is refused`(region: String) {
        #expect(SigV4(region: region) == nil)
    }

    @Test func `signing leaves nothing on the secure heap`() throws {
        let signer = try #require(SigV4(region: "us-east-1"))
        let request = SigV4.Request(
            method: "POST", canonicalPath: "/", headers: [], bodyDigest: SHA256.digest([]))
        let growth = try (0..<50).map { _ in
            let before = SecureHeap.usedByteCount
            _ = try sign(
                request, by: signer, id: "AKIDEXAMPLE", secret: "secret", token: "token",
                at: WallTime(milliseconds: 0))
            return SecureHeap.usedByteCount - before
        }
        // Other tests use the heap at the same time; a leak would show in every round.
        #expect(growth.contains { $0 <= 0 })
    }

    private func sign(
        _ request: SigV4.Request, by signer: SigV4, id: String, secret: String, token: String?,
        at time: WallTime
    ) throws -> [ProviderHeader] {
        try Array(secret.utf8).withUnsafeBytes { secret in
            guard let token else {
                return try signer.sign(request, with: AWSAccessKey(id: id, secret: secret), at: time)
            }
            return try Array(token.utf8).withUnsafeBytes { token in
                let key = AWSAccessKey(id: id, secret: secret, sessionToken: token)
                return try signer.sign(request, with: key, at: time)
            }
        }
    }
}
