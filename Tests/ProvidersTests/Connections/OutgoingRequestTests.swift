import Cipher
import Domain
import NIOCore
import NIOHTTP1
import Testing

@testable import Providers

@Suite struct OutgoingRequestTests {
    private func head(
        _ definition: ProviderDefinition, dialect: Dialect = .openAIChat, secret: String? = "sk-1",
        headers: HTTPHeaders? = nil, body: String = "{}"
    ) throws -> OutgoingRequest {
        let endpoint = try UpstreamEndpoint(definition, dialect: dialect)
        return try sendWith(secret) { (secret) throws(ProviderRefusal) in
            try OutgoingRequest(
                to: endpoint, body: ByteBuffer(string: body), callerHeaders: headers, secret: secret)
        }
    }

    @Test func `no header of the caller goes on but those on the list`() throws {
        let headers: HTTPHeaders = [
            "Authorization": "Bearer gth_callers", "x-api-key": "gth_callers", "cookie": "c",
            "OpenAI-Beta": "x=1",
            "openai-organization": "o", "host": "evil", "content-length": "0", "transfer-encoding": "chunked",
            "connection": "openai-beta", "x-forwarded-for": "1.2.3.4", "IDEMPOTENCY-KEY": "i1",
        ]
        let text = String(buffer: try head(definition(port: 80), headers: headers).head)
        #expect(
            text == """
                POST /v1/chat/completions HTTP/1.1\r
                host: 127.0.0.1\r
                user-agent: gatehouse\r
                accept: application/json, text/event-stream\r
                accept-encoding: identity\r
                content-type: application/json\r
                openai-beta: x=1\r
                idempotency-key: i1\r
                content-length: 2\r
                authorization: Bearer sk-1\r
                \r
                {}
                """)
    }

    @Test func `compatible providers get none of the caller's headers`() throws {
        let text = String(
            buffer: try head(
                definition(port: 80, kind: .openaiCompatible),
                headers: ["openai-beta": "x", "idempotency-key": "y"]
            ).head)
        #expect(!text.contains("openai-beta") && !text.contains("idempotency-key"))
    }

    @Test(arguments: [(nil, "2023-06-01"), ("2024-01-01", "2024-01-01")] as [(String?, String)])
    func `Anthropic gets its version header once, the caller's before ours`(
        sent: String?, expected: String
    ) throws {
        let headers = sent.map { HTTPHeaders([("Anthropic-Version", $0), ("anthropic-beta", "a,b")]) }
        let text = String(
            buffer: try head(
                definition(port: 80, kind: .anthropic), dialect: .anthropicMessages, headers: headers
            )
            .head)
        #expect(text.hasPrefix("POST /v1/messages HTTP/1.1\r\n"))
        #expect(
            text.components(of: "anthropic-version: ") == 1
                && text.contains("anthropic-version: \(expected)\r\n"))
        #expect(text.contains("\r\nx-api-key: sk-1\r\n") && !text.contains("authorization"))
        #expect(text.contains("anthropic-beta: a,b\r\n") == (sent != nil))
    }

    @Test(arguments: [
        ("0123456789abcdef0123456789abcdef", "api-key: "),
        ("eyJhbGciOiJSUzI1NiJ9.eyJhdWQiOiJ4In0.c2lnbmVk", "authorization: Bearer "),
        ("eyJhbGciOiJSUzI1NiJ9.eyJhdWQiOiJ4In0", "api-key: "), ("abc.def.ghi", "api-key: "),
    ])
    func `Azure gets a key in its own header, and a token of Entra as a bearer`(
        secret: String, before: String
    ) throws {
        let request = try head(definition(port: 80, kind: .azure), secret: secret)
        let text = String(buffer: request.head)
        #expect(text.contains("\r\n\(before)\(secret)\r\n"))
        #expect(text.components(of: secret) == 1)
        #expect(text.contains("authorization") == before.hasPrefix("authorization"))
    }

    @Test func `no other provider's key is taken for a token`() throws {
        let secret = "eyJhbGciOiJSUzI1NiJ9.eyJhdWQiOiJ4In0.c2lnbmVk"
        let text = String(
            buffer: try head(
                definition(port: 80, kind: .anthropic), dialect: .anthropicMessages, secret: secret
            ).head)
        #expect(text.contains("\r\nx-api-key: \(secret)\r\n") && !text.contains("authorization"))
    }

    @Test(arguments: [
        "a\r\nx: y", "a\nx: y", "a\rb", "a\0b", "a\u{7f}", "caf\u{e9}", String(repeating: "a", count: 1_025),
    ])
    func `a header that could carry another is refused`(value: String) throws {
        // Built past NIO's own check, as a caller's bytes would come.
        #expect(throws: ProviderRefusal.self) {
            try head(definition(port: 80), headers: HTTPHeaders([("openai-beta", value)]))
        }
    }

    @Test(arguments: [
        "", "sk\r\nx: y", "sk\n", "sk key", "sk\0", "sk\u{e9}", String(repeating: "k", count: 8_193),
    ])
    func `a key that cannot stand in a header is refused`(secret: String) throws {
        #expect(throws: ProviderRefusal.self) { try head(definition(port: 80), secret: secret) }
    }

    @Test func `a key is never written for plain HTTP to another machine`() throws {
        let other = try definition(port: 80, host: "models.example", keyless: true)
        #expect(throws: ProviderRefusal.self) { try head(other) }
        #expect(!String(buffer: try head(other, secret: nil).head).contains("authorization"))
    }

    @Test func `a provider that needs a key is not called without one`() throws {
        #expect(throws: ProviderRefusal.self) { try head(definition(port: 80), secret: nil) }
    }

    @Test func `a large body stays a buffer of its own`() throws {
        let large = String(repeating: "x", count: OutgoingRequest.inlineBodyMax + 1)
        #expect(try head(definition(port: 80), body: large).body?.readableBytes == large.utf8.count)
        #expect(try head(definition(port: 80), body: String(large.dropLast())).body == nil)
    }

    @Test func `wiping overwrites the key and nothing else`() throws {
        var request = try head(definition(port: 80), secret: "sk-12345")
        let before = String(buffer: request.head)
        let inPlace = request.wipe()
        #expect(inPlace)
        #expect(String(buffer: request.head) == before.replacing("sk-12345", with: "\0\0\0\0\0\0\0\0"))
        var shared = try head(definition(port: 80))
        let holder = shared.head
        let sharedInPlace = shared.wipe()
        #expect(!sharedInPlace)
        #expect(String(buffer: holder).contains("sk-1"))
    }
}

extension String {
    fileprivate func components(of part: String) -> Int { ranges(of: part).count }
}
