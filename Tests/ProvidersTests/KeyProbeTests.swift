import Cipher
import Domain
import Testing

@testable import Providers

@Suite struct KeyProbeTests {
    private func verdict(_ reply: String, kind: ProviderKind = .openai) async throws -> KeyProbe.Verdict {
        let upstream = try await ScriptedUpstream.start { seen in
            seen.head.hasPrefix("GET /v1/models HTTP/1.1\r\n") && seen.head.contains("sk-probe")
                ? [.send(reply), .close] : [.close]
        }
        let probe = KeyProbe(pool: try await Caller().pool)
        let secret: SecretBytes? = try secretBytes("sk-probe")
        let verdict = try await probe.verify(definition(port: upstream.port, kind: kind), secret: secret)
        try await upstream.stop()
        return verdict
    }

    /// Bedrock has no free call.
    static let asked = ProviderKind.allCases.filter { $0 != .bedrock }

    @Test(arguments: asked)
    func `a list of models verifies the key`(kind: ProviderKind) async throws {
        #expect(try await verdict(counted(#"{"data":[]}"#), kind: kind) == .verified)
    }

    @Test func `a kind without a free call leaves the key as it is`() async throws {
        guard case .unknown(let sentence) = try await verdict("", kind: .bedrock) else {
            Issue.record("it was asked")
            return
        }
        #expect(sentence.contains("bedrock") && sentence.contains("no free call"))
    }

    @Test(arguments: asked)
    func `401 refuses the key, without the provider's own words`(kind: ProviderKind) async throws {
        let answer = try await verdict(
            counted(#"{"error":{"message":"Incorrect: sk-pr***be"}}"#, status: "401 Unauthorized"), kind: kind
        )
        guard case .refused(let sentence) = answer else {
            Issue.record("\(answer)")
            return
        }
        #expect(sentence.contains("401") && !sentence.contains("sk-pr"))
    }

    @Test(arguments: ["403 Forbidden", "429 Too Many", "500 Oh", "503 Busy", "302 Found", "404 Not Found"])
    func `anything else leaves the key as it is`(status: String) async throws {
        let answer = try await verdict(counted("{}", status: status))
        guard case .unknown(let sentence) = answer else {
            Issue.record("\(answer)")
            return
        }
        #expect(sentence.hasPrefix("local "))
    }

    @Test func `no answer leaves the key as it is`() async throws {
        #expect(
            try await verdict("") == .unknown("local did not answer: the connection to the provider broke"))
    }
}
