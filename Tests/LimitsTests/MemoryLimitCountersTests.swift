import Domain
import Limits
import Locking
import Testing

@Suite struct MemoryLimitCountersTests {
    @Test func `it does what limit counters must do`() throws {
        try checkLimitCounters { MemoryLimitCounters() }
    }

    @Test func `idle scopes make room, those in flight or in debt stay`() throws {
        let counters = MemoryLimitCounters(scopesMax: 64)
        let busy = LimitScope.tenant(TenantID(high: 9, low: 1))
        let owing = LimitScope.tenant(TenantID(high: 9, low: 2))
        _ = try counters.admit(demand([(busy, LimitSet(parallel: 3))]), at: Instant(nanoseconds: 0))
        let call = try counters.admit(
            demand([(owing, LimitSet(tokensPerMinute: 10))], tokens: 1), at: Instant(nanoseconds: 0))
        counters.settle(call, usedTokens: 500, at: Instant(nanoseconds: 0))
        for number in 0..<5_000 {
            let now = Instant(nanoseconds: Int64(number) * 1_000_000)
            let admission = try counters.admit(
                demand([
                    (.virtualKey(VirtualKeyID(high: 3, low: UInt64(number))), LimitSet(requestsPerMinute: 5))
                ]),
                at: now)
            counters.settle(admission, usedTokens: nil, at: now)
        }
        let end = Instant(nanoseconds: 5_000_000_000)
        #expect(counters.scopeCount <= 64)
        #expect(counters.use(of: busy, at: end)?.inFlight == 1)
        #expect(counters.use(of: owing, at: end)?.tokensLeft == 0)
    }

    @Test func `when every place is in flight further scopes are refused as overload, known ones are not`()
        throws
    {
        let counters = MemoryLimitCounters(scopesMax: 4)
        let now = Instant(nanoseconds: 0)
        let limits = LimitSet(parallel: 5)
        var admissions: [Admission] = []
        for number in 0..<4 {
            let scope = LimitScope.virtualKey(VirtualKeyID(high: 3, low: UInt64(number)))
            admissions.append(try counters.admit(demand([(scope, limits)]), at: now))
        }
        let other = demand([(tenant, limits)])
        #expect(refusal(other, on: counters, at: now)?.code == .overloaded)
        counters.settle(admissions[0], usedTokens: nil, at: now)
        #expect(refusal(other, on: counters, at: now) == nil)
    }

    @Test func `calls in flight are bounded`() throws {
        let counters = MemoryLimitCounters(callsMax: 3)
        let call = demand([(tenant, LimitSet(requestsPerMinute: 100))])
        let now = Instant(nanoseconds: 0)
        let first = try counters.admit(call, at: now)
        for _ in 1...2 { _ = try counters.admit(call, at: now) }
        #expect(refusal(call, on: counters, at: now)?.code == .overloaded)
        #expect(counters.use(of: tenant, at: now)?.requestsLeft == 97)
        counters.settle(first, usedTokens: nil, at: now)
        #expect(refusal(call, on: counters, at: now) == nil)
    }

    @Test func `many threads never exceed the parallel calls, and all places come back`() async {
        let counters = MemoryLimitCounters()
        let limits = LimitSet(tokensPerMinute: 1_000_000_000, parallel: 5)
        let running = Locked((now: 0, most: 0, admitted: 0, refused: 0))
        await withTaskGroup(of: Void.self) { group in
            for worker in 0..<8 {
                group.addTask {
                    var mine: [Admission] = []
                    for step in 0..<4_000 {
                        let now = Instant(nanoseconds: Int64(step))
                        let call = demand(
                            [(tenant, limits), (virtualKey, LimitSet(parallel: 7))], tokens: 10)
                        if let admission = try? counters.admit(call, at: now) {
                            running.withLock {
                                $0.now += 1
                                $0.most = max($0.most, $0.now)
                                $0.admitted += 1
                            }
                            mine.append(admission)
                        } else {
                            running.withLock { $0.refused += 1 }
                        }
                        // Keeps up to three, so that the workers together want far more than there are.
                        if mine.count > (step + worker) % 4 {
                            // Counted as ended first: between the two it is only fewer than the counters think.
                            running.withLock { $0.now -= 1 }
                            counters.settle(mine.removeLast(), usedTokens: 7, at: now)
                        }
                    }
                    for admission in mine {
                        running.withLock { $0.now -= 1 }
                        counters.settle(admission, usedTokens: 7, at: Instant(nanoseconds: 4_000))
                    }
                }
            }
        }
        let seen = running.withLock { $0 }
        #expect(seen.most <= 5)
        #expect(seen.now == 0)
        #expect(seen.admitted > 1_000)
        let end = Instant(nanoseconds: 4_000)
        #expect(counters.use(of: tenant, at: end)?.inFlight == 0)
        #expect(counters.use(of: virtualKey, at: end)?.inFlight == 0)
        let minuteLater = Instant(nanoseconds: 60_000_004_000)
        #expect(counters.use(of: tenant, at: minuteLater)?.tokensLeft == 1_000_000_000)
    }
}
