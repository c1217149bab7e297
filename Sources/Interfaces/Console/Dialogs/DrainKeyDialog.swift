import Domain
import Operations

/// Takes a provider key out of use: only where no other key serves it goes on until the end, and then it is revoked.
struct DrainKeyDialog: BlastDialog {
    private let key: ProviderKeyView
    let known: [Form.Fact]
    var form: Form

    var title: String { "Drain key: \(key.provider)/\(key.label)" }
    var ground: Style.Ground { .danger }
    var change: BlastChange { .drainKey(key.id) }

    init(_ key: ProviderKeyView, _ model: ConsoleModel) {
        self.key = key
        known =
            [Form.Fact("", "In reserve from now on: other keys go first. At the end it is revoked.")]
            + KeyUse(key, model, "once it is revoked").facts
        form = Form(
            facts: known + BlastFacts.waiting,
            fields: [
                Form.Field("Drains", .choice(ChoiceField(RotateKeyDialog.drains.map(\.words)))),
                Form.Field("Reason", .text(TextField(limit: 200)), hint: "(goes to audit)"),
                KeyUse.confirmation(key),
            ], action: "Drain")
    }

    var missing: String? { form.text(1).isEmpty ? "give a reason" : form.missingWord }

    func act() -> DialogStep {
        let seconds = RotateKeyDialog.drains[form.choice(0)].seconds
        return .perform(
            .keyDrain(key: key.id, seconds: seconds, reason: form.text(1)), secret: nil,
            words: "drain \(key.provider)/\(key.label)")
    }
}

/// What is known of who uses a provider key.
struct KeyUse {
    let facts: [Form.Fact]

    /// - Parameter when: from when on there is the key no more.
    init(_ key: ProviderKeyView, _ model: ConsoleModel, _ when: String) {
        let others = model.live.providerKeys.filter {
            $0.id != key.id && $0.tenant == key.tenant && $0.provider == key.provider && $0.state == .active
        }
        let last = key.lastUsed.map { "last used \(Figure.age(model.wall - $0)) ago" } ?? "never used"
        let rest =
            others.isEmpty
            ? "\(key.tenant) has no key of its own at \(key.provider) \(when)"
            : "\(Figure.count(others.count, "other active key")) of \(key.tenant) at \(key.provider)"
        facts = [
            Form.Fact("key", "of \(key.tenant), fingerprint \(key.fingerprint)"),
            Form.Fact("now", "\(Figure.rate(key.requestsPerSecond)) rq/s, \(last)"),
            Form.Fact("after", rest, others.isEmpty ? .statusBad : .text),
        ]
    }

    /// The beginning of the fingerprint is the word to type: a label like `main` is on many keys.
    static func confirmation(_ key: ProviderKeyView) -> Form.Field {
        let word = String(key.fingerprint.filter { $0 != " " }.prefix(4))
        return Form.Field("Type \(word)", .word(TextField(limit: 32), expected: word), hint: "to confirm")
    }
}
