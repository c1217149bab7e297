/// Something that happened, for those who watch; small, without prompt text and without secrets.
package enum GatewayEvent: Sendable, Hashable, Codable {
    case callStarted(CallStart)
    // The large ones stand apart: an event is moved several times, and a ring holds room for thousands.
    indirect case callFinished(CallFinish)
    indirect case breakerMoved(BreakerMove)
    case credentialMarked(CredentialChange)
    indirect case changed(Change)

    /// A call was let in.
    package struct CallStart: Sendable, Hashable, Codable {
        package let call: CallID
        package let tenant: TenantID
        package let at: WallTime
        package init(call: CallID, tenant: TenantID, at: WallTime) {
            self.call = call
            self.tenant = tenant
            self.at = at
        }
    }

    /// A call ended, with its ledger row and the attempts that led there.
    package struct CallFinish: Sendable, Hashable, Codable {
        package let row: LedgerRow
        package let attempts: [AttemptOutcome]
        /// A drill made one of the attempts fail.
        package let drill: Bool
        package init(row: LedgerRow, attempts: [AttemptOutcome], drill: Bool = false) {
            self.row = row
            self.attempts = attempts
            self.drill = drill
        }
    }

    /// A breaker changed position or override.
    package struct BreakerMove: Sendable, Hashable, Codable {
        package let target: Target
        package let position: BreakerPosition
        package let hold: BreakerHold?
        package let why: String
        package let at: WallTime
        package init(target: Target, position: BreakerPosition, hold: BreakerHold?, why: String, at: WallTime)
        {
            self.target = target
            self.position = position
            self.hold = hold
            self.why = why
            self.at = at
        }
    }

    /// A provider key's health changed.
    package struct CredentialChange: Sendable, Hashable, Codable {
        package let key: ProviderKeyID
        package let tenant: TenantID
        package let mark: CredentialMark
        package let at: WallTime
        package init(key: ProviderKeyID, tenant: TenantID, mark: CredentialMark, at: WallTime) {
            self.key = key
            self.tenant = tenant
            self.mark = mark
            self.at = at
        }
    }

    /// A command or the configuration changed something; `what` is a short sentence.
    package struct Change: Sendable, Hashable, Codable {
        package let action: String
        package let what: String
        package let at: WallTime
        package init(action: String, what: String, at: WallTime) {
            self.action = action
            self.what = what
            self.at = at
        }
    }
}

/// One try at one target with one key, and how it went.
package struct AttemptOutcome: Sendable, Hashable, Codable {
    package let target: Target
    package let providerKey: ProviderKeyID?
    /// The upstream's HTTP status; nil when none came.
    package let status: Int?
    /// nil = it answered.
    package let failure: FailureClass?
    package let microseconds: Int64
    /// From the request's last byte to the attempt's beginning; attempts may overlap.
    package let startMicroseconds: Int64

    package init(
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
