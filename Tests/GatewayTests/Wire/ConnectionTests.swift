import Domain
import Gateway
import TestKit
import TestTraits
import Testing

/// Connections that send slowly, do not read, or are too many: each costs little and ends.
@Suite(.serialized, .ownThread) struct ConnectionTests {
    /// The status that a connection of its own is answered; 0 where there was no place for it.
    private func knock(_ house: House) throws -> Int {
        let caller = try house.caller()
        caller.sendAsFarAsTaken(Array(house.get("/health/live").utf8))
        return (try? caller.answer().status) ?? 0
    }

    @Test func `a connection that sends nothing, or half a request, is closed`() async throws {
        var plan = HousePlan()
        plan.gateway.idleSeconds = 1
        try await withHouse(plan) { house in
            let request = house.post(Wire.chat())
            for part in ["", "POST /v1/chat/comp", String(request.dropLast(10))] {
                let caller = try house.caller()
                try caller.send(part)
                #expect(try caller.sawEnd())
            }
            #expect(house.openAI.requests.isEmpty)
        }
    }

    @Test func `a body that trickles in is not waited for without end`() async throws {
        var plan = HousePlan()
        plan.gateway.idleSeconds = 1
        plan.gateway.bodySeconds = 1
        try await withHouse(plan) { house in
            let caller = try house.caller()
            let request = house.post(Wire.chat() + String(repeating: " ", count: 10_000))
            try caller.send(String(request.prefix(300)))
            #expect(caller.trickle(most: 1_200), "still open after a minute")
            #expect(house.openAI.requests.isEmpty)
        }
    }

    @Test func `a body that comes in odd pieces is taken to its last byte, and so is what follows it`()
        async throws
    {
        try await withHouse { house in
            let caller = try house.caller()
            let request = Array(
                house.post(
                    Wire.chat() + String(repeating: " ", count: 10_000), headers: "x-gatehouse-cache: off\r\n"
                ).utf8)
            let head = try #require(request.firstRange(of: Array("\r\n\r\n".utf8))).upperBound
            let last = request.count - 1
            for cuts in [
                [head], [head + 1, last], [head + 2_049, head + 4_096, last - 1, last], [40, last],
            ] {
                for (from, to) in zip([0] + cuts, cuts + [request.count]) {
                    try caller.send(Array(request[from..<to]))
                    // So that the gateway sees each piece by itself.
                    #expect(to == request.count || caller.isSilent(for: 20))
                }
                #expect(try caller.answer().status == 200)
                try caller.send("G")
                #expect(caller.isSilent(for: 20))
                try caller.send(String(house.get("/health/live").dropFirst()))
                #expect(try caller.answer().status == 200)
            }
            #expect(house.openAI.requests.count == 4)
            #expect(Set(house.openAI.requests.map(\.body)).count == 1)
        }
    }

    @Test func `a caller that leaves in the middle of a body is let go`() async throws {
        var plan = HousePlan()
        plan.gateway.connectionsMax = 1
        try await withHouse(plan) { house in
            let caller = try house.caller()
            try caller.send(
                String(house.post(Wire.chat() + String(repeating: " ", count: 10_000)).prefix(600)))
            #expect(caller.isSilent(for: 20))
            caller.leave()
            // Its place is free once the gateway has heard of it, long before the connection would be idle.
            let end = ContinuousClock.now + .seconds(patience)
            var status = 0
            while status == 0, ContinuousClock.now < end {
                status = try knock(house)
            }
            #expect(status == 200)
        }
    }

    @Test func `large bodies of one tenant take their share of the memory and no more`() async throws {
        var plan = HousePlan()
        plan.gateway.tenantBodiesBytesMax = 1 << 20
        try await withHouse(plan) { house in
            let body = Wire.chat(more: #","user":"\#(String(repeating: "u", count: 399_000))""#)
            let request = Array(house.post(body).utf8)
            let callers = try (0..<4).map { _ in try house.caller() }
            for caller in callers { try caller.send(Array(request.prefix(300_000))) }
            // Three have room; whichever came last has not.
            let last = ContinuousClock.now + .seconds(patience)
            var refused: RawCaller?
            while refused == nil, ContinuousClock.now < last {
                refused = callers.first { !$0.isSilent(for: 10) }
            }
            let answer = try #require(refused).answer()
            #expect(answer.status == 503 && answer.body.contains("this tenant's large request bodies"))
            #expect(answer.header("retry-after") == "1")
            #expect(try house.call(body, token: house.otherToken).status == 200)
            for caller in callers where caller !== refused {
                try caller.send(Array(request.dropFirst(300_000)))
                #expect(try caller.answer().status == 200)
            }
            // The room came back with the calls' ends.
            for _ in 0..<4 { #expect(try house.call(body).status == 200) }
        }
    }

    @Test func `one connection more than may be is closed, and room comes back`() async throws {
        var plan = HousePlan()
        plan.gateway.connectionsMax = 2
        try await withHouse(plan) { house in
            let callers = [try house.caller(), try house.caller()]
            for caller in callers {
                try caller.send(house.get("/health/live"))
                #expect(try caller.answer().status == 200)
            }
            #expect(try house.caller().sawEnd())
            callers[0].leave()
            // The gateway has heard of the leaving by the time it answers the other one, or some tries later.
            var status = 0
            let last = ContinuousClock.now + .seconds(patience)
            while status == 0, ContinuousClock.now < last {
                try callers[1].send(house.get("/health/live"))
                _ = try callers[1].answer()
                status = try knock(house)
            }
            #expect(status == 200)
        }
    }

    @Test func `a caller that asks and does not read is not read from either, and then gets every answer`()
        async throws
    {
        try await withHouse { house in
            let caller = try house.caller(buffers: 32 << 10)
            let most = 20_000
            let sent = try caller.sendUntilStalled(house.get("/v1/models"), most: most)
            #expect(sent < most, "\(sent) requests were taken without an answer being read")
            let first = try caller.answer()
            #expect(first.status == 200)
            for _ in 1..<sent { #expect(try caller.answer().body == first.body) }
            try caller.send(house.get("/health/live"))
            #expect(try caller.answer().body == #"{"status":"live"}"#)
        }
    }

    @Test func `a call that its caller did not read is not taken from the provider as a whole`() async throws
    {
        let body = Wire.chatBody.replacing("hi there", with: String(repeating: "y", count: 24 << 20))
        let state = Watched((sent: 0, stalled: false))
        var plan = HousePlan()
        plan.openAI = { link, _ in
            let bytes = Array(Wire.counted(body).utf8)
            for start in stride(from: 0, to: bytes.count, by: 64 << 10) {
                if !link.isWritable(within: 500) { state.update { $0.stalled = true } }
                let piece = bytes[start..<min(start + 64 << 10, bytes.count)]
                try link.send(Array(piece))
                state.update { $0.sent += piece.count }
            }
        }
        try await withHouse(plan) { house in
            let caller = try house.caller(buffers: 32 << 10)
            try caller.send(house.post(Wire.chat()))
            let taken = try state.wait(for: "the upstream to stall") { $0.stalled ? $0.sent : nil }
            #expect(taken < body.utf8.count * 3 / 4, "\(taken) bytes were taken")
            let answer = try caller.answer()
            #expect(answer.isWhole && answer.body == body)
            #expect(try house.rows(1).first?.usage == Wire.chatUsage)
        }
    }
}
