import Domain
import TestTraits
import Testing

/// Answers from the tenant's own part of the cache.
@Suite(.serialized, .ownThread) struct CacheTests {
    @Test func `the second same call is answered from the cache, without the provider`() async throws {
        try await withHouse { house in
            let first = try house.call(Wire.chat())
            #expect(first.header("x-gatehouse-cache") == "miss")
            let second = try house.call(Wire.chat())
            #expect(second.status == 200 && second.body == Wire.chatBody)
            #expect(second.header("x-gatehouse-cache") == "hit-exact")
            #expect(second.header("x-gatehouse-attempts") == "0")
            #expect(house.openAI.requests.count == 1)
            let rows = try house.rows(2)
            #expect(rows[1].cache == .hit && rows[1].usage == Usage() && rows[1].cost == .zero)
            #expect(rows[1].saved == rows[0].cost && rows[1].target == nil)
        }
    }

    @Test func `a stream is answered from the cache as the stream it was`() async throws {
        let events = Wire.delta("hi") + Wire.lastDelta + Wire.usageChunk + Wire.done
        var plan = HousePlan()
        plan.openAI = { link, _ in try link.send(Wire.streamHead + Wire.chunk(events) + Wire.streamEnd) }
        try await withHouse(plan) { house in
            let first = try house.call(Wire.chat(stream: true))
            let second = try house.call(Wire.chat(stream: true))
            #expect(second.header("x-gatehouse-cache") == "hit-exact")
            #expect(second.header("content-type") == "text/event-stream")
            #expect(second.body == first.body)
            #expect(house.openAI.requests.count == 1)
        }
    }

    @Test func `a caller that wants no cache gets a fresh answer, and leaves none`() async throws {
        try await withHouse { house in
            for _ in 0..<2 {
                let answer = try house.call(Wire.chat(), headers: "x-gatehouse-cache: off\r\n")
                #expect(answer.header("x-gatehouse-cache") == "bypass")
            }
            #expect(try house.call(Wire.chat()).header("x-gatehouse-cache") == "miss")
            #expect(house.openAI.requests.count == 3)
        }
    }

    @Test func `no tenant is given what another one paid for`() async throws {
        try await withHouse { house in
            _ = try house.call(Wire.chat())
            let other = try house.call(Wire.chat(), token: house.otherToken)
            #expect(other.header("x-gatehouse-cache") == "miss")
            #expect(house.openAI.requests.count == 2)
            let keys = house.openAI.requests.compactMap { $0.header("authorization") }
            #expect(keys == ["Bearer \(House.openAIKey)", "Bearer \(House.otherOpenAIKey)"])
        }
    }

    @Test func `another body, format or kind of answer is another call`() async throws {
        var plan = HousePlan()
        plan.openAI = { link, request in
            guard request.body.contains(#""stream":true"#) else { return try link.send(Wire.chatAnswer) }
            let events = Wire.delta("hi") + Wire.lastDelta + Wire.usageChunk + Wire.done
            try link.send(Wire.streamHead + Wire.chunk(events) + Wire.streamEnd)
        }
        try await withHouse(plan) { house in
            let bodies = [
                Wire.chat(), Wire.chat() + " ", Wire.chat(stream: true),
                Wire.chat(more: #","temperature":0"#),
            ]
            for body in bodies {
                let answer = try house.call(body)
                #expect(answer.header("x-gatehouse-cache") == "miss")
            }
            let embedded = try house.call(at: "/v1/embeddings", Wire.chat())
            #expect(embedded.header("x-gatehouse-cache") == "miss")
            #expect(house.openAI.requests.count == 5)
        }
    }

    @Test func `an answer goes when its time is over`() async throws {
        try await withHouse { house in
            _ = try house.call(Wire.chat(), headers: "x-gatehouse-cache: on;ttl=10\r\n")
            house.clock.advance(by: .seconds(9))
            #expect(try house.call(Wire.chat()).header("x-gatehouse-cache") == "hit-exact")
            house.clock.advance(by: .seconds(2))
            #expect(try house.call(Wire.chat()).header("x-gatehouse-cache") == "miss")
        }
    }

    @Test func `errors, cut streams and answers without usage are not kept`() async throws {
        var plan = HousePlan()
        plan.openAI = { link, request in
            if request.body.contains("cut") {
                try link.send(Wire.streamHead + Wire.chunk(Wire.delta("hi")) + Wire.streamEnd)
            } else if request.body.contains("bad") {
                try link.send(Wire.failure("400 Bad Request", type: "invalid_request_error"))
            } else {
                try link.send(Wire.counted("{}"))
            }
        }
        try await withHouse(plan) { house in
            for body in [
                Wire.chat(stream: true, more: #","user":"cut""#), Wire.chat(more: #","user":"bad""#),
                Wire.chat(),
            ] {
                for _ in 0..<2 { _ = try house.call(body) }
            }
            #expect(house.openAI.requests.count == 6)
        }
    }
}
