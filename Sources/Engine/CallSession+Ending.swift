import Access
public import Cache
public import Domain
import Events
import Limits
import Metering
import Routing
import Storage

// The one ending.
extension CallSession {
    /// How a call ended, as the interface saw it.
    public struct Ending {
        public var end: CallEnd
        public var status: Int
        public var failure: CallFailure.Code?
        /// What the provider reported; nil when it reported nothing.
        public var usage: Usage?
        /// What we count instead when the provider reported nothing but something was used.
        public var estimate: Usage?

        public init(end: CallEnd, status: Int, failure: CallFailure.Code?, usage: Usage?, estimate: Usage?) {
            self.end = end
            self.status = status
            self.failure = failure
            self.usage = usage
            self.estimate = estimate
        }
    }

    /// Settles the call: gives permits back, meters what was used, tells the watchers. Later calls do nothing.
    ///
    /// Called before the answer's last byte is written, so that an answer which a caller has seen whole is already
    /// in the ledger's durable queue.
    ///
    /// - Returns: the cost, where the price is known.
    @discardableResult
    public func settle(_ ending: Ending, cached: CachedAnswer? = nil, at now: Instant) -> Money? {
        guard !settled else { return nil }
        settled = true
        while let attempt = underWay.removeFirst() {
            end(attempt, status: nil, .cancelled, nil, at: now)
            if used == nil { used = attempt } else { release(attempt, usedTokens: 0, at: now) }
        }
        let row = makeRow(ending, cached: cached, at: now)
        parts.journal.append(row)
        if begun == 0, ending.end == .failed, refusals.contains(where: \.reason.isOfRoom) {
            parts.counters.takeBack(admission.permits, at: now)
        } else {
            parts.counters.settle(admission.permits, usedTokens: row.usage.total, at: now)
        }
        if let waiting { parts.gates.abandon(waiting.ticket, at: waiting.option.target) }
        measure(ending.usage ?? ending.estimate ?? Usage(), whole: ending.end == .answered, at: now)
        parts.inFlight.leave()
        parts.publish(.callFinished(.init(row: row, attempts: outcomes, drill: drilled)), lane: lane)
        return row.cost
    }

    /// Tells the key's own limit what was used and the gauges how fast the answer came; one that was cut or left says
    /// nothing of that.
    private func measure(_ usage: Usage, whole: Bool, at now: Instant) {
        guard let used else { return }
        if let permit = used.keyPermit { parts.counters.settle(permit, usedTokens: usage.total, at: now) }
        let first = whole ? firstByteAt : nil
        // A whole answer comes at once: its tokens were made in the time before.
        let from = call.streamed ? first : used.started
        parts.gauges.ended(
            used.target, firstToken: first.map { $0 - used.started },
            tokens: first == nil ? nil : from.map { (count: usage.output + usage.reasoning, over: now - $0) },
            at: now)
    }

    private func makeRow(_ ending: Ending, cached: CachedAnswer?, at now: Instant) -> LedgerRow {
        let target = used?.target ?? outcomes.last?.target
        let key = used.map { $0.keyID } ?? outcomes.last?.providerKey
        let own = cached == nil ? ending.usage ?? ending.estimate : nil
        let isReported = ending.usage != nil && lost == nil
        let usage = lost.map { (own ?? Usage()) + $0.usage } ?? own
        return LedgerRow(
            call: call.id, tenant: who.tenant.id, virtualKey: who.key.id, at: call.at + (now - call.received),
            dialect: call.dialect, model: call.model.text, target: cached == nil ? target : nil,
            providerKey: cached == nil ? key : nil, user: who.key.user?.text ?? "",
            team: who.key.team?.text ?? "", tags: call.tags, status: ending.status, end: ending.end,
            failure: ending.failure, cache: cached != nil ? .hit : cacheKey == nil ? .bypass : .miss,
            attempts: outcomes.count, usage: usage ?? Usage(),
            usageSource: usage == nil ? .none : isReported ? .reported : .estimated,
            cost: cost(of: own, at: target),
            saved: cached?.cost, priceVersion: directory.prices.version,
            latencyMicroseconds: (now - call.received).wholeNanoseconds / 1_000,
            firstByteMicroseconds: firstByteAt.map { ($0 - call.received).wholeNanoseconds / 1_000 } ?? 0,
            payer: cached != nil ? .tenant : used.map { payer(of: $0) } ?? payer(of: key))
    }

    /// What the call cost: the answer at its target's price, and at its own target's what an attempt that was given up
    /// may have used. nil = a price is not known.
    private func cost(of usage: Usage?, at target: Target?) -> Money? {
        guard let answer = price(of: usage ?? Usage(), at: target) else { return nil }
        guard let lost else { return answer }
        return price(of: lost.usage, at: lost.target).map { answer + $0 }
    }

    private func price(of usage: Usage, at target: Target?) -> Money? {
        guard usage.total > 0 else { return .zero }
        guard let target, let kind = kind(of: target) else { return nil }
        return directory.prices.price(
            provider: target.provider, model: target.model, kind: kind
        ).map { directory.prices.cost(of: usage, at: $0) }
    }

    /// The attempt that answered knows its provider.
    private func kind(of target: Target) -> ProviderKind? {
        if let used, used.target == target { return used.provider.definition.kind }
        return directory.entries[target.provider]?.definition.kind
    }

    func payer(of key: ProviderKeyID?) -> Payer {
        guard let key, let owner = keys[key]?.record.tenant else { return .tenant }
        return owner == who.tenant.id ? .tenant : .platform
    }

    /// Who pays for an attempt.
    public func payer(of attempt: Attempt) -> Payer {
        guard let key = attempt.keyEntry else { return .tenant }
        return key.record.tenant == who.tenant.id ? .tenant : .platform
    }

    func settleRefused(_ code: CallFailure.Code, status: Int) {
        settle(
            .init(end: .refused, status: status, failure: code, usage: nil, estimate: nil), at: call.received)
    }
}
