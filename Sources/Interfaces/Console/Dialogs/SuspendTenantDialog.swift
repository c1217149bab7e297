import Domain
import Operations

/// Stops a tenant's calls, or lets them in again.
struct SuspendTenantDialog: FormDialog {
    private let tenant: TenantView
    private let resumes: Bool
    var form: Form

    var title: String { "\(resumes ? "Resume" : "Suspend") tenant: \(tenant.name)" }
    var ground: Style.Ground { resumes ? .raised : .danger }

    init(_ tenant: TenantView, _ model: ConsoleModel) {
        self.tenant = tenant
        resumes = tenant.status == .suspended
        let word = tenant.name.text
        let keys = model.live.virtualKeys.count { $0.tenant == tenant.name && $0.revoked == nil }
        let figures = tenant.figures
        let now = Form.Fact(
            "now",
            "\(Figure.rate(figures.requestsPerSecond)) rq/s, \(figures.inFlight) in flight, \(Figure.count(keys, "virtual key"))"
        )
        if resumes {
            form = Form(
                facts: [Form.Fact("", "Its calls are served again from the next one on."), now],
                action: "Resume")
        } else {
            form = Form(
                facts: [Form.Fact("", "All its calls are refused from now on; nothing is deleted."), now],
                fields: [
                    Form.Field("Reason", .text(TextField(limit: 200)), hint: "(goes to audit)"),
                    Form.Field(
                        "Type \(word)", .word(TextField(limit: 48), expected: word), hint: "to confirm"),
                ], action: "Suspend")
        }
    }

    var missing: String? {
        if resumes { return nil }
        return form.text(0).isEmpty ? "give a reason" : form.missingWord
    }

    func act() -> DialogStep {
        resumes
            ? .perform(.tenantResume(name: tenant.name), secret: nil, words: "resume \(tenant.name)")
            : .perform(
                .tenantSuspend(name: tenant.name, reason: form.text(0)), secret: nil,
                words: "suspend \(tenant.name)")
    }
}
