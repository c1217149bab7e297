import Domain
import Gateway
import TestTraits
import Testing

/// Callers that come back at once, whatever they are told.
@Suite(.serialized, .ownThread) struct RefusalPauseTests {
    /// One call a minute for `acme`, none refused for `beta`.
    private func plan(pause: Duration) -> HousePlan {
        var plan = HousePlan()
        plan.limits = LimitSet(requestsPerMinute: 1)
        plan.gateway.refusalPause = pause
        // However slow the machine is, a caller here comes back at once.
        plan.gateway.refusalRest = .seconds(3_600)
        return plan
    }

    @Test func `a second refusal in a row waits, and nobody else's answer does`() async throws {
        // Longer than anything waits here: what comes has not been made to wait.
        try await withHouse(plan(pause: .seconds(3_600))) { house in
            let caller = try house.caller()
            let own = house.post(Wire.chat())
            for status in [200, 429] {
                try caller.send(own)
                #expect(try caller.answer().status == status)
            }
            try caller.send(own)
            #expect(caller.isSilent(for: 200))
            #expect(try house.call(Wire.chat()).status == 429, "the first one on a connection of its own")
            #expect(try house.call(Wire.chat(), token: house.otherToken).status == 200)
            #expect(caller.isSilent(for: 0))
            // One that goes leaves nothing behind: the house ends.
            caller.leave()
        }
    }

    @Test func `whoever is answered in between is refused at once`() async throws {
        try await withHouse(plan(pause: .seconds(3_600))) { house in
            let caller = try house.caller()
            #expect(try house.call(Wire.chat()).status == 200)
            for _ in 0..<3 {
                try caller.send(house.post(Wire.chat()))
                #expect(try caller.answer().status == 429)
                try caller.send(house.post(Wire.chat(), token: house.otherToken))
                #expect(try caller.answer().status == 200)
            }
        }
    }

    @Test func `what was sent behind a refusal that waits is answered behind it`() async throws {
        try await withHouse(plan(pause: .milliseconds(30))) { house in
            let caller = try house.caller()
            let (own, other) = (
                house.post(Wire.chat()), house.post(Wire.chat(), token: house.otherToken)
            )
            let stranger = house.post(Wire.chat(), token: "gth_nobody")
            try caller.send(own + own + own + stranger + other + own)
            for status in [200, 429, 429, 401, 200, 429] {
                let answer = try caller.answer()
                #expect(answer.status == status && answer.isWhole)
            }
        }
    }

    @Test func `a fault behind a refusal that waits is told after it`() async throws {
        try await withHouse(plan(pause: .milliseconds(30))) { house in
            let caller = try house.caller()
            let stranger = house.post(Wire.chat(), token: "gth_nobody")
            try caller.send(stranger + stranger + "no HTTP at all\r\n\r\n")
            for status in [401, 401, 400] { #expect(try caller.answer().status == status) }
            #expect(try caller.sawEnd())
        }
    }
}
