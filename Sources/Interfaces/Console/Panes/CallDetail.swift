import Domain

/// All that is known of one call: who, what, which attempts, and where the time went.
struct CallDetail {
    let call: GatewayEvent.CallFinish
    let names: NameBook

    func draw(_ canvas: inout Canvas, in area: Area, mix: CallMix) {
        var area = area
        let top = area.row
        let row = call.row
        let words = (call.drill ? ["DRILL"] : []) + (row.end == .answered ? [] : [row.end.rawValue])
        if area.width >= 110 {
            let (left, right) = area.split(at: area.width * 3 / 5)
            canvas.rule(
                Area(column: left.column, row: top, width: left.width, height: 1), "Call \(row.call.short)",
                words.joined(separator: ", "))
            mix.draw(&canvas, in: right)
            canvas.divider(
                column: left.right, rows: top..<area.bottom, joints: [top: canvas.glyphs.dividerDown])
            area = left
            _ = area.takeTop(1)
        } else {
            canvas.rule(area.takeTop(1), "Call \(row.call.short)", words.joined(separator: ", "))
        }
        for line in lines.prefix(area.height - 1) {
            let place = area.takeTop(1)
            canvas.put(line.label, place.column + 1, place.row, Style(.textDim), width: 9)
            canvas.put(line.text, place.column + 11, place.row, Style(line.slot), width: place.width - 11)
        }
        drawTime(&canvas, area)
    }

    private typealias Line = (label: String, text: String, slot: Slot)

    private var lines: [Line] {
        let row = call.row
        var out: [Line] = [
            ("who", who, .text),
            ("result", result, row.status >= 400 ? .statusWarn : .text),
        ]
        for (index, attempt) in call.attempts.enumerated() {
            out.append(
                (
                    index == 0 ? "attempts" : "", text(attempt, index + 1),
                    attempt.failure == nil ? .text : .statusWarn
                ))
        }
        if call.attempts.isEmpty {
            out.append(("attempts", row.cache == .hit ? "none: our cache answered" : "none", .text))
        }
        out.append(("tokens", tokens, .text))
        out.append(("cost", cost, .text))
        return out
    }

    private var who: String {
        let row = call.row
        let people = [row.user, row.team].filter { !$0.isEmpty }.joined(separator: ", ")
        let tags = row.tags.isEmpty ? "" : "   \(row.tags)"
        return "\(names.name(row.tenant)) / vk \(names.name(row.virtualKey)) -> \(row.model)"
            + (people.isEmpty ? "" : "   \(people)") + tags
    }

    private var result: String {
        let row = call.row
        let why = row.failure.map { "  \($0.rawValue)" } ?? ""
        let drill = call.drill ? "DRILL, a made fault   " : ""
        return "\(drill)\(row.status)\(why)   \(row.dialect.rawValue)   cache \(row.cache.rawValue)"
    }

    private func text(_ attempt: AttemptOutcome, _ number: Int) -> String {
        let key = attempt.providerKey.map { " key \(names.name($0))" } ?? ""
        let status = attempt.status.map { "\($0)" } ?? "no answer"
        let failure = attempt.failure.map { " \($0.rawValue)" } ?? ""
        return
            "\(number) \(attempt.target)\(key)   \(status)\(failure)   \(Figure.grouped(attempt.microseconds / 1_000)) ms"
    }

    private var tokens: String {
        let usage = call.row.usage
        guard usage.total > 0 else { return "none" }
        let read =
            usage.cacheRead > 0 ? " (\(Figure.grouped(usage.cacheRead)) from the provider's cache)" : ""
        let reasoning = usage.reasoning > 0 ? " (\(Figure.grouped(usage.reasoning)) reasoning)" : ""
        let sure = call.row.usageSource == .estimated ? "   estimated" : ""
        return
            "in \(Figure.grouped(usage.totalInput))\(read)  out \(Figure.grouped(usage.totalOutput))\(reasoning)\(sure)"
    }

    private var cost: String {
        let row = call.row
        let cost = row.cost.map { "$\($0.dollars(decimals: 6))" }
        let saved = row.saved.map { "   saved $\($0.dollars(decimals: 6))" } ?? ""
        return (cost ?? (row.usageSource == .none ? "none" : "unpriced: the price is not known")) + saved
    }

    /// One bar for the whole time, a sign for each attempt, blank for the gateway's own part; of two attempts at one
    /// time the later one is seen.
    private func drawTime(_ canvas: inout Canvas, _ area: Area) {
        guard area.height > 0 else { return }
        let row = call.row
        let total = max(1, row.latencyMicroseconds)
        canvas.put("time", area.column + 1, area.row, Style(.textDim))
        let first =
            row.firstByteMicroseconds > 0
            ? ", first byte \(Figure.grouped(row.firstByteMicroseconds / 1_000))" : ""
        let words = " \(Figure.grouped(total / 1_000)) ms\(first)"
        let width = call.attempts.isEmpty ? 0 : max(0, area.width - 12 - Canvas.cells(of: words) - 1)
        for (index, attempt) in call.attempts.enumerated() {
            let from = min(width, Int(attempt.startMicroseconds * Int64(width) / total))
            let end = attempt.startMicroseconds + attempt.microseconds
            let to = min(width, max(from + 1, Int(end * Int64(width) / total)))
            for cell in from..<max(from, to) {
                canvas.put(
                    "\((index + 1) % 10)", area.column + 11 + cell, area.row,
                    Style(attempt.failure == nil ? .graph1 : .statusBad))
            }
        }
        canvas.put(
            words, area.column + 11 + width, area.row, Style(.text),
            width: area.right - area.column - 11 - width)
    }
}

/// How the calls of the last minute ended and how long they took.
struct CallMix {
    private var calls = 0
    private var good = 0
    private var refused = 0
    private var failed = 0
    private var buckets = [0, 0, 0, 0, 0, 0]
    private static let edges: [(label: String, milliseconds: Int64)] = [
        ("<0.1s", 100), ("<0.3s", 300), ("<1s", 1_000), ("<3s", 3_000), ("<10s", 10_000), ("10s+", .max),
    ]

    init(_ ring: CallRing, until: WallTime) {
        let since = until + .seconds(-60)
        for age in 0..<ring.count {
            let row = ring[age].row
            if row.at < since { break }
            calls += 1
            switch row.status {
            case ..<400: good += 1
            case ..<500: refused += 1
            default: failed += 1
            }
            let milliseconds = row.latencyMicroseconds / 1_000
            if let bucket = Self.edges.firstIndex(where: { milliseconds < $0.milliseconds }) {
                buckets[bucket] += 1
            }
        }
    }

    func draw(_ canvas: inout Canvas, in area: Area) {
        var area = area
        canvas.rule(area.takeTop(1), "Mix of the last 60s", "\(calls) calls seen")
        guard calls > 0, area.height > 0 else { return }
        func share(_ part: Int) -> String { Figure.percent(Double(part) * 100 / Double(calls)) }
        let line = area.takeTop(1)
        canvas.put(
            "ok \(share(good))%  4xx \(share(refused))%  5xx \(share(failed))%", line.column + 1, line.row,
            Style(.text), width: line.width - 1)
        let peak = max(1, buckets.max() ?? 1)
        for (index, edge) in Self.edges.enumerated() {
            let row = area.takeTop(1)
            guard row.height > 0 else { return }
            canvas.putRight(edge.label, endingAt: row.column + 7, row.row, Style(.textDim), width: 6)
            canvas.putRight("\(buckets[index])", endingAt: row.column + 13, row.row, Style(.text), width: 5)
            Graph.bar(
                Double(buckets[index]) / Double(peak), &canvas, row.column + 14, row.row,
                width: row.width - 15,
                Style(.graph1))
        }
    }
}
