import Domain
import Operations

/// Writes a blast radius as the facts of a dialog; what matters most stands last, next to the fields.
enum BlastFacts {
    /// Targets and tenants that are named; the rest is counted.
    private static let mostTargets = 4
    private static let mostTenants = 2
    /// A difference in calls per second that the screen would not show.
    private static let least = 0.05

    /// The same lines that the answer will take, so that the box stands still.
    static var waiting: [Form.Fact] {
        [Form.Fact("replay", "replaying the last 60 s ...", .statusNew)]
            + ["cost", "latency", "calls", "fails"].map { Form.Fact($0, "...", .textDim) }
    }

    static func facts(_ result: Result<EngineAnswer, CommandRefusal>) -> [Form.Fact] {
        switch result {
        case .success(.blastRadius(let radius)): facts(radius)
        case .success:
            [Form.Fact("replay", "the engine gave another answer; go by what is above", .statusWarn)]
        case .failure(let refusal): [Form.Fact("replay", "not known: \(refusal.message)", .statusWarn)]
        }
    }

    private static func facts(_ radius: BlastRadius) -> [Form.Fact] {
        let note = radius.note.isEmpty ? [] : [Form.Fact("", radius.note, .textDim)]
        guard radius.calls > 0 else {
            return [Form.Fact("replay", "no call came in the last \(radius.seconds) s")] + note
        }
        let part = radius.sampled ? " (sampled)" : ""
        let calls = Figure.count(radius.calls, "call")
        return [Form.Fact("replay", "\(calls) of the last \(radius.seconds) s, with the change\(part)")]
            + note + [cost(radius), latency(radius)] + shifts(radius.targets)
            + losses(radius.failing)
    }

    private static func cost(_ radius: BlastRadius) -> Form.Fact {
        let difference = radius.costPerHourAfter - radius.costPerHourBefore
        let sign = difference.nanoUSD < 0 ? "-" : "+"
        let amount = Figure.dollars(difference.nanoUSD < 0 ? .zero - difference : difference)
        let words =
            "$\(Figure.dollars(radius.costPerHourBefore))/h -> $\(Figure.dollars(radius.costPerHourAfter))/h"
        return Form.Fact("cost", "\(words), \(sign)$\(amount)/h")
    }

    private static func latency(_ radius: BlastRadius) -> Form.Fact {
        let (before, after) = (radius.latencyBefore, radius.latencyAfter)
        guard before != nil || after != nil else { return Form.Fact("latency", "not known") }
        let about = after == nil ? "not known" : "about \(Figure.seconds(after))"
        return Form.Fact("latency", "p95 \(Figure.seconds(before)) -> \(about)")
    }

    private static func shifts(_ all: [BlastRadius.Shift]) -> [Form.Fact] {
        let moved = all.filter { abs($0.rateAfter - $0.rateBefore) >= least }
        guard !moved.isEmpty else { return [Form.Fact("calls", "none would go elsewhere")] }
        // One line less for the words that count the rest.
        let named = moved.count > mostTargets ? mostTargets - 1 : mostTargets
        let shown = moved.prefix(named)
        let before = shown.map { Figure.rate($0.rateBefore) }
        let after = shown.map { Figure.rate($0.rateAfter) }
        let widths = (before.map(\.utf8.count).max() ?? 0, after.map(\.utf8.count).max() ?? 0)
        var facts = shown.enumerated().map { index, shift in
            let rates = "\(right(before[index], widths.0)) -> \(right(after[index], widths.1)) rq/s"
            return Form.Fact(index == 0 ? "calls" : " ", "\(rates)  \(shift.target)")
        }
        if moved.count > named { facts.append(Form.Fact(" ", "and \(moved.count - named) more targets")) }
        return facts
    }

    private static func losses(_ all: [BlastRadius.TenantLoss]) -> [Form.Fact] {
        guard !all.isEmpty else { return [Form.Fact("fails", "no call of any tenant", .statusOK)] }
        var facts = all.prefix(mostTenants).enumerated().map { index, loss in
            let why = loss.why.isEmpty ? "" : ": \(loss.why)"
            return Form.Fact(
                index == 0 ? "FAILS" : " ", "\(loss.tenant) \(Figure.count(loss.calls, "call"))\(why)",
                .statusBad)
        }
        if all.count > mostTenants {
            let rest = all.dropFirst(mostTenants)
            let calls = rest.reduce(0) { $0 + $1.calls }
            facts.append(
                Form.Fact(
                    " ", "and \(Figure.count(rest.count, "more tenant")) with \(Figure.count(calls, "call"))",
                    .statusBad))
        }
        return facts
    }

    private static func right(_ text: String, _ width: Int) -> String {
        String(repeating: " ", count: max(0, width - text.utf8.count)) + text
    }
}
