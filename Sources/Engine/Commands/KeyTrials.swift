import Domain
import Events
import Locking
import Logging
import Operations
import Routing
import Storage

/// Successors of provider keys on trial: switched to at the end, or withdrawn when their provider refuses them.
///
/// All that a trial is stands in the key's row, so that it goes on after a restart; `KeyTrial` decides.
extension CommandDesk {
    static func check(_ canary: CanaryOrder?) throws(CommandRefusal) {
        guard let canary else { return }
        guard (1...99).contains(canary.percent), (1...drainSecondsMost).contains(canary.seconds) else {
            throw CommandRefusal(
                .invalid, "a canary takes 1 to 99 percent of the calls, for 1 to \(drainSecondsMost) seconds")
        }
    }

    /// The key on trial that this is, or that is to take this one's place.
    func trial(of id: ProviderKeyID) -> ProviderKeyRecord? {
        let keys = state.load().providerKeys
        guard let key = keys[id] else { return nil }
        if key.state == .canary { return key }
        return keys.values.first { $0.state == .canary && $0.predecessor == id && $0.tenant == key.tenant }
    }

    /// Once a second: takes the next step of each trial; whether there was one to be audited.
    func tendTrials(by gateway: OperatorID) async -> Bool {
        let keys = state.load().providerKeys
        let trials = keys.values.filter { $0.state == .canary }.sorted { $0.id < $1.id }
        guard !trials.isEmpty else {
            refusals = [:]
            return false
        }
        let now = parts.clock.now
        let marks = Dictionary(grouping: parts.credentials.states(at: now), by: \.key)
        let answered = Set(parts.credentials.facts(at: now).filter { $0.lastAnswered != nil }.map(\.key))
        var audited = false
        for key in trials {
            guard let canary = key.canary else { continue }
            countRefusal(of: key.id, marks[key.id] ?? [])
            let predecessor = key.predecessor.flatMap { keys[$0] }
            let step = KeyTrial.step(
                canary, marks: marks[key.id] ?? [],
                predecessorMarks: predecessor.flatMap { marks[$0.id] } ?? [],
                predecessorServes: predecessor?.state == .active, refusals: refusals[key.id]?.count ?? 0,
                wasAnswered: answered.contains(key.id),
                at: parts.clock.wall)
            do {
                switch step {
                case .goOn: continue
                case .ask: askAboutTrial(key.id, by: gateway)
                case .switchOver:
                    try await alone { try await switchOver(to: key.id, by: gateway) }
                    audited = true
                case .withdraw(let mark):
                    _ = try await alone {
                        try await withdraw(key.id, why: "the provider says: \(mark.rawValue)", by: gateway)
                    }
                    audited = true
                }
            } catch {
                log.error(
                    "the trial of a provider key could not go on",
                    metadata: ["key": "\(key.id.short)", "why": "\(error)"])
            }
        }
        return audited
    }

    /// A check that finds a suspect well clears its mark, and forgets it: so it is counted here.
    private func countRefusal(of key: ProviderKeyID, _ marks: [CredentialStatus]) {
        guard let mark = marks.first(where: { $0.mark == .suspect }), refusals[key]?.at != mark.markedAt
        else { return }
        refusals[key] = (at: mark.markedAt, count: (refusals[key]?.count ?? 0) + 1)
    }

    /// Asks the provider, beside whatever else goes on.
    private func askAboutTrial(_ id: ProviderKeyID, by gateway: OperatorID) {
        guard !checking.contains(id), checking.count < Self.checksMost else { return }
        checking.insert(id)
        Task { await endTrialAsked(id, by: gateway) }
    }

    private func endTrialAsked(_ id: ProviderKeyID, by gateway: OperatorID) async {
        defer { checking.remove(id) }
        do {
            let (record, _, _) = try key(id)
            let answer = try await probeStored(record, provider: try provider(named: record.provider))
            try await alone {
                // What cannot be found out says nothing against a key that was good when the trial began.
                guard answer.verdict == .refused else { return try await switchOver(to: id, by: gateway) }
                _ = try await withdraw(id, why: "the provider refused it: \(answer.sentence)", by: gateway)
            }
            await refreshAuditTail()
        } catch {
            log.error(
                "the trial of a provider key could not be ended",
                metadata: ["key": "\(id.short)", "why": "\(error)"])
        }
    }

    /// The key on trial takes every call, and its predecessor drains. Only behind the turnstile.
    private func switchOver(to id: ProviderKeyID, by who: OperatorID) async throws {
        var (new, tenant, name) = try key(id)
        guard new.state == .canary, let canary = new.canary else { return }
        new.state = .active
        new.canary = nil
        var changes = [(row: new, was: ProviderKeyState.canary)]
        var ended = ""
        if var old = new.predecessor.flatMap({ state.load().providerKeys[$0] }), old.state == .active {
            old.state = .draining
            old.drainEnds = parts.clock.wall + .seconds(canary.drainSeconds)
            changes.append((old, was: .active))
            ended = "active \(old.fingerprint), "
        }
        let store = try await tenants.store(for: tenant.id)
        let audit = draft(
            who, "key.switch", name, tenant: tenant.id, before: ended + "canary \(new.fingerprint)",
            after: "active \(new.fingerprint)",
            reason: "after \(canary.percent)%; drain \(canary.drainSeconds) s")
        try await replace(changes, in: store, audit: audit)
        publishChange("key.switch", "key \(name): every call goes with \(new.fingerprint) now")
    }

    /// The key on trial drains, and its predecessor keeps the calls; says what was done, nil when the trial is over.
    /// Only behind the turnstile.
    func withdraw(_ id: ProviderKeyID, why: String, by who: OperatorID) async throws -> String? {
        var (new, tenant, name) = try key(id)
        guard new.state == .canary, let canary = new.canary else { return nil }
        new.state = .draining
        new.canary = nil
        new.drainEnds = parts.clock.wall + .seconds(canary.drainSeconds)
        let old = new.predecessor.flatMap { state.load().providerKeys[$0] }?.fingerprint ?? "none"
        let store = try await tenants.store(for: tenant.id)
        let audit = draft(
            who, "key.undo", name, tenant: tenant.id, before: "canary \(new.fingerprint)",
            after: "active \(old), draining \(new.fingerprint)", reason: why)
        try await replace([(new, was: .canary)], in: store, audit: audit)
        let words = "key \(name) keeps its calls; the new one, \(new.fingerprint), is withdrawn"
        publishChange("key.undo", why.isEmpty ? words : "\(words): \(why)")
        return words
    }
}
