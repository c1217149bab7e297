/// Something that happened, for those who watch; small, without prompt text and without secrets.
public enum GatewayEvent: Sendable, Hashable, Codable {
    case callStarted(CallStart)
    // The large ones stand apart: an event is moved several times, and a ring holds room for thousands.
    indirect case callFinished(CallFinish)
    indirect case breakerMoved(BreakerMove)
    case credentialMarked(CredentialChange)
    indirect case changed(Change)

    /// A call was let in.
    public struct CallStart: Sendable, Hashable, Codable {
        public let call: CallID
        public let tenant: TenantID
        public let at: WallTime
        public init(call: CallID, tenant: TenantID, at: WallTime) {
            self.call = call
            self.tenant = tenant
            self.at = at
        }
    }

    /// A call ended, with its ledger row and the attempts that led there.
    public struct CallFinish: Sendable, Hashable, Codable {
        public let row: LedgerRow
        public let attempts: [AttemptOutcome]
        /// A drill made one of the attempts fail.
        public let drill: Bool
        public init(row: LedgerRow, attempts: [AttemptOutcome], drill: Bool = false) {
            self.row = row
            self.attempts = attempts
            self.drill = drill
        }
    }

    /// A breaker changed position or override.
    public struct BreakerMove: Sendable, Hashable, Codable {
        public let target: Target
        public let position: BreakerPosition
        public let hold: BreakerHold?
        public let why: String
        public let at: WallTime
        public init(target: Target, position: BreakerPosition, hold: BreakerHold?, why: String, at: WallTime)
        {
            self.target = target
            self.position = position
            self.hold = hold
            self.why = why
            self.at = at
        }
    }

    /// A provider key's health changed.
    public struct CredentialChange: Sendable, Hashable, Codable {
        public let key: ProviderKeyID
        public let tenant: TenantID
        public let mark: CredentialMark
        public let at: WallTime
        public init(key: ProviderKeyID, tenant: TenantID, mark: CredentialMark, at: WallTime) {
            self.key = key
            self.tenant = tenant
            self.mark = mark
            self.at = at
        }
    }

    /// A command or the configuration changed something; `what` is a short sentence.
    public struct Change: Sendable, Hashable, Codable {
        public let action: String
        public let what: String
        public let at: WallTime
        public init(action: String, what: String, at: WallTime) {
            self.action = action
            self.what = what
            self.at = at
        }
    }
}

/// One try at one target with one key, and how it went.
public struct AttemptOutcome: Sendable, Hashable, Codable {
    public let target: Target
    public let providerKey: ProviderKeyID?
    /// The upstream's HTTP status; nil when none came.
    public let status: Int?
    /// nil = it answered.
    public let failure: FailureClass?
    public let microseconds: Int64
    /// From the request's last byte to the attempt's beginning; attempts may overlap.
    public let startMicroseconds: Int64

    public init(
        target: Target, providerKey: ProviderKeyID?, status: Int?, failure: FailureClass?,
        microseconds: Int64, startMicroseconds: Int64 = 0
    ) {
        self.target = target
        self.providerKey = providerKey
        self.status = status
        self.failure = failure
        self.microseconds = microseconds
        self.startMicroseconds = startMicroseconds
    }
}
