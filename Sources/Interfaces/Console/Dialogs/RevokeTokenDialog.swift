import Domain
import Operations

/// Ends a virtual key: calls with it are refused from the next one on.
struct RevokeTokenDialog: FormDialog {
    private let key: VirtualKeyView
    var form: Form

    var title: String { "Revoke virtual key: \(key.name)" }
    var ground: Style.Ground { .danger }

    init(_ key: VirtualKeyView, _ model: ConsoleModel) {
        self.key = key
        let last = key.lastUsed.map { "last used \(Figure.age(model.wall - $0)) ago" } ?? "never used"
        let word = key.name.text
        form = Form(
            facts: [
                Form.Fact("", "Calls with it are refused from now on. This cannot be undone.", .statusBad),
                Form.Fact("tenant", key.tenant.text),
                Form.Fact("fingerprint", key.fingerprint),
                Form.Fact("now", "\(Figure.rate(key.requestsPerSecond)) rq/s, \(last)"),
            ],
            fields: [
                Form.Field("Reason", .text(TextField(limit: 200)), hint: "(goes to audit)"),
                Form.Field("Type \(word)", .word(TextField(limit: 64), expected: word), hint: "to confirm"),
            ], action: "Revoke")
    }

    var missing: String? { form.text(0).isEmpty ? "give a reason" : form.missingWord }

    func act() -> DialogStep {
        .perform(.tokenRevoke(key: key.id, reason: form.text(0)), secret: nil, words: "revoke \(key.name)")
    }
}
