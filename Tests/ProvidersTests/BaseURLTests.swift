import Domain
import Testing

@testable import Providers

@Suite struct BaseURLTests {
    @Test(arguments: [
        ("https://api.openai.com/v1", "https://api.openai.com:443", "/v1"),
        ("HTTPS://API.OpenAI.com/v1/", "https://api.openai.com:443", "/v1"),
        ("https://api.groq.com/openai/v1", "https://api.groq.com:443", "/openai/v1"),
        ("https://h:8443", "https://h:8443", ""),
        ("http://127.0.0.1:11434/v1", "http://127.0.0.1:11434", "/v1"),
        ("http://[::1]:8000/v1", "http://[::1]:8000", "/v1"),
        ("https://[2001:DB8:0:0::1]", "https://[2001:db8::1]:443", ""),
        ("http://localhost", "http://localhost:80", ""),
    ])
    func `an address is taken apart`(text: String, origin: String, path: String) throws {
        let base = try BaseURL.parse(text)
        #expect(base.origin.description == origin && base.pathPrefix == path)
    }

    @Test(arguments: [
        "", "api.openai.com", "ftp://h/", "https://", "https:///v1", "https://h:0", "https://h:65536",
        "https://h:",
        "https://h:8a", "https://h:-1", "https://user@h/", "https://user:pw@h/", "https://h?x=1",
        "https://h/v1?x",
        "https://h/v1#f", "https://h/%2e%2e/", "https://h/../v1", "https://h/./v1", "https://h//v1",
        "https://h/a b",
        "https://h\r\nx: y/", "https://h/\r\n", "https://caf\u{e9}.fr", "https://\u{212a}.de",
        "https://-a.de",
        "https://a..b", "https://a_b.de", "https://127.1", "https://2130706433", "https://0x7f.1",
        "https://0177.0.0.1",
        "https://1.2.3.4.5", "https://[::1", "https://[::1]x", "https://[127.0.0.1]",
        "https://[fe80::1%25eth0]",
        "https://h\\evil", "https://a.", "https://\(String(repeating: "a", count: 64)).de",
        "http://10.0.0.1/v1",
        "http://localhost.evil.example", "http://api.openai.com/v1",
    ])
    func `what is not plainly an address is refused with a sentence`(text: String) throws {
        let refusal = #expect(throws: ProviderRefusal.self) { try BaseURL.parse(text) }
        #expect(refusal?.sentence.isEmpty == false)
    }

    @Test func `plain HTTP to another machine has to be asked for`() throws {
        #expect(try BaseURL.parse("http://10.0.0.1/v1", plainHTTP: true).origin.secure == false)
    }
}
