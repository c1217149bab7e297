import Domain
import Engine
import Events
import Operations
import Routing
import TestTraits
import Testing

/// What a stream shows before its first content is looked at before anything goes to the caller.
@Suite(.serialized, .ownThread) struct FirstEventTests {
    private static let uncached = "x-gatehouse-cache: off\r\n"

    private func stream(_ events: String) -> String { Wire.streamHead + Wire.chunk(events) }

    @Test(arguments: [0, 200_000])
    func `an error behind the preliminaries of responses goes to the next target`(
        instructions: Int
    )
        async throws
    {
        let preliminaries = Wire.responsesStart(instructions: String(repeating: "x", count: instructions))
        let good =
            Wire.responsesStart() + Wire.responsesDelta("hi", 2) + Wire.responsesEnd(3)
        var plan = HousePlan()
        plan.openAI = { [self] link, _ in
            try link.send(stream(preliminaries + Wire.responsesError("insufficient_quota", 2)))
        }
        plan.second = { [self] link, _ in try link.send(stream(good) + Wire.streamEnd) }
        try await withHouse(plan) { house in
            let answer = try house.call(at: "/v1/responses", Wire.responses("pair"))
            #expect(answer.status == 200 && answer.isWhole && answer.body == good)
            #expect(answer.header("x-gatehouse-target") == "second/gpt-6-sol")
            let finish = try #require(try house.finishes().first)
            #expect(finish.attempts.map(\.failure) == [.keyQuota, nil])
            #expect(finish.row.usage == Wire.chatUsage)
            let marks = house.engine.parts.credentials.states(at: house.clock.now).map(\.mark)
            #expect(marks == [.exhausted])
        }
    }

    @Test func `an error behind a message's start goes to a target of another format`() async throws {
        var plan = HousePlan()
        plan.anthropic = { [self] link, _ in
            let error = Wire.event(
                "error", #"{"type":"error","error":{"type":"overloaded_error","message":"Overloaded"}}"#)
            let ping = Wire.event("ping", #"{"type":"ping"}"#)
            try link.send(stream(Wire.messageStart + ping + error))
        }
        plan.second = { [self] link, _ in
            let events = Wire.delta("hi") + Wire.lastDelta + Wire.usageChunk + Wire.done
            try link.send(stream(events) + Wire.streamEnd)
        }
        try await withHouse(plan) { house in
            let answer = try house.call(at: "/v1/messages", Wire.messages("mixed", stream: true))
            #expect(answer.status == 200 && answer.isWhole)
            #expect(answer.header("x-gatehouse-target") == "second/gpt-6-sol")
            #expect(answer.body.contains(#""text":"hi""#) && answer.body.contains("message_stop"))
            #expect(!answer.body.contains("verload"))
            #expect(try house.finishes().first?.attempts.map(\.failure) == [.overloaded, nil])
        }
    }

    @Test func `a stream of comments and pings alone is given up before anything goes to the caller`()
        async throws
    {
        var plan = HousePlan()
        plan.path.firstByte = .milliseconds(400)
        plan.openAI = { [self] link, _ in
            try link.send(stream(": wait\n\n"))
            // Goes on for as long as the gateway listens: bytes come, content does not.
            while !link.isReadable(within: 50) { try link.send(Wire.chunk(": wait\n\n")) }
        }
        plan.second = { [self] link, _ in
            try link.send(stream(Wire.delta("hi") + Wire.lastDelta + Wire.done) + Wire.streamEnd)
        }
        try await withHouse(plan) { house in
            let caller = try house.caller()
            try caller.send(house.post(Wire.chat("pair", stream: true)))
            _ = try house.openAI.request()
            // Well after the head: the wait for content is counted from there.
            _ = caller.isSilent(for: 200)
            house.clock.advance(by: .seconds(1))
            let answer = try caller.answer()
            #expect(answer.status == 200 && answer.header("x-gatehouse-target") == "second/gpt-6-sol")
            #expect(!answer.body.contains("wait"))
            #expect(try house.finishes().first?.attempts.map(\.failure) == [.timeoutBeforeFirstByte, nil])
        }
    }

    @Test func `a stream that goes on without content is cut, and told so`() async throws {
        var plan = HousePlan()
        plan.path.idle = .milliseconds(400)
        plan.openAI = { [self] link, _ in
            try link.send(stream(Wire.delta("one")))
            while !link.isReadable(within: 50) { try link.send(Wire.chunk(": wait\n\n")) }
        }
        try await withHouse(plan) { house in
            let caller = try house.caller()
            try caller.send(house.post(Wire.chat(stream: true)))
            try caller.waitFor("one")
            house.clock.advance(by: .seconds(1))
            let answer = try caller.answer()
            #expect(answer.body.contains("no content came for 1 s") && !answer.body.contains("[DONE]"))
            #expect(try house.finishes().first?.attempts.map(\.failure) == [.brokeAfterContent])
        }
    }

    @Test func `a caller who reads nothing for a while is no fault of the provider's`() async throws {
        let filler = String(repeating: "z", count: 8_000)
        let stalled = Watched(false)
        let mayGoOn = Watched(false)
        var plan = HousePlan()
        plan.path.idle = .milliseconds(300)
        plan.openAI = { link, _ in
            try link.send(Wire.streamHead)
            var isStalled = false
            for _ in 0..<3_000 {
                if !isStalled, !link.isWritable(within: 700) {
                    isStalled = true
                    stalled.update { $0 = true }
                    try mayGoOn.wait(for: "the caller to read", seconds: 40) { $0 ? () : nil }
                }
                try link.send(Wire.chunk(Wire.delta(filler)))
            }
            try link.send(Wire.chunk(Wire.lastDelta + Wire.done) + Wire.streamEnd)
        }
        try await withHouse(plan) { house in
            let caller = try house.caller(buffers: 32 << 10)
            try caller.send(house.post(Wire.chat(stream: true), headers: Self.uncached))
            try stalled.wait(for: "the upstream to stall", seconds: 40) { $0 ? () : nil }
            house.clock.advance(by: .seconds(5))
            // Longer than the bound on silence, which the caller's own does not count for.
            _ = try Socket(port: house.port).isReadable(within: 1_000)
            mayGoOn.update { $0 = true }
            let answer = try caller.answer()
            #expect(answer.isWhole && answer.body.hasSuffix(Wire.done))
            #expect(try house.finishes().first?.attempts.map(\.failure) == [nil])
        }
    }

    @Test func `cut responses end with an error event that has the next number`() async throws {
        var plan = HousePlan()
        let begun = Wire.responsesStart() + Wire.responsesDelta("one", 2)
        let passed = Watched(false)
        plan.openAI = { [self] link, _ in
            try link.send(stream(begun))
            try passed.wait(for: "the caller to read") { $0 ? () : nil }
            try link.send(Wire.chunk(Wire.responsesError("server_error", 3)))
        }
        try await withHouse(plan) { house in
            let caller = try house.caller()
            try caller.send(house.post(at: "/v1/responses", Wire.responses()))
            try caller.waitFor("one")
            passed.update { $0 = true }
            let answer = try caller.answer()
            #expect(answer.body.hasPrefix(begun))
            let rest = String(answer.body.dropFirst(begun.count))
            #expect(rest.hasPrefix("event: error\ndata: {") && rest.hasSuffix("}\n\n"))
            #expect(rest.contains(#""sequence_number":3"#) && rest.contains(#""error":{"message":"#))
            #expect(!rest.contains("response.completed"))
            let finish = try #require(try house.finishes().first)
            #expect(finish.attempts.map(\.failure) == [.brokeAfterContent] && finish.row.end == .cut)
        }
    }

    @Test func `a drill that stalls a stream lasts no longer than the call`() async throws {
        var plan = HousePlan()
        plan.drills = true
        plan.openAI = { [self] link, _ in try link.send(stream(Wire.delta("one"))) }
        try await withHouse(plan) { house in
            try await house.give(
                .drillStart(
                    tenant: try TenantName("acme"), fault: .stall, percent: 100, minutes: 5, reason: "test"))
            let caller = try house.caller()
            try caller.send(
                house.post(Wire.chat(stream: true), headers: "x-gatehouse-timeout: 700ms\r\n"))
            try caller.waitFor("one")
            house.clock.advance(by: .seconds(1))
            let answer = try caller.answer()
            #expect(answer.body.contains("the call's own time ran out"))
            let finish = try #require(try house.finishes().first)
            #expect(finish.drill && finish.attempts.map(\.failure) == [.cancelled])
        }
    }

    @Test func `a drill that makes an answer late does not make it later than the call`() async throws {
        var plan = HousePlan()
        plan.drills = true
        try await withHouse(plan) { house in
            try await house.give(
                .drillStart(
                    tenant: try TenantName("acme"), fault: .slow, percent: 100, minutes: 5, reason: "test"))
            let caller = try house.caller()
            try caller.send(house.post(Wire.chat(), headers: "x-gatehouse-timeout: 500ms\r\n"))
            _ = caller.isSilent(for: 200)
            house.clock.advance(by: .seconds(1))
            let answer = try caller.answer()
            #expect(answer.status == 504 && answer.body.contains("deadline_exceeded"))
            #expect(house.openAI.requests.isEmpty)
        }
    }

    @Test func `what a failing provider asks for is the floor of its breaker's rest, and is told on`()
        async throws
    {
        var plan = HousePlan()
        plan.openAI = { link, _ in
            try link.send(
                Wire.counted(
                    #"{"error":{"message":"down","type":"server_error","code":null}}"#,
                    status: "503 Service Unavailable", headers: "retry-after: 45\r\nretry-after-ms: 3000\r\n")
            )
        }
        try await withHouse(plan) { house in
            for _ in 0..<10 { _ = try house.call(Wire.chat(), headers: Self.uncached) }
            let status = house.engine.parts.breakers.status(
                of: try Target("openai/gpt-6-sol"), at: house.clock.now)
            #expect(status.position == .open && status.nextProbe == house.clock.now + .seconds(45))
            let seen = house.openAI.requests.count
            let answer = try house.call(Wire.chat(), headers: Self.uncached)
            #expect(answer.status == 503 && answer.header("retry-after") == "45")
            #expect(answer.body.contains("openai/gpt-6-sol: breaker open, probe in 45s"))
            #expect(house.openAI.requests.count == seen)
        }
    }
}
