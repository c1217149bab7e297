import Domain
import Routing
import Testing

/// After any outage a breaker closes within a bounded time, whatever was lost, slow, limited or held before.
@Suite struct BreakerRecoveryTests {
    private struct World {
        var generator: SplitMix
        var breaker = Breaker(at: .seconds(0))
        var now = Instant.seconds(0)
        var streams: [Breaker.Ticket] = []

        init(seed: UInt64) { generator = SplitMix(seed: seed) }

        mutating func ticket() -> Breaker.Ticket? {
            switch breaker.permit(at: now).permit {
            case .pass(let ticket), .probe(let ticket): ticket
            case .refuse: nil
            }
        }

        mutating func chance(_ percent: Int) -> Bool { Int.random(in: 0..<100, using: &generator) < percent }
    }

    /// One moment of an outage: failures, slow answers, broken streams, lost reports, rate limits, holds.
    private static func suffer(_ world: inout World) {
        world.now.nanoseconds += Int64.random(in: 0...3_000_000_000, using: &world.generator)
        if world.chance(2) {
            let wait = Int64.random(in: 0...30, using: &world.generator)
            _ = world.breaker.limited(.init(retryAfter: .seconds(wait)), at: world.now)
        }
        if world.chance(1) {
            let mode =
                [BreakerHold.Mode.open, .closed, .asIs].randomElement(using: &world.generator) ?? .open
            let order = BreakerHold(
                mode: mode, owner: "mira", reason: "test", since: .seconds(0), ends: .seconds(60))
            _ = world.breaker.hold(order, at: world.now, wall: .seconds(0))
        }
        if !world.streams.isEmpty, world.chance(30) {
            _ = world.breaker.failed(world.streams.removeFirst(), at: world.now, kind: .brokeAfterContent)
        }
        guard let ticket = world.ticket() else { return }
        switch Int.random(in: 0..<10, using: &world.generator) {
        case 0: break
        case 1:
            _ = world.breaker.confirm(ticket, at: world.now)
            world.streams.append(ticket)
        case 2: _ = world.breaker.succeeded(ticket, at: world.now, firstContent: .seconds(99))
        case 3: _ = world.breaker.failed(ticket, at: world.now, kind: .badKey)
        default:
            _ = world.breaker.failed(
                ticket, at: world.now, kind: .overloaded, retryAfter: world.chance(20) ? .seconds(9) : nil)
        }
    }

    @Test(arguments: [7, 99, 20_261_124] as [UInt64])
    func `it always recovers when the provider does`(seed: UInt64) {
        for round in 0..<300 {
            var world = World(seed: seed &+ UInt64(round))
            for _ in 0..<Int.random(in: 10...400, using: &world.generator) { Self.suffer(&world) }
            let healed = world.now
            // The longest opening, a hold's end, a probe lost before: then one of ten probes is lost still.
            var limit = healed + .seconds(120 + 60 + 60 + 5)
            while world.breaker.position(at: world.now) != .closed || world.breaker.hold(at: world.now) != nil
            {
                world.now.nanoseconds += 500_000_000
                guard world.now < limit else {
                    Issue.record(
                        "seed \(seed), round \(round): still \(world.breaker.why(at: world.now))")
                    return
                }
                guard let ticket = world.ticket() else { continue }
                if world.chance(10) {
                    limit = limit + .seconds(60)
                } else if world.chance(50) {
                    _ = world.breaker.confirm(ticket, at: world.now)
                } else {
                    _ = world.breaker.succeeded(ticket, at: world.now, firstContent: .seconds(2))
                }
            }
        }
    }

    @Test func `a target whose probes are all lost goes on being probed once a minute`() {
        var breaker = Breaker(at: .seconds(0))
        for _ in 1...5 {
            guard case .pass(let ticket) = breaker.permit(at: .seconds(0)).permit else { continue }
            _ = breaker.failed(ticket, at: .seconds(0), kind: .transport)
        }
        var probes: [Int] = []
        for second in 0..<3_600 {
            if case .probe = breaker.permit(at: .seconds(Double(second))).permit { probes.append(second) }
        }
        #expect(probes == Array(stride(from: 10, to: 3_600, by: 60)))
    }

    @Test(arguments: [1, 5, 2_000])
    func `connect failures alone trip it, at the fifth in a row, however many good calls came before`(
        good: Int
    ) {
        var breaker = Breaker(at: .seconds(0))
        for _ in 0..<good {
            guard case .pass(let ticket) = breaker.permit(at: .seconds(1)).permit else { continue }
            #expect(breaker.succeeded(ticket, at: .seconds(1), firstContent: .seconds(1)) == .none)
        }
        for count in 1...5 {
            guard case .pass(let ticket) = breaker.permit(at: .seconds(2)).permit else {
                Issue.record("refused before the fifth")
                return
            }
            let change = breaker.failed(ticket, at: .seconds(2), kind: .transport)
            #expect(change == (count == 5 ? .opened : .none))
        }
        #expect(
            breaker.why(at: .seconds(2))
                == "5 attempts in a row without an answer, last transport (trip at 5); probe in 10s; needs 3 ok"
        )
    }
}
