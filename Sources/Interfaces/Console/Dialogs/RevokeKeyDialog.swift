import Domain
import Operations

/// Destroys a provider key's sealed record: it can never be used again.
struct RevokeKeyDialog: FormDialog {
    private let key: ProviderKeyView
    var form: Form

    var title: String { "Revoke key: \(key.provider)/\(key.label)" }
    var ground: Style.Ground { .danger }

    init(_ key: ProviderKeyView, _ model: ConsoleModel) {
        self.key = key
        form = Form(
            facts: [Form.Fact("", "Destroys the sealed key. This cannot be undone.", .statusBad)]
                + KeyUse(key, model).facts,
            fields: [
                Form.Field("Reason", .text(TextField(limit: 200)), hint: "(goes to audit)"),
                KeyUse.confirmation(key),
            ], action: "Revoke")
    }

    var missing: String? { form.text(0).isEmpty ? "give a reason" : form.missingWord }

    func act() -> DialogStep {
        .perform(
            .keyRevoke(key: key.id, reason: form.text(0)), secret: nil,
            words: "revoke \(key.provider)/\(key.label)")
    }
}
