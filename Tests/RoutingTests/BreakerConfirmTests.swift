import Domain
import Routing
import Testing

@Suite struct BreakerConfirmTests {
    var breaker = Breaker(at: .seconds(0))

    /// Half-open from second 10 on.
    init() {
        for _ in 1...5 {
            guard case .pass(let ticket) = breaker.permit(at: .seconds(0)).permit else { return }
            _ = breaker.failed(ticket, at: .seconds(0), kind: .transport)
        }
    }

    private mutating func probe(at second: Double) throws -> Breaker.Ticket {
        guard case .probe(let ticket) = breaker.permit(at: .seconds(second)).permit else {
            throw Unexpected()
        }
        return ticket
    }

    @Test mutating func `three probes that show content close it while their streams still run`() throws {
        var streams: [Breaker.Ticket] = []
        for expected in [Breaker.Change.none, .none, .closed] {
            let ticket = try probe(at: 10)
            #expect(breaker.confirm(ticket, at: .seconds(11)) == expected)
            streams.append(ticket)
        }
        for ticket in streams { #expect(breaker.succeeded(ticket, at: .seconds(300)) == .none) }
        #expect(breaker.why(at: .seconds(300)) == "no calls over 30s (trip at 50%, min 10 calls)")
    }

    @Test mutating func `a probe counts once, confirmed twice and reported too`() throws {
        let first = try probe(at: 10)
        #expect(breaker.confirm(first, at: .seconds(11)) == .none)
        #expect(breaker.confirm(first, at: .seconds(11)) == .none)
        #expect(breaker.succeeded(first, at: .seconds(12)) == .none)
        #expect(breaker.succeeded(first, at: .seconds(12)) == .none)
        let second = try probe(at: 12)
        #expect(breaker.succeeded(second, at: .seconds(12)) == .none)
        #expect(breaker.confirm(second, at: .seconds(13)) == .none)
        #expect(breaker.position == .halfOpen)
        #expect(breaker.succeeded(try probe(at: 13), at: .seconds(13)) == .closed)
    }

    @Test mutating func `the report of a confirmed probe does not free the next one's slot`() throws {
        let first = try probe(at: 10)
        _ = breaker.confirm(first, at: .seconds(11))
        _ = try probe(at: 11)
        _ = breaker.abandoned(first, at: .seconds(12))
        _ = breaker.succeeded(first, at: .seconds(12))
        #expect(breaker.outlook(at: .seconds(12)) == .refuses(.init(cause: .probing, retryAt: nil)))
    }

    @Test mutating func `a confirmed probe that breaks off while half-open opens it for longer`() throws {
        let ticket = try probe(at: 10)
        _ = breaker.confirm(ticket, at: .seconds(11))
        #expect(breaker.failed(ticket, at: .seconds(12), kind: .brokeAfterContent) == .opened)
        #expect(breaker.nextProbe(at: .seconds(12)) == .seconds(32))
    }

    @Test mutating func `a confirmed probe that breaks off after closing counts as one failure`() throws {
        let tickets = try (1...3).map { _ in
            let ticket = try probe(at: 10)
            _ = breaker.confirm(ticket, at: .seconds(10))
            return ticket
        }
        #expect(breaker.position == .closed)
        for _ in 1...2 {
            for ticket in tickets {
                #expect(breaker.failed(ticket, at: .seconds(11), kind: .brokeAfterContent) == .none)
            }
        }
        let counts = BreakerStatus(breaker, of: target("p/m"), at: .seconds(11)).window
        #expect(counts.calls == 3 && counts.broken == 3)
    }

    @Test mutating func `a probe whose first content came late proves nothing and gives its slot back`()
        throws
    {
        for second in [10.0, 50, 90, 130] {
            let ticket = try probe(at: second)
            #expect(breaker.confirm(ticket, at: .seconds(second + 31)) == .none)
            #expect(breaker.succeeded(ticket, at: .seconds(second + 35)) == .none)
        }
        #expect(breaker.position == .halfOpen)
        for _ in 1...3 { _ = breaker.confirm(try probe(at: 170), at: .seconds(170)) }
        #expect(breaker.position == .closed)
    }

    @Test mutating func `confirming an ordinary call, or one of an earlier era, moves nothing`() throws {
        var fresh = Breaker(at: .seconds(0))
        guard case .pass(let ticket) = fresh.permit(at: .seconds(0)).permit else { throw Unexpected() }
        #expect(fresh.confirm(ticket, at: .seconds(1)) == .none)
        #expect(BreakerStatus(fresh, of: target("p/m"), at: .seconds(1)).window.calls == 0)
        #expect(fresh.succeeded(ticket, at: .seconds(2)) == .none)
        #expect(BreakerStatus(fresh, of: target("p/m"), at: .seconds(2)).window.calls == 1)

        let early = try probe(at: 10)
        #expect(breaker.failed(early, at: .seconds(11), kind: .transport) == .opened)
        _ = try probe(at: 31)
        #expect(breaker.confirm(early, at: .seconds(32)) == .none)
        #expect(breaker.outlook(at: .seconds(32)) == .refuses(.init(cause: .probing, retryAt: nil)))
    }

    @Test mutating func `held half-open, confirmed probes do not close it`() throws {
        _ = breaker.advance(to: .seconds(10))
        _ = breaker.hold(hold(.asIs, from: 10, to: 60), at: .seconds(10), wall: .seconds(10))
        for _ in 1...40 { #expect(breaker.confirm(try probe(at: 11), at: .seconds(12)) == .none) }
        #expect(breaker.position(at: .seconds(59)) == .halfOpen)
    }
}
