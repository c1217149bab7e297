import Domain
import Routing
import Testing

@Suite struct BreakerTests {
    var breaker = Breaker(at: .seconds(0))

    /// A permit's ticket; nil when refused.
    private mutating func ticket(at second: Double) -> Breaker.Ticket? {
        switch breaker.permit(at: .seconds(second)).permit {
        case .pass(let ticket), .probe(let ticket): ticket
        case .refuse: nil
        }
    }

    @discardableResult
    private mutating func fail(
        _ kind: FailureClass = .providerFault, at second: Double, retryAfter: Duration? = nil
    ) throws -> Breaker.Change {
        breaker.failed(
            try #require(ticket(at: second)), at: .seconds(second), kind: kind, retryAfter: retryAfter)
    }

    @discardableResult
    private mutating func succeed(at second: Double) throws -> Breaker.Change {
        breaker.succeeded(try #require(ticket(at: second)), at: .seconds(second))
    }

    private mutating func trip(at second: Double) throws {
        for _ in 1...4 { try fail(.transport, at: second) }
        #expect(try fail(.transport, at: second) == .opened)
    }

    @Test mutating func `half the calls failing trips it at the tenth call and not before`() throws {
        for _ in 1...5 { try succeed(at: 1) }
        for _ in 1...4 { #expect(try fail(at: 2) == .none) }
        #expect(try fail(at: 3) == .opened)
        #expect(breaker.position == .open)
        #expect(breaker.since == .seconds(3))
    }

    @Test mutating func `just under half of the calls failing never trips it`() throws {
        for second in 0..<300 {
            for _ in 1...51 { try succeed(at: Double(second)) }
            for _ in 1...49 { #expect(try fail(at: Double(second)) == .none) }
        }
    }

    @Test mutating func `failures that left the window do not count`() throws {
        for _ in 1...9 { try fail(at: 0) }
        #expect(try fail(at: 30) == .none)
        for _ in 1...8 { #expect(try fail(at: 30) == .none) }
        #expect(try fail(at: 31) == .opened)
    }

    @Test mutating func `five attempts in a row without an answer trip it, an answer in between does not`()
        throws
    {
        for _ in 1...4 { try fail(.timeoutBeforeFirstByte, at: 1) }
        try succeed(at: 1)
        for _ in 1...4 { #expect(try fail(.transport, at: 2) == .none) }
        #expect(try fail(.timeoutBeforeFirstByte, at: 2) == .opened)
    }

    @Test(arguments: FailureClass.allCases.filter { !$0.rule.countsForBreaker })
    func `what is not the provider's fault counts neither way`(kind: FailureClass) throws {
        var breaker = Breaker(at: .seconds(0))
        for step in 0..<200 {
            guard case .pass(let ticket) = breaker.permit(at: .seconds(Double(step) / 10)).permit else {
                Issue.record("refused after \(step) failures of class \(kind)")
                return
            }
            let change = breaker.failed(ticket, at: .seconds(Double(step) / 10), kind: kind)
            #expect(change == .none)
        }
        #expect(breaker.why(at: .seconds(20)) == "no calls over 30s (trip at 50%, min 10 calls)")
    }

    @Test mutating func `it opens for ten seconds, doubling to two minutes with each bad probe`() throws {
        try trip(at: 0)
        var now = 0.0
        for length in [10.0, 20, 40, 80, 120, 120] {
            #expect(ticket(at: now + length - 0.001) == nil)
            now += length
            #expect(try fail(at: now) == .opened)
        }
    }

    @Test mutating func `after closing the first opening is short again`() throws {
        try trip(at: 0)
        try fail(at: 10)
        for _ in 1...3 { try succeed(at: 30) }
        #expect(breaker.position == .closed)
        try trip(at: 40)
        #expect(breaker.nextProbe(at: .seconds(40)) == .seconds(50))
    }

    @Test mutating func `the longest Retry-After is the floor of an opening, up to its cap`() throws {
        try fail(.overloaded, at: 0, retryAfter: .seconds(45))
        try fail(.overloaded, at: 1, retryAfter: .seconds(5))
        try trip(at: 2)
        #expect(breaker.nextProbe(at: .seconds(2)) == .seconds(45))
        try fail(.overloaded, at: 45, retryAfter: .seconds(86_400))
        #expect(breaker.nextProbe(at: .seconds(45)) == .seconds(45 + 3_600))
    }

    @Test mutating func `half-open lets one probe through at a time and closes after three good ones`() throws
    {
        try trip(at: 0)
        let asked = breaker.permit(at: .seconds(10))
        #expect(asked.change == .halfOpened)
        guard case .probe(let first) = asked.permit else { throw Unexpected() }
        #expect(breaker.outlook(at: .seconds(11)) == .refuses(.init(cause: .probing, retryAt: nil)))
        #expect(ticket(at: 11) == nil)
        #expect(breaker.succeeded(first, at: .seconds(12)) == .none)
        #expect(try succeed(at: 12) == .none)
        #expect(try succeed(at: 13) == .closed)
        #expect(ticket(at: 13) != nil)
        #expect(ticket(at: 13) != nil)
    }

    @Test mutating func `a probe that was cancelled or met a bad key gives its slot back`() throws {
        try trip(at: 0)
        let first = try #require(ticket(at: 10))
        #expect(breaker.abandoned(first, at: .seconds(11)) == .none)
        let second = try #require(ticket(at: 11))
        #expect(breaker.failed(second, at: .seconds(12), kind: .badKey) == .none)
        #expect(breaker.position == .halfOpen)
        #expect(ticket(at: 12) != nil)
    }

    @Test mutating func `a probe of which nothing is heard loses its slot after a minute`() throws {
        try trip(at: 0)
        let lost = try #require(ticket(at: 10))
        #expect(ticket(at: 69.9) == nil)
        let next = try #require(ticket(at: 70))
        #expect(breaker.failed(lost, at: .seconds(71), kind: .providerFault) == .none)
        #expect(ticket(at: 71) == nil)
        #expect(breaker.succeeded(next, at: .seconds(72)) == .none)
    }

    @Test mutating func `results of calls begun before the trip move nothing`() throws {
        let early = try (1...20).map { _ in try #require(ticket(at: 0)) }
        try trip(at: 1)
        for call in early.prefix(5) {
            #expect(
                breaker.failed(call, at: .seconds(2), kind: .overloaded, retryAfter: .seconds(900)) == .none)
        }
        #expect(breaker.nextProbe(at: .seconds(2)) == .seconds(11))
        _ = try #require(ticket(at: 11))
        for call in early[5..<10] { #expect(breaker.succeeded(call, at: .seconds(12)) == .none) }
        for call in early[10..<15] {
            #expect(breaker.failed(call, at: .seconds(12), kind: .transport) == .none)
        }
        #expect(breaker.position == .halfOpen)
        #expect(ticket(at: 12) == nil)
        _ = breaker.release(at: .seconds(12))
        #expect(breaker.position == .halfOpen)
    }

    @Test mutating func `results of calls begun before the trip do not count after closing either`() throws {
        let early = try (1...30).map { _ in try #require(ticket(at: 0)) }
        try trip(at: 1)
        for _ in 1...3 { try succeed(at: 11) }
        #expect(breaker.position == .closed)
        for call in early.prefix(15) {
            #expect(breaker.failed(call, at: .seconds(12), kind: .transport) == .none)
        }
        for call in early.suffix(15) { #expect(breaker.succeeded(call, at: .seconds(12)) == .none) }
        #expect(breaker.why(at: .seconds(12)) == "no calls over 30s (trip at 50%, min 10 calls)")
    }

    @Test mutating func `why says the rule, the numbers and what comes next`() throws {
        for _ in 1...8 { try succeed(at: 1) }
        for _ in 1...7 { try fail(at: 1) }
        #expect(breaker.why(at: .seconds(1)) == "5xx 46% over 30s (trip at 50%, min 10 calls)")
        try fail(at: 2)
        #expect(
            breaker.why(at: .seconds(3))
                == "5xx 50% over 30s (trip at 50%, min 10 calls); probe in 9s; needs 3 ok")
        try succeed(at: 12)
        #expect(
            breaker.why(at: .seconds(13))
                == "5xx 50% over 30s (trip at 50%, min 10 calls); probing one call at a time, 1 of 3 ok")
        try fail(.overloaded, at: 14)
        #expect(
            breaker.why(at: .seconds(14))
                == "probe failed: overloaded; opening 2 in a row; probe in 20s; needs 3 ok")
    }
}

struct Unexpected: Error {}
