import Domain
import Routing
import Testing

@Suite struct BreakerSlowTests {
    var breaker = Breaker(at: .seconds(0))

    private mutating func ticket(at second: Double) throws -> Breaker.Ticket {
        switch breaker.permit(at: .seconds(second)).permit {
        case .pass(let ticket), .probe(let ticket): return ticket
        case .refuse: throw Unexpected()
        }
    }

    /// One whole call that showed its first content after so many seconds.
    @discardableResult
    private mutating func answer(after seconds: Double, at second: Double) throws -> Breaker.Change {
        breaker.succeeded(
            try ticket(at: second), at: .seconds(second), firstContent: .milliseconds(Int64(seconds * 1e3)))
    }

    /// Eight slow answers of ten: just enough.
    private mutating func trip(at second: Double) throws {
        for _ in 1...2 { try answer(after: 1, at: second) }
        for _ in 1...7 { try answer(after: 31, at: second) }
        #expect(try answer(after: 31, at: second) == .opened)
    }

    @Test mutating func `eight slow answers of ten trip it, at the tenth and not before`() throws {
        try trip(at: 5)
        #expect(breaker.position == .open)
        #expect(breaker.nextProbe(at: .seconds(5)) == .seconds(15))
    }

    @Test mutating func `just under four fifths of slow answers never trip it`() throws {
        for second in 0..<300 {
            for _ in 1...21 { try answer(after: 0.5, at: Double(second)) }
            for _ in 1...79 { #expect(try answer(after: 200, at: Double(second)) == .none) }
        }
    }

    @Test mutating func `an answer exactly at the limit and one that was not measured are not slow`() throws {
        for _ in 1...50 { #expect(try answer(after: 30, at: 1) == .none) }
        for _ in 1...50 { #expect(breaker.succeeded(try ticket(at: 1), at: .seconds(1)) == .none) }
        #expect(breaker.why(at: .seconds(1)) == "failures 0% over 30s (trip at 50%, min 10 calls)")
    }

    @Test mutating func `slow answers and failures are judged each by their own share`() throws {
        // 9 failures of 20 calls are too few, and so are 8 slow ones of 11 answers.
        for _ in 1...3 { try answer(after: 1, at: 1) }
        for _ in 1...8 { #expect(try answer(after: 40, at: 1) == .none) }
        for _ in 1...9 {
            #expect(
                breaker.failed(try ticket(at: 2), at: .seconds(2), kind: .providerFault) == .none)
        }
        #expect(
            breaker.why(at: .seconds(2))
                == "5xx 45% over 30s (trip at 50%, min 10 calls); 72% of answers took over 30s to their first "
                + "content, over 30s (trip at 80%, min 10 answers)")
    }

    @Test mutating func `slow answers that left the window do not count`() throws {
        for _ in 1...9 { try answer(after: 60, at: 0) }
        #expect(try answer(after: 60, at: 31) == .none)
        #expect(breaker.position == .closed)
    }

    @Test mutating func `a slow probe neither closes nor opens it, and gives its slot back`() throws {
        try trip(at: 0)
        for second in [10.0, 11, 12, 13] { #expect(try answer(after: 31, at: second) == .none) }
        #expect(breaker.position == .halfOpen)
        for second in [14.0, 15] { #expect(try answer(after: 2, at: second) == .none) }
        #expect(try answer(after: 31, at: 16) == .none)
        #expect(try answer(after: 2, at: 17) == .closed)
    }

    @Test mutating func `why tells of the slow rule`() throws {
        try trip(at: 0)
        #expect(
            breaker.why(at: .seconds(1))
                == "80% of answers took over 30s to their first content, over 30s (trip at 80%, min 10 answers); "
                + "probe in 9s; needs 3 ok")
    }

    @Test mutating func `forced closed and held as it is, slow answers do not trip it`() throws {
        for mode in [BreakerHold.Mode.closed, .asIs] {
            _ = breaker.hold(hold(mode, from: 0, to: 60), at: .seconds(0), wall: .seconds(0))
            for _ in 1...50 { #expect(try answer(after: 99, at: 1) == .none) }
        }
        #expect(breaker.position == .closed)
        #expect(try answer(after: 99, at: 61) == .none)
    }

    @Test func `the board counts an answer with its time`() throws {
        let board = MemoryBreakerBoard()
        let one = target("p/m")
        for count in 1...10 {
            guard case .pass(let ticket) = board.permit(one, at: .seconds(1)).permit else {
                throw Unexpected()
            }
            let change = board.report(.answeredAfter(.seconds(45)), of: ticket, for: one, at: .seconds(1))
            #expect(change == (count == 10 ? .opened : .none))
        }
        #expect(board.status(of: one, at: .seconds(1)).position == .open)
    }
}
