import Domain
import NIOCore
import Testing

@testable import Providers

/// What every adapter must keep, whoever wrote it.
@Suite struct ProviderListTests {
    @Test func `every kind has exactly one adapter`() {
        for kind in ProviderKind.allCases {
            #expect(ProviderList.adapters.filter { $0.kind == kind }.count == 1, "\(kind)")
        }
    }

    @Test func `an adapter has a path for exactly the calls that can reach its kind`() throws {
        let model = try ModelName("org/a:b")
        for adapter in ProviderList.adapters {
            let definition = try definition(port: 443, kind: adapter.kind)
            for (dialect, streamed) in Dialect.allCases.flatMap({ [($0, false), ($0, true)] }) {
                let call = WireCall(dialect, to: adapter, model: model, streamed: streamed)
                #expect((call != nil) == (dialect.passage(to: adapter.kind) != nil))
                let path = call.flatMap { adapter.path(for: $0, at: definition) }
                #expect((path != nil) == (call != nil), "\(adapter.kind) \(dialect)")
                #expect(path?.hasPrefix("/") ?? true)
                // A model's name must not be able to lead to another address.
                #expect(path?.contains("org/a") != true && path?.contains("a:b") != true)
            }
            #expect(adapter.verificationPath(at: definition)?.hasPrefix("/") ?? (adapter.kind == .bedrock))
        }
    }

    @Test func `the paths that hold the model are those of the providers' references`() throws {
        func line(
            _ kind: ProviderKind, _ dialect: Dialect, _ model: String, streamed: Bool = false,
            version: String? = nil
        ) throws -> String {
            let base = try definition(port: 443, kind: kind)
            let definition = ProviderDefinition(
                name: base.name, kind: kind, origin: base.origin, pathPrefix: "", apiVersion: version)
            let endpoint = try UpstreamEndpoint(
                definition, dialect: dialect, model: ModelName(model), streamed: streamed)
            return String(decoding: endpoint.fixedBytes.prefix { $0 != 0x0d }, as: UTF8.self)
        }
        #expect(
            try line(.gemini, .openAIChat, "gemini-3-pro")
                == "POST /models/gemini-3-pro:generateContent HTTP/1.1")
        #expect(
            try line(.gemini, .anthropicMessages, "g", streamed: true)
                == "POST /models/g:streamGenerateContent?alt=sse HTTP/1.1")
        #expect(try line(.gemini, .openAIEmbeddings, "g") == "POST /models/g:batchEmbedContents HTTP/1.1")
        #expect(
            try line(.bedrock, .openAIChat, "us.anthropic.claude-sonnet-5-v1:0", streamed: true)
                == "POST /model/us.anthropic.claude-sonnet-5-v1%3A0/converse-stream HTTP/1.1")
        #expect(try line(.azure, .openAIChat, "my-gpt") == "POST /chat/completions HTTP/1.1")
        #expect(
            try line(.azure, .openAIChat, "my-gpt", version: "2024-10-21")
                == "POST /deployments/my-gpt/chat/completions?api-version=2024-10-21 HTTP/1.1")
        #expect(
            try line(.azure, .openAIResponses, "my-gpt", version: "2025-04-01-preview")
                == "POST /responses?api-version=2025-04-01-preview HTTP/1.1")
    }

    @Test func `no adapter forwards what a caller proves himself with, nor framing`() {
        let never = [
            "authorization", "x-api-key", "api-key", "cookie", "proxy-authorization", "host", "connection",
            "content-length", "transfer-encoding", "te", "upgrade", "expect", "accept-encoding",
            "content-encoding",
            "x-goog-api-key", "openai-organization", "openai-project",
        ]
        for adapter in ProviderList.adapters {
            for name in adapter.forwardedHeaders + adapter.defaultHeaders.map(\.name) + [
                adapter.authorization.header
            ] {
                #expect(name.utf8.allSatisfy { (0x61...0x7a).contains($0) || $0 == 0x2d }, "\(name)")
            }
            #expect(!adapter.forwardedHeaders.contains(where: never.contains))
            #expect(!adapter.forwardedHeaders.contains(adapter.authorization.header))
        }
    }

    @Test
    func
        `the presets are the known providers, over HTTPS but for those on this machine, each of its adapter's kind`()
    {
        let names = ProviderList.presets.map(\.name.text)
        #expect(
            names.sorted() == [
                "anthropic", "deepseek", "gemini", "groq", "mistral", "ollama", "openai", "openrouter",
                "together",
                "vllm", "xai",
            ])
        #expect(ProviderList.unasked.count == names.count - 2)
        #expect(ProviderList.unasked.allSatisfy { $0.origin.secure && $0.origin.port == 443 && !$0.keyless })
        #expect(ProviderList.presets.filter(\.keyless).allSatisfy { $0.origin.isLoopback })
        for adapter in ProviderList.adapters {
            #expect(adapter.presets.allSatisfy { $0.kind == adapter.kind })
        }
    }

    @Test func `every preset yields its endpoints, and refuses what it does not speak`() throws {
        for definition in ProviderList.presets {
            for dialect in Dialect.allCases {
                if dialect.passage(to: definition.kind) != nil {
                    #expect(
                        try UpstreamEndpoint(definition, dialect: dialect, model: ModelName("m")).origin
                            == definition.origin)
                } else {
                    #expect(throws: ProviderRefusal.self) {
                        try UpstreamEndpoint(definition, dialect: dialect)
                    }
                }
            }
            let verification = try UpstreamEndpoint.verification(of: definition)
            #expect(
                String(decoding: verification.fixedBytes, as: UTF8.self).hasPrefix(
                    "GET \(definition.pathPrefix)/"))
        }
    }

    @Test func `every adapter tells a bad key, a limit and a fault of the provider apart`() {
        for adapter in ProviderList.adapters {
            let classes = [401, 429, 500, 503].map {
                adapter.failureClass(status: $0, body: ByteBuffer(string: "{}"))
            }
            #expect(classes[0] == .badKey && classes[1] == .keyRateLimit && classes[2] == .providerFault)
            #expect(classes.allSatisfy { $0 != .callerFault })
        }
    }
}
