package import Domain

/// A way to order a route's candidates.
package protocol RoutingStrategy: Sendable {
    var name: RoutingStrategyName { get }
    /// The candidates' places, first choice first: each place once. Pure: the same draw gives the same order.
    ///
    /// - Parameter draw: one random number for the call, in place of a generator.
    func order(_ candidates: [Candidate], draw: UInt64) -> [Int]
}
