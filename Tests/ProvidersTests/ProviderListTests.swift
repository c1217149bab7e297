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

    @Test func `an adapter has a path for exactly the dialects its kind speaks`() {
        for adapter in ProviderList.adapters {
            for dialect in Dialect.allCases {
                let path = adapter.path(for: dialect)
                #expect((path != nil) == dialect.isSpoken(by: adapter.kind), "\(adapter.kind) \(dialect)")
                #expect(path?.hasPrefix("/") ?? true)
            }
            #expect(adapter.verificationPath.hasPrefix("/"))
        }
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
                adapter.authorization.name
            ] {
                #expect(name.utf8.allSatisfy { (0x61...0x7a).contains($0) || $0 == 0x2d }, "\(name)")
            }
            #expect(!adapter.forwardedHeaders.contains(where: never.contains))
            #expect(!adapter.forwardedHeaders.contains(adapter.authorization.name))
        }
    }

    @Test func `the presets are the built-in providers, over HTTPS, each of its adapter's kind`() {
        let names = ProviderList.presets.map(\.name.text)
        #expect(
            names.sorted() == ["anthropic", "deepseek", "groq", "mistral", "openai", "together", "xai"])
        #expect(ProviderList.presets.allSatisfy { $0.origin.secure && $0.origin.port == 443 && !$0.keyless })
        for adapter in ProviderList.adapters {
            #expect(adapter.presets.allSatisfy { $0.kind == adapter.kind })
        }
    }

    @Test func `every preset yields its endpoints, and refuses what it does not speak`() throws {
        for definition in ProviderList.presets {
            for dialect in Dialect.allCases {
                if dialect.isSpoken(by: definition.kind) {
                    #expect(try UpstreamEndpoint(definition, dialect: dialect).origin == definition.origin)
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
