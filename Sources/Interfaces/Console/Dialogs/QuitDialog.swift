import Operations

/// Asks before leaving while something is open or on its way.
struct QuitDialog: FormDialog {
    var form: Form

    var title: String { "Quit" }

    init(_ model: ConsoleModel) {
        var facts: [Form.Fact] = []
        if let pending = model.pending {
            facts.append(Form.Fact("", "Still running: \(pending.words).", .statusWarn))
        }
        if let dialog = model.dialogs.last { facts.append(Form.Fact("", "Open: \(dialog.title).")) }
        form = Form(facts: facts, action: "Quit")
    }

    func act() -> DialogStep { .quit }

    mutating func finished(
        _ result: Result<CommandOutcome, CommandRefusal>, _ model: ConsoleModel
    ) -> DialogStep {
        .stay
    }
}
