package import Domain

/// A change whose effect can be looked at before it is made.
package enum BlastChange: Sendable, Hashable, Codable {
    /// `open` is a trip, `closed` forces the breaker closed, `asIs` holds it where it is.
    case breaker(Target, BreakerHold.Mode)
    case drainKey(ProviderKeyID)
    case revokeKey(ProviderKeyID)
    /// The weight that a target would get in the model's route, 0 to 10,000.
    case weight(model: ModelName, Target, Int)
}

/// What a change would have done to the last calls: they were routed again with the change applied, none was made.
package struct BlastRadius: Sendable, Hashable, Codable {
    /// How many calls were replayed.
    package var calls: Int
    /// Over which time they came.
    package var seconds: Int
    /// Targets with traffic before or after, the greatest difference first, at most 20.
    package var targets: [Shift]
    /// Tenants with calls that nothing would serve, most calls first, at most 20.
    package var failing: [TenantLoss]
    package var costPerHourBefore: Money
    package var costPerHourAfter: Money
    /// Milliseconds that 95 of 100 calls stay under; nil = not known.
    package var latencyBefore: Double?
    package var latencyAfter: Double?
    /// More calls came than were kept: the figures are of a part of them, scaled up.
    package var sampled: Bool
    /// What the figures do not say, in a sentence; may be empty.
    package var note: String

    package init(
        calls: Int = 0, seconds: Int = 60, targets: [Shift] = [], failing: [TenantLoss] = [],
        costPerHourBefore: Money = .zero, costPerHourAfter: Money = .zero, latencyBefore: Double? = nil,
        latencyAfter: Double? = nil, sampled: Bool = false, note: String = ""
    ) {
        self.calls = calls
        self.seconds = seconds
        self.targets = targets
        self.failing = failing
        self.costPerHourBefore = costPerHourBefore
        self.costPerHourAfter = costPerHourAfter
        self.latencyBefore = latencyBefore
        self.latencyAfter = latencyAfter
        self.sampled = sampled
        self.note = note
    }

    /// One target's traffic without the change and with it.
    package struct Shift: Sendable, Hashable, Codable {
        package var target: String
        /// Calls per second.
        package var rateBefore: Double
        package var rateAfter: Double
        package init(target: String, rateBefore: Double, rateAfter: Double) {
            self.target = target
            self.rateBefore = rateBefore
            self.rateAfter = rateAfter
        }
    }

    /// A tenant's calls that would fail with the change and did not need to fail without it.
    package struct TenantLoss: Sendable, Hashable, Codable {
        package var tenant: TenantName
        /// Of the calls replayed.
        package var calls: Int
        /// Why nothing else serves them, in a few words.
        package var why: String
        package init(tenant: TenantName, calls: Int, why: String) {
            self.tenant = tenant
            self.calls = calls
            self.why = why
        }
    }
}
