import Domain
import Locking

/// What an operator wants a tenant's calls to meet.
struct DrillOrder: Sendable, Hashable {
    var fault: DrillFault
    /// Of a hundred calls.
    var percent: Int
    var minutes: Int
    var reason: String
}

/// A drill that is on.
struct Drill: Sendable, Hashable {
    let order: DrillOrder
    let owner: String
    let since: WallTime
    let until: WallTime
    var calls = 0
}

/// The drills that are on: faults made for one tenant's calls, which say nothing of any provider or key.
///
/// A drilled attempt is not reported to breakers or to the health of keys, so that no other tenant, and nothing after
/// the drill, feels it.
public final class DrillBoard: Sendable {
    private let drills = Published<[TenantID: Drill]>([:])
    private let met = Locked<[TenantID: Int]>([:])

    public init() {}

    /// The fault that an attempt of this tenant meets, if any. Almost always there is no drill: then nothing is looked
    /// up.
    func fault(for tenant: TenantID, draw: @autoclosure () -> UInt64, at now: WallTime) -> DrillFault? {
        let drills = drills.load()
        guard !drills.isEmpty, let drill = drills[tenant], now < drill.until,
            Int(draw() % 100) < drill.order.percent
        else { return nil }
        met.withLock { $0[tenant, default: 0] += 1 }
        return drill.order.fault
    }

    func start(_ drill: Drill, of tenant: TenantID) {
        met.withLock { $0[tenant] = 0 }
        drills.update { old in
            var next = old
            next[tenant] = drill
            return next
        }
    }

    /// Says whether there was one.
    @discardableResult
    func stop(_ tenant: TenantID) -> Bool {
        let was = drills.load()[tenant] != nil
        drills.update { old in
            var next = old
            next[tenant] = nil
            return next
        }
        return was
    }

    /// Those that are on, with the calls that met them; forgets those that are over.
    func list(at now: WallTime) -> [(tenant: TenantID, drill: Drill)] {
        let all = drills.load()
        guard !all.isEmpty else { return [] }
        for (tenant, drill) in all where drill.until <= now { stop(tenant) }
        let met = met.withLock { $0 }
        return all.filter { $0.value.until > now }.map { tenant, drill in
            var drill = drill
            drill.calls = met[tenant] ?? 0
            return (tenant, drill)
        }
    }
}
