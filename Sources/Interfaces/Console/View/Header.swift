import Domain
import Operations

/// The two rows on top of every screen: whose gateway, in which state, how busy; and the panes.
enum Header {
    private struct Part {
        let text: String
        let slot: Slot
        /// Left out first when it is highest.
        let rank: Int
    }

    static func draw(_ model: ConsoleModel, _ canvas: inout Canvas) {
        if model.isSmall {
            drawSmall(model, &canvas)
        } else {
            drawWide(model, &canvas)
        }
    }

    private static func banners(_ model: ConsoleModel) -> [Part] {
        var parts: [Part] = []
        if model.live.demo { parts.append(Part(text: "DEMO", slot: .bannerProd, rank: 0)) }
        let drills = model.live.drills.count
        if drills > 0 {
            parts.append(Part(text: drills == 1 ? "DRILL" : "DRILL x\(drills)", slot: .bannerProd, rank: 0))
        }
        if model.isReadOnly { parts.append(Part(text: "READ-ONLY", slot: .bannerReadOnly, rank: 0)) }
        if model.hasSnapshot, !model.live.vault.unlocked {
            parts.append(Part(text: "SEALED", slot: .statusBad, rank: 0))
        }
        if model.hasSnapshot, model.live.health.state != .ready {
            let word = model.live.health.state == .degraded ? "DEGRADED" : "NOT READY"
            parts.append(Part(text: word, slot: .statusBad, rank: 0))
        }
        if let paused = model.paused, model.isSmall {
            let clock = paused.at.civil.clock.dropLast(3)
            parts.insert(Part(text: "PAUSED \(clock) +\(model.newer)", slot: .bannerPaused, rank: 0), at: 0)
        } else if let paused = model.paused {
            let newer = "\(Figure.grouped(Int64(clamping: model.newer))) newer"
            parts.append(
                Part(text: "PAUSED at \(paused.at.civil.clock)Z, \(newer)", slot: .bannerPaused, rank: 0))
        } else {
            let word = model.hasSnapshot ? "LIVE" : "WAITING"
            parts.append(Part(text: "\(word) \(model.wall.civil.clock)Z", slot: .statusOK, rank: 0))
        }
        return parts
    }

    private static func figures(_ model: ConsoleModel) -> [Part] {
        let totals = model.shown.totals
        var parts = [
            Part(text: "\(Figure.rate(totals.requestsPerSecond)) rq/s", slot: .textStrong, rank: 1),
            Part(
                text: "err \(Figure.percent(totals.errorPercent))%",
                slot: totals.errorPercent >= 5 ? .statusBad : .text, rank: 2),
            Part(text: "p50 \(Figure.seconds(totals.p50Milliseconds))", slot: .text, rank: 5),
            Part(text: "p95 \(Figure.seconds(totals.p95Milliseconds))", slot: .text, rank: 3),
            Part(text: "cache \(Figure.fixed(totals.hitPercent, 0))%", slot: .text, rank: 6),
            Part(text: "$\(Figure.dollars(totals.costPerHour))/h", slot: .text, rank: 4),
        ]
        if totals.p50Milliseconds == nil { parts.removeAll { $0.rank == 5 } }
        if !model.hasSnapshot { parts.removeAll() }
        return parts
    }

    private static func drawWide(_ model: ConsoleModel, _ canvas: inout Canvas) {
        let instance = Part(text: model.live.instance, slot: .textStrong, rank: 0)
        var parts = [instance] + banners(model) + figures(model)
        let role = model.live.role?.rawValue ?? "NO ROLE"
        let room = model.width - 4 - min(Canvas.cells(of: "\(model.operatorName) \(role)"), model.width / 4)
        func width() -> Int { parts.reduce(-2) { $0 + min(24, Canvas.cells(of: $1.text)) + 2 } }
        for rank in [6, 5, 4, 3, 2, 1] where width() > room { parts.removeAll { $0.rank == rank } }
        var column = 1
        for part in parts {
            let limit = part.slot == .textStrong ? 24 : 48
            column +=
                canvas.put(part.text, column, 0, Style(part.slot), width: min(limit, model.width - column))
                + 2
        }
        // A long name gives way to the role, which says what the keys do.
        let name = String(model.operatorName.prefix(max(0, model.width - column - role.utf8.count - 2)))
        canvas.putRight(
            name.isEmpty ? role : "\(name) \(role)", endingAt: model.width - 1, 0,
            Style(model.live.role == nil ? .statusBad : .textDim), width: max(0, model.width - column))
        PaneBar(model).draw(model, &canvas, row: 1)
    }

    private static func drawSmall(_ model: ConsoleModel, _ canvas: inout Canvas) {
        var column = 1
        let alerts = model.shown.alerts.count
        var parts = [Part(text: model.live.instance, slot: .textStrong, rank: 0)] + banners(model)
        if alerts > 0 { parts.append(Part(text: Figure.count(alerts, "alert"), slot: .statusWarn, rank: 0)) }
        for part in parts {
            let limit = part.slot == .textStrong ? 12 : 48
            column +=
                canvas.put(part.text, column, 0, Style(part.slot), width: min(limit, model.width - column))
                + 2
        }
        column = 1
        // There is no room for the name; the role says what the keys do.
        let role = model.live.role == .admin ? "" : model.live.role?.rawValue ?? "NO ROLE"
        canvas.putRight(role, endingAt: model.width - 1, 1, Style(.textDim), width: role.utf8.count)
        let room = model.width - (role.isEmpty ? 0 : role.utf8.count + 2)
        for part in figures(model) where part.rank <= 4 {
            guard column + part.text.utf8.count <= room else { break }
            column += canvas.put(part.text, column, 1, Style(part.slot)) + 2
        }
    }
}
