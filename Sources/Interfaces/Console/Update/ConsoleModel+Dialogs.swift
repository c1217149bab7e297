import Domain
import Operations

extension ConsoleModel {
    mutating func open(_ dialog: any Dialog) {
        // A stack this deep is a fault of ours, not a wish of the operator.
        guard dialogs.count < 4 else { return }
        dialogs.append(dialog)
    }

    mutating func closeDialog() {
        guard let dialog = dialogs.popLast() else { return }
        dialog.wipe()
        asked = nil
        // The question whether to leave may stand over the dialog that waits for its command.
        if let pending, pending.byDialog, !(dialog is QuitDialog) {
            self.pending = PendingCommand(id: pending.id, words: pending.words, byDialog: false)
        }
    }

    mutating func giveToDialog(_ input: Input) -> [ConsoleEffect] {
        guard var dialog = dialogs.last else { return [] }
        if case .paste(let paste) = input, !dialog.takesPaste {
            tell("pasted \(Figure.count(paste.count + paste.dropped, "character")), ignored", .warning)
            paste.wipe()
            return []
        }
        if input == .key(.control("c")) {
            if !(dialog is QuitDialog) { open(QuitDialog(self)) }
            return []
        }
        // A stray enter must not press a button either.
        if input == .key(.enter), let restsUntil, now < restsUntil { return [] }
        let step = dialog.handle(input, self)
        dialogs[dialogs.count - 1] = dialog
        return follow(step)
    }

    mutating func follow(_ step: DialogStep) -> [ConsoleEffect] {
        switch step {
        case .stay: return []
        case .close:
            closeDialog()
            return []
        case .perform(let command, let secret, let words):
            return [give(command, secret: secret, words: words, byDialog: true)]
        case .replace(let next):
            closeDialog()
            open(next)
            return []
        case .run(let command):
            closeDialog()
            return run(command)
        case .obey(let action):
            closeDialog()
            return obey(action)
        case .copy(let text): return [.copy(text)]
        case .quit: return [.quit]
        }
    }

    /// Sends a command off and remembers that it is on its way.
    mutating func give(
        _ command: EngineCommand, secret: SecretDraft? = nil, words: String, byDialog: Bool
    ) -> ConsoleEffect {
        let id = nextCommand
        nextCommand += 1
        pending = PendingCommand(id: id, words: words, byDialog: byDialog)
        return .perform(id: id, command, secret: secret)
    }

    /// Puts the question of the dialog on top, when it was not put yet.
    mutating func askForDialog() -> [ConsoleEffect] {
        guard let query = dialogs.last?.question else {
            asked = nil
            return []
        }
        if asked?.query == query { return [] }
        asked = AskedQuestion(id: nextQuestion, query: query)
        defer { nextQuestion += 1 }
        return [.ask(id: nextQuestion, query)]
    }

    /// An answer to a question that nobody waits for any more is dropped.
    mutating func takeAnswer(_ result: Result<EngineAnswer, CommandRefusal>, of id: Int) {
        guard asked?.id == id, var dialog = dialogs.last else { return }
        dialog.answered(result)
        dialogs[dialogs.count - 1] = dialog
    }

    /// A command has ended: the dialog that waits for it decides what comes next.
    mutating func take(_ result: Result<CommandOutcome, CommandRefusal>, of id: Int) -> [ConsoleEffect] {
        guard let pending, pending.id == id else {
            if case .success(let outcome) = result { outcome.issued?.wipe() }
            return []
        }
        self.pending = nil
        tell(result, of: pending)
        var effects: [ConsoleEffect] = [.refreshSnapshot]
        // The question whether to leave may stand over the dialog that waits; its reason is gone now.
        if dialogs.last is QuitDialog { closeDialog() }
        if pending.byDialog, var dialog = dialogs.last {
            let step = dialog.finished(result, self)
            dialogs[dialogs.count - 1] = dialog
            effects += follow(step)
        }
        if case .success(let outcome) = result, let secret = outcome.issued {
            open(ShownOnceDialog(secret, outcome.receipt))
        }
        return effects
    }

    private mutating func tell(_ result: Result<CommandOutcome, CommandRefusal>, of pending: PendingCommand) {
        switch result {
        case .success(let outcome):
            tell(outcome.receipt.message)
            undo = nil
            if let command = outcome.receipt.undo, let until = outcome.receipt.undoUntil {
                undo = UndoOffer(command: command, words: pending.words, until: until)
            }
        case .failure(let refusal) where !pending.byDialog: open(MessageDialog(refusal, of: pending.words))
        case .failure: break
        }
    }
}
