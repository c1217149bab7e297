import Domain
import Engine
import Operations
import Routing
import TestTraits
import Testing

/// Calls while the vault is locked.
@Suite(.serialized, .ownThread) struct LockTests {
    @Test func `a call let in before the vault was locked gets no other key, and blames none`() async throws {
        var plan = HousePlan()
        let asked = Watched(false)
        let isLocked = Watched(false)
        // The first provider fails once the vault is locked; the call would go on with the second one's key.
        plan.openAI = { link, _ in
            asked.update { $0 = true }
            try isLocked.wait(for: "the lock") { $0 ? true : nil }
            try link.send(Wire.counted("{}", status: "500 Fault"))
        }
        try await withHouse(plan) { house in
            let caller = try house.caller()
            try caller.send(house.post(Wire.chat("pair")))
            try asked.wait(for: "the call at the first provider") { $0 ? true : nil }
            try await house.give(.vaultLock(reason: "now"))
            isLocked.update { $0 = true }
            #expect(try caller.answer().status == 502)
            #expect(house.second.requests.isEmpty)
            let marks = house.engine.parts.credentials.states(at: house.clock.now)
            #expect(marks.allSatisfy { $0.mark == .ok }, "\(marks)")
            let next = try house.call(Wire.chat("pair"))
            #expect(next.status == 503 && next.body.contains("the vault is sealed"))
        }
    }
}
