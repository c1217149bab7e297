import Domain
import Operations

/// The costs of the last 24 hours, summed by one dimension.
struct CostGroup {
    /// What the costs are summed by.
    enum Dimension: String, CaseIterable, Sendable { case tenant, provider, model }

    let name: String
    var calls: Int64 = 0
    var unpriced: Int64 = 0
    var usage = Usage()
    var cost = Money.zero
    var saved = Money.zero

    /// Dearest first.
    static func make(_ lines: [CostLine], by dimension: Dimension) -> [CostGroup] {
        var groups: [String: CostGroup] = [:]
        for line in lines {
            let name = name(line, dimension)
            var group = groups[name] ?? CostGroup(name: name)
            group.calls += line.calls
            group.unpriced += line.unpriced
            group.usage = group.usage + line.usage
            group.cost = group.cost + line.cost
            group.saved = group.saved + line.saved
            groups[name] = group
        }
        return groups.values.sorted { ($1.cost, $0.name) < ($0.cost, $1.name) }
    }

    static func name(_ line: CostLine, _ dimension: Dimension) -> String {
        switch dimension {
        case .tenant: line.tenant.text
        case .provider: line.provider
        case .model: line.model
        }
    }
}
