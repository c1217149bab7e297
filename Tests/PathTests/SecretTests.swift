import Foundation
import TestKit
import TestTraits
import Testing

@Suite(.serialized, .ownThread) struct SecretTests {
    @Test func `no provider key and no virtual key stands in logs, databases, journals or command output`()
        throws
    {
        let house = try House()
        let token = try house.tenant("acme")
        try house.start()
        var seen = ""
        for model in [
            "openai/gpt-6-sol", "openai/fail-400", "openai/fail-500", "openai/fail-429", "openai/fail-401",
        ] {
            let answer = try house.call(token: token, body: House.chat(model))
            seen += answer.head + answer.body
        }
        for arguments in [
            ["key", "list", "--json"], ["token", "list", "--json"], ["audit", "list", "--json"],
            ["usage", "report", "--format", "json"], ["breaker", "list", "--json"],
            ["tenant", "list", "--json"],
        ] {
            seen += try house.command(arguments).out
        }
        seen += try house.command(
            ["key", "add", "acme", "openai", "--label", "bad", "--from-stdin"],
            input: "sk-BAD-MARKED-0011223344556677", expect: nil
        ).err
        var files: [Data] = [Data(seen.utf8)]
        // The engine still runs: write-ahead logs and the journal are searched as they lie.
        let all = FileManager.default.enumerator(atPath: house.data)?.compactMap { $0 as? String } ?? []
        for name in all {
            files.append((try? Data(contentsOf: URL(fileURLWithPath: house.data + "/" + name))) ?? Data())
        }
        for log in house.logs { files.append((try? Data(contentsOf: URL(fileURLWithPath: log))) ?? Data()) }
        #expect(files.count > 8)
        for secret in [House.openAIKey, House.anthropicKey, "sk-BAD-MARKED-0011223344556677", token] {
            for (form, bytes) in Self.forms(of: secret) {
                for file in files { #expect(file.range(of: bytes) == nil, "\(form) of a secret was found") }
            }
        }
        // The search itself works: a name that must be there is found.
        #expect(files.contains { $0.range(of: Data("acme".utf8)) != nil })
    }

    /// The text itself, any twelve characters of its middle, and what encoders make of it.
    private static func forms(of secret: String) -> [(String, Data)] {
        let bytes = Array(secret.utf8)
        let middle = Data(bytes[(bytes.count / 2)..<(bytes.count / 2 + 12)])
        let hexadecimal = bytes.map { String(format: "%02x", $0) }.joined()
        return [
            ("plain text", Data(bytes)), ("a window", middle),
            ("base64", Data(Data(bytes).base64EncodedString().dropLast(4).utf8)),
            ("hexadecimal", Data(hexadecimal.utf8)), ("reversed", Data(bytes.reversed())),
        ]
    }

    @Test func `control characters of an upstream never reach a caller or a command's output`() throws {
        let house = try House()
        let token = try house.tenant("acme")
        try house.start()
        let answer = try house.call(token: token, body: House.chat("openai/fail-400"))
        #expect(answer.status == 400)
        #expect(!answer.body.utf8.contains(0x1b))
        #expect(!answer.body.contains("\u{202e}"))
        let hostile = try house.call(token: token, body: #"{"model":"a\u001b[31mb","messages":[]}"#)
        #expect(hostile.status == 400)
        let listed = try house.command(["breaker", "list"]).out
        #expect(listed.utf8.allSatisfy { $0 == 0x0a || $0 >= 0x20 })
    }
}
