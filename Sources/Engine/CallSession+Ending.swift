import Access
package import Cache
package import Domain
import Events
import Limits
import Metering
import Routing
import Storage

// The one ending.
extension CallSession {
    /// How a call ended, as the interface saw it.
    package struct Ending {
        package var end: CallEnd
        package var status: Int
        package var failure: CallFailure.Code?
        /// What the provider reported; nil when it reported nothing.
        package var usage: Usage?
        /// What we count instead when the provider reported nothing but something was used.
        package var estimate: Usage?

        package init(end: CallEnd, status: Int, failure: CallFailure.Code?, usage: Usage?, estimate: Usage?) {
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
    package func settle(_ ending: Ending, cached: CachedAnswer? = nil, at now: Instant) -> Money? {
        guard !settled else { return nil }
        settled = true
        if current != nil { finishAttempt(status: nil, .cancelled, nil, at: now) }
        let row = makeRow(ending, cached: cached, at: now)
        parts.journal.append(row)
        parts.counters.settle(admission.permits, usedTokens: row.usage.total, at: now)
        if let usedKey { parts.counters.settle(usedKey, usedTokens: row.usage.total, at: now) }
        if let waiting { parts.gates.abandon(waiting.ticket, at: waiting.option.target) }
        measure(row.usage, whole: ending.end == .answered, at: now)
        parts.inFlight.leave()
        parts.publish(.callFinished(.init(row: row, attempts: outcomes, drill: drilled)), lane: lane)
        return row.cost
    }

    /// Tells the gauges how fast the answer came; one that was cut or left says nothing.
    private func measure(_ usage: Usage, whole: Bool, at now: Instant) {
        guard let used else { return }
        let first = whole ? firstByteAt : nil
        // A whole answer comes at once: its tokens were made in the time before.
        let from = call.streamed ? first : used.started
        parts.gauges.ended(
            used.target, firstToken: first.map { $0 - used.started },
            tokens: first == nil ? nil : from.map { (count: usage.output + usage.reasoning, over: now - $0) },
            at: now)
    }

    private func makeRow(_ ending: Ending, cached: CachedAnswer?, at now: Instant) -> LedgerRow {
        let last = outcomes.last { $0.failure == nil } ?? outcomes.last
        let usage = cached == nil ? ending.usage ?? ending.estimate : nil
        let price = last.flatMap { outcome in
            directory.providers[outcome.target.provider].flatMap {
                directory.prices.price(provider: $0.name, model: outcome.target.model, kind: $0.kind)
            }
        }
        let cost: Money? =
            if let usage, usage.total > 0 { price.map { directory.prices.cost(of: usage, at: $0) } } else {
                .zero
            }
        return LedgerRow(
            call: call.id, tenant: who.tenant.id, virtualKey: who.key.id, at: call.at + (now - call.received),
            dialect: call.dialect, model: call.model.text, target: cached == nil ? last?.target : nil,
            providerKey: cached == nil ? last?.providerKey : nil, user: who.key.user?.text ?? "",
            team: who.key.team?.text ?? "", tags: call.tags, status: ending.status, end: ending.end,
            failure: ending.failure, cache: cached != nil ? .hit : cacheKey == nil ? .bypass : .miss,
            attempts: outcomes.count, usage: usage ?? Usage(),
            usageSource: usage == nil ? .none : ending.usage == nil ? .estimated : .reported, cost: cost,
            saved: cached?.cost, priceVersion: directory.prices.version,
            latencyMicroseconds: (now - call.received).wholeNanoseconds / 1_000,
            firstByteMicroseconds: firstByteAt.map { ($0 - call.received).wholeNanoseconds / 1_000 } ?? 0,
            payer: cached == nil ? payer(of: last?.providerKey) : .tenant)
    }

    private func payer(of key: ProviderKeyID?) -> Payer {
        guard let key, let owner = keys[key]?.tenant else { return .tenant }
        return owner == who.tenant.id ? .tenant : .platform
    }

    /// Who pays for the attempt that answers.
    package var payer: Payer { payer(of: (used ?? current)?.key?.id) }

    func settleRefused(_ code: CallFailure.Code, status: Int) {
        settle(
            .init(end: .refused, status: status, failure: code, usage: nil, estimate: nil), at: call.received)
    }
}
