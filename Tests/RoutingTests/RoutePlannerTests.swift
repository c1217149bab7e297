import Domain
import Routing
import Testing

@Suite struct RoutePlannerTests {
    private let now = Instant.seconds(100)
    private let one = ProviderKeyID(high: 1, low: 1)
    private let two = ProviderKeyID(high: 1, low: 2)
    private var a: Candidate { Candidate(target: target("openai/a"), keys: [one, two]) }
    private var b: Candidate { Candidate(target: target("azure/b"), keys: [one]) }
    private var local: Candidate { Candidate(target: target("local/c"), keys: [], keyless: true) }

    private func open(until second: Double?) -> Breaker.Outlook {
        .refuses(.init(cause: second == nil ? .probing : .open, retryAt: second.map { .seconds($0) }))
    }

    private func plan(
        _ candidates: [Candidate], order: [Int]? = nil, breakers: [Breaker.Outlook],
        credentials: [[CredentialAvailability]], attemptsMax: Int = 8
    ) -> RoutePlan {
        RoutePlanner(attemptsMax: attemptsMax).plan(
            candidates, order: order ?? Array(candidates.indices), breakers: breakers,
            credentials: credentials,
            at: now)
    }

    @Test func `attempts come in the strategy's order, key by key`() {
        let plan = plan(
            [a, b, local], order: [2, 0, 1], breakers: [.passes, .probes, .passes],
            credentials: [[.usable, .usable], [.usable], []])
        #expect(
            plan.attempts.map { "\($0.target) \($0.key?.low ?? 0)" } == [
                "local/c 0", "openai/a 1", "openai/a 2", "azure/b 1",
            ])
        #expect(plan.skipped.isEmpty)
        #expect(plan.retryAt == nil)
        #expect(plan.failure(at: now) == nil)
    }

    @Test func `open breakers and resting keys are left out, each with its reason`() {
        let plan = plan(
            [a, b], breakers: [.passes, open(until: 118)],
            credentials: [[.refused(.rejected, until: .seconds(160)), .usable], [.usable]])
        #expect(plan.attempts.map(\.key) == [two])
        #expect(
            plan.skipped.map { $0.text(at: now) } == [
                "openai/a: provider key rejected by the provider, tried again in 1m",
                "azure/b: breaker open, probe in 18s",
            ])
    }

    @Test func `a key due for a probe comes after those known to be well`() {
        let plan = plan([a], breakers: [.passes], credentials: [[.probe, .usable]])
        #expect(plan.attempts.map(\.key) == [two, one])
    }

    @Test func `nothing may pass: the soonest moment that target and key both allow`() throws {
        let plan = plan(
            [a, b], breakers: [open(until: 118), open(until: 110)],
            credentials: [[.usable, .usable], [.refused(.cooling, until: .seconds(130))]])
        #expect(plan.retryAt == .seconds(118))
        let failure = try #require(plan.failure(at: now))
        #expect(failure.code == .noTarget)
        #expect(failure.status == 503)
        #expect(failure.retryAfter == .seconds(18))
        #expect(
            failure.message == "no target can take this call now: openai/a: breaker open, probe in 18s; "
                + "azure/b: breaker open, probe in 10s")
    }

    @Test func `a running probe of unknown end counts as a second`() {
        let plan = plan([b], breakers: [open(until: nil)], credentials: [[.usable]])
        #expect(plan.retryAt == .seconds(101))
    }

    @Test func `keys at fault are the key owner's matter, with the time of the next try`() throws {
        let plan = plan(
            [b], breakers: [.passes], credentials: [[.refused(.exhausted, until: .seconds(400))]])
        let failure = try #require(plan.failure(at: now))
        #expect(failure.code == .noProviderKey)
        #expect(failure.source == .providerKey)
        #expect(failure.retryAfter == .seconds(300))
    }

    @Test func `where one key rests from a rate limit it is worth waiting, whatever ails the others`() throws
    {
        let resting = CredentialAvailability.refused(.cooling, until: .seconds(107))
        let spent = CredentialAvailability.refused(.exhausted, until: .seconds(400))
        let keyless = Candidate(target: target("azure/b"), keys: [])
        for credentials in [[[resting, spent], []], [[spent, resting], []]] {
            let plan = plan([a, keyless], breakers: [.passes, .passes], credentials: credentials)
            let failure = try #require(plan.failure(at: now))
            #expect(failure.status == 429 && failure.retryAfter == .seconds(7))
            #expect(failure.message.contains("azure/b: no provider key is stored"))
        }
        let suited = RoutePlan(
            attempts: [],
            skipped: [
                .init(
                    target: target("openai/a"), key: one, reason: .credential(.cooling, until: .seconds(107))),
                .init(target: target("azure/b"), key: nil, reason: .unsuitable("it is too dear")),
            ], retryAt: .seconds(107))
        #expect(suited.failure(at: now)?.status == 429)
    }

    @Test func `a call that no target can take now is told when to come back, even if nobody knows`() throws {
        let keyless = Candidate(target: target("azure/b"), keys: [])
        let plan = plan([keyless], breakers: [open(until: 118)], credentials: [[]])
        let failure = try #require(plan.failure(at: now))
        #expect(failure.status == 503 && failure.retryAfter == .seconds(1))
    }

    @Test func `without any key waiting does not help, and the error says so`() throws {
        let keyless = Candidate(target: target("openai/a"), keys: [])
        let plan = plan([keyless], breakers: [.passes], credentials: [[]])
        let failure = try #require(plan.failure(at: now))
        #expect(failure.code == .noProviderKey)
        #expect(failure.retryAfter == nil)
        #expect(failure.message.hasSuffix("openai/a: no provider key is stored for this provider"))
    }

    @Test func `a route without targets is the gateway's matter`() throws {
        let failure = try #require(plan([], breakers: [], credentials: []).failure(at: now))
        #expect(failure.code == .noTarget)
        #expect(failure.source == .gateway)
    }

    @Test func `a plan holds no more attempts than a call may make`() {
        let plan = plan([a], breakers: [.passes], credentials: [[.usable, .usable]], attemptsMax: 1)
        #expect(plan.attempts.map(\.key) == [one])
        #expect(plan.skipped.map(\.reason) == [.enough(1)])
    }

    @Test func `every target has its turn before any has one for a further key`() {
        func tries(_ most: Int) -> [String] {
            let last = Candidate(target: target("last/d"), keys: [one, two])
            return plan(
                [a, b, last], breakers: [.passes, .passes, .passes],
                credentials: [[.usable, .usable], [.usable], [.usable, .probe]], attemptsMax: most
            ).attempts.map { "\($0.target) \($0.key?.low ?? 0)" }
        }
        #expect(tries(2) == ["openai/a 1", "azure/b 1"])
        #expect(tries(3) == ["openai/a 1", "azure/b 1", "last/d 1"])
        #expect(tries(4) == ["openai/a 1", "openai/a 2", "azure/b 1", "last/d 1"])
        #expect(tries(5) == ["openai/a 1", "openai/a 2", "azure/b 1", "last/d 1", "last/d 2"])
    }
}
