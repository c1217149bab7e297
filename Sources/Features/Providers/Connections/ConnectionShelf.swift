internal import Domain

/// Who may use a connection: one origin, one tenant, one provider key. Connections never serve two of these.
struct ConnectionKey: Hashable {
    let origin: Origin
    let tenant: TenantID?
    let key: ProviderKeyID?

    /// By the key alone, which nearly always tells all: hashing the host's name for every call costs more than it finds.
    func hash(into hasher: inout Hasher) {
        if let key { hasher.combine(key) } else { hasher.combine(origin) }
    }
}

/// The connections of one key, so that giving one back needs no look-up.
final class ConnectionShelf {
    let key: ConnectionKey
    /// The last one given back is the first one taken: the others get old and are closed.
    var idle: [UpstreamConnection] = []
    var open = 0

    init(key: ConnectionKey) { self.key = key }

    /// Whether the connection lay here.
    func take(_ connection: UpstreamConnection) -> Bool {
        guard let index = idle.lastIndex(where: { $0 === connection }) else { return false }
        idle.remove(at: index)
        return true
    }
}
