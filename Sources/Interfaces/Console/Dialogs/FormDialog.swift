import Operations

/// A dialog that is a form: fill in, then Cancel or act.
protocol FormDialog: Dialog {
    var form: Form { get set }
    /// Why the action cannot be taken yet; nil when it can.
    var missing: String? { get }
    /// What the action is; asked only when nothing is missing.
    func act() -> DialogStep
    /// What to do with a refusal; by default it is told and the form stays.
    mutating func refused(_ refusal: CommandRefusal, _ model: ConsoleModel) -> DialogStep
    mutating func succeeded(_ outcome: CommandOutcome, _ model: ConsoleModel) -> DialogStep
}

extension FormDialog {
    var takesPaste: Bool { form.takesPaste }
    var missing: String? { form.missingWord }

    mutating func handle(_ input: Input, _ model: ConsoleModel) -> DialogStep {
        switch form.handle(input, missing: missing) {
        case .stay: return .stay
        case .cancel: return .close
        case .act:
            let step = act()
            if case .perform(_, _, let words) = step {
                form.isWaiting = true
                form.note = "\(words) ..."
            }
            return step
        }
    }

    mutating func finished(
        _ result: Result<CommandOutcome, CommandRefusal>, _ model: ConsoleModel
    ) -> DialogStep {
        form.isWaiting = false
        switch result {
        case .success(let outcome): return succeeded(outcome, model)
        case .failure(let refusal): return refused(refusal, model)
        }
    }

    mutating func refused(_ refusal: CommandRefusal, _ model: ConsoleModel) -> DialogStep {
        form.note = "Nothing was changed: \(refusal.message)"
        form.focus = .cancel
        return .stay
    }

    mutating func succeeded(_ outcome: CommandOutcome, _ model: ConsoleModel) -> DialogStep { .close }

    func size(_ model: ConsoleModel, width: Int) -> (width: Int, height: Int) {
        (72, form.height(width: min(72, width - 6)))
    }

    func draw(_ model: ConsoleModel, _ canvas: inout Canvas, in area: Area) {
        form.draw(&canvas, in: area, on: ground, missing: missing)
    }

    func wipe() { form.wipe() }
}
