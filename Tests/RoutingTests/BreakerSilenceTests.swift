import Domain
import Routing
import Testing

/// A target that says nothing, seen by callers who do not wait until the gateway's own time limit.
@Suite struct BreakerSilenceTests {
    var breaker = Breaker(at: .seconds(0))

    /// One call that begins at a second, waits so long in vain, and leaves.
    @discardableResult
    private mutating func wait(_ seconds: Double, from second: Double) throws -> Breaker.Change {
        let ticket = try ticket(at: second)
        return breaker.gaveUp(
            ticket, after: .milliseconds(Int64(seconds * 1e3)), at: .seconds(second + seconds))
    }

    private mutating func ticket(at second: Double) throws -> Breaker.Ticket {
        switch breaker.permit(at: .seconds(second)).permit {
        case .pass(let ticket), .probe(let ticket): return ticket
        case .refuse: throw Unexpected()
        }
    }

    @Test mutating func `a minute without an answer to ten patient callers trips it, and not before`() throws
    {
        for second in 0..<6 { #expect(try wait(20, from: Double(second)) == .none) }
        for second in 30..<40 { #expect(try wait(20, from: Double(second)) == .none) }
        #expect(breaker.position == .closed, "59 seconds")
        #expect(try wait(20, from: 40) == .opened)
        #expect(breaker.nextProbe(at: .seconds(60)) == .seconds(70))
        #expect(
            breaker.why(at: .seconds(60))
                == "no answer in 1m, 17 calls waited in vain (trip at 1m, min 10); probe in 10s; needs 3 ok")
    }

    @Test mutating func `nine are too few however long the silence, and hasty callers count for nothing`()
        throws
    {
        for second in 0..<9 { #expect(try wait(10, from: Double(second) * 100) == .none) }
        for second in 900..<2_000 { #expect(try wait(9.9, from: Double(second)) == .none) }
        #expect(try wait(10, from: 2_000) == .opened)
    }

    @Test mutating func `one answer a minute keeps it closed to patient callers`() throws {
        for second in 0..<600 {
            if second % 50 == 0 {
                #expect(
                    breaker.succeeded(try ticket(at: Double(second)), at: .seconds(Double(second))) == .none)
            }
            #expect(try wait(10, from: Double(second)) == .none)
        }
    }

    @Test mutating func `a probe in vain gives its slot back and proves nothing`() throws {
        for _ in 0..<10 { try wait(60, from: 0) }
        #expect(breaker.position == .open)
        for round in 0..<5 { #expect(try wait(20, from: 70 + Double(round) * 20) != .closed) }
        #expect(breaker.position == .halfOpen)
        for _ in 1...2 { #expect(breaker.succeeded(try ticket(at: 200), at: .seconds(200)) == .none) }
        #expect(breaker.succeeded(try ticket(at: 200), at: .seconds(200)) == .closed)
        // What was before does not count any more.
        for _ in 0..<9 { #expect(try wait(60, from: 200) == .none) }
        #expect(try wait(60, from: 200) == .opened)
    }

    @Test mutating func `a call begun before a trip, and one under an override, move nothing`() throws {
        let early = try ticket(at: 0)
        for _ in 0..<10 { try wait(60, from: 0) }
        #expect(breaker.gaveUp(early, after: .seconds(65), at: .seconds(65)) == .none)
        _ = breaker.hold(hold(.closed, from: 65, to: 10_000), at: .seconds(65), wall: .seconds(65))
        for _ in 0..<50 { #expect(try wait(60, from: 70) == .none) }
        #expect(breaker.position == .closed)
    }
}
