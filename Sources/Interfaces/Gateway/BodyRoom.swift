import Domain
import Locking

/// How much memory request bodies may take at one time, for all tenants together and for one of them: large bodies that
/// come slowly, or many at once, take no room from anybody else.
///
/// Counted are bodies above `CallHandler.strangersBytesMost`, whose tenant is known before any of it is taken; smaller
/// ones are bounded by the number of connections.
final class BodyRoom: Sendable {
    enum Refusal: Error {
        case tenant, all
    }

    private struct Use {
        var all = 0
        var tenants: [TenantID: Int] = [:]
    }

    /// Bytes for all, and for one tenant.
    let most: Int
    let share: Int
    private let use = Locked(Use())

    init(most: Int, share: Int) {
        self.most = most
        self.share = share
    }

    fileprivate func take(_ count: Int, for tenant: TenantID) throws(Refusal) {
        let refusal: Refusal? = use.withLock { use in
            let own = use.tenants[tenant, default: 0]
            guard own + count <= share else { return .tenant }
            guard use.all + count <= most else { return .all }
            use.all += count
            use.tenants[tenant] = own + count
            return nil
        }
        if let refusal { throw refusal }
    }

    fileprivate func give(_ count: Int, of tenant: TenantID) {
        use.withLock { use in
            use.all -= count
            let left = use.tenants[tenant, default: 0] - count
            use.tenants[tenant] = left > 0 ? left : nil
        }
    }
}

/// What one body takes of the room; it comes back when the last one lets go of the body.
final class BodyHold {
    private let room: BodyRoom
    private let tenant: TenantID
    private var count = 0

    init(_ room: BodyRoom, _ tenant: TenantID) {
        self.room = room
        self.tenant = tenant
    }

    deinit { if count > 0 { room.give(count, of: tenant) } }

    func grow(by more: Int) throws(CallFailure) {
        do {
            try room.take(more, for: tenant)
            count += more
        } catch {
            let words =
                switch error {
                case .tenant: "this tenant's large request bodies take \(room.share) bytes, the most for one"
                case .all: "large request bodies take \(room.most) bytes, the most held"
                }
            throw CallFailure(
                .overloaded, source: .gateway, "\(words) at one time; try again", retryAfter: .seconds(1))
        }
    }
}
