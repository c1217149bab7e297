import Domain
import Engine
import Events
import Routing
import TestTraits
import Testing

/// Every row of the failure table as the path acts on it: a tenant with two keys at the first target, and a second
/// target behind it.
@Suite(.serialized, .ownThread) struct FailureRowTests {
    /// One row, by an answer that shows it.
    struct Row: Sendable, CustomTestStringConvertible {
        let failure: FailureClass
        let status: String
        let error: String

        init(_ failure: FailureClass, _ status: String, _ error: String) {
            self.failure = failure
            self.status = status
            self.error = error
        }

        var testDescription: String { failure.rawValue }
        var body: String { #"{"error":\#(error)}"# }
    }

    static let rows: [Row] = [
        .init(.timeoutBeforeFirstByte, "504 Gateway Timeout", #"{"code":504,"message":"M"}"#),
        .init(.providerFault, "500 Internal Server Error", #"{"type":"server_error","message":"M"}"#),
        .init(.overloaded, "529 Overloaded", #"{"type":"overloaded_error","message":"M"}"#),
        .init(.keyRateLimit, "429 Too Many Requests", #"{"code":"rate_limit_exceeded","message":"M"}"#),
        .init(.keyQuota, "429 Too Many Requests", #"{"code":"insufficient_quota","message":"M"}"#),
        .init(.badKey, "401 Unauthorized", #"{"code":"invalid_api_key","message":"M"}"#),
        .init(.notPermitted, "404 Not Found", #"{"code":"model_not_found","message":"M"}"#),
        .init(.callerFault, "400 Bad Request", #"{"type":"invalid_request_error","message":"M"}"#),
        .init(.contextWindow, "400 Bad Request", #"{"code":"context_length_exceeded","message":"M"}"#),
        .init(.contentPolicy, "400 Bad Request", #"{"code":"content_filter","message":"M"}"#),
        .init(.unknownRefusal, "409 Conflict", #"{"code":409,"message":"M"}"#),
    ]

    /// Where the error stands.
    enum Place: String, CaseIterable, Sendable {
        /// An answer with its status.
        case status
        /// The first event of a stream that began with 200.
        case stream
        /// A whole answer of 200.
        case whole
    }

    @Test func `every row that an answer can show is here`() {
        let elsewhere: Set<FailureClass> = [.transport, .brokeBeforeContent, .brokeAfterContent, .cancelled]
        #expect(Set(Self.rows.map(\.failure)).union(elsewhere) == Set(FailureClass.allCases))
    }

    @Test(arguments: rows, Place.allCases)
    func `a failure goes to other keys, other targets, breaker and key as its row says`(
        row: Row, place: Place
    ) async throws {
        let rule = row.failure.rule
        var plan = HousePlan()
        plan.keys = [House.openAIKey, House.otherOpenAIKey]
        plan.openAI = { link, _ in
            switch place {
            case .status: try link.send(Wire.counted(row.body, status: row.status))
            case .stream:
                let event = "data: \(row.body)\n\n"
                try link.send(Wire.streamHead + Wire.chunk(": keep-alive\n\n" + event) + Wire.streamEnd)
            case .whole: try link.send(Wire.counted(row.body))
            }
        }
        plan.second = { link, _ in
            guard place == .stream else { return try link.send(Wire.chatAnswer) }
            let events = Wire.delta("hi") + Wire.lastDelta + Wire.usageChunk + Wire.done
            try link.send(Wire.streamHead + Wire.chunk(events) + Wire.streamEnd)
        }
        try await withHouse(plan) { house in
            let answer = try house.call(Wire.chat("pair", stream: place == .stream))
            let keys = house.openAI.requests.compactMap { $0.header("authorization") }
            #expect(keys.count == (rule.triesOtherKey ? 2 : 1))
            #expect(Set(keys).count == keys.count)
            #expect(house.second.requests.count == (rule.failsOver ? 1 : 0))
            #expect(rule.failsOver ? answer.status == 200 : (400..<500).contains(answer.status))
            #expect(answer.isWhole)
            let target = try Target("openai/gpt-6-sol")
            let breaker = house.engine.parts.breakers.status(of: target, at: house.clock.now)
            #expect(breaker.window.failures == (rule.countsForBreaker ? 1 : 0))
            let marks = house.engine.parts.credentials.states(at: house.clock.now).map(\.mark)
            #expect(marks == rule.credentialMark.map { [$0, $0] } ?? [])
            let attempts = try #require(try house.finishes().first).attempts.map(\.failure)
            let failed = keys.map { _ in FailureClass?.some(row.failure) }
            #expect(attempts == failed + (rule.failsOver ? [nil] : []))
        }
    }

    /// google.rpc "error_details", `RetryInfo`, beside a shorter wait in the head.
    private static let limited = Wire.counted(
        #"{"error":{"code":429,"message":"M","status":"RESOURCE_EXHAUSTED","details":[{"@type":"type.googleapis.com/google.rpc.RetryInfo","retryDelay":"40.5s"}]}}"#,
        status: "429 Too Many Requests", headers: "retry-after: 2\r\n")

    @Test func `a wait in the body of an error rests the key, and is told, where it is the longer one`()
        async throws
    {
        var plan = HousePlan()
        plan.openAI = { link, _ in try link.send(Self.limited) }
        try await withHouse(plan) { house in
            let answer = try house.call(Wire.chat())
            #expect(answer.status == 429 && answer.header("retry-after") == "41")
            let state = try #require(house.engine.parts.credentials.states(at: house.clock.now).first)
            #expect(state.mark == .cooling)
            #expect(state.until == house.clock.now + .milliseconds(40_500))
            #expect(house.openAI.requests.count == 1)
        }
    }

    @Test(arguments: [Place.status, .stream])
    func `a wait in the body of a fault keeps the breaker open`(place: Place) async throws {
        let body =
            #"{"error":{"code":503,"message":"M","status":"UNAVAILABLE","details":[{"retryDelay":"300s"}]}}"#
        var plan = HousePlan()
        plan.openAI = { link, _ in
            try link.send(
                place == .stream
                    ? Wire.streamHead + Wire.chunk("data: \(body)\n\n") + Wire.streamEnd
                    : Wire.counted(body, status: "503 Service Unavailable"))
        }
        plan.second = { link, request in
            guard request.body.contains(#""stream":true"#) else { return try link.send(Wire.chatAnswer) }
            let events = Wire.delta("hi") + Wire.lastDelta + Wire.usageChunk + Wire.done
            try link.send(Wire.streamHead + Wire.chunk(events) + Wire.streamEnd)
        }
        try await withHouse(plan) { house in
            for _ in 1...10 {
                let answer = try house.call(
                    Wire.chat("pair", stream: place == .stream), headers: "x-gatehouse-cache: off\r\n")
                #expect(answer.status == 200)
            }
            let target = try Target("openai/gpt-6-sol")
            let breakers = house.engine.parts.breakers
            #expect(breakers.status(of: target, at: house.clock.now).position == .open)
            // By its own bound it would try again after ten seconds.
            house.clock.advance(by: .seconds(299))
            #expect(breakers.status(of: target, at: house.clock.now).position == .open)
            _ = try house.call(
                Wire.chat("pair", stream: place == .stream), headers: "x-gatehouse-cache: off\r\n")
            #expect(house.openAI.requests.count == 10)
            house.clock.advance(by: .seconds(2))
            _ = try house.call(
                Wire.chat("pair", stream: place == .stream), headers: "x-gatehouse-cache: off\r\n")
            #expect(house.openAI.requests.count == 11)
        }
    }

    /// Azure OpenAI: chunks of what its filters think of the prompt, and of the role, come before anything is sure.
    @Test func `what comes before the content does not bind a call to its target`() async throws {
        let safe = #"{"hate":{"filtered":false,"severity":"safe"}}"#
        let events =
            #"data: {"choices":[],"created":0,"id":"","model":"","object":"","prompt_filter_results":[{"prompt_index":0,"content_filter_results":\#(safe)}]}"#
            + "\n\n"
            + #"data: {"choices":[{"content_filter_results":{},"delta":{"content":"","refusal":null,"role":"assistant"},"finish_reason":null,"index":0}],"id":"c","object":"chat.completion.chunk","usage":null}"#
            + "\n\n"
        var plan = HousePlan()
        plan.openAI = { link, _ in
            try link.send(Wire.streamHead + Wire.chunk(events))
            link.close()
        }
        plan.second = { link, _ in
            let events = Wire.delta("hi") + Wire.lastDelta + Wire.usageChunk + Wire.done
            try link.send(Wire.streamHead + Wire.chunk(events) + Wire.streamEnd)
        }
        try await withHouse(plan) { house in
            let answer = try house.call(Wire.chat("pair", stream: true))
            #expect(answer.body == Wire.delta("hi") + Wire.lastDelta + Wire.done)
            let attempts = try #require(try house.finishes().first).attempts.map(\.failure)
            #expect(attempts == [.brokeBeforeContent, nil])
        }
    }
}
