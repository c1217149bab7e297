import Domain
import Engine
import Events
import Routing
import TestTraits
import Testing

/// A second attempt beside a slow one, over real connections.
@Suite(.serialized, .ownThread) struct HedgeTests {
    private static let patience = Duration.milliseconds(80)

    /// Counts connections that the gateway closed while their script held them.
    private final class Holding: Sendable {
        private let ended = Watched(0)

        /// Holds the request until the gateway closes the connection.
        func hold(_ link: Socket) { if link.sawEnd() { ended.update { $0 += 1 } } }

        func waitForEnd(of count: Int = 1) throws {
            try ended.wait(for: "\(count) closed connections") { $0 >= count ? () : nil }
        }
    }

    private func plan() -> HousePlan {
        var plan = HousePlan()
        plan.hedgeAfter = Self.patience
        return plan
    }

    private func expectNoFault(_ house: House, sourceLocation: SourceLocation = #_sourceLocation) throws {
        for provider in ["openai", "second"] {
            let status = house.engine.parts.breakers.status(
                of: try Target("\(provider)/gpt-6-sol"), at: house.clock.now)
            #expect(status.window.failures == 0, sourceLocation: sourceLocation)
        }
        #expect(
            house.engine.parts.credentials.states(at: house.clock.now).isEmpty,
            sourceLocation: sourceLocation)
    }

    private func expectIdle(_ house: House, sourceLocation: SourceLocation = #_sourceLocation) {
        #expect(house.engine.parts.gates.load.running == 0, sourceLocation: sourceLocation)
        #expect(house.engine.parts.gauges.running == 0, sourceLocation: sourceLocation)
    }

    @Test func `a fast second target answers for a slow first one, which is cut off and blamed for nothing`()
        async throws
    {
        let holding = Holding()
        var plan = plan()
        plan.openAI = { link, _ in holding.hold(link) }
        try await withHouse(plan) { house in
            let answer = try house.call(Wire.chat("pair"))
            #expect(answer.status == 200 && answer.body == Wire.chatBody)
            #expect(answer.header("x-gatehouse-target") == "second/gpt-6-sol")
            #expect(answer.header("x-gatehouse-attempts") == "2")
            try holding.waitForEnd()
            let finish = try #require(try house.finishes().first)
            #expect(finish.attempts.map(\.failure) == [.cancelled, nil])
            #expect(finish.row.usageSource == .estimated)
            #expect(finish.row.usage.output == Wire.chatUsage.output)
            #expect(finish.row.usage.input > Wire.chatUsage.input, "the slow one's input is not counted")
            try expectNoFault(house)
            expectIdle(house)
        }
    }

    @Test func `a first target that answers in time is the only one asked`() async throws {
        var plan = plan()
        plan.hedgeAfter = .seconds(60)
        try await withHouse(plan) { house in
            let answer = try house.call(Wire.chat("pair"))
            #expect(answer.status == 200 && answer.header("x-gatehouse-attempts") == "1")
            #expect(house.second.requests.isEmpty)
            #expect(try house.rows(1).first?.usageSource == .reported)
        }
    }

    @Test func `a first target that answers after all wins over its hedge`() async throws {
        let holding = Holding()
        let hedged = Watched(false)
        var plan = plan()
        plan.openAI = { link, _ in
            try hedged.wait(for: "the hedge") { $0 ? () : nil }
            try link.send(Wire.chatAnswer)
        }
        plan.second = { link, _ in
            hedged.update { $0 = true }
            holding.hold(link)
        }
        try await withHouse(plan) { house in
            let answer = try house.call(Wire.chat("pair"))
            #expect(answer.status == 200 && answer.header("x-gatehouse-target") == "openai/gpt-6-sol")
            #expect(answer.header("x-gatehouse-attempts") == "2")
            try holding.waitForEnd()
            let finish = try #require(try house.finishes().first)
            #expect(finish.attempts.map(\.target.provider.text) == ["openai", "second"])
            #expect(finish.attempts.map(\.failure) == [nil, .cancelled])
            try expectNoFault(house)
            expectIdle(house)
        }
    }

    @Test(arguments: [true, false])
    func `when one fails the other goes on`(firstFails: Bool) async throws {
        let failed = Watched(false)
        let hedged = Watched(false)
        let fault = Wire.counted(
            #"{"error":{"message":"no","type":"server_error","param":null,"code":null}}"#,
            status: "500 Internal Server Error", headers: "connection: close\r\n")
        let good: RawUpstream.Script = { link, _ in
            hedged.update { $0 = true }
            try failed.wait(for: "the other's failure") { $0 ? () : nil }
            try link.send(Wire.chatAnswer)
        }
        let bad: RawUpstream.Script = { link, _ in
            if firstFails { try hedged.wait(for: "the hedge") { $0 ? () : nil } }
            try link.send(fault)
            // The gateway closes once it has read the failure.
            _ = link.sawEnd()
            failed.update { $0 = true }
        }
        var plan = plan()
        (plan.openAI, plan.second) = firstFails ? (bad, good) : (good, bad)
        try await withHouse(plan) { house in
            let answer = try house.call(Wire.chat("pair"))
            let winner = firstFails ? "second" : "openai"
            #expect(answer.status == 200 && answer.header("x-gatehouse-target") == "\(winner)/gpt-6-sol")
            let finish = try #require(try house.finishes().first)
            #expect(
                finish.attempts.map(\.failure)
                    == (firstFails ? [.providerFault, nil] : [nil, .providerFault]))
            #expect(finish.row.usage == Wire.chatUsage && finish.row.usageSource == .reported)
            #expect(house.openAI.requests.count == 1 && house.second.requests.count == 1)
            expectIdle(house)
        }
    }

    @Test func `when both fail the caller is told the last failure`() async throws {
        let hedged = Watched(false)
        var plan = plan()
        plan.openAI = { link, _ in
            try hedged.wait(for: "the hedge") { $0 ? () : nil }
            try link.send(
                Wire.failure("401 Unauthorized", type: "invalid_request_error", code: "invalid_api_key"))
        }
        plan.second = { link, _ in
            hedged.update { $0 = true }
            try link.send(
                Wire.failure("401 Unauthorized", type: "invalid_request_error", code: "invalid_api_key"))
        }
        try await withHouse(plan) { house in
            let answer = try house.call(Wire.chat("pair"))
            #expect(answer.status == 424 && answer.header("x-gatehouse-attempts") == "2")
            let finish = try #require(try house.finishes().first)
            #expect(finish.attempts.map(\.failure) == [.badKey, .badKey])
            #expect(finish.row.usage == Usage())
            expectIdle(house)
        }
    }

    @Test func `a stream that brings nothing but preliminaries is overtaken`() async throws {
        let holding = Holding()
        var plan = plan()
        plan.openAI = { link, _ in
            let opening =
                #"data: {"id":"c1","choices":[{"index":0,"delta":{"role":"assistant","content":""}}]}"#
                + "\n\n"
            try link.send(Wire.streamHead + Wire.chunk(": wait\n\n" + opening))
            holding.hold(link)
        }
        let events = Wire.delta("hi") + Wire.lastDelta + Wire.usageChunk + Wire.done
        plan.second = { link, _ in
            try link.send(Wire.streamHead + Wire.chunk(events) + Wire.streamEnd)
        }
        try await withHouse(plan) { house in
            let answer = try house.call(Wire.chat("pair", stream: true))
            #expect(answer.isWhole && answer.body == Wire.delta("hi") + Wire.lastDelta + Wire.done)
            #expect(answer.header("x-gatehouse-target") == "second/gpt-6-sol")
            #expect(answer.header("x-gatehouse-attempts") == "2")
            try holding.waitForEnd()
            #expect(try house.finishes().first?.attempts.map(\.failure) == [.cancelled, nil])
            try expectNoFault(house)
            expectIdle(house)
        }
    }

    @Test func `a stream that has begun is hedged no more, and a cut of it is a cut`() async throws {
        var plan = plan()
        // Long enough for the first piece on a busy machine.
        plan.hedgeAfter = .seconds(2)
        plan.openAI = { link, _ in
            try link.send(Wire.streamHead + Wire.chunk(Wire.delta("hi")))
            // Longer than the route is patient.
            _ = link.isReadable(within: 3_000)
            link.close()
        }
        try await withHouse(plan) { house in
            let answer = try house.call(Wire.chat("pair", stream: true))
            #expect(answer.body.hasPrefix(Wire.delta("hi")) && answer.body.contains("upstream_cut"))
            #expect(house.second.requests.isEmpty)
            #expect(try house.finishes().first?.attempts.map(\.failure) == [.brokeAfterContent])
            expectIdle(house)
        }
    }

    @Test func `a caller who hangs up ends both attempts`() async throws {
        let holding = Holding()
        var plan = plan()
        plan.openAI = { link, _ in holding.hold(link) }
        plan.second = { link, _ in holding.hold(link) }
        try await withHouse(plan) { house in
            let caller = try house.caller()
            try caller.send(house.post(Wire.chat("pair")))
            _ = try house.second.request()
            caller.leave()
            try holding.waitForEnd(of: 2)
            let row = try #require(try house.rows(1).first)
            #expect(row.end == .cancelled && row.attempts == 2 && row.usageSource == .estimated)
            #expect(row.usage.input > 0 && row.usage.input % 2 == 0, "the input is not counted twice")
            try expectNoFault(house)
            expectIdle(house)
        }
    }

    @Test func `the call's own time ends both attempts`() async throws {
        let holding = Holding()
        var plan = plan()
        plan.openAI = { link, _ in holding.hold(link) }
        plan.second = { link, _ in holding.hold(link) }
        try await withHouse(plan) { house in
            let answer = try house.call(Wire.chat("pair"), headers: "x-gatehouse-timeout: 600ms\r\n")
            #expect(answer.status == 504 && answer.body.contains("deadline_exceeded"))
            try holding.waitForEnd(of: 2)
            #expect(try house.finishes().first?.attempts.map(\.failure) == [.cancelled, .cancelled])
            try expectNoFault(house)
            expectIdle(house)
        }
    }

    @Test func `a shutdown ends both attempts`() async throws {
        let holding = Holding()
        var plan = plan()
        plan.openAI = { link, _ in holding.hold(link) }
        plan.second = { link, _ in holding.hold(link) }
        let house = try await House(plan)
        let caller = try house.caller()
        try caller.send(house.post(Wire.chat("pair")))
        _ = try house.second.request()
        await house.close()
        try holding.waitForEnd(of: 2)
        expectIdle(house)
    }

    @Test func `a route of one target asks it once more with another key`() async throws {
        let holding = Holding()
        var plan = plan()
        plan.keys = [House.otherOpenAIKey, House.openAIKey]
        plan.openAI = { link, request in
            guard request.header("authorization") == "Bearer \(House.openAIKey)" else {
                return try link.send(Wire.chatAnswer)
            }
            holding.hold(link)
        }
        try await withHouse(plan) { house in
            let answer = try house.call(Wire.chat("solo"))
            #expect(answer.status == 200 && answer.header("x-gatehouse-attempts") == "2")
            try holding.waitForEnd()
            let keys = house.openAI.requests.compactMap { $0.header("authorization") }
            #expect(keys == ["Bearer \(House.openAIKey)", "Bearer \(House.otherOpenAIKey)"])
            expectIdle(house)
        }
    }

    @Test func `a route of one target and one key is never hedged`() async throws {
        let seen = Watched(false)
        var plan = plan()
        plan.openAI = { link, _ in
            // Nothing may come while we wait, over this connection or another.
            _ = link.isReadable(within: 300)
            seen.update { $0 = true }
            try link.send(Wire.chatAnswer)
        }
        try await withHouse(plan) { house in
            let answer = try house.call(Wire.chat("solo"))
            #expect(answer.status == 200 && answer.header("x-gatehouse-attempts") == "1")
            #expect(house.openAI.requests.count == 1 && seen.read { $0 })
        }
    }

    @Test func `one hedge is all that a call gets`() async throws {
        let holding = Holding()
        var plan = plan()
        plan.keys = [House.otherOpenAIKey, House.openAIKey]
        plan.openAI = { link, _ in holding.hold(link) }
        plan.second = { link, _ in
            _ = link.isReadable(within: 400)
            try link.send(Wire.chatAnswer)
        }
        try await withHouse(plan) { house in
            let answer = try house.call(Wire.chat("pair"))
            #expect(answer.status == 200 && answer.header("x-gatehouse-attempts") == "2")
            #expect(house.openAI.requests.count == 1 && house.second.requests.count == 1)
            try holding.waitForEnd()
        }
    }
}
