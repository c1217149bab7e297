import Domain
import Operations

/// Trips, closes or holds one breaker: shows what hangs on it, asks how long, why, and for its provider's name.
struct BreakerDialog: FormDialog {
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
    var form: Form

    var title: String { "\(deed.word) breaker: \(target)" }
    var ground: Style.Ground { .danger }

    init(_ deed: Deed, _ view: TargetView, _ model: ConsoleModel) {
        self.deed = deed
        target = view.target
        let word = view.target.provider.text
        form = Form(
            facts: [Form.Fact("", deed.sentence(view.position)), Form.Fact("", "")]
                + BlastRadius(view, model).facts,
            fields: [
                Form.Field("For", .choice(ChoiceField(Self.spans.map(\.words)))),
                Form.Field("Reason", .text(TextField(limit: 200)), hint: "(goes to audit)"),
                Form.Field("Type \(word)", .word(TextField(limit: 64), expected: word), hint: "to confirm"),
            ], action: deed.word)
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
