import Domain
import Operations

/// Locks the vault: every key is forgotten.
struct LockDialog: FormDialog {
    var form: Form

    var title: String { "Lock the vault" }
    var ground: Style.Ground { .danger }

    init(_ vault: VaultView) {
        form = Form(
            facts: [
                Form.Fact("", "Every call gets a 503 until someone unlocks it again.", .statusBad),
                Form.Fact("holds", Figure.count(vault.sealedKeys, "sealed key")),
                Form.Fact("opens with", vault.slots.joined(separator: ", ")),
            ],
            fields: [
                Form.Field("Type lock", .word(TextField(limit: 8), expected: "lock"), hint: "to confirm")
            ], action: "Lock")
    }

    func act() -> DialogStep {
        .perform(.vaultLock(reason: ""), secret: nil, words: "locking the vault")
    }
}
