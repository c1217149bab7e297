import Domain
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
        #expect(configuration.routes.keys.map(\.text) == ["smart"])
        #expect(
            configuration.providers.keys.map(\.text).contains("vllm") && configuration.privateHosts.isEmpty)
        #expect(configuration.listenThreads == 2)
        configuration.listenThreads = nil
        configuration.certificate = nil
        configuration.certificateKey = nil
        configuration.authorities = nil
        configuration.theme = nil
        configuration.routes = [:]
        configuration.providers = plain.providers
        #expect(configuration == plain)
    }

    @Test func `every key that is known is named there`() {
        let text = FirstConfiguration.text(keyFile: nil)
        let all = ConfigurationTests.keys.flatMap { key in
            key.text.split(separator: "\n").compactMap { line in
                line.split(separator: " = ").first.map(String.init)
            }
        }
        for key in Set(all) where !key.hasPrefix("[listen") {
            #expect(text.contains(key), "\(key)")
        }
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
