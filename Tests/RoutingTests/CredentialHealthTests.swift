import Domain
import Routing
import Testing

@Suite struct CredentialHealthTests {
    var health = CredentialHealth()
    let options = CredentialOptions()

    private mutating func note(
        _ mark: CredentialMark, began: Double? = nil, at second: Double, retryAfter: Duration? = nil
    ) {
        health.note(
            mark, began: .seconds(began ?? second), at: .seconds(second), retryAfter: retryAfter,
            options: options)
    }

    private mutating func take(at second: Double) -> CredentialAvailability {
        health.take(at: .seconds(second), options: options)
    }

    @Test mutating func `overlapping rate limits keep the longest rest`() {
        note(.cooling, at: 0, retryAfter: .seconds(60))
        note(.cooling, at: 1, retryAfter: .seconds(5))
        #expect(health.availability(at: .seconds(59)) == .refused(.cooling, until: .seconds(60)))
        #expect(health.availability(at: .seconds(60)) == .usable)
    }

    @Test mutating func `a rate limit without a moment rests ten seconds, one with a wild moment an hour`() {
        note(.cooling, at: 0)
        #expect(health.until == .seconds(10))
        note(.cooling, at: 0, retryAfter: .seconds(1_000_000))
        #expect(health.until == .seconds(3_600))
    }

    @Test mutating func `an answer to a call begun before the rate limit does not end the rest`() {
        note(.cooling, at: 10, retryAfter: .seconds(60))
        note(.ok, began: 9, at: 11)
        #expect(health.availability(at: .seconds(11)) == .refused(.cooling, until: .seconds(70)))
        note(.ok, began: 70, at: 71)
        #expect(health == CredentialHealth())
    }

    @Test
    mutating func `a spent quota is probed by one call, after rests doubling from five minutes to an hour`() {
        var now = 0.0
        note(.exhausted, at: now)
        for rest in [300.0, 600, 1_200, 2_400, 3_600, 3_600] {
            #expect(take(at: now + rest - 0.1) == .refused(.exhausted, until: .seconds(now + rest)))
            now += rest
            #expect(take(at: now) == .probe)
            #expect(take(at: now) == .refused(.exhausted, until: .seconds(now + 60)))
            note(.exhausted, at: now)
        }
        #expect(take(at: now + 3_600) == .probe)
        note(.ok, at: now + 3_600)
        #expect(take(at: now + 3_600) == .usable)
    }

    @Test mutating func `calls in flight when the quota ran out do not lengthen the rest`() {
        for _ in 1...20 { note(.exhausted, at: 1) }
        #expect(health.until == .seconds(301))
    }

    @Test mutating func `one refusal makes a suspect, and only a later call's refusal confirms it`() {
        note(.suspect, at: 0)
        #expect(take(at: 29) == .refused(.suspect, until: .seconds(30)))
        // A call that was under way beside the first says nothing new.
        health.note(.suspect, began: .seconds(-1), at: .seconds(5), retryAfter: nil, options: .init())
        #expect(health.mark == .suspect)
        #expect(take(at: 35) == .probe)
        note(.suspect, at: 36)
        #expect(take(at: 37) == .refused(.rejected, until: .seconds(636)))
        note(.suspect, at: 636)
        #expect(take(at: 637) == .refused(.rejected, until: .seconds(1_236)))
    }

    @Test mutating func `a suspect that is answered is well again`() {
        note(.suspect, at: 0)
        #expect(take(at: 30) == .probe)
        note(.ok, at: 31)
        #expect(take(at: 31) == .usable)
    }

    @Test mutating func `a rejected key rests ten minutes, then one probe decides`() {
        note(.rejected, at: 0)
        #expect(take(at: 599) == .refused(.rejected, until: .seconds(600)))
        #expect(take(at: 600) == .probe)
        #expect(take(at: 601) == .refused(.rejected, until: .seconds(660)))
        note(.rejected, at: 602)
        #expect(take(at: 1_201) == .refused(.rejected, until: .seconds(1_202)))
        #expect(take(at: 1_202) == .probe)
    }

    @Test mutating func `a probe of which nothing is heard is given to another call after a minute`() {
        note(.deniedForModel, at: 0)
        #expect(take(at: 600) == .probe)
        #expect(take(at: 659) == .refused(.deniedForModel, until: .seconds(660)))
        #expect(take(at: 660) == .probe)
    }

    @Test mutating func `a late bad mark of an earlier call does not take a newer one's place to shorten it`()
    {
        note(.deniedForModel, at: 10)
        note(.cooling, began: 9, at: 11)
        #expect(take(at: 30) == .refused(.deniedForModel, until: .seconds(610)))
        note(.cooling, began: 9, at: 12, retryAfter: .seconds(900))
        #expect(take(at: 30) == .refused(.cooling, until: .seconds(912)))
    }

    @Test(arguments: CredentialMark.allCases.filter { $0 != .ok })
    func `an answer clears a mark only when its call began after it`(mark: CredentialMark) {
        var health = CredentialHealth()
        func hear(_ mark: CredentialMark, began: Double, at second: Double) {
            health.note(
                mark, began: .seconds(began), at: .seconds(second), retryAfter: nil, options: options)
        }
        hear(mark, began: 0, at: 10)
        hear(.ok, began: 9.999, at: 20)
        #expect(health.mark == mark)
        hear(mark, began: 11, at: 21)
        hear(.ok, began: 20, at: 22)
        #expect(health.mark != .ok)
        hear(.ok, began: 21, at: 23)
        #expect(health == CredentialHealth())
    }
}
