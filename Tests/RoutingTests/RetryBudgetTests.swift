import Domain
import Routing
import Testing

@Suite struct RetryBudgetTests {
    private func granted(_ budget: inout RetryBudget, at second: Double, asking: Int) -> Int {
        (0..<asking).count { _ in budget.mayRetry(at: .seconds(second)) }
    }

    @Test func `a quiet provider gets ten retries in ten seconds`() {
        var budget = RetryBudget(at: .seconds(0))
        #expect(granted(&budget, at: 0, asking: 100) == 10)
        #expect(granted(&budget, at: 9.99, asking: 100) == 0)
        #expect(granted(&budget, at: 10.4, asking: 100) == 10)
    }

    @Test func `a busy provider gets a fifth of its live traffic`() {
        var budget = RetryBudget(at: .seconds(0))
        for _ in 1...1_000 { budget.call(at: .seconds(1)) }
        #expect(granted(&budget, at: 1, asking: 1_000) == 200)
        for _ in 1...100 { budget.call(at: .seconds(2)) }
        #expect(granted(&budget, at: 2, asking: 1_000) == 20)
        // The traffic is gone, and so are the retries it paid for.
        #expect(granted(&budget, at: 20, asking: 1_000) == 10)
    }

    @Test(arguments: [3, 2_026, 0xfeed] as [UInt64])
    func `in no ten seconds are there more retries than a fifth of the calls, or ten`(seed: UInt64) {
        var generator = SplitMix(seed: seed)
        var budget = RetryBudget(at: .seconds(0))
        var now = Instant.seconds(0)
        var calls: [Instant] = []
        var retries: [Instant] = []
        for step in 0..<20_000 {
            // Stretches of storm and of calm.
            let pause: Int64 = step / 2_000 % 2 == 0 ? 2_000_000 : 400_000_000
            now.nanoseconds += Int64.random(in: 0...pause, using: &generator)
            if Int.random(in: 0..<3, using: &generator) == 0 {
                budget.call(at: now)
                calls.append(now)
                continue
            }
            guard budget.mayRetry(at: now) else { continue }
            retries.append(now)
            // The ring may count calls up to a bucket older than ten seconds.
            let live = calls.count { now - $0 <= .milliseconds(10_700) }
            let taken = retries.count { now - $0 < .seconds(10) }
            guard taken <= max(10, live / 5) else {
                Issue.record("seed \(seed), step \(step): \(taken) retries to \(live) calls")
                return
            }
            calls.removeAll { now - $0 > .seconds(11) }
            retries.removeAll { now - $0 > .seconds(11) }
        }
        #expect(!retries.isEmpty)
    }

    @Test func `providers have budgets of their own`() throws {
        let budgets = MemoryRetryBudgets()
        let (one, other) = (try ProviderName("openai"), try ProviderName("azure"))
        for _ in 1...100 { budgets.call(one, at: .seconds(0)) }
        #expect((1...100).count { _ in budgets.mayRetry(one, ofKeyOf: nil, at: .seconds(1)) } == 20)
        #expect((1...100).count { _ in budgets.mayRetry(other, ofKeyOf: nil, at: .seconds(1)) } == 10)
    }

    @Test func `a tenant whose keys are limited has retries of its own, and takes nobody else's`() throws {
        let budgets = MemoryRetryBudgets()
        let one = try ProviderName("openai")
        for _ in 1...100 { budgets.call(one, at: .seconds(0)) }
        for number in 1...3 as ClosedRange<UInt64> {
            let owner = TenantID(high: 0, low: number)
            #expect((1...100).count { _ in budgets.mayRetry(one, ofKeyOf: owner, at: .seconds(1)) } == 10)
        }
        #expect((1...100).count { _ in budgets.mayRetry(one, ofKeyOf: nil, at: .seconds(1)) } == 20)
    }

    @Test func `past its capacity the provider idle longest is forgotten`() throws {
        let budgets = MemoryRetryBudgets(capacity: 8)
        let busy = try ProviderName("busy")
        for _ in 1...10 { _ = budgets.mayRetry(busy, ofKeyOf: nil, at: .seconds(0)) }
        for number in 0..<100 {
            let second = Double(number) / 100
            budgets.call(try ProviderName("p\(number)"), at: .seconds(second))
            #expect(!budgets.mayRetry(busy, ofKeyOf: nil, at: .seconds(second)))
            #expect(budgets.count <= 8)
        }
    }

    @Test func `concurrent calls share one budget`() async throws {
        let budgets = MemoryRetryBudgets()
        let one = try ProviderName("openai")
        let granted = await withTaskGroup(of: Int.self) { group in
            for _ in 0..<8 {
                group.addTask {
                    (0..<500).count { _ in budgets.mayRetry(one, ofKeyOf: nil, at: .seconds(1)) }
                }
            }
            return await group.reduce(0, +)
        }
        #expect(granted == 10)
    }
}
