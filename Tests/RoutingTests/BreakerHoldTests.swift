import Domain
import Routing
import Testing

@Suite struct BreakerHoldTests {
    var breaker = Breaker(at: .seconds(0))

    private mutating func put(_ mode: BreakerHold.Mode, from start: Double, to end: Double) -> Breaker.Change
    {
        breaker.hold(
            hold(mode, from: start, to: end), at: .seconds(start), wall: .seconds(start))
    }

    private mutating func trip(at second: Double) {
        for _ in 1...5 {
            guard case .pass(let ticket) = breaker.permit(at: .seconds(second)).permit else { return }
            _ = breaker.failed(ticket, at: .seconds(second), kind: .transport)
        }
    }

    private mutating func passes(at second: Double) -> Bool {
        if case .pass = breaker.permit(at: .seconds(second)).permit { true } else { false }
    }

    @Test mutating func `forced open refuses the next call and goes half-open by itself at its end`() {
        #expect(put(.open, from: 1, to: 901) == .opened)
        #expect(
            breaker.outlook(at: .seconds(1))
                == .refuses(.init(cause: .held, retryAt: .seconds(901))))
        #expect(!passes(at: 900.9))
        #expect(breaker.position(at: .seconds(901)) == .halfOpen)
        #expect(breaker.hold(at: .seconds(901)) == nil)
        let asked = breaker.permit(at: .seconds(1_000))
        #expect(asked.change == .halfOpened)
        #expect(breaker.since == .seconds(901))
        if case .probe = asked.permit {} else { Issue.record("no probe: \(asked.permit)") }
    }

    @Test mutating func `results of calls begun before a forced opening move nothing`() throws {
        guard case .pass(let ticket) = breaker.permit(at: .seconds(0)).permit else { throw Unexpected() }
        _ = put(.open, from: 1, to: 2)
        #expect(breaker.advance(to: .seconds(2)) == .halfOpened)
        #expect(breaker.succeeded(ticket, at: .seconds(3)) == .none)
        #expect(breaker.failed(ticket, at: .seconds(3), kind: .transport) == .none)
        #expect(breaker.position == .halfOpen)
    }

    @Test mutating func `forced closed passes everything and failures do not trip it`() {
        trip(at: 0)
        #expect(put(.closed, from: 1, to: 100) == .closed)
        for _ in 1...50 { trip(at: 2) }
        #expect(passes(at: 3))
        #expect(breaker.advance(to: .seconds(100)) == .none)
        #expect(breaker.hold(at: .seconds(100)) == nil)
        trip(at: 101)
        #expect(breaker.position == .open)
    }

    @Test mutating func `held as it is, open stays open past its time until the hold ends`() {
        trip(at: 0)
        #expect(put(.asIs, from: 1, to: 60) == .none)
        #expect(!passes(at: 59))
        #expect(breaker.nextProbe(at: .seconds(59)) == .seconds(60))
        #expect(breaker.advance(to: .seconds(60)) == .halfOpened)
    }

    @Test mutating func `held as it is, half-open stays so whatever its probes bring`() throws {
        trip(at: 0)
        _ = breaker.advance(to: .seconds(10))
        #expect(put(.asIs, from: 10, to: 60) == .none)
        for step in 0..<20 {
            guard case .probe(let ticket) = breaker.permit(at: .seconds(11)).permit else {
                throw Unexpected()
            }
            let change =
                step % 2 == 0
                ? breaker.succeeded(ticket, at: .seconds(11))
                : breaker.failed(ticket, at: .seconds(11), kind: .providerFault)
            #expect(change == .none)
        }
        #expect(breaker.position == .halfOpen)
    }

    @Test mutating func `releasing a forced opening early asks for proof`() {
        _ = put(.open, from: 0, to: 900)
        #expect(breaker.release(at: .seconds(5)) == .halfOpened)
        #expect(breaker.why(at: .seconds(5)).hasPrefix("was forced open by mira; probing"))
    }

    @Test mutating func `releasing without a hold and a hold already over change nothing`() {
        #expect(breaker.release(at: .seconds(1)) == .none)
        let over = hold(.open, from: 0, to: 5)
        #expect(breaker.hold(over, at: .seconds(9), wall: .seconds(9)) == .none)
        #expect(passes(at: 9))
    }

    @Test mutating func `a hold without a sensible end ends after thirty days`() {
        let endless = BreakerHold(
            mode: .open, owner: "mira", reason: "slip", since: .seconds(0), ends: WallTime(milliseconds: .max)
        )
        #expect(breaker.hold(endless, at: .seconds(0), wall: .seconds(0)) == .opened)
        #expect(breaker.position(at: .seconds(30 * 86_400 - 1)) == .open)
        #expect(breaker.position(at: .seconds(30 * 86_400)) == .halfOpen)
    }

    @Test mutating func `why names the owner, the reason and the time left`() {
        _ = put(.open, from: 0, to: 900)
        #expect(
            breaker.why(at: .seconds(60)) == "forced open by mira (maintenance); half-open in 14m")
        _ = put(.closed, from: 61, to: 961)
        #expect(
            breaker.why(at: .seconds(61))
                == "forced closed by mira (maintenance); free in 15m; "
                + "no calls over 30s (trip at 50%, min 10 calls)")
        _ = put(.asIs, from: 62, to: 65)
        #expect(breaker.why(at: .seconds(62)) == "held closed by mira (maintenance); free in 3s")
    }
}
