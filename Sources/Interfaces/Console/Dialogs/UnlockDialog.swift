import Domain
import Operations

/// Opens the vault: by what is typed, or by a key that a token or a key service keeps.
struct UnlockDialog: FormDialog {
    /// What is asked, in the order of the choice.
    private enum Way: String {
        /// A passphrase, a key file's content or a recovery key: the vault finds the slot.
        case typed = "passphrase"
        case token = "token"
        case service = "key service"

        init(_ slot: String) {
            switch SlotKind(rawValue: slot) {
            case .token: self = .token
            case .keyService: self = .service
            default: self = .typed
            }
        }
    }

    private let secret = SecretField()
    private let ways: [Way]
    var form: Form

    var title: String { "Unlock the vault" }

    init(_ vault: VaultView) {
        let found = vault.slots.map(Way.init)
        ways = [Way.typed, .token, .service].filter(found.contains)
        var facts = [
            Form.Fact(
                "", "The vault is sealed: no provider key can be used, so no call can be served.", .statusWarn
            ),
            Form.Fact("holds", Figure.count(vault.sealedKeys, "sealed key")),
            Form.Fact("opens with", vault.slots.joined(separator: ", ")),
        ]
        if !vault.slots.contains(where: { SlotKind(rawValue: $0) == .passphrase }), ways == [.typed] {
            facts.append(
                Form.Fact("", "It has no passphrase: start the gateway with its key file.", .statusBad))
        }
        if ways.contains(.token) {
            facts.append(Form.Fact("PIN", "the token's; empty = from where the configuration says"))
        }
        var fields: [Form.Field] = []
        if ways.count > 1 { fields.append(.init("By", .choice(ChoiceField(ways.map(\.rawValue))))) }
        if ways != [.service] {
            let label =
                switch (ways.contains(.token), ways.contains(.typed)) {
                case (true, true): "Secret or PIN"
                case (true, false): "PIN"
                case (false, _): "Passphrase"
                }
            fields.append(.init(label, .secret(secret)))
        }
        form = Form(facts: facts, fields: fields, action: "Unlock")
        // A passphrase that is typed at once must not go into the choice.
        if ways != [.service] { form.focus = .field(fields.count - 1) }
    }

    private var way: Way { ways.count > 1 ? ways[form.choice(0)] : ways.first ?? .typed }

    var missing: String? { way == .typed && secret.isEmpty ? "type the passphrase" : nil }

    func act() -> DialogStep {
        switch way {
        case .typed: .perform(.vaultUnlock, secret: secret.copy(), words: "unlocking the vault")
        case .token:
            .perform(.vaultUnlockOutside(kind: .token), secret: secret.copy(), words: "asking the token")
        case .service:
            .perform(.vaultUnlockOutside(kind: .keyService), secret: nil, words: "asking the key service")
        }
    }

    mutating func refused(_ refusal: CommandRefusal, _ model: ConsoleModel) -> DialogStep {
        secret.draft.wipe()
        form.note = refusal.message
        form.focus = form.fields.isEmpty ? .action : .field(form.fields.count - 1)
        return .stay
    }

    func wipe() { secret.draft.wipe() }
}
