import Cipher
import Domain
import Events
import Locking
import Operations
import Routing
import Storage
import Vault

/// Provider keys: add, verify, rotate, undo, drain, revoke.
extension CommandDesk {
    /// Shortest and longest text that can be a provider key (OpenAI's and Anthropic's have 40 to 200 characters).
    private static let secretLengths = 8...2_048
    static let drainSecondsMost = 7 * 86_400

    func addKey(
        _ tenantName: TenantName, _ providerName: ProviderName, _ label: Label, acceptUnverified: Bool,
        secret: SecretDraft?, by who: OperatorID
    ) async throws -> CommandOutcome {
        let tenant = try tenant(named: tenantName)
        let provider = try provider(named: providerName)
        try refuseTaken(tenant, providerName, label)
        let (record, answer) = try await seal(
            secret, tenant: tenant, provider: provider, label: label, predecessor: nil,
            acceptUnverified: acceptUnverified)
        let name = "\(tenantName) \(providerName)/\(label)"
        try await alone {
            try refuseTaken(tenant, providerName, label)
            let record = try sealedForNow(record)
            let store = try await tenants.store(for: tenant.id)
            let audit = draft(
                who, "key.add", name, tenant: tenant.id,
                after: "\(record.fingerprint), \(answer.verdict.rawValue)")
            try await store.insertProviderKey(record, audit: audit)
            put([record])
            await settle(audit, of: store)
        }
        publishChange("key.add", "key \(name) added")
        return CommandOutcome(
            CommandReceipt(
                message: "key \(providerName)/\(label) of \(tenantName) added: \(answer.verdict.rawValue)",
                details: ["fingerprint \(record.fingerprint)", "id \(record.id)", answer.sentence]))
    }

    private func refuseTaken(
        _ tenant: TenantRecord, _ provider: ProviderName, _ label: Label
    ) throws(CommandRefusal) {
        let taken = state.load().providerKeys.values.contains {
            $0.tenant == tenant.id && $0.provider == provider && $0.label == label && $0.state != .revoked
        }
        guard !taken else {
            throw CommandRefusal(
                .conflict,
                "tenant \(tenant.name) has a key \(provider)/\(label) already; rotate it, or choose a label")
        }
    }

    func verifyKey(_ id: ProviderKeyID, by who: OperatorID) async throws -> CommandOutcome {
        let (record, tenant, name) = try verifiable(id)
        let provider = try provider(named: record.provider)
        let answer = try await probeStored(record, provider: provider)
        try await alone {
            // The provider took its time: what it said goes onto the key as it is now, if there still is one.
            var (fresh, _, _) = try verifiable(id)
            let read = fresh.state
            fresh.verdict = answer.verdict
            fresh.verdictAt = parts.clock.wall
            let store = try await tenants.store(for: tenant.id)
            let audit = draft(who, "key.verify", name, tenant: tenant.id, result: answer.verdict.rawValue)
            try await replace([(fresh, was: read)], in: store, audit: audit)
        }
        if answer.verdict == .verified { _ = parts.credentials.clear(id) }
        if answer.verdict == .refused, let model = try? ModelName("any") {
            _ = parts.credentials.note(
                .rejected, on: id, for: model, began: parts.clock.now, at: parts.clock.now, retryAfter: nil)
        }
        return CommandOutcome(
            CommandReceipt(
                message: "key \(name): \(answer.verdict.rawValue)", details: [answer.sentence],
                isBad: answer.verdict != .verified))
    }

    /// Asks the providers about keys that were refused once, beside whatever else goes on: some at a time, each with
    /// the prober's own bound on time. What cannot be found out stays a suspect, which one call may try when its rest is
    /// over.
    func checkSuspects() {
        for status in parts.credentials.states(at: parts.clock.now)
        where status.mark == .suspect && status.model == nil && !checking.contains(status.key) {
            guard checking.count < Self.checksMost else { return }
            checking.insert(status.key)
            Task { await check(status.key) }
        }
    }

    private func check(_ id: ProviderKeyID) async {
        defer { checking.remove(id) }
        let began = parts.clock.now
        guard let (record, _, _) = try? verifiable(id), let provider = try? provider(named: record.provider),
            let answer = try? await probeStored(record, provider: provider),
            let model = try? ModelName("any")
        else { return }
        let changed: CredentialMark?
        switch answer.verdict {
        case .verified: changed = parts.credentials.clear(id)
        case .refused:
            changed = parts.credentials.note(
                .rejected, on: id, for: model, began: began, at: parts.clock.now, retryAfter: nil)
        case .unknown: return
        }
        guard let changed else { return }
        parts.publish(
            .credentialMarked(.init(key: id, tenant: record.tenant, mark: changed, at: parts.clock.wall)),
            lane: parts.bus.commonLane)
    }

    private func verifiable(
        _ id: ProviderKeyID
    ) throws(CommandRefusal) -> (ProviderKeyRecord, TenantRecord, String) {
        let (record, tenant, name) = try key(id)
        guard record.isUsable else {
            throw CommandRefusal(
                .conflict, "key \(name) is \(record.state.rawValue); there is nothing to verify")
        }
        return (record, tenant, name)
    }

    func rotateKey(
        _ id: ProviderKeyID, canary: CanaryOrder?, drainSeconds: Int, acceptUnverified: Bool,
        secret: SecretDraft?, by who: OperatorID
    ) async throws -> CommandOutcome {
        let (old, tenant, name) = try rotatable(id)
        guard (0...Self.drainSecondsMost).contains(drainSeconds) else {
            throw CommandRefusal(.invalid, "the drain takes 0 to \(Self.drainSecondsMost) seconds")
        }
        try Self.check(canary)
        let provider = try provider(named: old.provider)
        var (fresh, answer) = try await seal(
            secret, tenant: tenant, provider: provider, label: old.label, predecessor: old.id,
            acceptUnverified: acceptUnverified)
        fresh.weight = old.weight
        fresh.models = old.models
        let new = fresh
        guard new.fingerprint != old.fingerprint else {
            throw CommandRefusal(.conflict, "that is the key \(name) already has; nothing was changed")
        }
        let now = parts.clock.wall
        let trial = canary.map {
            KeyCanary(
                percent: $0.percent, ends: now + .seconds($0.seconds), drainSeconds: drainSeconds)
        }
        let drainEnds = now + .seconds(drainSeconds)
        try await alone {
            // Two rotations of one key may have asked the provider at the same time: the second finds the first's.
            var (before, _, _) = try rotatable(id)
            var new = try sealedForNow(new)
            if let trial {
                new.state = .canary
                new.canary = trial
            } else {
                before.state = .draining
                before.drainEnds = drainEnds
            }
            let store = try await tenants.store(for: tenant.id)
            let audit = draft(
                who, "key.rotate", name, tenant: tenant.id, before: old.fingerprint,
                after: "\(new.fingerprint), \(answer.verdict.rawValue)",
                reason: (canary.map { "canary \($0.percent)% for \($0.seconds) s, then " } ?? "")
                    + "drain \(drainSeconds) s")
            try await store.rotateProviderKey(
                ProviderKeyChange(row: before, ifCounter: before.counter, ifState: .active), with: new,
                audit: audit)
            put([before, new])
            await settle(audit, of: store)
        }
        let share = trial.map { "takes \($0.percent)% of the calls until \($0.ends.civil.clock)Z, then all" }
        publishChange(
            "key.rotate", "key \(name) rotated to \(new.fingerprint)" + (share.map { ", which \($0)" } ?? ""))
        let message =
            share.map { "key \(name): the new one \($0); then the old one drains for \(drainSeconds) s" }
            ?? "key \(name) rotated; the old one drains until \(drainEnds.civil.clock)Z, then it is revoked"
        let undoUntil = trial.map { $0.ends + .seconds(drainSeconds) } ?? drainEnds
        return CommandOutcome(
            CommandReceipt(
                message: message,
                details: [
                    "old \(old.fingerprint)", "new \(new.fingerprint): \(answer.verdict.rawValue)",
                    answer.sentence,
                ], undo: undoUntil > now ? .keyUndo(key: id) : nil, undoUntil: undoUntil))
    }

    private func rotatable(
        _ id: ProviderKeyID
    ) throws(CommandRefusal) -> (ProviderKeyRecord, TenantRecord, String) {
        let (record, tenant, name) = try key(id)
        guard record.state == .active else {
            throw CommandRefusal(
                .conflict, "key \(name) is \(record.state.rawValue); only an active key is rotated")
        }
        guard trial(of: id) == nil else {
            throw CommandRefusal(
                .conflict, "a successor of key \(name) is on trial; undo that first, or wait for its end")
        }
        return (record, tenant, name)
    }

    /// Ends the trial of a key's successor, or puts a draining key back: every other active key of its line drains in its
    /// place.
    func undoRotation(of id: ProviderKeyID, by who: OperatorID) async throws -> CommandOutcome {
        if let trial = trial(of: id) {
            let message = try await withdraw(trial.id, why: "", by: who) ?? "there is no trial any more"
            return CommandOutcome(CommandReceipt(message: message))
        }
        var (old, tenant, name) = try key(id)
        guard old.state == .draining else {
            throw CommandRefusal(
                .conflict, "key \(name) is \(old.state.rawValue); only a draining key can be put back")
        }
        let ends = old.drainEnds
        old.state = .active
        old.drainEnds = nil
        let others = line(of: id).filter { $0.id != id && ($0.state == .active || $0.state == .canary) }
        let drained = others.map { other in
            var drained = other
            drained.state = .draining
            drained.canary = nil
            drained.drainEnds = ends
            return (drained, was: other.state)
        }
        let store = try await tenants.store(for: tenant.id)
        let words = others.map(\.fingerprint).joined(separator: ", ")
        let audit = draft(
            who, "key.undo", name, tenant: tenant.id,
            before: "draining" + (words.isEmpty ? "" : ", active \(words)"),
            after: "active \(old.fingerprint)" + (words.isEmpty ? "" : ", draining \(words)"))
        try await replace([(old, was: .draining)] + drained, in: store, audit: audit)
        publishChange("key.undo", "key \(name) is back")
        let message = "key \(name) takes traffic again" + (words.isEmpty ? "" : "; \(words) drains instead")
        return CommandOutcome(CommandReceipt(message: message))
    }

    /// A key with its predecessors and successors, in no order.
    private func line(of id: ProviderKeyID) -> [ProviderKeyRecord] {
        let all = state.load().providerKeys
        func root(of key: ProviderKeyID) -> ProviderKeyID {
            var key = key
            // A line has as many links as rotations; more steps than keys would be a circle.
            for _ in 0..<all.count {
                guard let before = all[key]?.predecessor, all[before] != nil else { break }
                key = before
            }
            return key
        }
        let origin = root(of: id)
        let tenant = all[id]?.tenant
        return all.values.filter { $0.tenant == tenant && root(of: $0.id) == origin }
    }

    func drainKey(
        _ id: ProviderKeyID, seconds: Int, reason: String, by who: OperatorID
    ) async throws -> CommandOutcome {
        var (record, tenant, name) = try key(id)
        guard record.state == .active else {
            throw CommandRefusal(
                .conflict, "key \(name) is \(record.state.rawValue); only an active key can be drained")
        }
        guard (1...Self.drainSecondsMost).contains(seconds) else {
            throw CommandRefusal(.invalid, "the drain takes 1 to \(Self.drainSecondsMost) seconds")
        }
        record.state = .draining
        record.drainEnds = parts.clock.wall + .seconds(seconds)
        let store = try await tenants.store(for: tenant.id)
        let audit = draft(
            who, "key.drain", name, tenant: tenant.id, before: "active", after: "draining \(seconds) s",
            reason: reason)
        try await replace([(record, was: .active)], in: store, audit: audit)
        publishChange("key.drain", "key \(name) drains")
        return CommandOutcome(
            CommandReceipt(
                message: "key \(name) drains for \(seconds) s, then it is revoked", undo: .keyUndo(key: id),
                undoUntil: record.drainEnds))
    }

    func revokeKey(_ id: ProviderKeyID, reason: String, by who: OperatorID) async throws -> CommandOutcome {
        var (record, tenant, name) = try key(id)
        guard record.state != .revoked else {
            throw CommandRefusal(.conflict, "key \(name) is revoked already")
        }
        let before = record.state
        record.state = .revoked
        record.drainEnds = nil
        record.sealed = []
        let store = try await tenants.store(for: tenant.id)
        let audit = draft(
            who, "key.revoke", name, tenant: tenant.id, before: "\(before.rawValue) \(record.fingerprint)",
            after: "revoked", reason: reason)
        let revoked = record
        let owed = try await protect("key \(id)", in: tenant.id) {
            try await store.replaceProviderKeys(
                [ProviderKeyChange(row: revoked, ifCounter: revoked.counter, ifState: before)], audit: audit)
        }
        put([revoked])
        retire(id)
        if owed == nil { await settle(audit, of: store) }
        publishChange("key.revoke", "key \(name) revoked")
        return CommandOutcome(
            CommandReceipt(
                message:
                    "key \(name) is revoked; its sealed record is \(owed == nil ? "" : "not yet ")erased",
                details: [owed ?? "", "revoke it at the provider too: Gatehouse cannot do that"].filter {
                    !$0.isEmpty
                }, isBad: owed != nil))
    }

    /// A free call to the provider, with a tenant's key where one is named.
    func testProvider(_ name: ProviderName, tenant tenantName: TenantName?) async throws -> CommandOutcome {
        let provider = try provider(named: name)
        let answer: KeyProbeAnswer
        if let tenantName {
            let tenant = try tenant(named: tenantName)
            guard
                let record = state.load().providerKeys.values.first(where: {
                    $0.tenant == tenant.id && $0.provider == name && $0.state == .active
                })
            else { throw CommandRefusal(.notFound, "tenant \(tenantName) has no active key for \(name)") }
            answer = try await probeStored(record, provider: provider)
        } else {
            answer = await prober.probe(provider, secret: try Self.placeholder())
        }
        // Without a key a refusal is what a provider in good health says.
        let reachable = tenantName == nil && answer.verdict == .refused
        let words =
            reachable ? "reachable (it refused a call without a key, as it should)" : answer.verdict.rawValue
        return CommandOutcome(
            CommandReceipt(
                message: "provider \(name): \(words)", details: [answer.sentence],
                isBad: !reachable && answer.verdict != .verified))
    }

    // MARK: Pieces

    /// What stands in a key's place when a provider is asked without one.
    private static func placeholder() throws -> SecretBytes {
        let text: StaticString = "no-key-was-given"
        return try SecretBytes(
            copying: UnsafeRawBufferPointer(start: text.utf8Start, count: text.utf8CodeUnitCount))
    }

    func provider(named name: ProviderName) throws(CommandRefusal) -> ProviderDefinition {
        guard let provider = state.load().providers[name] else {
            throw CommandRefusal(.notFound, "there is no provider \(name); see: gatehouse provider list")
        }
        return provider
    }

    func key(_ id: ProviderKeyID) throws(CommandRefusal) -> (ProviderKeyRecord, TenantRecord, String) {
        guard let record = state.load().providerKeys[id], let tenant = state.load().tenants[record.tenant]
        else {
            throw CommandRefusal(.notFound, "there is no key \(id.short); see: gatehouse key list")
        }
        return (record, tenant, "\(tenant.name) \(record.provider)/\(record.label)")
    }

    /// Checks, verifies and seals a secret that an operator gave.
    private func seal(
        _ draft: SecretDraft?, tenant: TenantRecord, provider: ProviderDefinition, label: Label,
        predecessor: ProviderKeyID?, acceptUnverified: Bool
    ) async throws -> (ProviderKeyRecord, KeyProbeAnswer) {
        guard parts.vault.isUnlocked else { throw sealedRefusal }
        let secret = try Self.secret(from: draft)
        let fingerprint = try parts.vault.fingerprint(of: secret, tenant: tenant.id)
        let answer = await prober.probe(provider, secret: secret)
        switch answer.verdict {
        case .verified: break
        case .refused:
            throw CommandRefusal(
                .keyRefused, "\(provider.name) refused this key; nothing was changed. \(answer.sentence)")
        case .unknown:
            guard acceptUnverified else {
                throw CommandRefusal(
                    .keyUnverified,
                    "\(provider.name) could not say whether this key works: \(answer.sentence) "
                        + "Nothing was changed; repeat with --accept-unverified to go on all the same.")
            }
        }
        try await alone { try await allowSealing(for: tenant.id) }
        let id = ProviderKeyID.random()
        let bound = ProviderSecret(provider: provider.name, origin: provider.origin, secret: secret)
        let sealed = try parts.vault.sealProviderKey(bound, tenant: tenant.id, record: id, counter: 1)
        let record = ProviderKeyRecord(
            id: id, tenant: tenant.id, provider: provider.name, label: label, state: .active,
            fingerprint: fingerprint, sealed: sealed, counter: 1,
            created: parts.clock.wall, predecessor: predecessor, verdict: answer.verdict,
            verdictAt: parts.clock.wall)
        return (record, answer)
    }

    /// The bytes between blanks and line ends; refuses what cannot be a key, without repeating any of it.
    private static func secret(from draft: SecretDraft?) throws -> SecretBytes {
        guard let draft else {
            throw CommandRefusal(.invalid, "a provider key is needed: from the prompt, or --from-stdin")
        }
        return try draft.withBytes { bytes in
            var start = bytes.startIndex
            var end = bytes.endIndex
            while start < end, bytes[start] <= 0x20 { start += 1 }
            while start < end, bytes[end - 1] <= 0x20 { end -= 1 }
            let trimmed = UnsafeRawBufferPointer(rebasing: bytes[start..<end])
            guard secretLengths.contains(trimmed.count) else {
                throw CommandRefusal(
                    .invalid,
                    "a provider key has \(secretLengths.lowerBound) to \(secretLengths.upperBound) characters; got \(trimmed.count)"
                )
            }
            guard trimmed.allSatisfy({ (0x21...0x7e).contains($0) }) else {
                throw CommandRefusal(
                    .invalid, "a provider key is printable ASCII without blanks; check what was pasted")
            }
            return try SecretBytes(copying: trimmed)
        }
    }

    func probeStored(
        _ record: ProviderKeyRecord, provider: ProviderDefinition
    ) async throws -> KeyProbeAnswer {
        guard parts.vault.isUnlocked else { throw sealedRefusal }
        let secret: SecretBytes
        do {
            secret = try parts.vault.openProviderKey(record, for: provider.origin)
        } catch {
            throw CommandRefusal(.storage, "the sealed key does not open: \(error)")
        }
        return await prober.probe(provider, secret: secret)
    }

    /// Writes changed rows, each only over the state it was read in, and puts them in force.
    func replace(
        _ records: [(row: ProviderKeyRecord, was: ProviderKeyState)], in store: any TenantStore,
        audit: AuditDraft
    ) async throws {
        let changes = records.map {
            ProviderKeyChange(row: $0.row, ifCounter: $0.row.counter, ifState: $0.was)
        }
        try await store.replaceProviderKeys(changes, audit: audit)
        put(records.map(\.row))
        for record in records where record.row.state == .revoked { retire(record.row.id) }
        await settle(audit, of: store)
    }
}
