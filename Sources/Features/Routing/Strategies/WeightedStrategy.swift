package import Domain

/// A random order in which each place is drawn by weight among those that are left.
package struct WeightedStrategy: RoutingStrategy {
    package init() {}
    package var name: RoutingStrategyName { .weighted }

    package func order(_ candidates: [Candidate], draw: UInt64) -> [Candidate] {
        var left = candidates.filter { $0.weight > 0 }
        var ordered: [Candidate] = []
        var random = draw
        while !left.isEmpty {
            let total = left.reduce(UInt64(0)) { $0 + UInt64($1.weight) }
            var point = random % total
            // The next place takes a draw of its own (Knuth's MMIX constants, The Art of Computer Programming 3.3.4).
            random = (random ^ (random >> 33)) &* 6_364_136_223_846_793_005 &+ 1_442_695_040_888_963_407
            var chosen = left.count - 1
            for (index, candidate) in left.enumerated() {
                if point < UInt64(candidate.weight) {
                    chosen = index
                    break
                }
                point -= UInt64(candidate.weight)
            }
            ordered.append(left.remove(at: chosen))
        }
        return ordered + candidates.filter { $0.weight <= 0 }
    }
}
