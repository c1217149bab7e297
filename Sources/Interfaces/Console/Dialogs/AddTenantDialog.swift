import Domain
import Operations

/// Makes a new tenant with its limits.
struct AddTenantDialog: FormDialog {
    var form: Form

    var title: String { "Add tenant" }

    init(_ name: String) {
        form = Form(
            facts: [
                Form.Fact("", "Its keys, calls, costs and cache are kept apart from every other tenant's.")
            ],
            fields: [
                Form.Field("Name", .text(TextField(name, limit: 48)), hint: "a-z 0-9 . _ -"),
                Form.Field("Calls/min", .text(TextField(limit: 9)), hint: "empty = no limit"),
                Form.Field("Tokens/min", .text(TextField(limit: 12))),
                Form.Field("Parallel", .text(TextField(limit: 6))),
            ], action: "Add")
    }

    var missing: String? {
        do throws(NameRefusal) {
            _ = try TenantName(form.text(0))
        } catch {
            return error.sentence
        }
        for (index, what) in [(1, "calls/min"), (2, "tokens/min"), (3, "parallel")]
        where Limit(form.text(index)) == nil {
            return "\(what): a whole number above 0, or empty"
        }
        return nil
    }

    func act() -> DialogStep {
        guard let name = try? TenantName(form.text(0)) else { return .stay }
        let limits = LimitSet(
            requestsPerMinute: Limit(form.text(1))?.value, tokensPerMinute: Limit(form.text(2))?.value,
            parallel: Limit(form.text(3))?.value)
        return .perform(.tenantAdd(name: name, limits: limits), secret: nil, words: "adding tenant \(name)")
    }
}
