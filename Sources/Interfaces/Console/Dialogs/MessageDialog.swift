import Domain
import Operations

/// Tells what a command did, or why it was refused; any of esc, enter and q closes it.
struct MessageDialog: Dialog {
    let title: String
    private let text: [(String, Slot)]

    /// A refusal: nothing was changed.
    init(_ refusal: CommandRefusal, of words: String) {
        title = "Refused: \(words)"
        text = [(refusal.message, .statusWarn), ("Nothing was changed.", .text)]
    }

    /// A receipt with its details and its way back.
    init(_ receipt: CommandReceipt, title: String) {
        self.title = title
        var text = [(receipt.message, Slot.statusOK)] + receipt.details.map { ($0, Slot.text) }
        if let until = receipt.undoUntil, receipt.undo != nil {
            text.append(("u takes it back until \(until.civil.clock)Z", .text))
        }
        self.text = text
    }

    mutating func handle(_ input: Input, _ model: ConsoleModel) -> DialogStep {
        switch input {
        case .key(.escape), .key(.enter), .key(.character("q")): .close
        default: .stay
        }
    }

    private func lines(width: Int) -> [(String, Slot)] {
        text.flatMap { part in Wrapped.lines(part.0, width: width).map { ($0, part.1) } }
            + [("", .text), ("esc closes", .textDim)]
    }

    func size(_ model: ConsoleModel, width: Int) -> (width: Int, height: Int) {
        (70, lines(width: min(70, width - 6)).count)
    }

    func draw(_ model: ConsoleModel, _ canvas: inout Canvas, in area: Area) {
        for (row, line) in lines(width: area.width).prefix(area.height).enumerated() {
            canvas.put(line.0, area.column, area.row + row, Style(line.1, on: ground), width: area.width)
        }
    }
}
