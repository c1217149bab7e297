public import Domain
import Glibc

/// A way to order a route's candidates.
public protocol RoutingStrategy: Sendable {
    var name: RoutingStrategyName { get }
    /// The candidates' places, first choice first: each place once. Pure: the same lot gives the same order.
    func order(_ candidates: [Candidate], by lot: RouteLot) -> [Int]
}

/// What an order depends on besides the candidates: one random number, and which conversation the call belongs to.
public struct RouteLot: Sendable, Hashable {
    /// One random number for the call, in place of a generator.
    public let draw: UInt64
    /// The same for every call of a conversation; nil = the call belongs to none that is known.
    public let conversation: UInt64?

    public init(draw: UInt64, conversation: UInt64? = nil) {
        self.draw = draw
        self.conversation = conversation
    }

    /// The candidates' places by how well they suit the conversation: rendezvous hashing (Thaler and Ravishankar 1998),
    /// so that a target that comes or goes moves its own conversations only. In the route's order without one.
    func ranks(of candidates: [Candidate]) -> [Int] {
        guard let conversation else { return Array(candidates.indices) }
        let scores = candidates.map { Self.score($0, conversation) }
        var ranks = [Int](repeating: 0, count: candidates.count)
        let order = candidates.indices.sorted { (scores[$0], $1) > (scores[$1], $0) }
        for (rank, place) in order.enumerated() { ranks[place] = rank }
        return ranks
    }

    /// In proportion to the weight, as a lot that is drawn for each pair of conversation and target: `-w / ln(u)`.
    private static func score(_ candidate: Candidate, _ conversation: UInt64) -> Double {
        guard candidate.weight > 0 else { return 0 }
        // FNV-1a (Fowler, Noll, Vo) over the name, mixed with the conversation.
        var hash: UInt64 = 0xcbf2_9ce4_8422_2325
        for byte in candidate.target.provider.text.utf8 { hash = (hash ^ UInt64(byte)) &* 0x100_0000_01b3 }
        hash = (hash ^ 0x2f) &* 0x100_0000_01b3
        for byte in candidate.target.model.text.utf8 { hash = (hash ^ UInt64(byte)) &* 0x100_0000_01b3 }
        var mixer = SplitMix(seed: hash ^ conversation)
        // 53 bits fill a Double's fraction; half a step keeps it off 0 and 1.
        let uniform = (Double(mixer.next() >> 11) + 0.5) / 0x1p53
        return -Double(candidate.weight) / log(uniform)
    }
}

/// Puts places in groups of nearly the same figure, best first; within a group the conversation decides.
///
/// Figures this near to the best of what is left are the same: a price or a time that differs by less is noise, and a
/// prompt that the provider still has in its cache is worth more.
enum NearTie {
    /// One part in twenty.
    private static let share = 0.05

    /// - Parameter figures: one a candidate, less is better; nil = not known.
    static func order(_ figures: [Double?], ranks: [Int], unknownFirst: Bool) -> [Int] {
        let unknown = figures.indices.filter { figures[$0] == nil }.sorted { ranks[$0] < ranks[$1] }
        var left = figures.indices.filter { figures[$0] != nil }
            .sorted { (figures[$0] ?? 0, ranks[$0]) < (figures[$1] ?? 0, ranks[$1]) }
        var known: [Int] = []
        while let best = left.first.flatMap({ figures[$0] }) {
            let count = left.prefix { (figures[$0] ?? 0) <= best + abs(best) * share }.count
            known += left.prefix(count).sorted { ranks[$0] < ranks[$1] }
            left.removeFirst(count)
        }
        return unknownFirst ? unknown + known : known + unknown
    }
}
