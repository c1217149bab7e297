import Domain
import Routing
import Testing

/// A breaker under random calls, results, outages and holds, judged by rules that do not look inside it.
@Suite struct BreakerPropertyTests {
    /// What the test knows without the breaker's help.
    private struct World {
        var generator: SplitMix
        var breaker: Breaker
        var now = Instant.seconds(0)
        var flying: [(ticket: Breaker.Ticket, probe: Bool, began: Instant)] = []
        var held: (mode: BreakerHold.Mode, ends: Instant)?
        /// The probe that holds the slot.
        var probe: (began: Instant, ticket: Breaker.Ticket)?

        init(seed: UInt64) {
            generator = SplitMix(seed: seed)
            breaker = Breaker(at: .seconds(0))
        }
    }

    private static let kinds = FailureClass.allCases

    @Test(arguments: [1, 20_261, 0xdead_beef] as [UInt64])
    func `it never passes a call while open, never two probes, and moves only as allowed`(seed: UInt64) {
        var world = World(seed: seed)
        for step in 0..<70_000 {
            if let fault = Self.event(in: &world) {
                Issue.record("seed \(seed), event \(step): \(fault)")
                return
            }
        }
    }

    /// One random event; a sentence when a rule was broken.
    private static func event(in world: inout World) -> String? {
        let pause = Int64.random(in: 0...600_000_000, using: &world.generator)
        // Long pauses fall mostly on probes, so that many lose their slot and come back late.
        let rare = world.probe == nil ? 2_000 : 40
        world.now.nanoseconds += Int.random(in: 0..<rare, using: &world.generator) == 0 ? pause * 400 : pause
        if let held = world.held, world.now >= held.ends { world.held = nil }
        let before = (left: world.breaker.position, due: world.breaker.position(at: world.now))
        let change: Breaker.Change
        switch Int.random(in: 0..<1_000, using: &world.generator) {
        case 0: change = putHold(in: &world)
        case 1:
            change = world.breaker.release(at: world.now)
            world.held = nil
        case 2: change = world.breaker.advance(to: world.now)
        case ..<10:
            let wait = Int64.random(in: 0...20, using: &world.generator)
            change = world.breaker.limited(.init(retryAfter: .seconds(wait)), at: world.now)
            if world.held == nil { world.probe = nil }
        case ..<14:
            change = world.breaker.reachable(at: world.now)
            if change == .halfOpened { world.probe = nil }
        case ..<24: change = world.breaker.unreachable(.transport, at: world.now)
        case ..<60: change = confirm(in: &world)
        case ..<520:
            let (fault, moved) = ask(in: &world)
            if let fault { return fault }
            change = moved
        default: change = bringResult(in: &world)
        }
        return faultOfMove(change, from: before, in: world)
    }

    private static func putHold(in world: inout World) -> Breaker.Change {
        let mode = [BreakerHold.Mode.open, .closed, .asIs].randomElement(using: &world.generator) ?? .open
        let seconds = Int64.random(in: 1...120, using: &world.generator)
        let wall = WallTime(milliseconds: 1_000_000)
        world.held = (mode, world.now + .seconds(seconds))
        world.probe = mode == .asIs ? world.probe : nil
        let hold = BreakerHold(
            mode: mode, owner: "mira", reason: "test", since: wall, ends: wall + .seconds(seconds))
        return world.breaker.hold(hold, at: world.now, wall: wall)
    }

    private static func ask(in world: inout World) -> (fault: String?, change: Breaker.Change) {
        let position = world.breaker.position(at: world.now)
        let outlook = world.breaker.outlook(at: world.now)
        let (permit, change) = world.breaker.permit(at: world.now)
        let forced = world.held?.mode
        switch permit {
        case .pass(let ticket):
            guard position == .closed, outlook == .passes, forced != .open else {
                return ("passed while \(position), held \(String(describing: forced))", change)
            }
            world.flying.append((ticket, false, world.now))
        case .probe(let ticket):
            guard position == .halfOpen, outlook == .probes, forced != .open, forced != .closed else {
                return ("probed while \(position), held \(String(describing: forced))", change)
            }
            if let probe = world.probe, world.now < probe.began + .seconds(60) {
                return ("a second probe beside one begun at \(probe.began)", change)
            }
            world.probe = (world.now, ticket)
            world.flying.append((ticket, true, world.now))
        case .refuse(let refusal):
            guard outlook == .refuses(refusal), forced != .closed else {
                return ("refused though free", change)
            }
            if let retryAt = refusal.retryAt, retryAt <= world.now {
                return ("refused until the past", change)
            }
        }
        return (nil, change)
    }

    /// A stream shows its first content; its end comes later.
    private static func confirm(in world: inout World) -> Breaker.Change {
        guard let call = world.flying.randomElement(using: &world.generator) else { return .none }
        if world.probe?.ticket == call.ticket { world.probe = nil }
        return world.breaker.confirm(call.ticket, at: world.now)
    }

    private static func bringResult(in world: inout World) -> Breaker.Change {
        guard !world.flying.isEmpty else { return .none }
        let call = world.flying.remove(at: Int.random(in: 0..<world.flying.count, using: &world.generator))
        // One result in fifty is lost for good.
        if Int.random(in: 0..<50, using: &world.generator) == 0 { return .none }
        if world.probe?.ticket == call.ticket { world.probe = nil }
        // The provider is broken for stretches of five minutes.
        let broken = world.now.nanoseconds / 300_000_000_000 % 2 == 1
        switch Int.random(in: 0..<100, using: &world.generator) {
        case ..<3: return world.breaker.abandoned(call.ticket, at: world.now)
        case ..<5: return world.breaker.gaveUp(call.ticket, after: world.now - call.began, at: world.now)
        case ..<(broken ? 80 : 12):
            let kind = kinds.randomElement(using: &world.generator) ?? .transport
            let wait = Bool.random(using: &world.generator) ? Duration.seconds(3) : nil
            return world.breaker.failed(call.ticket, at: world.now, kind: kind, retryAfter: wait)
        default:
            let first = Duration.seconds(Int64.random(in: 0...(broken ? 200 : 40), using: &world.generator))
            return world.breaker.succeeded(call.ticket, at: world.now, firstContent: first)
        }
    }

    private static func faultOfMove(
        _ change: Breaker.Change, from before: (left: BreakerPosition, due: BreakerPosition), in world: World
    ) -> String? {
        let after = world.breaker.position
        let allowed: Bool =
            switch change {
            // Time may have half-opened it within the same event; a forced opening of that shows as open.
            case .none: after == before.left
            case .opened: after == .open && (before.due != .open || world.held?.mode == .open)
            case .halfOpened: after == .halfOpen && before.left == .open
            case .closed: after == .closed && before.left != .closed
            }
        if !allowed { return "\(change) from \(before) to \(after)" }
        if world.held?.mode == .asIs, after != before.due { return "held as it is, and \(change)" }
        if let held = world.held, held.mode != .asIs {
            let forced: BreakerPosition = held.mode == .open ? .open : .closed
            if after != forced { return "held \(held.mode) but \(after)" }
        }
        if (world.breaker.hold(at: world.now) == nil) != (world.held == nil) {
            return "a hold outlived its end"
        }
        let status = world.breaker.nextProbe(at: world.now)
        if (status == nil) != (world.breaker.position(at: world.now) != .open) {
            return "no next probe while open"
        }
        return nil
    }

    @Test func `the window counts what a plain list of the last calls counts`() {
        let seed: UInt64 = 4_711
        var generator = SplitMix(seed: seed)
        var window = FailureWindow(span: .seconds(30), at: .seconds(0))
        var list: [(second: Int64, failed: Bool, slow: Bool)] = []
        var now = Instant.seconds(0)
        for step in 0..<20_000 {
            let long = Int.random(in: 0..<200, using: &generator) == 0
            now.nanoseconds += Int64.random(in: 0...(long ? 50_000_000_000 : 300_000_000), using: &generator)
            let failed = Bool.random(using: &generator)
            let slow = !failed && Bool.random(using: &generator)
            window.record(failed ? .serverError : slow ? .slow : .answered, at: now)
            let second = now.nanoseconds / 1_000_000_000
            list.append((second, failed, slow))
            list.removeAll { $0.second <= second - 30 }
            let counts = window.counts(at: now)
            guard counts.calls == list.count, counts.failures == list.count(where: \.failed),
                counts.slow == list.count(where: \.slow)
            else {
                Issue.record("seed \(seed), call \(step): \(counts) instead of \(list.count) calls")
                return
            }
        }
    }
}
