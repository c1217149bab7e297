import Foundation
import TestKit
import Testing

/// Calls of every sort, and their answers byte by byte.
extension MarkedHouse {
    /// Forms in which a provider gives the key back (`Scripts/upstream.py`), and the places.
    private static let echoes: [String] = {
        let forms = [
            "plain", "part", "base64", "header", "urlsafe", "hex", "capitals", "percent", "spaced", "dashed",
            "numbers",
        ]
        let places = ["400", "401", "403", "404", "422", "429", "500", "head", "first", "middle"]
        return forms.flatMap { form in
            places.filter { form == "plain" || ["400", "422", "first", "middle", "head"].contains($0) }
                .map { "echo-\(form)-\($0)" }
        }
    }()

    func answered(_ bytes: String, _ what: String) {
        sweep.add(bytes, to: "answers to callers", part: what)
    }

    /// One call on a connection of its own; gives back all that came.
    @discardableResult
    private func send(
        _ model: String, _ token: String, path: String = "/v1/chat/completions", members: String = "",
        head: String = "", sink: String = "answers to callers", expected: Set<String> = []
    ) throws -> String {
        let said = text("prompt")
        let content =
            path == "/v1/responses"
            ? #""input":"\#(said)""#
            : path == "/v1/embeddings"
                ? #""input":["\#(said)"]"# : #""messages":[{"role":"user","content":"\#(said)"}]"#
        let body = #"{"model":"\#(model)",\#(members)\#(content)}"#
        let wire = try Wire(house.port)
        wire.send(
            "POST \(path) HTTP/1.1\r\nhost: localhost\r\nauthorization: Bearer \(token)\r\n\(head)"
                + "content-type: application/json\r\nconnection: close\r\n"
                + "content-length: \(body.utf8.count)\r\n\r\n\(body)")
        let answer = wire.read()
        #expect(answer.hasPrefix("HTTP/1.1 "), "\(model) at \(path): no answer")
        sweep.add(answer, to: sink, part: "\(path) \(model) \(members)", expected: expected)
        return answer
    }

    func call(_ token: String) throws {
        let stream = #""stream":true,"#
        for path in ["/v1/chat/completions", "/v1/messages", "/v1/responses"] {
            let tokens = path == "/v1/messages" ? #""max_tokens":9,"# : ""
            for members in [tokens, tokens + stream] {
                // Passed as they are, translated, failed over, cut.
                for model in [
                    "openai/gpt-6-sol", "anthropic/claude-sonnet-4-5", "failover", "openai/cut",
                    "anthropic/cut",
                ] {
                    try send(model, token, path: path, members: members)
                }
            }
        }
        try send("openai/embed", token, path: "/v1/embeddings")
        try send("anthropic/claude-sonnet-5", token, path: "/v1/messages/count_tokens")
        for code in ["400", "500"] { try send("openai/fail-\(code)", token) }
        // A model that says the prompt: the caller gets that, and it is nowhere else.
        for _ in 0..<2 {
            let said = try send(
                "openai/parrot", token, head: "x-gatehouse-cache: on\r\n",
                sink: "an answer that says the prompt",
                expected: ["prompt"])
            #expect(said.hasPrefix("HTTP/1.1 200 "))
        }
    }

    /// Providers that give the key back: in error bodies, in headers, in a stream.
    func callEchoes() throws {
        for (number, echo) in Self.echoes.enumerated() {
            // After some answers the key is not used for a while: each of those meets a tenant of its own.
            let isFatal = Self.fatal.contains { echo.hasSuffix($0) }
            let caller = isFatal ? try tenant("echo-\(number)") : tokens[0]
            for path in ["/v1/chat/completions", "/v1/messages"] {
                let members = path == "/v1/messages" ? #""max_tokens":9,"# : ""
                let stream = echo.hasSuffix("first") || echo.hasSuffix("middle") ? #""stream":true,"# : ""
                try send("openai/\(echo)", caller, path: path, members: members + stream)
            }
            // Anthropic's format as it is, in errors.
            if echo.last?.isNumber == true {
                try send("anthropic/\(echo)", caller, path: "/v1/messages", members: #""max_tokens":9,"#)
            }
        }
        let asked = Set(
            try house.requests().compactMap { ($0["body"] as? [String: Any])?["model"] as? String })
        for echo in Self.echoes { #expect(asked.contains(echo), "\(echo) was never asked") }
        let refusing = try tenant("refusing")
        for code in ["401", "429"] {
            try send("openai/fail-\(code)", refusing)
            try send("anthropic/fail-\(code)", refusing)
        }
    }

    private static let fatal = ["401", "403", "404", "429"]

    private func tenant(_ name: String) throws -> String {
        try house.command(["tenant", "add", name])
        try give("first", to: ["key", "add", name, "openai"])
        try give("anthropic", to: ["key", "add", name, "anthropic"])
        return try house.token(name)
    }

    /// What is refused, with a secret where none belongs.
    func callWrongly() throws {
        let token = tokens[0]
        try send("openai/gpt-6-sol", text("unknown"))
        try send("openai/gpt-6-sol", token + "x")
        try send("openai/gpt-6-sol", token, head: "x-api-key: \(token)\r\n")
        try send("\(text("first"))\\u001b[31m", token)
        try send("openai/gpt-6-sol", token, head: "x-gatehouse-cache: \(token)\r\n")
        try send("openai/gpt-6-sol", token, head: "x-gatehouse-route: allow=\(text("second"))\r\n")
        try send("openai/gpt-6-sol", token, head: "x-gatehouse-timeout: \(text("second"))\r\n")
        try send("openai/gpt-6-sol", token, members: "\"\(text("first"))\":1,\"model\":2,")
        try send("openai/gpt-6-sol", token, path: "/v1/\(text("second"))")
        for line in [
            "GET /v1/models?key=\(token) HTTP/1.1", "GET /v1/models HTTP/1.1\r\ncookie: k=\(token)",
            "GET http://\(token)@localhost/v1/models HTTP/1.1", "GET /v1/models \(token)",
            "\(token) /v1/models HTTP/1.1", "GET /v1/models HTTP/1.1\r\n\(token)",
        ] {
            let wire = try Wire(house.port)
            wire.send("\(line)\r\nhost: localhost\r\nconnection: close\r\n\r\n")
            answered(wire.read(), "a request that is none")
        }
        // A caller that goes away in the middle.
        let wire = try Wire(house.port)
        wire.send(
            "POST /v1/chat/completions HTTP/1.1\r\nhost: x\r\nauthorization: Bearer \(token)\r\n"
                + "content-length: 900\r\n\r\n{\"model\":\"\(text("prompt"))")
        wire.hangUp()
    }
}
