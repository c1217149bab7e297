public import Domain
import Events
import Locking
public import Operations
public import Routing

/// What probes last showed of each provider, for the screens.
public final class ProbeBook: Sendable {
    private let views = Locked<[ProviderName: ProbeView]>([:])

    public init() {}

    func view(of provider: ProviderName) -> ProbeView? { views.withLock { $0[provider] } }

    func note(_ view: ProbeView, of provider: ProviderName) { views.withLock { $0[provider] = view } }

    func forget(_ provider: ProviderName) { views.withLock { $0[provider] = nil } }
}

extension GatewayEngine {
    /// A probe of a provider came back: its breakers and the screens hear of it.
    public func probed(_ provider: ProviderName, _ finding: ProbeFinding, _ view: ProbeView) {
        let now = parts.clock.now
        let routes = parts.directory.load().routes.values
        let targets = Set(routes.flatMap(\.everyTarget)).filter { $0.provider == provider }.sorted()
        for shift in parts.breakers.probed(provider, finding, targets: targets, at: now) {
            parts.announce(shift.change, at: shift.target, lane: parts.bus.commonLane)
        }
        parts.probes.note(view, of: provider)
    }

    /// A provider is not probed any more: what was known of it is forgotten.
    public func forgetProbes(of provider: ProviderName) { parts.probes.forget(provider) }
}

extension Route {
    /// Where its calls may go by any of its rules.
    fileprivate var everyTarget: [Target] {
        choices.map(\.target) + onContextOverflow + onContentPolicy + (lastResort.map { [$0] } ?? [])
    }
}
