import Domain
import Foundation
import Testing

@Suite struct NameTests {
    @Test(arguments: ["a", "acme", "acme-2", "a.b_c-d", "0", String(repeating: "z", count: 48)])
    func `a tenant name of the stated bytes is taken as it is`(text: String) throws {
        #expect(try TenantName(text).text == text)
        #expect(try ProviderName(text).text == text)
    }

    @Test(arguments: [
        "", "Acme", "-acme", ".acme", "_acme", "ac me", "acme\n", "acme\r\n", "ac\u{0}me", "acm\u{e9}",
        "acme\u{301}", "ａcme", "acme/x", "acme\u{200b}", "acme\u{7f}", String(repeating: "z", count: 49),
    ])
    func `anything else is no tenant name`(text: String) {
        #expect(throws: NameRefusal.self) { try TenantName(text) }
        #expect(throws: NameRefusal.self) { try ProviderName(text) }
    }

    @Test(arguments: ["gpt-6-sol", "meta/llama:70b", "@cf/x_y", "a~b", String(repeating: "m", count: 200)])
    func `a model name holds what providers use`(text: String) throws {
        #expect(try ModelName(text).text == text)
    }

    @Test(arguments: [
        "", "a b", "a\"b", "a\\b", "a\u{1b}[31m", "a\tb", "mod\u{e8}le", String(repeating: "m", count: 201),
    ])
    func `a model name holds no blank, quote, backslash or control byte`(text: String) {
        #expect(throws: NameRefusal.self) { try ModelName(text) }
    }

    @Test func `each byte is judged by itself`() {
        for byte in UInt8.min ... .max {
            let text = "a" + String(decoding: [byte], as: UTF8.self)
            let printable = byte > 0x1f && byte < 0x7f
            #expect(((try? Label(text)) != nil) == printable, "byte \(byte)")
            let forModel = printable && !Array(" \"\\".utf8).contains(byte)
            #expect(((try? ModelName(text)) != nil) == forModel, "byte \(byte)")
            let forTenant = Array("abcdefghijklmnopqrstuvwxyz0123456789._-".utf8).contains(byte)
            #expect(((try? TenantName(text)) != nil) == forTenant, "byte \(byte)")
        }
    }

    @Test func `two texts that Swift holds for equal are not both names`() {
        // U+212A KELVIN SIGN is canonically equal to K; a precomposed letter to its decomposition.
        for text in ["\u{212a}", "caf\u{e9}", "cafe\u{301}", "\u{1fef}"] {
            #expect(throws: NameRefusal.self) { try Label(text) }
        }
    }

    @Test func `names sort by their bytes`() throws {
        let sorted = try ["B", "a", "Z", "-", "~", "aa", "A"].map { try Label($0) }.sorted().map(\.text)
        #expect(sorted == ["-", "A", "B", "Z", "a", "aa", "~"])
    }

    @Test func `a refusal says what, and what is allowed`() throws {
        let refusal = try #require(throws: NameRefusal.self) { try TenantName("Acme") }
        #expect("\(refusal)".contains("tenant name") && "\(refusal)".contains("a-z"))
        let long = try #require(throws: NameRefusal.self) { try Label(String(repeating: "x", count: 65)) }
        #expect(long.sentence.contains("65") && long.sentence.contains("64"))
    }

    @Test func `JSON goes through the same check`() throws {
        let names = try JSONDecoder().decode([TenantName].self, from: Data("[\"acme\"]".utf8))
        #expect(names.map(\.text) == ["acme"])
        #expect(try JSONEncoder().encode(names) == Data("[\"acme\"]".utf8))
        #expect(throws: DecodingError.self) {
            try JSONDecoder().decode([TenantName].self, from: Data("[\"acm\\u00e9\"]".utf8))
        }
    }
}

@Suite struct TargetTests {
    @Test func `a target is split at its first slash`() throws {
        let target = try Target("together/meta-llama/Llama-4")
        #expect(target.provider.text == "together" && target.model.text == "meta-llama/Llama-4")
        #expect("\(target)" == "together/meta-llama/Llama-4")
    }

    @Test(arguments: ["", "openai", "openai/", "/gpt", "Open AI/gpt", "openai/g pt", "openai\r\n/gpt"])
    func `a text without a good provider and model is no target`(text: String) {
        #expect(throws: NameRefusal.self) { try Target(text) }
    }

    @Test func `targets sort by provider, then by model`() throws {
        let sorted = try ["b/a", "a/b", "a/a"].map { try Target($0) }.sorted().map(\.description)
        #expect(sorted == ["a/a", "a/b", "b/a"])
    }
}
