import Domain
import Operations

/// The targets and their breakers: what state each is in, why, since when, who feels it, and what fails.
struct ProvidersPane: Pane {
    let id = PaneID.providers

    func listings(_ model: ConsoleModel) -> [Listing] { [TargetListing.make(model, key: 0, full: true)] }

    func crumb(_ model: ConsoleModel) -> String {
        guard case .target(let target)? = model.selected else { return "" }
        let view = model.shown.targets.first { $0.target == target }
        // On a small screen this row is the only place for the reason.
        if model.isSmall, let view, view.position != .closed { return "\(target.provider): \(view.why)" }
        return target.description
    }

    /// Leads to the keys that serve the provider.
    func enter(_ row: RowID, _ model: inout ConsoleModel) {
        guard case .target(let target) = row else { return }
        model.go(to: .keys)
        model.state.region = 0
        model.state.filter = "key=\(target.provider)/"
        model.pinSelections()
    }

    func draw(_ model: ConsoleModel, _ canvas: inout Canvas, in area: Area) {
        let listing = model.listings(of: id)[0]
        var area = area
        let empty = "no targets: add a [[provider]] and a [[route]] to the configuration"
        guard !model.isSmall, area.height >= 12, let view = selected(in: listing, model) else {
            return table(listing, title: "Targets", model, &canvas, in: area, empty: empty)
        }
        let rows = min(listing.count, max(3, area.height / 3))
        table(listing, title: "Targets", model, &canvas, in: area.takeTop(rows + 2), empty: empty)
        drawTimeline(view, model, &canvas, area.takeTop(area.height >= 20 ? 8 : 4))
        let provider = model.shown.providers.first { $0.name == view.target.provider }
        let detail = TargetDetail(view: view, probe: provider?.probe, now: model.shownTime)
        if model.width >= 110 {
            let (left, right) = area.split(at: area.width / 2)
            detail.drawWide(&canvas, left, right)
        } else {
            detail.drawNarrow(&canvas, area)
        }
    }

    private func selected(in listing: Listing, _ model: ConsoleModel) -> TargetView? {
        guard case .target(let target)? = model.selected(in: listing, of: id) else { return nil }
        return model.shown.targets.first { $0.target == target }
    }

    private func drawTimeline(_ view: TargetView, _ model: ConsoleModel, _ canvas: inout Canvas, _ area: Area)
    {
        var area = area
        let wide = area.width >= 110
        let legend = wide ? "c closed  h half-open  O open  H held" : ""
        let drill = view.drilled ? " DRILL" : ""
        canvas.rule(area.takeTop(1), "\(view.target): 15m\(drill)", legend)
        let plot = Area(column: area.column + 8, row: area.row, width: area.width - 9 - 8, height: 1)
        canvas.put("state", area.column + 1, area.row, Style(.textDim))
        drawStates(view, model, &canvas, area.takeTop(1), plot)
        let half = max(1, area.height / 2)
        drawSeries(
            "err%", view.errorSeries, .graph2, Figure.percent(view.figures.errorPercent), &canvas,
            area.takeTop(half))
        drawSeries(
            "rq/s", view.requestSeries, .graph1, Figure.rate(view.figures.requestsPerSecond), &canvas, area)
    }

    private func drawSeries(
        _ label: String, _ series: [Double], _ slot: Slot, _ now: String, _ canvas: inout Canvas, _ area: Area
    ) {
        guard area.height > 0 else { return }
        canvas.put(label, area.column + 1, area.row, Style(.textDim))
        canvas.putRight(now, endingAt: area.right - 1, area.bottom - 1, Style(.text), width: 7)
        let plot = Area(column: area.column + 8, row: area.row, width: area.width - 17, height: area.height)
        if area.height == 1 {
            let least = slot == .graph2 ? TargetListing.errorsWorthSeeing : 0
            Graph.spark(
                series, least: least, points: TrafficSeries.points, &canvas, plot.column, plot.row,
                width: plot.width,
                Style(slot))
        } else {
            let peak = series.max() ?? 0
            canvas.put("max", area.column + 1, area.row + 1, Style(.textDim))
            canvas.put(Figure.rate(peak), area.column + 1, area.row + 2, Style(.textDim), width: 6)
            Graph.area(
                series, max: Graph.ceiling(peak), points: TrafficSeries.points, &canvas, in: plot, slot)
        }
    }

    /// One letter for each part of the last 15 minutes, as far back as the history tells.
    private func drawStates(
        _ view: TargetView, _ model: ConsoleModel, _ canvas: inout Canvas, _ line: Area, _ plot: Area
    ) {
        let span = Int64(TrafficSeries.points * TrafficSeries.secondsPerPoint) * 1_000
        let now = model.shownTime.milliseconds
        for cell in 0..<max(0, plot.width) {
            let moment = WallTime(milliseconds: now - span + span * Int64(cell + 1) / Int64(plot.width))
            guard let (letter, slot) = letter(view, at: moment) else { continue }
            canvas.put(letter, plot.column + cell, line.row, Style(slot))
        }
        canvas.putRight("now", endingAt: line.right - 1, line.row, Style(.textDim), width: 7)
    }

    private func letter(_ view: TargetView, at moment: WallTime) -> (String, Slot)? {
        if let hold = view.hold, hold.since <= moment { return ("H", .statusHeld) }
        let past = view.history.first { $0.at <= moment }
        guard past != nil || view.since <= moment else { return nil }
        if past?.held ?? false { return ("H", .statusHeld) }
        let position = past?.position ?? view.position
        let letter =
            switch position {
            case .closed: "c"
            case .halfOpen: "h"
            case .open: "O"
            }
        return (letter, StateWord.slot(position))
    }
}
