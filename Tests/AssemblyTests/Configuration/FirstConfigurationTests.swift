import Domain
import Foundation
import Keepers
import Operations
import Testing

@testable import Assembly

/// The file that `init` leaves is the documentation of the keys: it must parse, and be right.
@Suite struct FirstConfigurationTests {
    @Test func `it parses and leaves every default in force`() throws {
        let configuration = try Configuration.parse(FirstConfiguration.text(keyFile: nil), file: "t")
        #expect(configuration == Configuration())
    }

    @Test func `with a key file it says where it lies`() throws {
        var expected = Configuration()
        expected.unlock = .keyFile(path: "/run/gatehouse.key")
        let text = FirstConfiguration.text(keyFile: "/run/gatehouse.key")
        #expect(try Configuration.parse(text, file: "t") == expected)
    }

    @Test func `a key file whose path needs quoting is still the one that is read`() throws {
        for path in [#"/run/a "quoted" key"#, #"/run/back\slash"#, "/run/tab\tkey", "/run/schlüssel"] {
            let text = FirstConfiguration.text(keyFile: path)
            #expect(try Configuration.parse(text, file: "t").unlock == .keyFile(path: path), "\(path)")
        }
    }

    @Test func `the keys that stand in comments are known, and say their defaults`() throws {
        let text = uncommented(FirstConfiguration.text(keyFile: nil))
        var configuration = try Configuration.parse(text, file: "t")
        let plain = Configuration()
        #expect(configuration.certificate == "/etc/gatehouse/tls.pem")
        #expect(configuration.certificateKey == "/etc/gatehouse/tls.key")
        #expect(configuration.authorities == "/etc/gatehouse/ca.pem" && configuration.theme == "ops-dark")
        let smart = try #require(configuration.routes[try ModelName("smart")])
        #expect(configuration.routes.count == 1 && smart.strategy == .priority)
        var constraints = RouteConstraints()
        constraints.costMost = Money(dollars: "0.05")
        #expect(smart.constraints == constraints && smart.choices.map(\.weight) == [1, 1])
        #expect(smart.lastResort?.description == "openai/gpt-6-luna" && smart.hedgeAfter == nil)
        #expect(smart.onContextOverflow.isEmpty && smart.onContentPolicy.isEmpty)
        let added = Set(configuration.providers.keys).subtracting(plain.providers.keys)
        #expect(added.map(\.text).sorted() == ["azure-eu", "bedrock-us", "house-vllm"])
        #expect(configuration.privateHosts.isEmpty && configuration.listenThreads == 2)
        #expect(configuration.routing.traits == [ModelTraits(pattern: "house-vllm/*")])
        #expect(configuration.routing.platform?.text == "house" && configuration.routing.drillTenants.isEmpty)
        #expect(configuration.probes.map(\.key.text) == ["house-vllm"])
        #expect(configuration.token?.token == "gatehouse" && configuration.token?.key == "vault")
        #expect(configuration.tokenPIN == .file("/etc/gatehouse/pin"))
        #expect(configuration.keyService?.key == "alias/gatehouse")
        #expect(configuration.keyServiceCredential == .file("/etc/gatehouse/aws"))
        #expect(configuration.roster == OperatorRoster(["mira": .admin]))
        configuration.roster = plain.roster
        #expect(configuration.sharedSocket?.path == SharedSocket.usualPath)
        configuration.sharedSocket = nil
        configuration.keyService = nil
        configuration.keyServiceCredential = nil
        configuration.token = nil
        configuration.tokenPIN = nil
        configuration.routing = plain.routing
        configuration.probes = [:]
        configuration.listenThreads = nil
        configuration.certificate = nil
        configuration.certificateKey = nil
        configuration.authorities = nil
        configuration.theme = nil
        #expect(configuration.checkpoints == "/mnt/elsewhere/gatehouse.checkpoints")
        configuration.checkpoints = nil
        configuration.routes = [:]
        configuration.providers = plain.providers
        #expect(configuration == plain)
    }

    @Test func `every key that is read is named there, and has a test`() throws {
        let text = FirstConfiguration.text(keyFile: "/run/gatehouse.key")
        let named = lines(of: uncommented(text))
        let tried =
            (ConfigurationTests.keys + RouteConfigurationTests.keys + [.init(Self.provider) { _ in true }])
            .reduce(into: Set<String>()) { $0.formUnion(lines(of: $1.text)) }
        let known = try keysInSource()
        // As many as there were when this was written: fewer would mean that they were not found.
        #expect(known.count >= 60, "\(known.sorted())")
        for key in known {
            // Of two that exclude each other the second stands in the first one's comment.
            let isNamed = named.contains(key) || text.contains("or \(key) = ")
            #expect(isNamed, "\(key) is not in FirstConfiguration")
            #expect(tried.contains(key), "\(key) has no test")
        }
    }

    private static let provider = """
        [[provider]]
        name = "own"
        like = "vllm"
        kind = "openai-compatible"
        base_url = "https://x.io"
        keyless = true
        allow_plain_http = true
        allow_private = true
        """

    /// What stands before `=`, and the names of tables.
    private func lines(of text: String) -> Set<String> {
        Set(
            text.split(separator: "\n").compactMap { line -> String? in
                if line.hasPrefix("[") {
                    let path = line.prefix { $0 != "]" }.drop { $0 == "[" }
                    return path.split(separator: ".").last.map(String.init)
                }
                let words = line.split(separator: " ")
                return words.count > 2 && words[1] == "=" ? String(words[0]) : nil
            })
    }

    /// The texts in every `allow([...])` of the reader's own source.
    private func keysInSource() throws -> Set<String> {
        let folder = URL(filePath: #filePath).deletingLastPathComponent().deletingLastPathComponent()
            .deletingLastPathComponent().deletingLastPathComponent()
            .appending(path: "Sources/Assembly/Configuration")
        var keys: Set<String> = []
        for file in try FileManager.default.contentsOfDirectory(at: folder, includingPropertiesForKeys: nil) {
            let text = try String(contentsOf: file, encoding: .utf8)
            for part in text.components(separatedBy: ".allow([").dropFirst() {
                let list = part.components(separatedBy: "])").first ?? ""
                let pieces = list.components(separatedBy: "\"")
                for (place, piece) in pieces.enumerated() where place % 2 == 1 { keys.insert(piece) }
            }
        }
        return keys
    }

    /// Takes the mark away from lines that are a key or a header behind it.
    private func uncommented(_ text: String) -> String {
        text.split(separator: "\n", omittingEmptySubsequences: false).map { line in
            let bare = line.dropFirst(2)
            let isKey =
                line.hasPrefix("# ")
                && (bare.hasPrefix("[") || bare.split(separator: " ").dropFirst().first == "=")
            return String(isKey ? bare : line)
        }.joined(separator: "\n")
    }
}
