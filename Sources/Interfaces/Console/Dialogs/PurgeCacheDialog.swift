import Domain
import Operations

/// Empties one tenant's cache, or all of it.
struct PurgeCacheDialog: FormDialog {
    /// What is typed to empty the cache of every tenant.
    static let everyWord = "every"
    private let tenant: TenantName?
    var form: Form

    var title: String { "Purge cache: \(tenant?.text ?? "every tenant")" }
    var ground: Style.Ground { .danger }

    init(_ tenant: TenantName?, _ model: ConsoleModel) {
        self.tenant = tenant
        let cache = model.live.cache
        let part = cache.tenants.first { $0.tenant == tenant }
        let entries = tenant == nil ? cache.entries : (part?.entries ?? 0)
        let bytes = tenant == nil ? cache.bytes : (part?.bytes ?? 0)
        let word = tenant?.text ?? Self.everyWord
        form = Form(
            facts: [
                Form.Fact(
                    "", "The next calls go to the providers and cost money. This cannot be undone.",
                    .statusBad),
                Form.Fact("goes", "\(Figure.grouped(entries)) entries, \(Figure.bytes(bytes))"),
            ],
            fields: [
                Form.Field("Type \(word)", .word(TextField(limit: 48), expected: word), hint: "to confirm")
            ], action: "Purge")
    }

    func act() -> DialogStep {
        .perform(.cachePurge(tenant: tenant), secret: nil, words: "purge \(tenant?.text ?? "every cache")")
    }
}
