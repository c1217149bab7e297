import Domain
import Engine
import Events
import TestTraits
import Testing

/// A provider key goes to its provider and nowhere else, whatever the provider sends back.
@Suite(.serialized, .ownThread) struct SecretTests {
    /// A provider that repeats the key wherever it can.
    private static func echo(_ status: String) -> RawUpstream.Script {
        { link, request in
            let key = request.header("authorization") ?? request.header("x-api-key") ?? "none"
            let words = key.hasPrefix("Bearer ") ? String(key.dropFirst(7)) : key
            try link.send(
                Wire.counted(
                    #"{"error":{"message":"your key \#(words) is odd","type":"\#(words)","code":"\#(words)"}}"#,
                    status: status,
                    headers: "x-echo: \(words)\r\nwww-authenticate: \(words)\r\nset-cookie: k=\(words)\r\n"
                ))
        }
    }

    private func expectNoKey(_ texts: String..., sourceLocation: SourceLocation = #_sourceLocation) {
        for text in texts {
            #expect(!text.contains("MARKED"), "\(text)", sourceLocation: sourceLocation)
            for key in House.keys {
                // Any eight characters of the part that differs from key to key.
                let tail = Array(key.suffix(16))
                for start in 0...(tail.count - 8) {
                    let part = String(tail[start..<(start + 8)])
                    #expect(!text.contains(part), "\(text)", sourceLocation: sourceLocation)
                }
            }
        }
    }

    @Test(arguments: [
        "400 Bad Request", "401 Unauthorized", "402 Payment Required", "403 Forbidden", "404 Not Found",
        "418 Odd", "422 Unprocessable", "429 Too Many Requests", "500 Fault", "529 Overloaded",
        "307 Elsewhere",
    ])
    func `no provider key comes back in an error, whatever the provider repeats`(status: String) async throws
    {
        var plan = HousePlan()

        plan.openAI = Self.echo(status)
        plan.anthropic = Self.echo(status)
        try await withHouse(plan) { house in
            let chat = try house.call(Wire.chat())
            let messages = try house.call(at: "/v1/messages", Wire.messages())
            #expect(chat.status >= 400 && messages.status >= 400)
            expectNoKey(chat.head, chat.body, messages.head, messages.body)
            let keys = house.openAI.requests.compactMap { $0.header("authorization") }
            #expect(keys.first == "Bearer \(House.openAIKey)", "the provider did not get its key")
            expectNoKey("\(try house.events())", "\(house.engine.snapshot())")
        }
    }

    @Test func `no provider key comes back with an answer's head, or in the frame that ends a cut stream`()
        async throws
    {
        var plan = HousePlan()
        plan.openAI = { link, request in
            let key = request.header("authorization") ?? "none"
            let echo = "x-echo: \(key)\r\nset-cookie: k=\(key)\r\nx-request-id: \(key)\r\n"
            if request.body.contains("stream") {
                try link.send(Wire.streamHead.replacing("\r\n\r\n", with: "\r\n\(echo)\r\n"))
                try link.send(Wire.chunk(Wire.delta("hi") + "data: {\"error\":{\"message\":\"\(key)\"}}\n\n"))
            } else {
                try link.send(Wire.counted(Wire.chatBody, headers: echo))
            }
        }
        try await withHouse(plan) { house in
            let whole = try house.call(Wire.chat())
            let cut = try house.call(Wire.chat(stream: true))
            #expect(whole.status == 200 && whole.header("x-echo") == nil)
            expectNoKey(whole.head, whole.body, cut.head, cut.body)
        }
    }

    @Test func `the caller's own credential does not reach the provider`() async throws {
        try await withHouse { house in
            _ = try house.call(Wire.chat(), headers: "cookie: a=b\r\nx-forwarded-for: 10.0.0.1\r\n")
            let caller = try house.caller()
            let body = Wire.messages()
            try caller.send(
                "POST /v1/messages HTTP/1.1\r\nhost: g\r\nx-api-key: \(house.token)\r\nanthropic-beta: a\r\n"
                    + "content-length: \(body.utf8.count)\r\n\r\n\(body)")
            #expect(try caller.answer().status == 200)
            for request in house.openAI.requests + house.anthropic.requests {
                #expect(!request.head.contains(house.token) && !request.head.contains("cookie"))
                #expect(!request.head.contains("forwarded"))
            }
            #expect(house.anthropic.requests.first?.header("x-api-key") == House.anthropicKey)
            #expect(house.anthropic.requests.first?.header("anthropic-beta") == "a")
        }
    }
}
