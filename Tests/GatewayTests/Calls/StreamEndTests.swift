import Domain
import Engine
import Events
import Glibc
import Routing
import TestTraits
import Testing

/// Streams that do not end as they should: cut, stalled, left, or faster than their reader.
@Suite(.serialized, .ownThread) struct StreamEndTests {
    private static let halfEvent = String(Wire.delta("never whole").dropLast(30))

    /// How a provider's stream can end before its time.
    enum Cut: String, CaseIterable, Sendable {
        case reset, close, endOfBody, insideAnEvent, errorEvent
    }

    private static func end(_ link: Socket, _ cut: Cut, error: String) throws {
        switch cut {
        case .reset: link.reset()
        case .close: link.close()
        case .endOfBody: try link.send(Wire.streamEnd)
        case .insideAnEvent:
            try link.send(Wire.chunk(halfEvent))
            link.close()
        case .errorEvent: try link.send(Wire.chunk(error))
        }
    }

    @Test(arguments: Cut.allCases)
    func `a cut OpenAI stream ends with an error frame and without DONE`(cut: Cut) async throws {
        let passed = Watched(false)
        var plan = HousePlan()
        plan.openAI = { link, _ in
            try link.send(Wire.streamHead + Wire.chunk(Wire.delta("one") + Wire.delta("two")))
            try passed.wait(for: "the caller to read") { $0 ? true : nil }
            try Self.end(
                link, cut,
                error: #"data: {"error":{"message":"secret words","type":"server_error"}}"# + "\n\n")
        }
        try await withHouse(plan) { house in
            let caller = try house.caller()
            try caller.send(house.post(Wire.chat("pair", stream: true)))
            try caller.waitFor("two")
            passed.update { $0 = true }
            let answer = try caller.answer()
            let sent = Wire.delta("one") + Wire.delta("two")
            #expect(answer.status == 200 && answer.body.hasPrefix(sent))
            let rest = answer.body.dropFirst(sent.count)
            #expect(rest.hasPrefix("data: {") && rest.hasSuffix("}\n\n"), "\(rest)")
            #expect(rest.contains(#""error":{"#) && rest.contains(#""finish_reason":"error""#))
            #expect(!rest.contains("[DONE]") && !rest.contains("secret words"))
            #expect(try caller.sawEnd())
            let row = try #require(try house.rows(1).first)
            #expect(row.end == .cut && row.failure == .upstreamCut && row.usageSource == .estimated)
            #expect(row.usage.output >= 2 && row.attempts == 1)
            #expect(house.second.requests.isEmpty)
            #expect(try house.finishes().first?.attempts.map(\.failure) == [.brokeAfterContent])
        }
    }

    @Test(arguments: Cut.allCases)
    func `a cut Anthropic stream ends with an error event and without message_stop`(cut: Cut) async throws {
        let passed = Watched(false)
        var plan = HousePlan()
        plan.anthropic = { link, _ in
            try link.send(
                Wire.streamHead + Wire.chunk(Wire.messageStart + Wire.blockStart + Wire.textDelta("one")))
            try passed.wait(for: "the caller to read") { $0 ? true : nil }
            try Self.end(
                link, cut,
                error: Wire.event(
                    "error", #"{"type":"error","error":{"type":"overloaded_error","message":"secret words"}}"#
                ))
        }
        try await withHouse(plan) { house in
            let caller = try house.caller()
            try caller.send(house.post(at: "/v1/messages", Wire.messages(stream: true)))
            try caller.waitFor("one")
            passed.update { $0 = true }
            let answer = try caller.answer()
            let sent = Wire.messageStart + Wire.blockStart + Wire.textDelta("one")
            #expect(answer.body.hasPrefix(sent))
            let rest = answer.body.dropFirst(sent.count)
            #expect(
                rest.hasPrefix("event: error\ndata: {\"type\":\"error\"") && rest.hasSuffix("}\n\n"),
                "\(rest)")
            #expect(!rest.contains("message_stop") && !rest.contains("secret words"))
            #expect(try caller.sawEnd())
            let row = try #require(try house.rows(1).first)
            #expect(row.end == .cut && row.usage.input == 11 && row.usage.cacheRead == 3)
        }
    }

    @Test func `a stream whose last event came is whole, whatever becomes of its connection`() async throws {
        var plan = HousePlan()
        let events = Wire.delta("hi") + Wire.lastDelta + Wire.usageChunk + Wire.done
        plan.openAI = { link, _ in
            try link.send(Wire.streamHead + Wire.chunk(events))
            link.close()
        }
        try await withHouse(plan) { house in
            let answer = try house.call(Wire.chat(stream: true))
            #expect(answer.isWhole && answer.body == Wire.delta("hi") + Wire.lastDelta + Wire.done)
            let row = try #require(try house.rows(1).first)
            #expect(row.end == .answered && row.usage == Wire.chatUsage)
        }
    }

    @Test func `a call whose own time runs out is told so, and that counts against nobody`() async throws {
        var plan = HousePlan()
        plan.openAI = { link, request in
            if request.body.contains("stream") {
                try link.send(Wire.streamHead + Wire.chunk(Wire.delta("one")))
            }
            _ = link.sawEnd()
        }
        try await withHouse(plan) { house in
            let brief = "x-gatehouse-timeout: 200ms\r\n"
            let late = try house.call(Wire.chat("pair"), headers: brief)
            #expect(late.status == 504 && late.body.contains("deadline_exceeded"))
            let cut = try house.call(Wire.chat("pair", stream: true), headers: brief)
            #expect(cut.body.hasPrefix(Wire.delta("one")) && cut.body.contains("time ran out"))
            #expect(!cut.body.contains("[DONE]"))
            #expect(house.second.requests.isEmpty)
            let finishes = try house.finishes()
            #expect(finishes.map { $0.attempts.map(\.failure) } == [[.cancelled], [.cancelled]])
            let statuses = house.engine.parts.breakers.states(at: house.clock.now)
            #expect(statuses.allSatisfy { $0.window.failures == 0 })
        }
    }

    @Test func `an error answer without an end is not waited for`() async throws {
        let closed = Watched(false)
        var plan = HousePlan()
        plan.openAI = { link, _ in
            try link.send("HTTP/1.1 500 Fault\r\ncontent-length: 100000000\r\n\r\n")
            try link.send(String(repeating: "x", count: 100_000))
            let saw = link.sawEnd()
            closed.update { $0 = saw }
        }
        try await withHouse(plan) { house in
            let answer = try house.call(Wire.chat("pair"))
            #expect(answer.status == 200 && answer.header("x-gatehouse-target") == "second/gpt-6-sol")
            #expect(try closed.wait(for: "the upstream connection to end") { $0 ? true : nil })
        }
    }

    @Test func `pieces that come together with an error inside the stream are not lost`() async throws {
        let passed = Watched(false)
        var plan = HousePlan()
        plan.openAI = { link, _ in
            try link.send(Wire.streamHead + Wire.chunk(Wire.delta("one")))
            try passed.wait(for: "the caller to read") { $0 ? true : nil }
            try link.send(Wire.chunk(Wire.delta("two") + "data: {\"error\":{\"message\":\"no\"}}\n\n"))
        }
        try await withHouse(plan) { house in
            let caller = try house.caller()
            try caller.send(house.post(Wire.chat(stream: true)))
            try caller.waitFor("one")
            passed.update { $0 = true }
            let answer = try caller.answer()
            #expect(answer.body.hasPrefix(Wire.delta("one") + Wire.delta("two") + "data: {"))
            #expect(!answer.body.contains("[DONE]"))
        }
    }

    @Test func `a provider that stops sending is given up after the idle bound`() async throws {
        var plan = HousePlan()
        plan.path.idle = .milliseconds(500)
        let closed = Watched(false)
        plan.openAI = { link, _ in
            try link.send(Wire.streamHead + Wire.chunk(Wire.delta("one")))
            let saw = link.sawEnd()
            closed.update { $0 = saw }
        }
        try await withHouse(plan) { house in
            let answer = try house.call(Wire.chat(stream: true))
            #expect(answer.body.hasPrefix(Wire.delta("one")) && answer.body.contains("idle timeout"))
            #expect(!answer.body.contains("[DONE]"))
            #expect(try closed.wait(for: "the upstream connection to end") { $0 ? true : nil })
        }
    }

    @Test func `a provider that does not answer is given up and the next one is asked`() async throws {
        var plan = HousePlan()
        plan.path.firstByte = .seconds(2)
        plan.openAI = { link, _ in _ = link.sawEnd() }
        try await withHouse(plan) { house in
            let answer = try house.call(Wire.chat("pair"))
            #expect(answer.status == 200 && answer.header("x-gatehouse-target") == "second/gpt-6-sol")
            #expect(try house.finishes().first?.attempts.map(\.failure) == [.timeoutBeforeFirstByte, nil])
            let alone = try house.call(Wire.chat("openai/gpt-6-luna"))
            #expect(alone.status == 504)
        }
    }

    @Test func `a caller that leaves ends the upstream call, which is settled once with what was used`()
        async throws
    {
        let closed = Watched(false)
        var plan = HousePlan()
        plan.anthropic = { link, _ in
            try link.send(
                Wire.streamHead + Wire.chunk(Wire.messageStart + Wire.blockStart + Wire.textDelta("12345678"))
            )
            let saw = link.sawEnd()
            closed.update { $0 = saw }
        }
        try await withHouse(plan) { house in
            let caller = try house.caller()
            try caller.send(house.post(at: "/v1/messages", Wire.messages(stream: true)))
            try caller.waitFor("12345678")
            caller.leave()
            #expect(try closed.wait(for: "the upstream connection to end") { $0 ? true : nil })
            let rows = try house.rows(1)
            #expect(rows.count == 1)
            let row = try #require(rows.first)
            #expect(row.end == .cancelled && row.status == 499 && row.failure == .cancelled)
            #expect(row.usage == Usage(input: 11, cacheRead: 3, output: 2) && row.usageSource == .estimated)
            #expect((row.cost ?? .zero) > .zero)
            let finishes = try house.finishes()
            #expect(finishes.count == 1 && finishes.first?.attempts.map(\.failure) == [.cancelled])
            #expect(
                house.engine.parts.breakers.states(at: house.clock.now).allSatisfy { $0.window.failures == 0 }
            )
        }
    }

    @Test func `a caller that leaves before the answer is metered for its input, as an estimate`()
        async throws
    {
        var plan = HousePlan()
        plan.openAI = { link, _ in _ = link.sawEnd() }
        try await withHouse(plan) { house in
            let caller = try house.caller()
            try caller.send(house.post(Wire.chat()))
            _ = try house.openAI.request()
            caller.leave()
            let row = try #require(try house.rows(1).first)
            #expect(row.end == .cancelled && row.usageSource == .estimated)
            #expect(row.usage.input > 0 && row.usage.output == 0)
        }
    }

    @Test func `requests that waited behind a call that its caller left are not carried out`() async throws {
        var plan = HousePlan()
        plan.openAI = { link, _ in _ = link.sawEnd() }
        try await withHouse(plan) { house in
            let caller = try house.caller()
            try caller.send(house.post(Wire.chat()) + house.post(Wire.chat("second/gpt-6-sol")))
            _ = try house.openAI.request()
            caller.leave()
            #expect(try house.rows(1).count == 1)
            #expect(house.second.requests.isEmpty)
        }
    }

    @Test func `a slow caller stops the upstream, bounded, and then gets every byte`() async throws {
        let events = 3_000
        let filler = String(repeating: "z", count: 8_000)
        let total = events * Wire.delta("00000" + filler).utf8.count
        let state = Watched((sent: 0, stalled: false, mayGoOn: false))
        var plan = HousePlan()
        plan.openAI = { link, _ in
            link.set(SOL_SOCKET, SO_SNDBUF, 64 << 10)
            try link.send(Wire.streamHead)
            for event in 0..<events {
                let content = String(String(100_000 + event).dropFirst()) + filler
                if !link.isWritable(within: 700) {
                    state.update { $0.stalled = true }
                    try state.wait(for: "the caller to read", seconds: 40) { $0.mayGoOn ? true : nil }
                }
                let piece = Wire.chunk(Wire.delta(content))
                try link.send(piece)
                state.update { $0.sent += piece.utf8.count }
            }
            try link.send(Wire.chunk(Wire.lastDelta + Wire.done) + Wire.streamEnd)
        }
        try await withHouse(plan) { house in
            let caller = try house.caller(buffers: 32 << 10)
            try caller.send(house.post(Wire.chat(stream: true), headers: "x-gatehouse-cache: off\r\n"))
            let taken = try state.wait(for: "the upstream to stall", seconds: 40) {
                $0.stalled ? $0.sent : nil
            }
            #expect(taken < total / 2, "\(taken) of \(total) bytes were taken from the upstream")
            #expect(try house.finishes().isEmpty)
            state.update { $0.mayGoOn = true }
            let answer = try caller.answer()
            #expect(
                answer.isWhole && answer.body.utf8.count == total + (Wire.lastDelta + Wire.done).utf8.count)
            var place = answer.body.utf8.startIndex
            for event in 0..<events {
                let wanted = Wire.delta(String(String(100_000 + event).dropFirst()))
                let head = wanted.prefix(wanted.count - 30)
                guard answer.body.utf8[place...].starts(with: head.utf8) else {
                    Issue.record("event \(event) is not in its place")
                    break
                }
                place = answer.body.utf8.index(place, offsetBy: total / events)
            }
            #expect(try house.rows(1).first?.end == .answered)
        }
    }
}
