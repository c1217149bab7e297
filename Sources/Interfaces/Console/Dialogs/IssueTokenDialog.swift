import Domain
import Operations

/// Issues a virtual key for an application of a tenant.
struct IssueTokenDialog: FormDialog {
    private static let lives: [(words: String, seconds: Int?)] = [
        ("never", nil), ("1d", 86_400), ("30d", 2_592_000), ("90d", 7_776_000), ("365d", 31_536_000),
    ]
    private let tenants: [TenantName]
    var form: Form

    var title: String { "Issue virtual key" }

    init(_ model: ConsoleModel) {
        let tenants = model.live.tenants.map(\.name)
        self.tenants = tenants
        let drilled = model.selectedTenant.flatMap { tenant in tenants.firstIndex(of: tenant.name) }
        let owner = model.selectedVirtualKey.flatMap { key in tenants.firstIndex(of: key.tenant) }
        form = Form(
            facts: [Form.Fact("", "The key is shown once, after it is made. Empty limits mean no limit.")],
            fields: [
                Form.Field(
                    "Tenant", .choice(ChoiceField(tenants.map(\.text), chosen: drilled ?? owner ?? 0))),
                Form.Field("Name", .text(TextField(limit: 64)), hint: "such as web-prod"),
                Form.Field("Models", .text(TextField(limit: 400)), hint: "a,b; empty = all"),
                Form.Field("Calls/min", .text(TextField(limit: 9))),
                Form.Field("Tokens/min", .text(TextField(limit: 12))),
                Form.Field("Parallel", .text(TextField(limit: 6))),
                Form.Field("Expires", .choice(ChoiceField(Self.lives.map(\.words)))),
            ], action: "Issue")
    }

    var missing: String? {
        if tenants.isEmpty { return "no tenant yet" }
        if (try? Label(form.text(1))) == nil { return "give a name" }
        if models == nil { return "a model name may hold no blank" }
        for (index, what) in [(3, "calls/min"), (4, "tokens/min"), (5, "parallel")]
        where Limit(form.text(index)) == nil {
            return "\(what): a whole number above 0, or empty"
        }
        return nil
    }

    private var models: [ModelName]? {
        try? form.text(2).split(separator: ",").map { piece in
            try ModelName(String(piece.drop { $0 == " " }))
        }
    }

    func act() -> DialogStep {
        guard tenants.indices.contains(form.choice(0)), let name = try? Label(form.text(1)), let models else {
            return .stay
        }
        let limits = LimitSet(
            requestsPerMinute: Limit(form.text(3))?.value, tokensPerMinute: Limit(form.text(4))?.value,
            parallel: Limit(form.text(5))?.value)
        let order = TokenOrder(
            tenant: tenants[form.choice(0)], name: name, models: models, limits: limits,
            expiresInSeconds: Self.lives[form.choice(6)].seconds)
        return .perform(.tokenIssue(order), secret: nil, words: "issuing \(name)")
    }
}

/// A ceiling as typed: empty for none, or a whole number above zero; nil for anything else.
struct Limit {
    let value: Int?

    init?(_ text: String) {
        if text.isEmpty {
            value = nil
        } else {
            guard let number = Int(text), number > 0 else { return nil }
            value = number
        }
    }
}
