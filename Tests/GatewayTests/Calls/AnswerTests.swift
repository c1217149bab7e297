import Domain
import Engine
import Events
import Gateway
import TestTraits
import Testing

/// Calls that are answered, and what is recorded of them.
@Suite(.serialized, .ownThread) struct AnswerTests {
    @Test func `the published record of a call is exact`() async throws {
        try await withHouse { house in
            let answer = try house.call(Wire.chat(), headers: "x-gatehouse-tags: team=blue\r\n")
            #expect(answer.status == 200 && answer.body == Wire.chatBody)
            #expect(answer.header("x-gatehouse-target") == "openai/gpt-6-sol")
            #expect(answer.header("x-gatehouse-attempts") == "1")
            let finish = try #require(try house.finishes().first)
            let row = finish.row
            #expect(row.usage == Wire.chatUsage && row.usageSource == .reported)
            #expect(row.status == 200 && row.end == .answered && row.failure == nil)
            #expect(row.target?.description == "openai/gpt-6-sol" && row.model == "openai/gpt-6-sol")
            #expect(row.tags == "team=blue" && row.attempts == 1 && row.cache == .miss)
            #expect(row.cost.map { "\($0)" } == answer.header("x-gatehouse-cost-usd"))
            #expect(finish.attempts.map(\.failure) == [nil])
            #expect(answer.header("x-request-id") == row.call.text)
            #expect(try house.rows(1) == [row])
        }
    }

    @Test func `the published record of an Anthropic call is exact, whole or streamed`() async throws {
        var plan = HousePlan()
        plan.anthropic = { link, request in
            guard request.body.contains("stream") else { return try link.send(Wire.messagesAnswer) }
            let events =
                Wire.messageStart + Wire.blockStart + Wire.textDelta("hi") + Wire.messageDelta
                + Wire.messageStop
            try link.send(Wire.streamHead + Wire.chunk(events) + Wire.streamEnd)
        }
        try await withHouse(plan) { house in
            let whole = try house.call(at: "/v1/messages", Wire.messages())
            #expect(whole.body == Wire.messagesBody)
            let streamed = try house.call(at: "/v1/messages", Wire.messages(stream: true))
            #expect(streamed.isWhole && streamed.body.hasSuffix(Wire.messageStop))
            let rows = try house.rows(2)
            #expect(rows.map(\.usage) == [Wire.messagesUsage, Wire.messagesUsage])
            #expect(rows.map(\.usageSource) == [.reported, .reported])
        }
    }

    @Test func `the usage chunk is asked for, counted, and kept from a caller who did not ask`() async throws
    {
        var plan = HousePlan()
        plan.openAI = { link, _ in
            let events = Wire.delta("hi") + Wire.lastDelta + Wire.usageChunk + Wire.done
            try link.send(Wire.streamHead + Wire.chunk(events) + Wire.streamEnd)
        }
        try await withHouse(plan) { house in
            let quiet = try house.call(Wire.chat(stream: true))
            #expect(quiet.body == Wire.delta("hi") + Wire.lastDelta + Wire.done)
            #expect(quiet.isWhole && quiet.header("content-type") == "text/event-stream")
            let asked = try house.call(
                Wire.chat(stream: true, more: #","stream_options":{"include_usage":true}"#),
                headers: "x-gatehouse-cache: off\r\n")
            #expect(asked.body == Wire.delta("hi") + Wire.lastDelta + Wire.usageChunk + Wire.done)
            let bodies = house.openAI.requests.map(\.body)
            #expect(bodies.allSatisfy { $0.contains(#""stream_options":{"include_usage":true}"#) })
            #expect(try house.rows(2).map(\.usage) == [Wire.chatUsage, Wire.chatUsage])
        }
    }

    @Test func `an event cut into single bytes on its way comes out as it was`() async throws {
        var plan = HousePlan()
        plan.openAI = { link, _ in
            try link.send(Wire.streamHead)
            for byte in (Wire.delta("h\u{e9}llo \u{1f600}") + Wire.lastDelta + Wire.usageChunk + Wire.done)
                .utf8
            {
                try link.send(Array("1\r\n".utf8) + [byte] + Array("\r\n".utf8))
            }
            try link.send(Wire.streamEnd)
        }
        try await withHouse(plan) { house in
            let answer = try house.call(Wire.chat(stream: true))
            #expect(answer.body == Wire.delta("h\u{e9}llo \u{1f600}") + Wire.lastDelta + Wire.done)
            #expect(try house.rows(1).first?.usage == Wire.chatUsage)
        }
    }

    @Test func `fields the gateway does not know pass byte for byte`() async throws {
        try await withHouse { house in
            let body =
                "{ \"messages\" : [ {\"role\":\"user\",\"content\":\"\\u00e9\\uD83D\\uDE00 h\u{e9}\"} ],\r\n\t"
                + #""model":"gpt-6-sol" ,"x_unknown": [1.0, 1e400, 12345678901234567890, {"a":null}], "seed":9007199254740993}"#
                + " \n"
            let answer = try house.call(body, headers: "x-gatehouse-cache: off\r\n")
            #expect(answer.status == 200)
            #expect(house.openAI.requests.first?.body == body)
        }
    }

    @Test func `only the model's name changes on the way to the target`() async throws {
        try await withHouse { house in
            _ = try house.call(Wire.chat("openai/gpt-6-sol"))
            #expect(house.openAI.requests.first?.body == Wire.chat("gpt-6-sol"))
        }
    }

    @Test func `a chunked request body arrives whole`() async throws {
        try await withHouse { house in
            let body = Wire.chat("gpt-6-sol")
            let caller = try house.caller()
            try caller.send(
                "POST /v1/chat/completions HTTP/1.1\r\nhost: g\r\nauthorization: Bearer \(house.token)\r\n"
                    + "transfer-encoding: chunked\r\n\r\n")
            for byte in body.utf8 { try caller.send(Array("1\r\n".utf8) + [byte] + Array("\r\n".utf8)) }
            try caller.send("0\r\n\r\n")
            #expect(try caller.answer().status == 200)
            #expect(house.openAI.requests.first?.body == body)
        }
    }

    @Test func `a caller that waits for permission to send gets it`() async throws {
        try await withHouse { house in
            let body = Wire.chat()
            let caller = try house.caller()
            let request = house.post(body, headers: "expect: 100-continue\r\n")
            try caller.send(String(request.dropLast(body.count)))
            #expect(try caller.answer().status == 100)
            try caller.send(body)
            #expect(try caller.answer().status == 200)
        }
    }

    @Test func `an answer too large to keep passes through whole and is metered by its usage`() async throws {
        let filler = String(repeating: "y", count: 300_000)
        let body = Wire.chatBody.replacing("hi there", with: filler)
        var plan = HousePlan()
        plan.gateway.wholeAnswerBytesMax = 100_000
        plan.openAI = { link, _ in try link.send(Wire.counted(body)) }
        try await withHouse(plan) { house in
            let answer = try house.call(Wire.chat())
            #expect(answer.isWhole && answer.body == body)
            #expect(try house.rows(1).first?.usage == Wire.chatUsage)
        }
    }

    @Test func `embeddings and models are served`() async throws {
        var plan = HousePlan()
        let body =
            #"{"object":"list","data":[{"object":"embedding","index":0,"embedding":"AAAA"}],"usage":{"prompt_tokens":4,"total_tokens":4}}"#
        plan.openAI = { link, _ in try link.send(Wire.counted(body)) }
        try await withHouse(plan) { house in
            let answer = try house.call(
                at: "/v1/embeddings", #"{"model":"openai/text-embedding-3-small","input":"a"}"#)
            #expect(answer.body == body)
            #expect(try house.rows(1).first?.usage == Usage(input: 4))
            let caller = try house.caller()
            try caller.send(house.get("/v1/models"))
            let list = try caller.answer()
            #expect(list.status == 200 && list.body.contains(#""id":"pair""#))
        }
    }
}
