import Domain
import Routing
import Testing

@Suite struct ConcurrencyGateTests {
    private static func options(_ first: Int, queue: Int = 4) -> ConcurrencyGate.Options {
        var options = ConcurrencyGate.Options()
        options.first = first
        options.queueMost = queue
        return options
    }

    private func queued(
        _ gate: inout ConcurrencyGate, _ callClass: CallClass
    ) throws -> ConcurrencyGate.Ticket {
        let ticket = gate.queue(callClass, at: .seconds(0))
        return try #require(ticket)
    }

    /// The macro cannot call what changes its receiver.
    private func ask(
        _ gate: inout ConcurrencyGate, _ ticket: ConcurrencyGate.Ticket, _ seconds: Double
    ) -> ConcurrencyGate.Turn { gate.ask(ticket, at: .seconds(seconds)) }

    private func enter(_ gate: inout ConcurrencyGate, _ seconds: Double = 0) -> Bool {
        gate.tryEnter(at: .seconds(seconds))
    }

    private func joins(_ gate: inout ConcurrencyGate, _ callClass: CallClass, _ seconds: Double) -> Bool {
        gate.queue(callClass, at: .seconds(seconds)) != nil
    }

    @Test func `as many run as the ceiling says, and the next one waits its turn`() throws {
        var gate = ConcurrencyGate(options: Self.options(2))
        #expect([enter(&gate), enter(&gate), enter(&gate)] == [true, true, false])
        let ticket = try queued(&gate, .interactive)
        #expect(ask(&gate, ticket, 0.1) == .wait)
        gate.leave(.nothing, at: .seconds(0.2))
        #expect(!enter(&gate), "a newcomer passed one that waits")
        #expect(ask(&gate, ticket, 0.2) == .pass)
        #expect(gate.running == 2 && gate.waiting == 0)
    }

    @Test func `interactive calls go before batch calls, within a class the oldest first`() throws {
        var gate = ConcurrencyGate(options: Self.options(1))
        #expect(enter(&gate))
        let batch = try queued(&gate, .batch)
        let first = try queued(&gate, .interactive)
        let second = try queued(&gate, .interactive)
        gate.leave(.nothing, at: .seconds(0.1))
        #expect(ask(&gate, batch, 0.1) == .wait)
        #expect(ask(&gate, second, 0.1) == .wait)
        #expect(ask(&gate, first, 0.1) == .pass)
    }

    @Test func `a full queue refuses the newest, or the newest batch call for an interactive one`() throws {
        var gate = ConcurrencyGate(options: Self.options(1, queue: 2))
        #expect(enter(&gate))
        let old = try queued(&gate, .batch)
        let new = try queued(&gate, .batch)
        #expect(!joins(&gate, .batch, 0))
        let urgent = try queued(&gate, .interactive)
        #expect(ask(&gate, new, 0.1) == .refused)
        #expect(ask(&gate, old, 0.1) == .wait && ask(&gate, urgent, 0.1) == .wait)
        #expect(joins(&gate, .interactive, 0.1), "a batch call still waits")
        #expect(!joins(&gate, .interactive, 0.1))
    }

    @Test func `nobody waits longer than the bound, and who stops asking loses the place`() throws {
        var gate = ConcurrencyGate(options: Self.options(1))
        #expect(enter(&gate))
        let patient = try queued(&gate, .interactive)
        let gone = try queued(&gate, .interactive)
        for tenth in 1...19 { #expect(ask(&gate, patient, Double(tenth) / 10) == .wait) }
        #expect(gate.waiting == 1, "the silent one still holds a place")
        #expect(ask(&gate, gone, 1.9) == .refused)
        #expect(ask(&gate, patient, 2) == .refused)
    }

    @Test func `the ceiling shrinks by a share at a sign of overload and grows back while it is used`() {
        var gate = ConcurrencyGate(options: Self.options(100))
        for _ in 0..<100 { #expect(enter(&gate)) }
        gate.leave(.overload, at: .seconds(0))
        #expect(gate.ceiling == 70)
        // The others ran at the same time: the same sign.
        gate.leave(.overload, at: .seconds(0.5))
        #expect(gate.ceiling == 70)
        gate.leave(.overload, at: .seconds(1))
        #expect(gate.ceiling == 49)
        for _ in 0..<5_000 { gate.leave(.good, at: .seconds(2)); _ = enter(&gate, 2) }
        #expect(gate.ceiling > 90, "it does not grow back: \(gate.ceiling)")
        var idle = ConcurrencyGate(options: Self.options(100))
        for _ in 0..<1_000 where enter(&idle) { idle.leave(.good, at: .seconds(1)) }
        #expect(idle.ceiling == 100, "an unused ceiling grows")
    }

    @Test func `what was learned in an overload is forgotten while nobody meets the ceiling`() {
        var gate = ConcurrencyGate(options: Self.options(256))
        for _ in 0..<9 { #expect(enter(&gate)) }
        // Down to the least: eight run on.
        for second in 0..<9 { gate.leave(.overload, at: .seconds(Double(second))) }
        #expect(gate.ceiling == 4)
        for _ in 0..<4 { #expect(enter(&gate, 17)) }
        #expect(!enter(&gate, 17.9), "what is nine seconds old is known")
        #expect(!enter(&gate, 27.8) && gate.ceiling == 4, "it was met meanwhile")
        for _ in 0..<4 { #expect(enter(&gate, 38)) }
        #expect(!enter(&gate, 38) && gate.ceiling == 8)
        for _ in 0..<248 { #expect(enter(&gate, 500)) }
        #expect(!enter(&gate, 10_000) && gate.ceiling == 256, "it grows above where it began")
    }

    @Test(arguments: [1 as UInt64, 2, 3])
    func `whatever happens, no more run than the ceiling allowed, and nothing is lost`(seed: UInt64) {
        var gate = ConcurrencyGate(options: Self.options(8, queue: 6))
        var random = SplitMix(seed: seed)
        var running = 0
        var tickets: [ConcurrencyGate.Ticket] = []
        var now = 0.0
        for step in 0..<50_000 {
            now += 0.01 * random.unit()
            let room = gate.ceiling - gate.running
            switch random.next() % 6 {
            case 0:
                if enter(&gate, now) {
                    running += 1
                    // A ceiling that was not met for long has risen.
                    #expect(room > 0 || running <= gate.ceiling, "seed \(seed), step \(step)")
                }
            case 1:
                let callClass = random.next() % 2 == 0 ? CallClass.batch : .interactive
                if let ticket = gate.queue(callClass, at: .seconds(now)) { tickets.append(ticket) }
            case 2, 3:
                guard let ticket = tickets.randomElement(using: &random) else { continue }
                switch gate.ask(ticket, at: .seconds(now)) {
                case .pass:
                    running += 1
                    #expect(room > 0, "seed \(seed), step \(step)")
                    tickets.removeAll { $0 == ticket }
                case .refused: tickets.removeAll { $0 == ticket }
                case .wait: break
                }
            case 4:
                guard running > 0 else { continue }
                running -= 1
                gate.leave(
                    [.good, .overload, .nothing].randomElement(using: &random) ?? .good, at: .seconds(now))
            default:
                guard let ticket = tickets.popLast() else { continue }
                gate.abandon(ticket)
            }
            #expect(
                gate.running == running && gate.waiting <= 6 && gate.ceiling >= 4,
                "seed \(seed), step \(step)")
        }
    }

    @Test func `gates of targets know nothing of each other, and their places are counted`() {
        let gates = ConcurrencyGates(options: Self.options(1))
        let (one, other) = (target("p/one"), target("p/other"))
        #expect(
            gates.tryEnter(one, at: .seconds(0)) && !gates.tryEnter(one, at: .seconds(0))
                && gates.tryEnter(other, at: .seconds(0)))
        #expect(gates.load.running == 2)
        gates.leave(one, .good, at: .seconds(1))
        gates.leave(other, .good, at: .seconds(1))
        #expect(gates.load == (0, 0))
    }
}
