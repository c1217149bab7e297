import Foundation
import TestKit
import TestTraits
import Testing

/// What goes over the wire, byte by byte.
@Suite(.serialized, .ownThread) struct WireTests {
    private static func request(
        _ token: String, _ body: String, path: String = "/v1/chat/completions", extra: String = "",
        length: Int? = nil
    ) -> String {
        "POST \(path) HTTP/1.1\r\nhost: localhost\r\nauthorization: Bearer \(token)\r\n\(extra)"
            + "content-type: application/json\r\ncontent-length: \(length ?? body.utf8.count)\r\n\r\n\(body)"
    }

    @Test func `requests that two readers could understand differently are refused, and the connection ends`()
        throws
    {
        let house = try House()
        let token = try house.tenant("acme")
        try house.start()
        let body = House.chat("openai/gpt-6-sol")
        let hidden = Self.request(token, House.chat("openai/smuggled"))
        let heads = [
            "content-length: \(body.utf8.count)\r\ntransfer-encoding: chunked\r\n",
            "content-length: \(body.utf8.count)\r\ncontent-length: \(body.utf8.count + 1)\r\n",
            "transfer-encoding: chunked, identity\r\n",
            "content-length: +\(body.utf8.count)\r\n",
            "content-length : \(body.utf8.count)\r\n",
            "x-folded: one\r\n two\r\ncontent-length: \(body.utf8.count)\r\n",
            "bad name: x\r\ncontent-length: \(body.utf8.count)\r\n",
        ]
        for head in heads {
            let wire = try Wire(house.port)
            wire.send(
                "POST /v1/chat/completions HTTP/1.1\r\nhost: localhost\r\nauthorization: Bearer \(token)\r\n"
                    + "\(head)\r\n\(body)\(hidden)")
            let answer = wire.read(seconds: 3)
            #expect(!answer.contains(" 200 "), "taken: \(head) \(answer)")
            #expect(wire.isClosed(), "left open: \(head)")
        }
        #expect(try house.requests().isEmpty, "a refused request reached the provider")
    }

    @Test func `what is too large, unknown or doubled is refused in words of the caller's format`() throws {
        let house = try House()
        let token = try house.tenant("acme")
        try house.start()
        func ask(_ text: String) throws -> String {
            let wire = try Wire(house.port)
            wire.send(text)
            return wire.read(until: "}")
        }
        let large = try ask(Self.request(token, "", length: 1 << 30))
        #expect(large.hasPrefix("HTTP/1.1 413 ") && large.contains("\"error\""))
        let anthropic = try ask(Self.request(token, "", path: "/v1/messages", length: 1 << 30))
        #expect(anthropic.hasPrefix("HTTP/1.1 413 ") && anthropic.contains("\"type\":\"error\""))
        let head = try ask(
            "GET /v1/models HTTP/1.1\r\nhost: x\r\nx-long: \(String(repeating: "a", count: 200_000))\r\n\r\n")
        #expect(!head.contains(" 200 "))
        let both = try ask(
            Self.request(token, House.chat("openai/gpt-6-sol"), extra: "x-api-key: \(token)x\r\n"))
        #expect(both.hasPrefix("HTTP/1.1 400 ") || both.hasPrefix("HTTP/1.1 401 "))
        let doubled = try ask(
            Self.request(token, #"{"model":"openai/gpt-6-sol","model":"openai/gpt-5","messages":[]}"#))
        #expect(doubled.hasPrefix("HTTP/1.1 400 ") && doubled.contains("model"))
        let unknown = try ask("GET /v1/unknown HTTP/1.1\r\nhost: x\r\n\r\n")
        #expect(unknown.hasPrefix("HTTP/1.1 404 "))
        let method = try ask("GET /v1/chat/completions HTTP/1.1\r\nhost: x\r\n\r\n")
        #expect(method.hasPrefix("HTTP/1.1 405 "))
        let inURL = try ask("GET /v1/models?key=\(token) HTTP/1.1\r\nhost: x\r\n\r\n")
        #expect(inURL.hasPrefix("HTTP/1.1 400 ") && !inURL.contains(token))
        #expect(try house.requests().isEmpty)
    }

    @Test func `requests sent ahead are answered in their order`() throws {
        let house = try House()
        let token = try house.tenant("acme")
        try house.start()
        let wire = try Wire(house.port)
        wire.send(
            Self.request(token, House.chat("openai/slow-one", "1"))
                + Self.request(token, House.chat("openai/gpt-6-sol", "2"))
                + "GET /health/live HTTP/1.1\r\nhost: x\r\n\r\n")
        let answers = wire.read(until: #""live""#)
        let marks = ["openai/slow-one", "openai/gpt-6-sol", #""live""#].map {
            answers.range(of: $0)?.lowerBound
        }
        #expect(!marks.contains(nil))
        #expect(marks.compactMap { $0 } == marks.compactMap { $0 }.sorted())
    }

    @Test func `a caller that hangs up ends the provider's stream, and what came is on the ledger`() throws {
        let house = try House()
        let token = try house.tenant("acme")
        try house.start()
        let wire = try Wire(house.port)
        wire.send(
            Self.request(
                token,
                #"{"model":"openai/flood-trickle","stream":true,"messages":[{"role":"user","content":"hi"}]}"#
            ))
        #expect(wire.read(until: "xxxx").hasPrefix("HTTP/1.1 200 "))
        wire.hangUp()
        try waitUntil("the provider hears of it") { try house.requests().contains { $0["flooded"] != nil } }
        try waitUntil("the call is on the ledger") {
            try house.command(["usage", "calls", "acme", "--json"]).out.contains("cancelled")
        }
        let text = try house.command(["usage", "calls", "acme", "--json"]).out
        let rows = try JSONSerialization.jsonObject(with: Data(text.utf8)) as? [[String: Any]] ?? []
        #expect(rows.count == 1)
    }

    @Test func `a caller that does not read stops the provider, not the gateway's memory`() throws {
        let house = try House()
        let token = try house.tenant("acme")
        try house.start()
        func resident() throws -> Int {
            let pid = try #require(house.engine?.pid)
            let status = try String(contentsOfFile: "/proc/\(pid)/status", encoding: .utf8)
            let line = status.split(separator: "\n").first { $0.hasPrefix("VmRSS:") } ?? ""
            return Int(line.filter(\.isNumber)) ?? 0
        }
        _ = try house.call(token: token, body: House.chat("openai/gpt-6-sol"))
        let before = try resident()
        let wire = try Wire(house.port)
        wire.send(
            Self.request(
                token, #"{"model":"openai/flood","stream":true,"messages":[{"role":"user","content":"hi"}]}"#)
        )
        // 64 MiB want to come; the growth settles far below that.
        var grown = 0
        var same = 0
        try waitUntil("the memory settles") {
            let now = try resident() - before
            same = now <= grown ? same + 1 : 0
            grown = max(grown, now)
            return same > 50
        }
        #expect(grown < 24 << 10, "grew by \(grown) KiB while nobody read")
        #expect(try !house.requests().contains { $0["flooded"] != nil }, "the provider was not held back")
        // The flood never says [DONE]: it is a cut stream, and all of it arrives before the error frame.
        let count = wire.count(until: "0\r\n\r\n", seconds: 60)
        #expect(count > 64 << 20)
    }

    @Test func `a cut stream ends in an error frame of the caller's format, never in a clean end`() throws {
        let house = try House()
        let token = try house.tenant("acme")
        try house.start()
        func stream(_ path: String, _ model: String) throws -> String {
            let wire = try Wire(house.port)
            wire.send(
                Self.request(
                    token,
                    #"{"model":"\#(model)","stream":true,"max_tokens":9,"messages":[{"role":"user","content":"hi"}]}"#,
                    path: path))
            return wire.read(until: "\r\n0\r\n\r\n")
        }
        let openAI = try stream("/v1/chat/completions", "openai/cut")
        #expect(openAI.contains("w4 ") && openAI.contains("\"error\"") && !openAI.contains("[DONE]"))
        let anthropic = try stream("/v1/messages", "anthropic/cut")
        #expect(anthropic.contains("event: error") && !anthropic.contains("message_stop"))
    }
}
