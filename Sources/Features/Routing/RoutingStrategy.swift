package import Domain

/// One target that may serve a call, with what strategies need to know of it.
package struct Candidate: Sendable, Hashable {
    package let target: Target
    /// Share under `weighted`; 0 = only when nothing else is left.
    package let weight: Int
    package init(target: Target, weight: Int = 1) {
        self.target = target
        self.weight = weight
    }
}

/// Orders the targets of a route: a pure function of the candidates and one random draw.
package protocol RoutingStrategy: Sendable {
    var name: RoutingStrategyName { get }
    func order(_ candidates: [Candidate], draw: UInt64) -> [Candidate]
}
