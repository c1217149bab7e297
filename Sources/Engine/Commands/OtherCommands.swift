import Cache
import Cipher
import Domain
import Events
import Locking
import Logging
import Operations
import Routing
import Storage
import Vault

/// Breakers, cache, queries, and what is done once a second.
extension CommandDesk {
    /// A hold always has an end: 1 minute to 7 days.
    private static let holdSeconds = 60...(7 * 86_400)

    func holdBreaker(
        _ mode: BreakerHold.Mode, _ target: Target, seconds: Int, reason: String, by who: OperatorID
    ) async throws -> CommandOutcome {
        _ = try provider(named: target.provider)
        guard Self.holdSeconds.contains(seconds) else {
            throw CommandRefusal(
                .invalid,
                "a hold lasts \(Self.holdSeconds.lowerBound) to \(Self.holdSeconds.upperBound) seconds")
        }
        guard !reason.isEmpty, reason.utf8.count <= 200 else {
            throw CommandRefusal(.invalid, "a reason of 1 to 200 characters is needed: it goes to the audit")
        }
        let now = parts.clock.wall
        let hold = BreakerHold(
            mode: mode, owner: who.name, reason: reason, since: now, ends: now + .seconds(seconds))
        let before = parts.breakers.status(of: target, at: parts.clock.now)
        let action =
            switch mode {
            case .open: "breaker.trip"
            case .closed: "breaker.close"
            case .asIs: "breaker.hold"
            }
        let audit = draft(
            who, action, target.description, before: before.position.word,
            after: "\(mode.rawValue) until \(hold.ends)", reason: reason)
        let control = control
        var owed: String?
        if mode == .open {
            owed = try await protect("hold \(target)") {
                try await control.setHold(hold, on: target, audit: audit)
            }
        } else {
            try await control.setHold(hold, on: target, audit: audit)
            forgetProtection("hold \(target)")
        }
        _ = parts.breakers.hold(hold, on: target, at: parts.clock.now, wall: now)
        stored.insert(target)
        announceBreaker(target)
        let word =
            switch mode {
            case .open: "OPEN"
            case .closed: "closed"
            case .asIs: "held as it is"
            }
        return CommandOutcome(
            CommandReceipt(
                message: "\(target) is \(word) until \(hold.ends.civil.clock)Z",
                details: owed.map { [$0] } ?? [],
                undo: .breakerRelease(target: target, reason: "undo"), undoUntil: hold.ends,
                isBad: owed != nil))
    }

    func releaseBreaker(_ target: Target, reason: String, by who: OperatorID) async throws -> CommandOutcome {
        guard let hold = parts.breakers.status(of: target, at: parts.clock.now).hold else {
            throw CommandRefusal(.conflict, "no hold is on \(target)")
        }
        try await control.setHold(
            nil, on: target,
            audit: draft(
                who, "breaker.release", target.description, before: "\(hold.mode.rawValue) by \(hold.owner)",
                after: "automatic", reason: reason))
        forgetProtection("hold \(target)")
        _ = parts.breakers.release(target, at: parts.clock.now)
        stored.remove(target)
        announceBreaker(target)
        return CommandOutcome(
            CommandReceipt(message: "\(target) is released: the breaker works by itself again"))
    }

    private func announceBreaker(_ target: Target) {
        let status = parts.breakers.status(of: target, at: parts.clock.now)
        parts.publish(
            .breakerMoved(
                .init(
                    target: target, position: status.position, hold: status.hold, why: status.why,
                    at: parts.clock.wall)), lane: parts.bus.commonLane)
    }

    func purgeCache(_ name: TenantName?, by who: OperatorID) async throws -> CommandOutcome {
        var owner: TenantID?
        if let name { owner = try tenant(named: name).id }
        try await control.appendAudit(draft(who, "cache.purge", name?.text ?? "all", tenant: owner))
        let count = owner.map { parts.cache.purge(tenant: $0) } ?? parts.cache.purgeAll()
        publishChange("cache.purge", "cache of \(name?.text ?? "all tenants") purged")
        return CommandOutcome(CommandReceipt(message: "\(count) cached answers purged"))
    }

    // MARK: Queries

    func ask(_ query: EngineQuery) async throws(CommandRefusal) -> EngineAnswer {
        do {
            switch query {
            case .audit(let before, let limit):
                return .audit(
                    try await control.auditRecords(before: before, limit: min(max(limit, 1), 10_000)))
            case .auditFrom(let sequence, let limit):
                return .audit(
                    try await control.auditRecords(from: sequence, limit: min(max(limit, 1), 10_000)))
            case .checkpoints(let position, let limit):
                return .checkpoints(
                    try await control.checkpoints(after: position, limit: min(max(limit, 1), 10_000)))
            case .auditLog: return .auditLog(try await auditLog())
            case .verifyAudit: return try await verifyAudit()
            case .calls(let name, let limit):
                let tenant = try tenant(named: name)
                let store = try await tenants.store(for: tenant.id)
                return .calls(
                    try await store.usage(
                        since: WallTime(milliseconds: 0), until: WallTime(milliseconds: .max),
                        limit: min(max(limit, 1), 10_000)))
            case .route(let model, let name): return .route(try explain(model, for: name))
            case .routes:
                return .routes(
                    state.load().routes.values.map(RouteView.init).sorted { $0.model < $1.model })
            case .blastRadius:
                throw CommandRefusal(
                    .unavailable, "the last minute's calls are known to a running engine only")
            case .limits(let name): return .limits(try limits(of: name))
            case .usageReport(let query): return .usage(try await report(query))
            }
        } catch let refusal as CommandRefusal {
            throw refusal
        } catch let failure as StorageFailure {
            throw CommandRefusal(.storage, failure.description)
        } catch {
            log.error("a query failed", metadata: ["error": "\(type(of: error))"])
            throw CommandRefusal(.storage, "the query failed inside the gateway")
        }
    }

    private func verifyAudit() async throws -> EngineAnswer {
        let answer: EngineAnswer
        let words: String
        switch try await control.verifyAudit() {
        case .intact(let records, let head):
            answer = .auditIntact(records: records, head: hexadecimalText(of: head))
            words = "ok to #\(records), verified \(parts.clock.wall.civil.clock)Z"
        case .broken(let sequence, let what):
            answer = .auditBroken(at: sequence, what: what)
            words = "BROKEN at #\(sequence): \(what)"
        }
        change { $0.auditVerified = words }
        return answer
    }

    private func report(_ query: UsageQuery) async throws -> [UsageLine] {
        let dimensions = query.by.filter { $0 != "tenant" }.map(UsageDimension.init(rawValue:))
        guard !dimensions.contains(nil) else {
            let known = ["tenant"] + UsageDimension.allCases.map(\.rawValue)
            throw CommandRefusal(.invalid, "a report is grouped by: \(known.joined(separator: ", "))")
        }
        let chosen: [TenantRecord]
        if let name = query.tenant {
            chosen = [try tenant(named: name)]
        } else {
            chosen = state.load().tenants.values.sorted { $0.name < $1.name }
        }
        var lines: [[String]: UsageLine] = [:]
        for tenant in chosen {
            let store = try await tenants.store(for: tenant.id)
            let sums = try await store.usageReport(
                since: query.since, until: query.until, by: dimensions.compactMap { $0 })
            for sum in sums { Self.merge(sum, tenant: tenant.name, by: query.by, into: &lines) }
        }
        return lines.values.sorted { ($0.cost, $1.keys.joined()) > ($1.cost, $0.keys.joined()) }
    }

    private static func merge(
        _ sum: UsageSum, tenant: TenantName, by columns: [String], into lines: inout [[String]: UsageLine]
    ) {
        var rest = sum.keys.makeIterator()
        let keys = columns.map { $0 == "tenant" ? tenant.text : rest.next() ?? "" }
        let old = lines[keys]
        lines[keys] = UsageLine(
            keys: keys, calls: (old?.calls ?? 0) + sum.calls, failed: (old?.failed ?? 0) + sum.failed,
            usage: (old?.usage ?? Usage()) + sum.usage, cost: (old?.cost ?? .zero) + sum.cost,
            unpriced: (old?.unpriced ?? 0) + sum.unpriced, saved: (old?.saved ?? .zero) + sum.saved)
    }

    /// The last 24 hours of cost, hour by hour, from the ledgers of at most 200 tenants.
    ///
    /// - Parameter end: later calls are counted as they happen.
    func recentCosts(until end: WallTime) async -> [(CostBook.Key, Int64, CostBook.Line)] {
        let hour: Int64 = 3_600_000
        let newest = end.milliseconds / hour
        var out: [(CostBook.Key, Int64, CostBook.Line)] = []
        for tenant in state.load().tenants.values.sorted(by: { $0.created < $1.created }).prefix(200) {
            guard let store = try? await tenants.store(for: tenant.id) else { continue }
            for start in (newest - 23)...newest {
                let sums = try? await store.usageReport(
                    since: WallTime(milliseconds: start * hour),
                    until: min(WallTime(milliseconds: (start + 1) * hour), end),
                    by: [.provider, .model])
                for sum in sums ?? [] where sum.keys.count == 2 {
                    out.append(
                        (
                            CostBook.Key(
                                tenant: tenant.id, provider: sum.keys[0].isEmpty ? "(none)" : sum.keys[0],
                                model: sum.keys[1]), start,
                            CostBook.Line(
                                calls: sum.calls, unpriced: sum.unpriced, usage: sum.usage, cost: sum.cost,
                                saved: sum.saved)
                        ))
                }
            }
        }
        return out
    }

    // MARK: Once a second

    func tick(moves: [GatewayEvent.BreakerMove]) async {
        let gateway = OperatorID(name: "gateway", via: "engine")
        var audited = false
        for move in moves where move.position == .open {
            let draft = draft(
                gateway, "breaker.open", move.target.description, before: "automatic", after: "OPEN",
                reason: move.why)
            if (try? await control.appendAudit(draft)) != nil { audited = true }
        }
        parts.secrets.expire(at: parts.clock.now)
        await settleLeftOvers()
        await keepVault(by: gateway)
        for shift in parts.breakers.advance(to: parts.clock.now) {
            parts.announce(shift.change, at: shift.target, lane: parts.bus.commonLane)
        }
        checkSuspects()
        if await tendTrials(by: gateway) { audited = true }
        if await endDrains(by: gateway) { audited = true }
        if await endHolds(by: gateway) { audited = true }
        if audited { await refreshAuditTail() }
        await noteKeyUses()
        await signAudit()
    }

    /// Revokes keys whose drain is over.
    private func endDrains(by gateway: OperatorID) async -> Bool {
        var audited = false
        for key in state.load().providerKeys.values where isDrained(key) {
            do {
                try await alone {
                    // An undo may have come first.
                    guard let now = state.load().providerKeys[key.id], isDrained(now) else { return }
                    _ = try await revokeKey(key.id, reason: "drained", by: gateway)
                    audited = true
                }
            } catch {
                log.error(
                    "a drained key could not be revoked",
                    metadata: ["key": "\(key.id.short)", "error": "\(error)"])
            }
        }
        return audited
    }

    private func isDrained(_ key: ProviderKeyRecord) -> Bool {
        guard key.state == .draining, let ends = key.drainEnds else { return false }
        return ends <= parts.clock.wall
    }

    /// Removes holds from storage that are over.
    private func endHolds(by gateway: OperatorID) async -> Bool {
        var audited = false
        for target in stored where !isHeld(target) {
            do {
                try await alone {
                    // Somebody may have put another hold on it meanwhile.
                    guard stored.contains(target), !isHeld(target) else { return }
                    try await control.setHold(
                        nil, on: target,
                        audit: draft(
                            gateway, "breaker.release", target.description, after: "automatic",
                            reason: "the hold ended"))
                    stored.remove(target)
                    audited = true
                }
            } catch {
                log.error("an ended hold could not be removed", metadata: ["target": "\(target)"])
            }
        }
        return audited
    }

    private func isHeld(_ target: Target) -> Bool {
        parts.breakers.status(of: target, at: parts.clock.now).hold != nil
    }
}
