import Cipher
import Dialects
import Domain
import Locking
import NIOCore
import Testing

@testable import Providers

/// Requests to Amazon Bedrock as they arrive: the signature is made anew from what came, as AWS does.
@Suite struct BedrockWireTests {
    private static let id = "AKIAIOSFODNN7EXAMPLE"
    private static let secret = "wJalrXUtnFEMI/K7MDENG/bPxRfiCYEXAMPLEKEY"
    private static let token = "FwoGZXIvYXdzEXAMPLETOKEN//////////wEaDK=="

    /// The model, and its path once and twice encoded, as API reference "Converse" and AWS IAM User Guide "Create a
    /// signed AWS API request" have it.
    static let models: [(model: String, path: String, canonical: String)] = [
        (
            "anthropic.claude-sonnet-5-v1:0", "/model/anthropic.claude-sonnet-5-v1%3A0/converse",
            "/model/anthropic.claude-sonnet-5-v1%253A0/converse"
        ),
        (
            "arn:aws:bedrock:eu-central-1:123456789012:inference-profile/eu.a-v1:0",
            "/model/arn%3Aaws%3Abedrock%3Aeu-central-1%3A123456789012%3Ainference-profile%2Feu.a-v1%3A0/converse",
            "/model/arn%253Aaws%253Abedrock%253Aeu-central-1%253A123456789012%253Ainference-profile%252Feu.a-v1%253A0/converse"
        ),
    ]

    @Test(arguments: models, [nil, token])
    func `the signature fits the request as it came`(
        model: (model: String, path: String, canonical: String), token: String?
    ) async throws {
        let seen = Locked<ScriptedUpstream.Seen?>(nil)
        let upstream = try await ScriptedUpstream.start { request in
            seen.withLock { $0 = request }
            return [.send(counted("{}"))]
        }
        let definition = ProviderDefinition(
            name: try ProviderName("bedrock"), kind: .bedrock,
            origin: Origin(secure: false, host: "127.0.0.1", port: upstream.port), pathPrefix: "",
            region: "eu-central-1")
        let key = [Self.id, Self.secret, token].compactMap { $0 }.joined(separator: ":")
        let body = #"{"messages":[{"role":"user","content":[{"text":"Grüße"}]}]}"#
        let outcome = try await Caller().send(
            UpstreamEndpoint(definition, dialect: .openAIChat, model: ModelName(model.model)), secret: key,
            body: body)
        try await upstream.stop()
        #expect(outcome.status == 200)
        let request = try #require(seen.withLock { $0 })
        let lines = request.head.split(separator: "\r\n").map(String.init)
        #expect(lines[0] == "POST \(model.path) HTTP/1.1")
        func value(_ name: String) -> String? {
            lines.first { $0.hasPrefix("\(name): ") }.map { String($0.dropFirst(name.utf8.count + 2)) }
        }
        #expect(value("x-amz-security-token") == token)
        #expect(!request.head.contains(Self.secret))
        let came = SigV4.Request(
            method: "POST", canonicalPath: model.canonical,
            headers: [
                ProviderHeader("host", try #require(value("host"))),
                ProviderHeader("content-type", try #require(value("content-type"))),
            ], bodyDigest: SHA256.digest(Array(request.body.utf8)))
        // `Caller` sends at the beginning of 1970.
        #expect(value("x-amz-date") == "19700101T000000Z")
        let expected = try Self.sign(came, token: token)
        for header in expected { #expect(value(header.name) == header.value, "\(header.name)") }
    }

    private static func sign(_ request: SigV4.Request, token: String?) throws -> [ProviderHeader] {
        let signer = try #require(SigV4(region: "eu-central-1"))
        let time = WallTime(milliseconds: 0)
        return try Array(secret.utf8).withUnsafeBytes { secret in
            guard let token else {
                return try signer.sign(request, with: AWSAccessKey(id: id, secret: secret), at: time)
            }
            return try Array(token.utf8).withUnsafeBytes { token in
                let key = AWSAccessKey(id: id, secret: secret, sessionToken: token)
                return try signer.sign(request, with: key, at: time)
            }
        }
    }

    @Test(arguments: [
        "AKIAIOSFODNN7EXAMPLE:", "short:secret", "a:b:c:d", #"{"aws_access_key_id":"x"}"#, "key with blanks",
    ])
    func `a key that is none is refused before anything is sent`(key: String) async throws {
        let definition = ProviderDefinition(
            name: try ProviderName("bedrock"), kind: .bedrock,
            origin: Origin(secure: false, host: "127.0.0.1", port: 1), pathPrefix: "", region: "eu-central-1")
        let endpoint = try UpstreamEndpoint(definition, dialect: .openAIChat, model: ModelName("m"))
        let refusal = try sendWith(key) { (secret: borrowing SecretBytes?) throws(ProviderRefusal) in
            do throws(ProviderRefusal) {
                _ = try OutgoingRequest(to: endpoint, body: ByteBuffer(), secret: secret)
                return nil as ProviderRefusal?
            } catch {
                return error
            }
        }
        #expect(refusal?.sentence.contains("provider key for Amazon Bedrock") == true)
        #expect(refusal?.sentence.contains(key) != true)
    }
}
