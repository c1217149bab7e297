import Domain
import Operations

/// Destroys a provider key's sealed record: it can never be used again.
struct RevokeKeyDialog: BlastDialog {
    private let key: ProviderKeyView
    let known: [Form.Fact]
    var form: Form

    var title: String { "Revoke key: \(key.provider)/\(key.label)" }
    var ground: Style.Ground { .danger }
    var change: BlastChange { .revokeKey(key.id) }

    init(_ key: ProviderKeyView, _ model: ConsoleModel) {
        self.key = key
        known =
            [Form.Fact("", "Destroys the sealed key. This cannot be undone.", .statusBad)]
            + KeyUse(key, model, "then").facts
        form = Form(
            facts: known + BlastFacts.waiting,
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
