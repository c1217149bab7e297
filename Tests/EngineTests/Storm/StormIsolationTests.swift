import Domain
import TestKit
import Testing

/// What one tenant's keys suffer is nobody else's matter.
@Suite struct StormIsolationTests {
    /// Names whose routing follows neither lots nor gauges, which all tenants share.
    private static let models = [
        "trio", "pair", "large", "alpha/small", "beta/small", "gamma/small", "alpha/large",
        "beta/large", "gamma/large",
    ]

    /// The same calls of eight tenants, with or without two others whose keys have a fault all the time.
    private func storm(
        _ kind: StormSpell.Kind, with troubled: Bool, errors: Int = 0
    ) async throws -> StormTally {
        var plan = StormPlan(calm: 5)
        plan.models = Self.models
        plan.blows = .seconds(120)
        plan.calm = .seconds(90)
        var spells: [StormSpell] = []
        for provider in 0..<StormPlace.providers {
            for tenant in StormPlan.keyTroubled {
                spells.append(
                    StormSpell(
                        kind: kind, provider: provider, tenant: tenant, from: .zero, until: plan.blows,
                        retryAfter: .seconds(1)))
            }
            guard errors > 0 else { continue }
            spells.append(
                StormSpell(
                    kind: .errors, provider: provider, from: .zero, until: plan.blows, percent: errors))
        }
        plan.weather = StormWeather(spells: spells)
        for tenant in StormPlan.keyTroubled { plan.rates[tenant] = troubled ? 8 : 0 }
        let storm = try await Storm(plan)
        try await storm.run()
        #expect(storm.tally.complaints.isEmpty, "\(kind)")
        return storm.tally
    }

    private func others(_ tally: StormTally) -> [[StormTally.Trace]] {
        (0..<StormPlace.tenants).filter { !StormPlan.keyTroubled.contains($0) }.map {
            (tally.traces[$0] ?? []).sorted { $0.number < $1.number }
        }
    }

    @Test(arguments: StormSpell.Kind.ofKey)
    func `a tenant whose keys have a fault opens no breaker and moves nobody else's call`(
        kind: StormSpell.Kind
    ) async throws {
        let with = try await storm(kind, with: true)
        let without = try await storm(kind, with: false)
        #expect(with.openings == 0 && without.openings == 0)
        #expect(with.calls > without.calls + 1_000)
        let (left, right) = (others(with), others(without))
        for tenant in left.indices where left[tenant] != right[tenant] {
            Issue.record("tenant \(tenant)'s calls went elsewhere")
        }
    }

    @Test func `a tenant whose keys are limited does not use up the retries of others`() async throws {
        let with = try await storm(.keyLimited, with: true, errors: 8)
        let without = try await storm(.keyLimited, with: false, errors: 8)
        func failed(_ tally: StormTally) -> Int { others(tally).joined().count(where: \.failed) }
        #expect(failed(without) > 0)
        #expect(failed(with) == failed(without))
    }
}
