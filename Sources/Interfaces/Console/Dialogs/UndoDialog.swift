import Domain
import Operations

/// Takes the last command back, or a rotation that still drains.
struct UndoDialog: FormDialog {
    private let command: EngineCommand
    private let words: String
    var form: Form

    var title: String { "Undo" }

    init(_ command: EngineCommand, _ words: String, _ model: ConsoleModel) {
        self.command = command
        self.words = words
        var facts = [Form.Fact("takes back", words)]
        if let undo = model.undo {
            facts.append(Form.Fact("possible for", Figure.span(undo.until - model.wall)))
        }
        form = Form(facts: facts, action: "Undo")
    }

    func act() -> DialogStep { .perform(command, secret: nil, words: "undo of \(words)") }
}
