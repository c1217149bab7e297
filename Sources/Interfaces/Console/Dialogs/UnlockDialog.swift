import Domain
import Operations

/// Opens the vault with its passphrase.
struct UnlockDialog: FormDialog {
    private let secret = SecretField()
    var form: Form

    var title: String { "Unlock the vault" }

    init(_ vault: VaultView) {
        var facts = [
            Form.Fact(
                "", "The vault is sealed: no provider key can be used, so no call can be served.", .statusWarn
            ),
            Form.Fact("holds", Figure.count(vault.sealedKeys, "sealed key")),
            Form.Fact("opens with", vault.slots.joined(separator: ", ")),
        ]
        if !vault.slots.contains(where: { $0.utf8.elementsEqual("passphrase".utf8) }) {
            facts.append(
                Form.Fact("", "It has no passphrase: start the gateway with its key file.", .statusBad))
        }
        form = Form(facts: facts, fields: [Form.Field("Passphrase", .secret(secret))], action: "Unlock")
    }

    var missing: String? { secret.isEmpty ? "type the passphrase" : nil }

    func act() -> DialogStep { .perform(.vaultUnlock, secret: secret.copy(), words: "unlocking the vault") }

    mutating func refused(_ refusal: CommandRefusal, _ model: ConsoleModel) -> DialogStep {
        secret.draft.wipe()
        form.note = refusal.message
        form.focus = .field(0)
        return .stay
    }

    func wipe() { secret.draft.wipe() }
}
