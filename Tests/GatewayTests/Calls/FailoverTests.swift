import Domain
import Engine
import Events
import Routing
import TestTraits
import Testing

/// What an attempt's failure does to the call, to the key and to the target.
@Suite(.serialized, .ownThread) struct FailoverTests {
    private static let model = "gpt-6-sol"
    private static let uncached = "x-gatehouse-cache: off\r\n"

    private func target(_ provider: String) throws -> Target { try Target("\(provider)/\(Self.model)") }

    private func breaker(_ house: House, _ provider: String) throws -> BreakerStatus {
        house.engine.parts.breakers.status(of: try target(provider), at: house.clock.now)
    }

    private func marks(_ house: House) -> [CredentialMark] {
        house.engine.parts.credentials.states(at: house.clock.now).map(\.mark)
    }

    @Test func `an error inside a stream before its first piece goes to the second target`() async throws {
        var plan = HousePlan()
        plan.openAI = { link, _ in
            let events =
                ": keep-alive\n\n"
                + #"data: {"id":"c1","choices":[{"index":0,"delta":{"role":"assistant","content":""}}]}"#
                + "\n\n"
                + #"data: {"error":{"message":"boom","type":"server_error","code":null}}"# + "\n\n"
            try link.send(Wire.streamHead + Wire.chunk(events))
        }
        plan.second = { link, _ in
            let events = Wire.delta("hi") + Wire.lastDelta + Wire.usageChunk + Wire.done
            try link.send(Wire.streamHead + Wire.chunk(events) + Wire.streamEnd)
        }
        try await withHouse(plan) { house in
            let answer = try house.call(Wire.chat("pair", stream: true))
            #expect(answer.status == 200 && answer.isWhole)
            #expect(answer.body == Wire.delta("hi") + Wire.lastDelta + Wire.done)
            #expect(answer.header("x-gatehouse-target") == "second/gpt-6-sol")
            #expect(answer.header("x-gatehouse-attempts") == "2")
            let finish = try #require(try house.finishes().first)
            #expect(finish.attempts.map(\.failure) == [.providerFault, nil])
            #expect(finish.row.usage == Wire.chatUsage)
        }
    }

    @Test func `a connection that breaks before anything came goes to the second target`() async throws {
        var plan = HousePlan()
        plan.openAI = { link, _ in link.reset() }
        try await withHouse(plan) { house in
            let answer = try house.call(Wire.chat("pair"))
            #expect(answer.status == 200 && answer.header("x-gatehouse-target") == "second/gpt-6-sol")
            #expect(try house.finishes().first?.attempts.map(\.failure) == [.transport, nil])
        }
    }

    @Test func `a whole answer cut half-way goes to the second target, and nothing of it to the caller`()
        async throws
    {
        var plan = HousePlan()
        plan.openAI = { link, _ in
            try link.send(String(Wire.chatAnswer.replacing("hi there", with: "bye bye!").dropLast(10)))
            link.close()
        }
        try await withHouse(plan) { house in
            let answer = try house.call(Wire.chat("pair"))
            #expect(answer.body == Wire.chatBody)
            #expect(try house.finishes().first?.attempts.map(\.failure) == [.brokeBeforeContent, nil])
        }
    }

    @Test func `a refused key is marked, its reserve is tried, and the breaker hears nothing`() async throws {
        var plan = HousePlan()
        plan.keys = [House.otherOpenAIKey, House.openAIKey]
        plan.openAI = { link, request in
            guard request.header("authorization") == "Bearer \(House.otherOpenAIKey)" else {
                return try link.send(
                    Wire.failure("401 Unauthorized", type: "invalid_request_error", code: "invalid_api_key"))
            }
            try link.send(Wire.chatAnswer)
        }
        try await withHouse(plan) { house in
            for _ in 0..<12 {
                let answer = try house.call(Wire.chat("pair"), headers: Self.uncached)
                #expect(answer.status == 200 && answer.header("x-gatehouse-target") == "openai/gpt-6-sol")
            }
            #expect(house.openAI.requests.count == 13, "the marked key was tried again")
            #expect(marks(house) == [.suspect])
            #expect(try breaker(house, "openai").window.failures == 0)
            #expect(try breaker(house, "openai").position == .closed)
        }
    }

    @Test func `a tenant whose only key is refused is told so, and others go on`() async throws {
        var plan = HousePlan()
        plan.openAI = { link, request in
            guard request.header("authorization") == "Bearer \(House.otherOpenAIKey)" else {
                return try link.send(
                    Wire.failure("401 Unauthorized", type: "invalid_request_error", code: "invalid_api_key"))
            }
            try link.send(Wire.chatAnswer)
        }
        try await withHouse(plan) { house in
            let refused = try house.call(Wire.chat())
            #expect(refused.status == 424 && refused.body.contains("rejects this tenant's provider key"))
            #expect(try house.call(Wire.chat()).status == 424)
            #expect(house.openAI.requests.count == 1)
            #expect(try house.call(Wire.chat(), token: house.otherToken).status == 200)
        }
    }

    @Test func `a rate limit rests one key for one model`() async throws {
        var plan = HousePlan()
        plan.keys = [House.otherOpenAIKey, House.openAIKey]
        plan.openAI = { link, request in
            let limited =
                request.header("authorization") == "Bearer \(House.openAIKey)" && request.body.contains("sol")
            try link.send(
                limited
                    ? Wire.counted(
                        #"{"error":{"message":"slow down","type":"requests","code":"rate_limit_exceeded"}}"#,
                        status: "429 Too Many Requests", headers: "retry-after: 30\r\n") : Wire.chatAnswer)
        }
        try await withHouse(plan) { house in
            for _ in 0..<12 {
                #expect(try house.call(Wire.chat("pair"), headers: Self.uncached).status == 200)
            }
            let keys = house.openAI.requests.compactMap { $0.header("authorization") }
            #expect(keys.filter { $0 == "Bearer \(House.openAIKey)" }.count == 1)
            #expect(house.second.requests.isEmpty)
            #expect(marks(house) == [.cooling])
            #expect(try breaker(house, "openai").window.failures == 0)
            _ = try house.call(Wire.chat("openai/gpt-6-luna"))
            #expect(house.openAI.requests.last?.header("authorization") == "Bearer \(House.openAIKey)")
            house.clock.advance(by: .seconds(31))
            _ = try house.call(Wire.chat("pair"), headers: Self.uncached)
            // Rested, limited again, and the other one once more.
            let last = house.openAI.requests.suffix(2).compactMap { $0.header("authorization") }
            #expect(last == ["Bearer \(House.openAIKey)", "Bearer \(House.otherOpenAIKey)"])
        }
    }

    @Test func `a rate limit of the only key is handed on with its retry-after`() async throws {
        var plan = HousePlan()
        plan.openAI = { link, _ in
            try link.send(
                Wire.counted(
                    #"{"error":{"message":"slow down","type":"requests","code":"rate_limit_exceeded"}}"#,
                    status: "429 Too Many Requests", headers: "retry-after: 7\r\n"))
        }
        try await withHouse(plan) { house in
            let answer = try house.call(Wire.chat())
            #expect(answer.status == 429 && answer.header("retry-after") == "7")
            #expect(try house.rows(1).first?.usage == Usage())
        }
    }

    @Test func `ten failures of ten trip the breaker, and the next call goes to the second target alone`()
        async throws
    {
        var plan = HousePlan()
        plan.openAI = { link, _ in
            try link.send(Wire.failure("500 Internal Server Error", type: "server_error"))
        }
        try await withHouse(plan) { house in
            for call in 1...10 {
                #expect(try breaker(house, "openai").position == .closed, "before call \(call)")
                #expect(try house.call(Wire.chat("pair"), headers: Self.uncached).status == 200)
            }
            #expect(try breaker(house, "openai").position == .open)
            let answer = try house.call(Wire.chat("pair"), headers: Self.uncached)
            #expect(answer.header("x-gatehouse-target") == "second/gpt-6-sol")
            #expect(answer.header("x-gatehouse-attempts") == "1")
            #expect(house.openAI.requests.count == 10)
            let moves = try house.events().compactMap {
                if case .breakerMoved(let move) = $0 { move } else { nil }
            }
            #expect(moves.map(\.position) == [.open])
            #expect(marks(house).isEmpty)
        }
    }

    @Test func `a fault with no other target is tried once more and then told`() async throws {
        var plan = HousePlan()

        plan.openAI = { link, _ in
            try link.send(Wire.failure("503 Service Unavailable", type: "server_error"))
        }
        try await withHouse(plan) { house in
            let answer = try house.call(Wire.chat())
            #expect(answer.status == 502 && answer.header("x-gatehouse-attempts") == "2")
            #expect(house.openAI.requests.count == 2)
            #expect(try house.rows(1).first?.failure == .upstreamFailed)
        }
    }

    @Test func `the caller's own fault is handed on and not tried elsewhere`() async throws {
        var plan = HousePlan()
        plan.openAI = { link, _ in
            try link.send(
                Wire.failure(
                    "400 Bad Request", type: "invalid_request_error", message: "temperature is too high"))
        }
        try await withHouse(plan) { house in
            let answer = try house.call(Wire.chat("pair"))
            #expect(answer.status == 400 && answer.body.contains("temperature is too high"))
            #expect(house.second.requests.isEmpty)
            #expect(try breaker(house, "openai").window.failures == 0)
        }
    }

    @Test func `a redirect is not followed`() async throws {
        var plan = HousePlan()
        plan.openAI = { link, _ in
            try link.send(
                Wire.counted(
                    "{}", status: "307 Temporary Redirect", headers: "location: http://127.0.0.1:1/\r\n"))
        }
        try await withHouse(plan) { house in
            let answer = try house.call(Wire.chat())
            #expect(answer.status >= 300 && answer.header("location") == nil)
        }
    }
}
