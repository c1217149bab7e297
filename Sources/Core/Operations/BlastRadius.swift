public import Domain

/// A change whose effect can be looked at before it is made.
public enum BlastChange: Sendable, Hashable, Codable {
    /// `open` is a trip, `closed` forces the breaker closed, `asIs` holds it where it is.
    case breaker(Target, BreakerHold.Mode)
    case drainKey(ProviderKeyID)
    case revokeKey(ProviderKeyID)
    /// The weight that a target would get in the model's route, 0 to 10,000.
    case weight(model: ModelName, Target, Int)
}

/// What a change would have done to the last calls: they were routed again with the change applied, none was made.
public struct BlastRadius: Sendable, Hashable, Codable {
    /// How many calls were replayed.
    public var calls: Int
    /// Over which time they came.
    public var seconds: Int
    /// Targets with traffic before or after, the greatest difference first, at most 20.
    public var targets: [Shift]
    /// Tenants with calls that nothing would serve, most calls first, at most 20.
    public var failing: [TenantLoss]
    public var costPerHourBefore: Money
    public var costPerHourAfter: Money
    /// Milliseconds that 95 of 100 calls stay under; nil = not known.
    public var latencyBefore: Double?
    public var latencyAfter: Double?
    /// More calls came than were kept: the figures are of a part of them, scaled up.
    public var sampled: Bool
    /// What the figures do not say, in a sentence; may be empty.
    public var note: String

    public init(
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
    public struct Shift: Sendable, Hashable, Codable {
        public var target: String
        /// Calls per second.
        public var rateBefore: Double
        public var rateAfter: Double
        public init(target: String, rateBefore: Double, rateAfter: Double) {
            self.target = target
            self.rateBefore = rateBefore
            self.rateAfter = rateAfter
        }
    }

    /// A tenant's calls that would fail with the change and did not need to fail without it.
    public struct TenantLoss: Sendable, Hashable, Codable {
        public var tenant: TenantName
        /// Of the calls replayed.
        public var calls: Int
        /// Why nothing else serves them, in a few words.
        public var why: String
        public init(tenant: TenantName, calls: Int, why: String) {
            self.tenant = tenant
            self.calls = calls
            self.why = why
        }
    }
}
