import Domain
import Limits
import Testing

/// One bucket in the other usual form: the moment at which it will be full again (GCRA, ITU-T I.371), as a fraction
/// with the rate as denominator. Shares no formula with `RateBucket`.
private struct MomentModel {
    let rate: Int128
    /// When it is full again, in nanoseconds times `rate`.
    var fullAt: Int128 = 0
    private static var minute: Int128 { 60_000_000_000 }

    init(_ rate: Int) { self.rate = Int128(rate) }

    func admits(_ cost: Int64, at now: Int64) -> Bool {
        let scaled = Int128(now) * rate
        return max(fullAt, scaled) + min(Int128(cost), rate) * Self.minute <= scaled + rate * Self.minute
    }

    mutating func take(_ cost: Int64, at now: Int64) {
        let scaled = Int128(now) * rate
        let ahead = max(fullAt, scaled) + Int128(cost) * Self.minute
        fullAt = min(max(ahead, scaled), scaled + 61 * rate * Self.minute)
    }
}

/// A whole scope of the model.
private struct ScopeModel {
    let limits: LimitSet
    var requests: MomentModel?
    var tokens: MomentModel?
    var inFlight = 0

    init(_ limits: LimitSet) {
        self.limits = limits
        requests = limits.requestsPerMinute.map { MomentModel($0) }
        tokens = limits.tokensPerMinute.map { MomentModel($0) }
    }

    func ratesAdmit(_ cost: Int64, at now: Int64) -> Bool {
        (requests?.admits(1, at: now) ?? true) && (tokens?.admits(cost, at: now) ?? true)
    }

    var hasPlace: Bool { limits.parallel.map { inFlight < $0 } ?? true }
}

@Suite struct LimitModelTests {
    private struct Flight {
        let admission: Admission
        let scopes: [Int]
        let tokens: Int64
    }

    @Test(arguments: [3, 1_234_567] as [UInt64])
    func `it agrees with an exact model on every arrival`(seed: UInt64) throws {
        var generator = SplitMix(seed: seed)
        let limits = [
            LimitSet(requestsPerMinute: 613, tokensPerMinute: 77_777, parallel: 12),
            LimitSet(requestsPerMinute: 7),
            LimitSet(tokensPerMinute: 999), LimitSet(parallel: 3),
            LimitSet(requestsPerMinute: 131, parallel: 5),
        ]
        let scopes = limits.indices.map { LimitScope.virtualKey(VirtualKeyID(high: 1, low: UInt64($0))) }
        var models = limits.map { ScopeModel($0) }
        let counters = MemoryLimitCounters()
        var flights: [Flight] = []
        var now: Int64 = 0
        var admitted = 0
        var differences = 0
        for arrival in 0..<50_000 {
            now += Int64.random(
                in: 0...(arrival % 100 == 0 ? 60_000_000_000 : 200_000_000), using: &generator)
            if !flights.isEmpty, Int.random(in: 0..<3, using: &generator) > 0 {
                let flight = flights.remove(at: Int.random(in: 0..<flights.count, using: &generator))
                let used =
                    Int.random(in: 0..<9, using: &generator) == 0
                    ? nil : Int64.random(in: 0...900, using: &generator)
                counters.settle(flight.admission, usedTokens: used, at: Instant(nanoseconds: now))
                for place in flight.scopes {
                    models[place].inFlight -= 1
                    models[place].tokens?.take((used ?? flight.tokens) - flight.tokens, at: now)
                }
            }
            let chosen = Array(
                limits.indices.shuffled(using: &generator).prefix(Int.random(in: 1...3, using: &generator)))
            let tokens = Int64.random(in: 0...(arrival % 50 == 0 ? 5_000 : 400), using: &generator)
            let call = demand(chosen.map { (scopes[$0], limits[$0]) }, tokens: tokens)
            let ratesAdmit = chosen.allSatisfy { models[$0].ratesAdmit(tokens, at: now) }
            let expected = ratesAdmit && chosen.allSatisfy { models[$0].hasPlace }
            do throws(CallFailure) {
                let admission = try counters.admit(call, at: Instant(nanoseconds: now))
                if !expected { differences += 1 }
                admitted += 1
                flights.append(Flight(admission: admission, scopes: chosen, tokens: tokens))
                for place in chosen {
                    models[place].inFlight += 1
                    models[place].requests?.take(1, at: now)
                    models[place].tokens?.take(tokens, at: now)
                }
            } catch {
                if expected { differences += 1 }
                if !ratesAdmit && error.code != .parallelCalls {
                    // The wait is exact: then it passes, and a nanosecond earlier it does not.
                    let then = now + (error.retryAfter?.wholeNanoseconds ?? 0)
                    let early = chosen.allSatisfy { models[$0].ratesAdmit(tokens, at: then - 1) }
                    let onTime = chosen.allSatisfy { models[$0].ratesAdmit(tokens, at: then) }
                    if early || !onTime { differences += 1 }
                }
            }
        }
        #expect(differences == 0, "seed \(seed)")
        #expect(admitted > 10_000 && admitted < 40_000, "seed \(seed): \(admitted) of 50,000 admitted")
    }
}
