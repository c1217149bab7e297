import Domain
import Operations

/// Ends a hold before its time.
struct ReleaseDialog: FormDialog {
    let target: Target
    var form: Form

    var title: String { "Release hold: \(target)" }

    init(_ view: TargetView, _ model: ConsoleModel) {
        target = view.target
        var facts = [Form.Fact("", "The breaker goes back to what its own numbers say.")]
        if let hold = view.hold {
            facts.append(Form.Fact("held by", "\(hold.owner), \(Figure.span(hold.ends - model.wall)) left"))
            facts.append(Form.Fact("because", hold.reason))
        }
        form = Form(
            facts: facts,
            fields: [Form.Field("Reason", .text(TextField(limit: 200)), hint: "(goes to audit)")],
            action: "Release")
    }

    var missing: String? { form.text(0).isEmpty ? "give a reason" : nil }

    func act() -> DialogStep {
        .perform(
            .breakerRelease(target: target, reason: form.text(0)), secret: nil, words: "release \(target)")
    }
}
