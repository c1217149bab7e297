import Domain
import TestTraits
import Testing

/// Calls that are refused before any provider hears of them.
@Suite(.serialized, .ownThread) struct RefusalTests {
    private func isAnthropic(_ answer: RawCaller.Answer) -> Bool {
        answer.body.hasPrefix(#"{"type":"error","error":{"type":""#)
    }

    private func isOpenAI(_ answer: RawCaller.Answer) -> Bool {
        answer.body.hasPrefix(#"{"error":{"message":""#)
    }

    @Test func `two different credentials in one request are refused`() async throws {
        try await withHouse { house in
            for headers in [
                "x-api-key: \(house.otherToken)\r\n", "api-key: \(house.otherToken)\r\n",
                "Authorization: Bearer \(house.otherToken)\r\n", "x-api-key: \(house.token)\r\n",
            ] {
                let answer = try house.call(Wire.chat(), headers: headers)
                #expect(answer.status == 401)
                #expect(answer.body.contains("ambiguous_credentials"))
            }
            #expect(house.openAI.requests.isEmpty)
        }
    }

    @Test(arguments: [
        #"{"model":"openai/gpt-6-sol","model":"openai/gpt-6-luna"}"#,
        #"{"model":"openai/gpt-6-sol","messages":[],"model":"openai/gpt-6-sol"}"#,
        #"{"model":"openai/gpt-6-sol","mod\u0065l":"openai/gpt-6-luna"}"#,
        #"{"model":"openai/gpt-6-sol","Model":"openai/gpt-6-luna"}"#,
        #"{"MODEL":"openai/gpt-6-sol"}"#,
        #"{"model":"openai/gpt-6-sol","stream":true,"stream":false}"#,
        #"{"model":"openai/gpt-6-sol","x":1,"x":2}"#,
    ])
    func `a body that names a member twice, or in another spelling, is refused`(body: String) async throws {
        try await withHouse { house in
            for path in ["/v1/chat/completions", "/v1/messages"] {
                let answer = try house.call(at: path, body)
                #expect(answer.status == 400)
                #expect(isAnthropic(answer) == (path == "/v1/messages"))
            }
            #expect(house.openAI.requests.isEmpty && house.anthropic.requests.isEmpty)
            #expect(try house.rows(0).isEmpty)
        }
    }

    @Test func `an unknown path is a 404 in the words of whose path it resembles`() async throws {
        try await withHouse { house in
            for path in ["/v1/assistants", "/", "/v1/chat/completions/", "/v2/messages"] {
                let answer = try house.call(at: path, "{}")
                #expect(answer.status == 404 && isOpenAI(answer), "\(path)")
            }
            for path in ["/v1/messages/batches", "/v1/messages/count"] {
                let answer = try house.call(at: path, "{}")
                #expect(answer.status == 404 && isAnthropic(answer), "\(path)")
            }
        }
    }

    @Test func `a wrong method is a 405 in the words of its path and says which is right`() async throws {
        try await withHouse { house in
            for (path, anthropic) in [("/v1/chat/completions", false), ("/v1/messages", true)] {
                let caller = try house.caller()
                try caller.send(house.get(path))
                let answer = try caller.answer()
                #expect(answer.status == 405 && isAnthropic(answer) == anthropic, "\(path)")
                #expect(answer.header("allow") == "POST")
            }
            let answer = try house.call(at: "/v1/models", "{}")
            #expect(answer.status == 405 && isOpenAI(answer))
            #expect(answer.header("allow") == "GET")
        }
    }

    @Test func `a key in the query is refused and not repeated`() async throws {
        try await withHouse { house in
            for (path, anthropic) in [("/v1/chat/completions", false), ("/v1/messages", true)] {
                let answer = try house.call(at: "\(path)?key=\(house.otherToken)", "{}")
                #expect(answer.status == 400 && isAnthropic(answer) == anthropic)
                #expect(!(answer.head + answer.body).contains(house.otherToken))
            }
            let beta = try house.call(at: "/v1/messages?beta=true", Wire.messages())
            #expect(beta.status == 200)
        }
    }

    @Test func `refusals of the path come in the caller's words`() async throws {
        try await withHouse { house in
            for (path, body) in [("/v1/chat/completions", Wire.chat()), ("/v1/messages", Wire.messages())] {
                let unknown = try house.call(at: path, body, token: "gth_nobody")
                #expect(unknown.status == 401 && isAnthropic(unknown) == (path == "/v1/messages"))
                let odd = try house.call(at: path, body, headers: "x-gatehouse-timeout: never\r\n")
                #expect(odd.status == 400 && isAnthropic(odd) == (path == "/v1/messages"))
                let encoded = try house.call(at: path, body, headers: "content-encoding: gzip\r\n")
                #expect(encoded.status == 415 && isAnthropic(encoded) == (path == "/v1/messages"))
            }
        }
    }

    @Test func `a large body is not taken from a caller without a good key`() async throws {
        try await withHouse { house in
            for framed in ["content-length: 1000000\r\n\r\n", "transfer-encoding: chunked\r\n\r\n"] {
                let caller = try house.caller()
                try caller.send(
                    "POST /v1/messages HTTP/1.1\r\nhost: g\r\nx-api-key: gth_nobody\r\n\(framed)")
                let answer = try caller.answer()
                #expect(answer.status == 401 && isAnthropic(answer))
                #expect(try caller.sawEnd())
            }
        }
    }

    @Test(arguments: ["0", "-1", "7201", "1.5", "10m", "9223372036854776", "18446744073709552", "ms", ""])
    func `a time limit that is none is refused`(text: String) async throws {
        try await withHouse { house in
            let answer = try house.call(Wire.chat(), headers: "x-gatehouse-timeout: \(text)\r\n")
            #expect(answer.status == 400 && answer.body.contains("x-gatehouse-timeout"))
            #expect(house.openAI.requests.isEmpty)
        }
    }

    @Test func `a tenant over its limit is told when to come back, and others are not`() async throws {
        var plan = HousePlan()
        plan.limits = LimitSet(requestsPerMinute: 1)
        try await withHouse(plan) { house in
            let first = try house.call(Wire.chat())
            #expect(first.status == 200 && first.header("x-ratelimit-remaining-requests") == "0")
            let second = try house.call(Wire.chat())
            #expect(second.status == 429 && second.header("retry-after") == "60")
            #expect(second.header("retry-after-ms") == "60000")
            #expect(second.header("x-ratelimit-limit-requests") == "1")
            #expect(second.header("x-ratelimit-remaining-requests") == "0")
            #expect(second.header("x-ratelimit-reset-requests") == "60000ms")
            #expect(try house.call(Wire.chat(), token: house.otherToken).status == 200)
        }
    }
}
