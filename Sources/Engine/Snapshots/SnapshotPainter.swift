import Cache
import Domain
import Events
import Locking
import Metering
import Operations
import Routing
import Storage
import Vault

/// Makes the operator's picture out of the engine's state and figures; a pure function of what it is given.
struct SnapshotPainter {
    let parts: PathParts
    let state: EngineState
    let identity: GatewayEngine.Identity
    let started: WallTime
    let now: WallTime
    let instant: Instant
    /// What is not simply well about the provider keys.
    private let troubles: [ProviderKeyID: [CredentialStatus]]
    private let facts: [ProviderKeyID: CredentialFacts]
    /// The keys that calls may use, by provider: gone through once, however many targets a provider has.
    private let usable: [ProviderName: [ProviderKeyRecord]]

    init(
        parts: PathParts, state: EngineState, identity: GatewayEngine.Identity, started: WallTime,
        now: WallTime,
        instant: Instant
    ) {
        self.parts = parts
        self.state = state
        self.identity = identity
        self.started = started
        self.now = now
        self.instant = instant
        usable = Dictionary(grouping: state.providerKeys.values.filter(\.isUsable), by: \.provider)
        facts = Dictionary(
            parts.credentials.facts(at: instant).map { ($0.key, $0) }, uniquingKeysWith: { first, _ in first }
        )
        // A key that was refused stays so until a call or a check shows otherwise; only a rate limit ends by itself.
        troubles = Dictionary(
            grouping: parts.credentials.states(at: instant).filter {
                $0.mark != .cooling || $0.until > instant
            }, by: \.key)
    }

    func paint(_ book: inout TrafficBook) -> EngineSnapshot {
        let shares = book.shares(at: now)
        let counts = parts.bus.counts
        var snapshot = EngineSnapshot(
            instance: identity.instance, version: identity.version, demo: identity.demo, at: now,
            started: started,
            sequence: counts.sequence, listening: identity.listening)
        snapshot.vault = vault
        snapshot.totals = book.all.figures(at: now, inFlight: parts.inFlight.current)
        snapshot.series = book.all.series(at: now)
        snapshot.targets = targets(book, shares)
        snapshot.drills = drills
        snapshot.platform = state.routing.platform
        snapshot.providers = providers(snapshot.targets)
        snapshot.tenants = tenants(book)
        snapshot.providerKeys = providerKeys(book)
        snapshot.virtualKeys = virtualKeys(book)
        snapshot.cache = cache
        snapshot.costs = book.costs.view(at: now, priceVersion: state.prices.version) {
            state.tenants[$0]?.name
        }
        snapshot.audit = state.auditTail
        snapshot.auditVerified = state.auditVerified
        snapshot.alerts = alerts(snapshot)
        snapshot.health = Self.health(parts: parts, state: state)
        return snapshot
    }

    private var vault: VaultView {
        var view = VaultView(
            unlocked: parts.vault.isUnlocked, slots: (state.vault?.slots ?? []).map(\.kind.rawValue),
            rootVersion: state.vault?.rootVersion ?? 0,
            sealedKeys: state.providerKeys.values.count(where: \.isUsable),
            damagedKeys: state.providerKeys.values.count { $0.state == .damaged },
            slotList: (state.vault?.slots ?? []).map {
                SlotView(id: $0.id, kind: $0.kind, created: $0.created, keptBy: $0.outside?.name)
            }, work: VaultProgress.of(state))
        view.distrusted = Array(state.findings.sentences.prefix(100))
        return view
    }

    static func health(parts: PathParts, state: EngineState) -> HealthView {
        let journal = parts.journal.load
        var view = HealthView(
            journalUsed: journal.used, journalCapacity: journal.capacity,
            eventsLost: parts.bus.counts.overwritten,
            configuration: state.configurationNote)
        if !parts.vault.isUnlocked {
            view.state = .notReady
            view.reasons.append("the vault is sealed: calls that need a provider key get a 503")
        }
        if !state.findings.isClean {
            if state.findings.isWhole { view.state = .notReady }
            if view.state == .ready { view.state = .degraded }
            view.reasons.append(
                state.findings.isWhole
                    ? "tenants, virtual keys and limits were changed from outside: no call is let in"
                    : "\(state.findings.sentences.count) rows were changed from outside and are not used")
        }
        if journal.capacity > 0, journal.used * 10 >= journal.capacity * 8 {
            if view.state == .ready { view.state = .degraded }
            view.reasons.append("the usage journal is \(journal.used * 100 / journal.capacity)% full")
        }
        if parts.stopping.load() {
            view.state = .notReady
            view.reasons.append("shutting down")
        }
        return view
    }

    // MARK: Targets and providers

    private func targets(
        _ book: TrafficBook, _ shares: [Target: RecentCalls.TargetShare]
    ) -> [TargetView] {
        var known = Set(book.targets.keys)
        for route in state.routes.values { for choice in route.choices { known.insert(choice.target) } }
        let statuses = parts.breakers.states(at: instant)
        for status in statuses { known.insert(status.target) }
        let byTarget = Dictionary(statuses.map { ($0.target, $0) }, uniquingKeysWith: { first, _ in first })
        return known.sorted().map { target in
            let part = book.targets[target]
            let series = part?.window.series(at: now)
            let keys = usable[target.provider] ?? []
            var view = TargetView(
                target: target, since: part?.since ?? started,
                figures: part?.window.figures(at: now) ?? .init(),
                requestSeries: series?.requestsPerSecond ?? [], errorSeries: series?.errorPercent ?? [],
                history: part?.history ?? [], keysUsable: keys.count { isUsable($0, for: target) },
                keysTotal: keys.count, lastErrors: part?.errors ?? [],
                credentials: tally(of: keys, for: target))
            if let share = shares[target] { add(share, to: &view) }
            if let status = byTarget[target] {
                view.position = status.position
                view.hold = status.hold
                view.why = status.why
            }
            return view
        }
    }

    private var drills: [DrillView] {
        parts.drills.list(at: now).compactMap { tenant, drill in
            state.tenants[tenant].map {
                DrillView(
                    tenant: $0.name, fault: drill.order.fault, percent: drill.order.percent,
                    since: drill.since, until: drill.until, owner: drill.owner, reason: drill.order.reason,
                    calls: drill.calls)
            }
        }.sorted { $0.tenant < $1.tenant }
    }

    private func add(_ share: RecentCalls.TargetShare, to view: inout TargetView) {
        view.drilled = share.drilled
        view.dependents = share.tenants.sorted { ($0.value, $1.key) > ($1.value, $0.key) }.prefix(20)
            .compactMap { state.tenants[$0.key]?.name.text }
        view.wentTo = share.wentTo.sorted { ($0.value, $1.key) > ($1.value, $0.key) }.prefix(10)
            .map { TrafficShare(target: $0.key, calls: $0.value) }
    }

    private func tally(of keys: [ProviderKeyRecord], for target: Target) -> CredentialTally {
        var tally = CredentialTally()
        for key in keys {
            let marks = (troubles[key.id] ?? []).filter { $0.model == nil || $0.model == target.model }
                .map(\.mark)
            tally[Self.worst(of: marks)] += 1
        }
        return tally
    }

    private func isUsable(_ key: ProviderKeyRecord, for target: Target) -> Bool {
        !(troubles[key.id] ?? []).contains {
            ($0.model == nil || $0.model == target.model) && $0.until > instant
        }
    }

    private func providers(_ targets: [TargetView]) -> [ProviderView] {
        state.providers.values.sorted { $0.name < $1.name }.map { definition in
            ProviderView(
                name: definition.name, kind: definition.kind, origin: definition.origin.description,
                targets: targets.count { $0.target.provider == definition.name },
                keys: usable[definition.name]?.count ?? 0, region: definition.region,
                retention: definition.retention,
                probe: parts.probes.view(of: definition.name))
        }
    }

    // MARK: Tenants and keys

    private func tenants(_ book: TrafficBook) -> [TenantView] {
        let today = book.costs.today(at: now)
        return state.tenants.values.sorted { $0.name < $1.name }.map { tenant in
            let part = book.tenants[tenant.id]
            let series = part?.window.series(at: now)
            var view = TenantView(
                id: tenant.id, name: tenant.name, status: tenant.status, limits: tenant.limits,
                created: tenant.created, figures: part?.window.figures(at: now) ?? .init(),
                requestSeries: series?.requestsPerSecond ?? [], errorSeries: series?.errorPercent ?? [],
                costSeries: series?.costPerHour ?? [],
                tokensPerMinute: part?.window.tokensPerMinute(at: now) ?? 0)
            view.costToday = today[tenant.id]?.cost ?? .zero
            view.unpricedToday = today[tenant.id]?.unpriced ?? 0
            view.usesPlatformKeys = tenant.usesPlatformKeys
            view.models = (part?.models ?? [:]).map { name, sums in
                ModelFigures(
                    model: name, target: sums.target?.description ?? "", calls: sums.calls,
                    errors: sums.errors,
                    tokens: sums.tokens,
                    hits: sums.hits, cost: sums.cost)
            }.sorted { ($0.calls, $1.model) > ($1.calls, $0.model) }.prefix(20).map { $0 }
            return view
        }
    }

    private func providerKeys(_ book: TrafficBook) -> [ProviderKeyView] {
        let successors = Dictionary(
            state.providerKeys.values.compactMap { key in key.predecessor.map { ($0, key.id) } },
            uniquingKeysWith: { first, _ in first })
        return state.providerKeys.values.compactMap { key -> ProviderKeyView? in
            guard let tenant = state.tenants[key.tenant] else { return nil }
            let window = book.providerKeys[key.id]
            let known = facts[key.id]
            return ProviderKeyView(
                id: key.id, tenant: tenant.name, provider: key.provider, label: key.label,
                fingerprint: key.fingerprint, state: key.state,
                health: worst(of: key.id), healthUntil: worstEnds(of: key.id), created: key.created,
                drainEnds: key.drainEnds, predecessor: key.predecessor, successor: successors[key.id],
                verdict: key.verdict, verdictAt: key.verdictAt, lastUsed: window?.last,
                requestsPerSecond: window?.figures(at: now).requestsPerSecond ?? 0,
                rateLimitedPercent: window?.rateLimitedPercent(at: now) ?? 0,
                lastSuccess: civil(known?.lastAnswered), lastRejected: civil(known?.lastRefused),
                lastRateLimited: civil(known?.lastLimited),
                headroom: known?.headrooms.last.map { Self.words($0.headroom) } ?? "",
                modelMarks: modelMarks(of: key.id), weight: key.weight, models: key.models,
                canary: key.canary)
        }.sorted {
            ($0.provider.text, $0.tenant.text, $0.created, $0.id) < (
                $1.provider.text, $1.tenant.text, $1.created, $1.id
            )
        }
    }

    private func civil(_ moment: Instant?) -> WallTime? {
        moment.map { WallTime(milliseconds: now.milliseconds - (instant - $0).wholeMilliseconds) }
    }

    private func modelMarks(of key: ProviderKeyID) -> [ModelMark] {
        (troubles[key] ?? []).compactMap { status in
            status.model.map { ModelMark(model: $0.text, mark: status.mark, until: ahead(status.until)) }
        }.sorted { $0.model < $1.model }.prefix(20).map { $0 }
    }

    /// `req 480/500 · tok 28k/30k`.
    private static func words(_ headroom: KeyHeadroom) -> String {
        func part(_ word: String, _ left: Int64?, _ limit: Int64?) -> String? {
            guard let left else { return nil }
            return "\(word) \(brief(left))" + (limit.map { "/\(brief($0))" } ?? "")
        }
        return [
            part("req", headroom.requestsLeft, headroom.requestsLimit),
            part("tok", headroom.tokensLeft, headroom.tokensLimit),
        ].compactMap { $0 }.joined(separator: " · ")
    }

    private static func brief(_ count: Int64) -> String {
        count >= 10_000_000 ? "\(count / 1_000_000)M" : count >= 10_000 ? "\(count / 1_000)k" : "\(count)"
    }

    private func worst(of key: ProviderKeyID) -> CredentialMark {
        Self.worst(of: (troubles[key] ?? []).map(\.mark))
    }

    /// The last end of the rests that its worst mark stands for.
    private func worstEnds(of key: ProviderKeyID) -> WallTime? {
        let worst = worst(of: key)
        return (troubles[key] ?? []).filter { $0.mark == worst }.map(\.until).max().flatMap(ahead)
    }

    private func ahead(_ moment: Instant) -> WallTime? { moment > instant ? civil(moment) : nil }

    private static func worst(of marks: [CredentialMark]) -> CredentialMark {
        [.rejected, .suspect, .exhausted, .deniedForModel, .cooling].first { marks.contains($0) }
            ?? .ok
    }

    private func virtualKeys(_ book: TrafficBook) -> [VirtualKeyView] {
        state.virtualKeys.values.compactMap { key -> VirtualKeyView? in
            guard let tenant = state.tenants[key.tenant] else { return nil }
            let window = book.virtualKeys[key.id]
            return VirtualKeyView(
                id: key.id, tenant: tenant.name, name: key.name, fingerprint: key.fingerprint, user: key.user,
                team: key.team, models: key.models, limits: key.limits, created: key.created,
                expires: key.expires,
                revoked: key.revoked, successor: key.successor, lastUsed: window?.last,
                requestsPerSecond: window?.figures(at: now).requestsPerSecond ?? 0,
                callClass: key.callClass)
        }.sorted { ($0.tenant.text, $0.name.text, $0.created) < ($1.tenant.text, $1.name.text, $1.created) }
    }

    // MARK: Cache and alerts

    private var cache: CacheView {
        let all = parts.cache.stats()
        let byTenant = parts.cache.statsByTenant()
        let options = parts.options.load()
        return CacheView(
            entries: all.entries, bytes: all.bytes, bytesMax: parts.cache.options.bytesMax, hits: all.hits,
            misses: all.misses, evicted: all.evicted,
            timeToLiveSeconds: Int(options.cacheTimeToLive.secondsRoundedUp), saved: all.saved,
            tenants: state.tenants.values.sorted { $0.name < $1.name }.map { tenant in
                let own = byTenant[tenant.id]
                return CacheTenantView(
                    tenant: tenant.name, enabled: tenant.cacheEnabled && options.cacheEnabled,
                    entries: own?.entries ?? 0, bytes: own?.bytes ?? 0, hits: own?.hits ?? 0,
                    misses: own?.misses ?? 0, saved: own?.saved ?? .zero)
            })
    }

    /// Successors that were taken back because their provider does not take them.
    private func withdrawn(_ keys: [ProviderKeyView]) -> [AlertView] {
        let active = Set(keys.lazy.filter { $0.state == .active }.map(\.id))
        return keys.filter { key in
            key.state == .draining && key.health != .ok && key.predecessor.map(active.contains) ?? false
        }.map { key in
            AlertView(
                level: .warning, subject: .providerKey(key.id),
                title: "\(key.tenant) \(key.provider)/\(key.label)",
                text: "the new key was withdrawn, the provider says: \(key.health.rawValue)",
                since: key.lastRejected ?? now)
        }
    }

    private func alerts(_ snapshot: EngineSnapshot) -> [AlertView] {
        var alerts: [AlertView] = []
        if !snapshot.vault.unlocked {
            alerts.append(
                .init(
                    level: .critical, subject: .health, title: "vault",
                    text: "SEALED: calls get a 503 until it is unlocked", since: started))
        }
        if let first = state.findings.sentences.first {
            let more = state.findings.sentences.count - 1
            alerts.append(
                .init(
                    level: .critical, subject: .health, title: "changed from outside",
                    text: first + (more > 0 ? " (and \(more) more)" : ""), since: started))
        }
        if state.configurationNote.hasPrefix("refused") {
            alerts.append(
                .init(
                    level: .warning, subject: .health, title: "configuration", text: state.configurationNote,
                    since: now))
        }
        for target in snapshot.targets where target.position != .closed || target.hold != nil {
            let word = target.hold.map { _ in "HELD" } ?? target.position.word
            alerts.append(
                .init(
                    level: target.position == .open ? .critical : .warning, subject: .target(target.target),
                    title: target.target.description, text: "\(word): \(target.why)", since: target.since))
        }
        if !state.auditSigning.isEmpty {
            alerts.append(
                .init(
                    level: .critical, subject: .health, title: "audit", text: state.auditSigning, since: now))
        }
        for key in snapshot.providerKeys
        where (key.state == .active || key.state == .canary) && key.health != .ok {
            alerts.append(
                .init(
                    level: key.health == .rejected ? .critical : .warning, subject: .providerKey(key.id),
                    title: "\(key.tenant) \(key.provider)/\(key.label)",
                    text: "the provider says: \(key.health.rawValue)", since: key.lastUsed ?? now))
        }
        alerts += withdrawn(snapshot.providerKeys)
        for key in snapshot.providerKeys where key.state == .damaged {
            alerts.append(
                .init(
                    level: .critical, subject: .providerKey(key.id),
                    title: "\(key.tenant) \(key.provider)/\(key.label)",
                    text: "DAMAGED: its sealed record does not open", since: key.created))
        }
        for tenant in snapshot.tenants where tenant.status == .suspended {
            alerts.append(
                .init(
                    level: .info, subject: .tenant(tenant.id), title: "tenant \(tenant.name)",
                    text: "suspended: its calls are refused", since: now))
        }
        return alerts
    }
}
