import Domain
import Operations

/// Starts a drill: some of one tenant's calls meet a made fault for a while.
struct DrillDialog: FormDialog {
    private static let shares = [10, 25, 50, 100]
    private static let minutes = [5, 15, 30, 60]
    private let tenant: TenantName
    var form: Form

    var title: String { "Start drill: \(tenant)" }
    var ground: Style.Ground { .danger }

    init(_ view: TenantView) {
        tenant = view.name
        let word = view.name.text
        form = Form(
            facts: [
                Form.Fact(
                    "", "Makes calls of this tenant fail on purpose, and of no other tenant.", .statusBad),
                Form.Fact("", "What it touches is marked DRILL; it ends by itself."),
                Form.Fact(
                    "now",
                    "\(Figure.rate(view.figures.requestsPerSecond)) rq/s, \(view.figures.inFlight) in flight"),
            ],
            fields: [
                Form.Field("Fault", .choice(ChoiceField(DrillFault.allCases.map(Self.words)))),
                Form.Field("Calls", .choice(ChoiceField(Self.shares.map { "\($0)%" }))),
                Form.Field("For", .choice(ChoiceField(Self.minutes.map { "\($0)m" }))),
                Form.Field("Reason", .text(TextField(limit: 200)), hint: "(goes to audit)"),
                Form.Field("Type \(word)", .word(TextField(limit: 48), expected: word), hint: "to confirm"),
            ], action: "Start")
    }

    private static func words(_ fault: DrillFault) -> String {
        switch fault {
        case .rateLimited: "429 rate limited"
        case .overloaded: "529 overloaded"
        case .cut: "cut in mid-stream"
        case .stall: "stall in mid-stream"
        case .slow: "late first byte"
        case .badKey: "bad key, 401"
        }
    }

    var missing: String? { form.text(3).isEmpty ? "give a reason" : form.missingWord }

    func act() -> DialogStep {
        .perform(
            .drillStart(
                tenant: tenant, fault: DrillFault.allCases[form.choice(0)],
                percent: Self.shares[form.choice(1)],
                minutes: Self.minutes[form.choice(2)], reason: form.text(3)), secret: nil,
            words: "drill \(tenant)")
    }
}

/// Ends a drill before its time.
struct StopDrillDialog: FormDialog {
    private let tenant: TenantName
    var form: Form

    var title: String { "Stop drill: \(tenant)" }

    init(_ drill: DrillView, _ model: ConsoleModel) {
        tenant = drill.tenant
        var facts = [
            Form.Fact("", "Its calls go to the providers again, from the next one on."),
            Form.Fact(
                "fault", "\(drill.fault.rawValue) on \(drill.percent)% of its calls: \(drill.fault.sentence)"),
            Form.Fact(
                "by",
                "\(drill.owner), \(Figure.span(drill.until - model.wall)) left, \(Figure.count(drill.calls, "call")) so far"
            ),
        ]
        if !drill.reason.isEmpty { facts.append(Form.Fact("because", drill.reason)) }
        form = Form(
            facts: facts,
            fields: [Form.Field("Reason", .text(TextField(limit: 200)), hint: "(goes to audit)")],
            action: "Stop")
    }

    var missing: String? { form.text(0).isEmpty ? "give a reason" : nil }

    func act() -> DialogStep {
        .perform(
            .drillStop(tenant: tenant, reason: form.text(0)), secret: nil,
            words: "stop the drill of \(tenant)")
    }
}
