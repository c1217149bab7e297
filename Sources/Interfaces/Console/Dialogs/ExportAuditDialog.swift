import Domain
import Operations

/// Writes the whole audit into a new file on the engine's machine; the export is a record of it.
struct ExportAuditDialog: FormDialog {
    /// As `gatehouse audit export --format` has them.
    private static let forms = ["jsonl", "csv"]
    var form: Form

    var title: String { "Export the audit" }

    init() {
        form = Form(
            facts: [
                Form.Fact("jsonl", "can be verified by anyone, without this gateway."),
                Form.Fact("csv", "is for spreadsheets, and cannot be verified."),
                Form.Fact("", "Names, reasons and who did what from where leave the gateway."),
            ],
            fields: [
                Form.Field("File", .text(TextField(limit: 400)), hint: "an absolute path, a new file"),
                Form.Field("Form", .choice(ChoiceField(Self.forms))),
            ], action: "Export")
    }

    var missing: String? {
        form.text(0).utf8.first == UInt8(ascii: "/") ? nil : "give an absolute path"
    }

    func act() -> DialogStep {
        .perform(
            .auditExport(form: Self.forms[form.choice(1)], file: form.text(0)), secret: nil,
            words: "exporting the audit")
    }

    mutating func refused(_ refusal: CommandRefusal, _ model: ConsoleModel) -> DialogStep {
        form.note = refusal.message
        form.focus = .field(0)
        return .stay
    }

    mutating func succeeded(_ outcome: CommandOutcome, _ model: ConsoleModel) -> DialogStep {
        .replace(MessageDialog(outcome.receipt, title: "The audit is exported"))
    }
}
