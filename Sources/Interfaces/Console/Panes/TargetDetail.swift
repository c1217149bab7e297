import Domain
import Operations

/// One target below the table: the provider's health with its reason, the keys' health apart from it, where the
/// traffic went, who depends on it, what its breaker did and what failed.
struct TargetDetail {
    let view: TargetView
    /// What free calls show of its provider; nil = it is not asked.
    let probe: ProbeView?
    let now: WallTime

    private struct Line {
        let label: String
        let text: String
        let slot: Slot
        init(_ label: String, _ text: String, _ slot: Slot = .text) {
            self.label = label
            self.text = text
            self.slot = slot
        }
    }

    /// Two columns: health and history at the left; traffic, tenants and errors at the right.
    func drawWide(_ canvas: inout Canvas, _ left: Area, _ right: Area) {
        canvas.divider(column: left.right, rows: left.row..<left.bottom)
        let (top, bottom, edge) = (left.row, left.bottom, left.right)
        var (left, right) = (left, right)
        section("Health of the provider", why(width: left.width - 9) + probes, &canvas, &left)
        section("Health of its keys", [keys], &canvas, &left)
        drawHistory(&canvas, left)
        canvas.rule(right.takeTop(1), "Where the traffic went, 60s", went)
        drawShares(&canvas, &right)
        section("Who depends on it", dependents(width: right.width - 9), &canvas, &right)
        drawErrors(&canvas, right)
        canvas.join(column: edge, rows: top + 1..<bottom)
        canvas.sign(canvas.glyphs.dividerDown, edge, top, Style(.rule))
    }

    /// One column: a line for each question, and the last errors in what is left.
    func drawNarrow(_ canvas: inout Canvas, _ area: Area) {
        var area = area
        let width = area.width - 9
        var lines = why(width: width) + [keys]
        if !view.wentTo.isEmpty { lines.append(Line("went", shares)) }
        if !view.dependents.isEmpty { lines.append(Line("users", view.dependents.joined(separator: ", "))) }
        lines += probes
        // The errors keep a rule and two rows.
        draw(Array(lines.prefix(max(1, area.height - 3))), &canvas, &area)
        drawErrors(&canvas, area)
    }

    // MARK: Health

    private func why(width: Int) -> [Line] {
        let state = StateWord.breaker(view)
        let sentence = view.why.isEmpty ? "\(state.text) for \(Figure.span(now - view.since))" : view.why
        let slot: Slot = view.position == .closed ? .text : .statusWarn
        var lines = Wrapped.lines(sentence, width: width).prefix(3).enumerated().map {
            Line($0 == 0 ? "why" : "", $1, slot)
        }
        if let hold = view.hold {
            let left = Figure.span(hold.ends - now)
            lines.append(
                Line("held", "by \(hold.owner), \(left) left, until \(hold.ends.civil.clock)Z", .statusHeld))
            lines.append(Line("reason", hold.reason))
        }
        return lines
    }

    private var probes: [Line] {
        guard let probe else { return [] }
        let age = "\(Figure.span(now - probe.at)) ago"
        guard probe.reachable else {
            let times = probe.failures > 1 ? " x\(probe.failures)" : ""
            return [Line("probe", "NO ANSWER\(times), \(age): \(probe.words)", .statusWarn)]
        }
        let time = probe.milliseconds.map { " \(Figure.fixed($0, 0)) ms" } ?? ""
        return [Line("probe", "ok\(time), \(age), every \(probe.everySeconds)s")]
    }

    /// The keys' health is told apart: a bad key is its tenant's trouble, not the provider's.
    private var keys: Line {
        let usable = "\(view.keysUsable) of \(view.keysTotal) usable"
        let tally = CredentialMark.allCases.filter { view.credentials[$0] > 0 }.map {
            "\(view.credentials[$0]) \(StateWord.health($0).text)"
        }
        let bad = view.credentials.total > view.credentials.ok
        let slot: Slot = view.keysUsable == 0 && view.keysTotal > 0 ? .statusBad : bad ? .statusWarn : .text
        return Line(
            "keys", tally.isEmpty ? "\(usable) now" : "\(usable): \(tally.joined(separator: ", "))", slot)
    }

    // MARK: Traffic

    private var moved: Int { view.wentTo.reduce(0) { $0 + $1.calls } }

    private var went: String { moved == 0 ? "" : Figure.count(moved, "call") }

    private func percent(_ share: TrafficShare) -> String {
        Figure.fixed(Double(share.calls) * 100 / Double(max(1, moved)), 0) + "%"
    }

    private func name(_ share: TrafficShare) -> String { share.target.isEmpty ? "NOWHERE" : share.target }

    private var shares: String {
        view.wentTo.map { "\(name($0)) \(percent($0)) (\(Figure.grouped($0.calls)))" }.joined(separator: ", ")
    }

    private func drawShares(_ canvas: inout Canvas, _ area: inout Area) {
        if view.wentTo.isEmpty {
            let row = area.takeTop(1)
            guard row.height > 0 else { return }
            canvas.put(
                "no call went elsewhere", row.column + 1, row.row, Style(.textDim), width: row.width - 1)
        }
        let most = Double(max(1, view.wentTo.map(\.calls).max() ?? 1))
        for share in view.wentTo.prefix(4) {
            let row = area.takeTop(1)
            guard row.height > 0 else { return }
            let wide = max(10, row.width - 27)
            let slot: Slot = share.target.isEmpty ? .statusBad : .text
            canvas.put(name(share), row.column + 1, row.row, Style(slot), width: wide)
            canvas.putRight(percent(share), endingAt: row.column + wide + 6, row.row, Style(.text), width: 4)
            canvas.putRight(
                Figure.grouped(share.calls), endingAt: row.column + wide + 13, row.row, Style(.text), width: 6
            )
            Graph.bar(
                Double(share.calls) / most, &canvas, row.column + wide + 14, row.row,
                width: max(0, row.right - row.column - wide - 15),
                Style(share.target.isEmpty ? .statusBad : .graph1))
        }
    }

    private func dependents(width: Int) -> [Line] {
        guard !view.dependents.isEmpty else {
            return [Line("users", "no tenant called it of late", .textDim)]
        }
        let text = view.dependents.joined(separator: ", ")
        return Wrapped.lines(text, width: width).prefix(2).enumerated().map {
            Line($0 == 0 ? "users" : "", $1)
        }
    }

    // MARK: Past

    private func drawHistory(_ canvas: inout Canvas, _ area: Area) {
        var area = area
        canvas.rule(area.takeTop(1), "History of this breaker")
        if view.history.isEmpty {
            canvas.put(
                "no move since the start", area.column + 1, area.row, Style(.textDim), width: area.width - 1)
        }
        for moment in view.history.prefix(area.height) {
            let row = area.takeTop(1)
            canvas.put(Figure.moment(moment.at, now: now), row.column + 1, row.row, Style(.textDim))
            canvas.put(
                moment.position.word + (moment.held ? " HELD" : ""), row.column + 10, row.row,
                Style(moment.held ? .statusHeld : StateWord.slot(moment.position)), width: 11)
            canvas.put(moment.why, row.column + 22, row.row, Style(.text), width: row.width - 23)
        }
    }

    private func drawErrors(_ canvas: inout Canvas, _ area: Area) {
        var area = area
        guard area.height > 1 else { return }
        canvas.rule(area.takeTop(1), "Last errors")
        if view.lastErrors.isEmpty {
            canvas.put("none", area.column + 1, area.row, Style(.textDim))
        }
        for moment in view.lastErrors.prefix(area.height) {
            let row = area.takeTop(1)
            let tenant = min(12, max(6, row.width / 8))
            let name = min(24, max(8, row.width / 5))
            var column = row.column + 1
            canvas.put(Figure.precise(moment.at), column, row.row, Style(.textDim), width: row.width - 1)
            column += 13
            canvas.put(moment.tenant, column, row.row, Style(.text), width: min(tenant, row.right - column))
            column += tenant + 1
            if row.width >= 76 {
                canvas.put(moment.model, column, row.row, Style(.text), width: name)
                column += name + 1
            }
            let status = moment.status.map { "\($0)" } ?? "-"
            canvas.putRight(status, endingAt: column + 3, row.row, Style(.statusBad), width: 3)
            let rest = moment.then.isEmpty ? moment.failure : "\(moment.failure), \(moment.then)"
            canvas.put(rest, column + 4, row.row, Style(.text), width: row.right - column - 4)
        }
    }

    // MARK: Lines

    private func section(_ title: String, _ lines: [Line], _ canvas: inout Canvas, _ area: inout Area) {
        canvas.rule(area.takeTop(1), title)
        draw(lines, &canvas, &area)
    }

    private func draw(_ lines: [Line], _ canvas: inout Canvas, _ area: inout Area) {
        for line in lines {
            let row = area.takeTop(1)
            guard row.height > 0 else { return }
            canvas.put(line.label, row.column + 1, row.row, Style(.textDim), width: 7)
            canvas.put(line.text, row.column + 8, row.row, Style(line.slot), width: row.width - 9)
        }
    }
}
