import Domain
import Gateway
import TestTraits
import Testing

/// What cannot be trusted to be one request is refused, and the connection ends: it is never repaired.
@Suite(.serialized, .ownThread) struct FramingTests {
    private static let first =
        "POST /v1/chat/completions HTTP/1.1\r\nhost: gateway\r\nauthorization: Bearer TOKEN\r\n"
    private static let smuggled = "GET /health/live HTTP/1.1\r\nhost: gateway\r\n\r\n"

    /// Sends bytes with a second request behind them; the first is refused and the second is not read.
    private func expectRefusal(of text: String, status: Int = 400) async throws {
        try await withHouse { house in
            let caller = try house.caller()
            try caller.send(text.replacing("TOKEN", with: house.token) + Self.smuggled)
            let answer = try caller.answer()
            #expect(answer.status == status)
            #expect(answer.header("connection") == "close")
            #expect(answer.body.contains(#""type":"invalid_request_error""#))
            #expect(try caller.sawEnd(), "bytes came behind the refusal")
            #expect(house.openAI.requests.isEmpty)
        }
    }

    @Test func `a request with content-length and transfer-encoding is refused`() async throws {
        try await expectRefusal(
            of: Self.first + "content-length: 5\r\ntransfer-encoding: chunked\r\n\r\n0\r\n\r\n")
    }

    @Test func `the same two in the other order are refused`() async throws {
        try await expectRefusal(
            of: Self.first + "transfer-encoding: chunked\r\ncontent-length: 5\r\n\r\n0\r\n\r\n")
    }

    @Test func `two content-lengths are refused, equal or not`() async throws {
        try await expectRefusal(of: Self.first + "content-length: 2\r\ncontent-length: 44\r\n\r\n{}")
        try await expectRefusal(of: Self.first + "content-length: 2\r\ncontent-length: 2\r\n\r\n{}")
    }

    @Test(arguments: ["2, 2", "+2", "-2", "0x2", "2 2", "", "99999999999999999999"])
    func `a content-length that is not a number is refused`(value: String) async throws {
        try await expectRefusal(of: Self.first + "content-length: \(value)\r\n\r\n{}")
    }

    @Test(arguments: ["identity", "chunked, identity", "xchunked", "chunked;q=1", "chunked, chunked x"])
    func `a transfer-encoding that does not end in chunked is refused`(value: String) async throws {
        try await expectRefusal(of: Self.first + "transfer-encoding: \(value)\r\n\r\n0\r\n\r\n")
    }

    @Test(arguments: ["zz", "-1", "0x2", "2 ", "fffffffffffffffff", ""])
    func `a bad chunk size is refused`(size: String) async throws {
        try await expectRefusal(
            of: Self.first + "transfer-encoding: chunked\r\n\r\n\(size)\r\n{}\r\n0\r\n\r\n")
    }

    @Test func `a chunk that is longer than its size is refused`() async throws {
        try await expectRefusal(of: Self.first + "transfer-encoding: chunked\r\n\r\n2\r\n{}}\r\n0\r\n\r\n")
    }

    @Test func `a folded header is refused`() async throws {
        try await expectRefusal(of: Self.first + "x-a: b\r\n content-length: 2\r\n\r\n{}")
    }

    @Test(arguments: ["x-a\nb: c", "x-a : b", "x\u{0}a: b", ": b", "x-a", "x-a: b\rc: d", "x-a: b\u{0}"])
    func `a header with a bad name or a bare line end is refused`(line: String) async throws {
        try await expectRefusal(of: Self.first + "\(line)\r\ncontent-length: 2\r\n\r\n{}")
    }

    @Test func `lines that end in a bare line feed are refused`() async throws {
        try await expectRefusal(
            of: "POST /v1/chat/completions HTTP/1.1\nhost: gateway\ncontent-length: 2\n\n{}")
        try await expectRefusal(of: Self.first + "x-a: b\nx-b: c\r\ncontent-length: 2\r\n\r\n{}")
    }

    @Test(arguments: [
        "http://gateway/v1/chat/completions", "https://gateway", "*", "gateway:443",
    ])
    func `a request target that is not a path of ours is refused`(target: String) async throws {
        try await expectRefusal(of: "POST \(target) HTTP/1.1\r\nhost: gateway\r\ncontent-length: 2\r\n\r\n{}")
    }

    @Test func `a tunnel is refused`() async throws {
        try await expectRefusal(of: "CONNECT gateway:443 HTTP/1.1\r\nhost: gateway\r\n\r\n")
    }

    @Test func `a request for another protocol is answered in this one, and the connection ends`()
        async throws
    {
        try await withHouse { house in
            let upgrade =
                "connection: upgrade, http2-settings\r\nupgrade: h2c\r\nhttp2-settings: AAMAAABk\r\n"
            for (request, status) in [
                (house.post(Wire.chat(), headers: upgrade), 200),
                (house.get("/v1/models").replacing("host: gateway\r\n", with: upgrade), 200),
                (house.get("/nowhere").replacing("host: gateway\r\n", with: upgrade), 404),
            ] {
                let caller = try house.caller()
                try caller.send(request + Self.smuggled)
                let answer = try caller.answer()
                #expect(answer.status == status && answer.header("connection") == "close")
                #expect(try caller.sawEnd())
            }
        }
    }

    @Test func `what is not HTTP/1 is refused`() async throws {
        try await expectRefusal(of: "PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n")
        try await expectRefusal(of: "POST /v1/chat/completions HTTP/3.1\r\nhost: gateway\r\n\r\n")
        try await expectRefusal(of: "\u{16}\u{3}\u{1}\u{2}\u{0}\r\n\r\n")
    }

    @Test func `bytes that are not HTTP behind a good request are refused behind its answer`() async throws {
        try await withHouse { house in
            let caller = try house.caller()
            try caller.send(Self.smuggled + "nonsense\r\n\r\n" + Self.smuggled)
            #expect(try caller.answer().status == 200)
            let answer = try caller.answer()
            #expect(answer.status == 400)
            #expect(answer.header("connection") == "close")
            #expect(try caller.sawEnd())
        }
    }

    @Test func `bytes that are not HTTP behind a call that runs do not cut its answer`() async throws {
        try await withHouse { house in
            let caller = try house.caller()
            try caller.send(house.post(Wire.chat()) + "nonsense\r\n\r\n")
            let answer = try caller.answer()
            #expect(answer.status == 200)
            #expect(answer.body == Wire.chatBody)
            #expect(try caller.answer().status == 400)
            #expect(try caller.sawEnd())
        }
    }

    @Test(arguments: ["/v1/chat/completions", "/v1/messages"])
    func `a body over the bound is refused in the caller's words, announced or not`(path: String) async throws
    {
        var plan = HousePlan()
        plan.gateway.bodyBytesMax = 1_000
        try await withHouse(plan) { house in
            let start = "POST \(path) HTTP/1.1\r\nhost: gateway\r\nauthorization: Bearer \(house.token)\r\n"
            let large = String(repeating: "x", count: 1_001)
            for framed in [
                "content-length: 1001\r\n\r\n\(large)",
                "transfer-encoding: chunked\r\n\r\n3e9\r\n\(large)\r\n0\r\n\r\n",
            ] {
                let caller = try house.caller()
                caller.sendAsFarAsTaken(Array((start + framed).utf8))
                let answer = try caller.answer()
                #expect(answer.status == 413)
                #expect(answer.header("connection") == "close")
                #expect(answer.body.contains("1000 bytes"))
                #expect(answer.body.hasPrefix(#"{"type":"error""#) == (path == "/v1/messages"))
                #expect(try caller.sawEnd())
            }
            #expect(house.openAI.requests.isEmpty && house.anthropic.requests.isEmpty)
        }
    }

    @Test func `a body of exactly the bound is taken`() async throws {
        var plan = HousePlan()
        plan.gateway.bodyBytesMax = 1_000
        try await withHouse(plan) { house in
            let filler = String(
                repeating: "x", count: 1_000 - Wire.chat(more: #","user":"""#).utf8.count)
            let answer = try house.call(Wire.chat(more: #","user":"\#(filler)""#))
            #expect(answer.status == 200)
        }
    }

    @Test func `a head over the bound is refused as such`() async throws {
        try await withHouse { house in
            for lines in [
                "x-long: \(String(repeating: "a", count: 70_000))\r\n",
                (0..<9).map { "x-\($0): \(String(repeating: "a", count: 8_000))\r\n" }.joined(),
                (0..<300).map { "x-\($0): a\r\n" }.joined(),
            ] {
                let caller = try house.caller()
                let head = Self.first.replacing("TOKEN", with: house.token) + lines
                caller.sendAsFarAsTaken(Array((head + "\r\n").utf8))
                let answer = try caller.answer()
                #expect(answer.status == 431)
                #expect(answer.header("connection") == "close")
                #expect(try caller.sawEnd())
            }
        }
    }
}
