import Domain
import Operations

/// What is known of who would feel a change to a target: its traffic now, and who called it in the last minute.
struct BlastRadius {
    private let view: TargetView
    private let tenants: [(name: String, calls: Int)]
    private let others: (closed: Int, all: Int)

    init(_ view: TargetView, _ model: ConsoleModel) {
        self.view = view
        var counts: [TenantID: Int] = [:]
        let since = model.wall + .seconds(-60)
        for age in 0..<model.calls.count {
            let row = model.calls[age].row
            if row.at < since { break }
            if row.target == view.target { counts[row.tenant, default: 0] += 1 }
        }
        tenants = counts.map { (model.liveNames.name($0.key), $0.value) }
            .sorted { ($1.1, $0.0) < ($0.1, $1.0) }
        let rest = model.live.targets.filter { $0.target != view.target }
        others = (rest.count { $0.position == .closed && $0.hold?.mode != .open }, rest.count)
    }

    var facts: [Form.Fact] {
        let figures = view.figures
        let now =
            "\(Figure.rate(figures.requestsPerSecond)) rq/s, \(figures.inFlight) in flight, "
            + "err \(Figure.percent(figures.errorPercent))%, p95 \(Figure.seconds(figures.p95Milliseconds))"
        return [
            Form.Fact("now", now),
            Form.Fact("cost", "$\(Figure.dollars(figures.costPerHour))/h"),
            Form.Fact("tenants", tenantWords, tenants.isEmpty ? .text : .statusWarn),
            Form.Fact(
                "elsewhere",
                "\(others.closed) of \(Figure.count(others.all, "other target")) closed; routes decide"
            ),
        ]
    }

    private var tenantWords: String {
        guard !tenants.isEmpty else { return "none called it in the last 60s (of the calls seen here)" }
        let named = tenants.prefix(3).map { "\($0.name) \($0.calls)" }.joined(separator: ", ")
        let more = tenants.count > 3 ? ", \(tenants.count - 3) more" : ""
        return "\(Figure.count(tenants.count, "tenant")), in 60s: \(named)\(more)"
    }
}
