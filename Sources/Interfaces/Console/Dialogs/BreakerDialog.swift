import Domain
import Operations

/// Trips, closes or holds one breaker: shows what hangs on it, asks how long, why, and for its provider's name.
struct BreakerDialog: BlastDialog {
    /// What is done to the breaker.
    enum Deed: Sendable {
        case trip, close, hold

        var word: String {
            switch self {
            case .trip: "Trip"
            case .close: "Close"
            case .hold: "Hold"
            }
        }

        var mode: BreakerHold.Mode {
            switch self {
            case .trip: .open
            case .close: .closed
            case .hold: .asIs
            }
        }

        func sentence(_ position: BreakerPosition) -> String {
            switch self {
            case .trip: "Forces it OPEN: no call passes; calls in flight may finish."
            case .close: "Forces it closed: every call passes and failures do not trip it."
            case .hold: "Keeps it \(position.word): neither failures nor time move it."
            }
        }
    }

    /// How long an override lasts: one always ends.
    static let spans: [(words: String, seconds: Int)] = [("15m", 900), ("1h", 3_600), ("4h", 14_400)]

    let deed: Deed
    let target: Target
    let known: [Form.Fact]
    var form: Form

    var title: String { "\(deed.word) breaker: \(target)" }
    var ground: Style.Ground { .danger }
    var change: BlastChange { .breaker(target, deed.mode) }

    init(_ deed: Deed, _ view: TargetView, _ model: ConsoleModel) {
        self.deed = deed
        target = view.target
        let word = view.target.provider.text
        known =
            [Form.Fact("", deed.sentence(view.position)), Form.Fact("", "")] + Self.known(view)
        form = Form(
            facts: known + BlastFacts.waiting,
            fields: [
                Form.Field("For", .choice(ChoiceField(Self.spans.map(\.words)))),
                Form.Field("Reason", .text(TextField(limit: 200)), hint: "(goes to audit)"),
                Form.Field("Type \(word)", .word(TextField(limit: 64), expected: word), hint: "to confirm"),
            ], action: deed.word)
    }

    private static func known(_ view: TargetView) -> [Form.Fact] {
        let figures = view.figures
        let now =
            "\(Figure.rate(figures.requestsPerSecond)) rq/s, \(figures.inFlight) in flight, "
            + "err \(Figure.percent(figures.errorPercent))%, p95 \(Figure.seconds(figures.p95Milliseconds))"
        let dependents = view.dependents
        guard !dependents.isEmpty else { return [Form.Fact("now", now)] }
        let more = dependents.count > 3 ? ", \(dependents.count - 3) more" : ""
        return [
            Form.Fact("now", now),
            Form.Fact("used by", dependents.prefix(3).joined(separator: ", ") + more),
        ]
    }

    var missing: String? { form.text(1).isEmpty ? "give a reason" : form.missingWord }

    func act() -> DialogStep {
        let seconds = Self.spans[form.choice(0)].seconds
        let reason = form.text(1)
        let (command, words): (EngineCommand, String) =
            switch deed {
            case .trip: (.breakerTrip(target: target, seconds: seconds, reason: reason), "trip")
            case .close: (.breakerClose(target: target, seconds: seconds, reason: reason), "close")
            case .hold: (.breakerHold(target: target, seconds: seconds, reason: reason), "hold")
            }
        return .perform(command, secret: nil, words: "\(words) \(target)")
    }
}
