import Dialects
import Domain
import Engine
import NIOCore
import Providers

/// What all connections of one event loop share: its upstream connections and its lane on the event bus.
///
/// Confined to its loop.
final class LoopContext {
    let lane: Int
    let path: RequestPath
    let parts: PathParts
    let pool: UpstreamPool
    /// All loops have the same.
    let bodies: BodyRoom
    let health: @Sendable () -> HealthState
    /// Ids of calls have to differ, not to be secret: no system call for each.
    private var random = SplitMix(seed: .random(in: .min ... .max))
    private var endpoints: [EndpointKey: (entry: ProviderEntry, endpoint: UpstreamEndpoint)] = [:]

    private struct EndpointKey: Hashable {
        let provider: ProviderName
        let dialect: Dialect
        /// nil where the provider's paths do not name it.
        let model: ModelName?
        let streamed: Bool

        /// Formats and streams are few.
        func hash(into hasher: inout Hasher) {
            hasher.combine(provider)
            if let model { hasher.combine(model) }
        }
    }

    /// Configurations come and go; beyond this many the table is begun anew.
    private static let endpointsMost = 256

    init(
        lane: Int, path: RequestPath, parts: PathParts, pool: UpstreamPool, bodies: BodyRoom,
        health: @escaping @Sendable () -> HealthState
    ) {
        self.lane = lane
        self.path = path
        self.parts = parts
        self.pool = pool
        self.bodies = bodies
        self.health = health
    }

    func newCall() -> CallID { .ordered(at: parts.clock.wall, using: &random) }

    /// The prepared endpoint of a provider for a call.
    func endpoint(
        _ entry: ProviderEntry, _ dialect: Dialect, _ model: ModelName, streamed: Bool
    ) throws(ProviderRefusal) -> UpstreamEndpoint {
        let inPath = ProviderList.namesModelInPath(entry.definition.kind)
        let key = EndpointKey(
            provider: entry.definition.name, dialect: dialect, model: inPath ? model : nil,
            streamed: inPath && streamed)
        if let known = endpoints[key] {
            if known.entry === entry { return known.endpoint }
            // Another directory with the same provider in it.
            if known.entry.definition == entry.definition {
                endpoints[key] = (entry, known.endpoint)
                return known.endpoint
            }
        }
        let fresh = try UpstreamEndpoint(entry.definition, dialect: dialect, model: model, streamed: streamed)
        if endpoints.count >= Self.endpointsMost { endpoints.removeAll() }
        endpoints[key] = (entry, fresh)
        return fresh
    }
}

/// What a load balancer is told.
public struct HealthState: Sendable, Hashable {
    public let ready: Bool
    public let body: String
    public init(ready: Bool, body: String) {
        self.ready = ready
        self.body = body
    }
}
