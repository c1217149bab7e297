import Domain
import Locking
import Operations
import Storage

/// Shares and models of keys, drills, and what routing would do.
extension CommandDesk {
    func setKey(
        _ id: ProviderKeyID, weight: Int?, models: [ModelName], by who: OperatorID
    ) async throws -> CommandOutcome {
        var (record, tenant, name) = try key(id)
        guard record.isUsable else {
            throw CommandRefusal(.conflict, "key \(name) is \(record.state.rawValue)")
        }
        // 10,000: as for a route's weights; 64 names stand in one row.
        guard weight.map({ (0...10_000).contains($0) }) ?? true, models.count <= 64 else {
            throw CommandRefusal(.invalid, "a weight is 0 to 10,000, and at most 64 models can be named")
        }
        let before = Self.words(record)
        let undo = EngineCommand.keySet(key: id, weight: record.weight, models: record.models)
        record.weight = weight
        record.models = models
        let store = try await tenants.store(for: tenant.id)
        let audit = draft(
            who, "key.set", name, tenant: tenant.id, before: before, after: Self.words(record))
        try await replace([(record, was: record.state)], in: store, audit: audit)
        publishChange("key.set", "key \(name): \(Self.words(record))")
        return CommandOutcome(
            CommandReceipt(
                message: "key \(name): \(Self.words(record)), from the next call on",
                details: ["before: \(before)"], undo: undo))
    }

    private static func words(_ key: ProviderKeyRecord) -> String {
        let weight = key.weight.map { "weight \($0)" } ?? "no weight"
        let models = key.models.isEmpty ? "every model" : key.models.map(\.text).joined(separator: ", ")
        return "\(weight), \(models)"
    }

    // MARK: Drills

    func startDrill(
        _ order: DrillOrder, of name: TenantName, by who: OperatorID
    ) async throws -> CommandOutcome {
        let tenant = try tenant(named: name)
        let allowed = state.load().routing.drillTenants
        guard allowed.contains(name) else {
            throw CommandRefusal(
                .invalid,
                "tenant \(name) may not be drilled: name it in the configuration, "
                    + "[drill] tenants = [\"\(name)\"]")
        }
        // A day: a drill that nobody remembers is an outage.
        guard (1...100).contains(order.percent), (1...1_440).contains(order.minutes) else {
            throw CommandRefusal(.invalid, "a drill is of 1 to 100 percent, for 1 to 1,440 minutes")
        }
        let now = parts.clock.wall
        let drill = Drill(
            order: order, owner: who.name, since: now, until: now + .seconds(60 * order.minutes))
        let words = "\(order.fault.rawValue), \(order.percent)% of calls, \(order.minutes) min"
        try await control.appendAudit(
            draft(who, "drill.start", name.text, tenant: tenant.id, after: words, reason: order.reason))
        parts.drills.start(drill, of: tenant.id)
        publishChange("drill.start", "DRILL for tenant \(name): \(words)")
        return CommandOutcome(
            CommandReceipt(
                message: "DRILL: for \(order.percent)% of \(name)'s calls \(order.fault.sentence), until "
                    + "\(drill.until.civil.clock)Z", undo: .drillStop(tenant: name, reason: "undo"),
                undoUntil: drill.until))
    }

    func stopDrill(of name: TenantName, reason: String, by who: OperatorID) async throws -> CommandOutcome {
        let tenant = try tenant(named: name)
        guard parts.drills.list(at: parts.clock.wall).contains(where: { $0.tenant == tenant.id }) else {
            throw CommandRefusal(.notFound, "there is no drill for tenant \(name)")
        }
        try await control.appendAudit(
            draft(who, "drill.stop", name.text, tenant: tenant.id, reason: reason))
        parts.drills.stop(tenant.id)
        publishChange("drill.stop", "the drill for tenant \(name) is over")
        return CommandOutcome(CommandReceipt(message: "the drill for tenant \(name) is over"))
    }

    // MARK: Questions

    /// Where a tenant's call for a model would go now.
    func explain(_ model: ModelName, for name: TenantName) throws(CommandRefusal) -> RouteExplanation {
        let tenant = try tenant(named: name)
        let options = parts.options.load()
        let finder = RouteFinder(parts, parts.directory.load(), attemptsMax: options.attempts)
        return finder.explain(model, for: tenant, at: parts.clock.now)
    }
}
