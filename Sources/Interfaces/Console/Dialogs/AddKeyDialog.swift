import Domain
import Operations

/// Seals a new provider key of a tenant, after a real call to the provider with it.
struct AddKeyDialog: FormDialog {
    private let tenants: [TenantName]
    private let providers: [ProviderName]
    private let secret = SecretField()
    /// Set once the provider could not be asked and the operator is asked whether to go on all the same.
    private var unverified: KeyQuestion?
    private var order: (tenant: TenantName, provider: ProviderName, label: Label)?
    var form: Form

    var title: String { "Add provider key" }

    init(_ model: ConsoleModel) {
        let tenants = model.live.tenants.map(\.name)
        let providers = model.live.providers.map(\.name)
        self.tenants = tenants
        self.providers = providers
        let near = model.selectedProviderKey
        let tenant = tenants.firstIndex { $0 == near?.tenant } ?? 0
        let provider = providers.firstIndex { $0 == near?.provider } ?? 0
        form = Form(
            facts: [
                Form.Fact(
                    "", "One free call to the provider checks the key; then it is sealed in the vault."),
                Form.Fact("", "It is never shown again and never leaves this tenant."),
            ],
            fields: [
                Form.Field("Tenant", .choice(ChoiceField(tenants.map(\.text), chosen: tenant))),
                Form.Field("Provider", .choice(ChoiceField(providers.map(\.text), chosen: provider))),
                Form.Field("Label", .text(TextField("main", limit: 64))),
                Form.Field("Key", .secret(secret), hint: "paste or type"),
            ], action: "Add key")
    }

    var missing: String? {
        if unverified != nil { return form.missingWord }
        if tenants.isEmpty || providers.isEmpty { return "no tenant or no provider" }
        if (try? Label(form.text(2))) == nil { return "give a label" }
        return secret.isEmpty ? "paste the key" : nil
    }

    func act() -> DialogStep {
        guard let order = order ?? chosen else { return .stay }
        let command = EngineCommand.keyAdd(
            tenant: order.tenant, provider: order.provider, label: order.label,
            acceptUnverified: unverified != nil)
        return .perform(command, secret: secret.copy(), words: "adding a key for \(order.provider)")
    }

    private var chosen: (tenant: TenantName, provider: ProviderName, label: Label)? {
        guard unverified == nil, tenants.indices.contains(form.choice(0)),
            providers.indices.contains(form.choice(1)), let label = try? Label(form.text(2))
        else { return nil }
        return (tenants[form.choice(0)], providers[form.choice(1)], label)
    }

    mutating func refused(_ refusal: CommandRefusal, _ model: ConsoleModel) -> DialogStep {
        if refusal.code == .keyUnverified, unverified == nil {
            order = chosen
            let question = KeyQuestion(refusal, action: "Add anyway")
            unverified = question
            form = question.form
            return .stay
        }
        form.note = "Nothing was changed: \(refusal.message)"
        return .stay
    }

    func wipe() { secret.draft.wipe() }
}

/// Asks whether a key that could not be checked is to be used all the same; a typed word says yes.
struct KeyQuestion: Sendable {
    static let word = "unverified"
    let form: Form

    init(_ refusal: CommandRefusal, action: String) {
        form = Form(
            facts: [
                Form.Fact("", "The key could not be checked; nothing was changed yet.", .statusWarn),
                Form.Fact("why", refusal.message),
                Form.Fact("", "Calls with it may fail. To use it all the same, type the word."),
            ],
            fields: [
                Form.Field(
                    "Type \(Self.word)", .word(TextField(limit: 16), expected: Self.word), hint: "to confirm")
            ], action: action)
    }
}
