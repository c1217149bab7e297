import Domain
import Operations

/// The table of targets with their breakers, as Overview and Providers show it.
enum TargetListing {
    private enum Part: Int, CaseIterable {
        case target, breaker, since, rate, errors, median, slow, inFlight, keys, cost, rates, errorRates, note
    }

    private static let columns = columns(full: true, target: 24)
    private static let smallColumns = columns(full: true, target: 14)
    private static let briefColumns = columns(full: false, target: 18)

    /// The brief form has room for a sentence sooner, the full one for figures.
    ///
    /// - Parameter target: cells that the name gets at least; 24 tell two models of a provider apart.
    private static func columns(full: Bool, target: Int) -> [Listing.Column] {
        func rank(_ whenFull: Int, _ whenBrief: Int) -> Int { full ? whenFull : whenBrief }
        return [
            .init("TARGET", target, widest: 34),
            .init("BREAKER", 11),
            .init("SINCE", 6, .right, rank: rank(3, 2)),
            .init("rq/s", 6, .right),
            .init("ERR%", 5, .right),
            .init("P50", 5, .right, rank: rank(5, 7)),
            .init("P95", 5, .right, rank: 1),
            .init("INFL", 4, .right, rank: rank(2, 6)),
            .init("KEYS", 4, .right, rank: rank(4, 7)),
            .init("$/h", 6, .right, rank: rank(6, 5)),
            .init("15m rq/s", 9, rank: rank(9, 4), sorts: false),
            .init("15m err", 9, rank: rank(8, 8), sorts: false),
            .init("NOTE", full ? 24 : 16, widest: 200, rank: rank(7, 1), sorts: false),
        ]
    }

    /// Error columns are full at this share or above: less is noise.
    static let errorsWorthSeeing = 5.0

    static func make(_ model: ConsoleModel, key: Int, full: Bool) -> Listing {
        let targets = model.shown.targets
        let now = model.shownTime
        return Listing(
            key: key, columns: full ? (model.isSmall ? smallColumns : columns) : briefColumns,
            total: targets.count,
            id: { .target(targets[$0].target) },
            attention: { targets[$0].position != .closed || targets[$0].hold != nil },
            entry: { entry(targets[$0], Part(rawValue: $1) ?? .note, now) })
    }

    private static func entry(_ view: TargetView, _ part: Part, _ now: WallTime) -> Listing.Entry {
        let figures = view.figures
        switch part {
        case .target:
            return view.drilled
                ? .init("DRILL \(view.target)", .bannerProd) : .init(view.target.description, .textStrong)
        case .breaker:
            let word = StateWord.breaker(view)
            return .init(word.text, word.slot)
        case .since:
            return .init(Figure.span(now - view.since), .textDim, order: -Double(view.since.milliseconds))
        case .rate: return .init(Figure.rate(figures.requestsPerSecond), order: figures.requestsPerSecond)
        case .errors:
            let slot: Slot = figures.errorPercent >= 5 ? .statusBad : .text
            return .init(Figure.percent(figures.errorPercent), slot, order: figures.errorPercent)
        case .median:
            return .init(Figure.seconds(figures.p50Milliseconds), order: figures.p50Milliseconds ?? -1)
        case .slow:
            return .init(Figure.seconds(figures.p95Milliseconds), order: figures.p95Milliseconds ?? -1)
        case .inFlight: return .init("\(figures.inFlight)", order: Double(figures.inFlight))
        case .keys:
            let slot: Slot = view.keysUsable == 0 && view.keysTotal > 0 ? .statusBad : .text
            return .init(
                view.keysTotal == 0 ? "-" : "\(view.keysUsable)/\(view.keysTotal)", slot,
                order: Double(view.keysUsable)
            )
        case .cost:
            return .init(Figure.dollars(figures.costPerHour), order: Double(figures.costPerHour.nanoUSD))
        case .rates: return .init("", .graph1, shape: .spark(view.requestSeries, least: 0))
        case .errorRates:
            return .init("", .graph2, shape: .spark(view.errorSeries, least: Self.errorsWorthSeeing))
        case .note: return .init(note(view, now), .textDim)
        }
    }

    /// Who holds it and how long, or why it is not closed.
    private static func note(_ view: TargetView, _ now: WallTime) -> String {
        if let hold = view.hold {
            return "\(hold.owner), \(Figure.span(hold.ends - now)) left: \(hold.reason)"
        }
        return view.position == .closed ? "" : view.why
    }
}
