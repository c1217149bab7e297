import Domain
import Operations

/// Shows a new virtual key, once: the only screen of the console with a secret on it.
struct ShownOnceDialog: Dialog {
    private let secret: SecretDraft
    private let receipt: CommandReceipt
    /// The first esc warns, the second closes.
    private var warned = false

    var title: String { "New virtual key, shown once" }

    init(_ secret: SecretDraft, _ receipt: CommandReceipt) {
        self.secret = secret
        self.receipt = receipt
    }

    mutating func handle(_ input: Input, _ model: ConsoleModel) -> DialogStep {
        switch input {
        case .key(.character("y")): return .copy(secret.withBytes { String(decoding: $0, as: UTF8.self) })
        case .key(.escape):
            guard warned else {
                warned = true
                return .stay
            }
            return .close
        case .key:
            warned = false
            return .stay
        default: return .stay
        }
    }

    private func lines(width: Int) -> [(String, Slot)] {
        let told = Wrapped.lines(receipt.message, width: width).map { ($0, Slot.text) }
        let text = secret.withBytes { String(decoding: $0, as: UTF8.self) }
        let key = Wrapped.lines(text, width: width).map { ($0, Slot.secret) }
        let details = receipt.details.flatMap { Wrapped.lines($0, width: width) }.map { ($0, Slot.textDim) }
        let words =
            warned
            ? [("Press esc again to close: this key cannot be shown again.", Slot.statusBad)]
            : [("This key is shown once. Copy it now: y copies, esc esc closes.", Slot.statusWarn)]
        return told + [("", .text)] + key + [("", .text)] + details + words
    }

    func size(_ model: ConsoleModel, width: Int) -> (width: Int, height: Int) {
        let width = min(90, width - 6)
        return (width, lines(width: width).count)
    }

    func draw(_ model: ConsoleModel, _ canvas: inout Canvas, in area: Area) {
        let all = lines(width: area.width)
        let shown = all.count <= area.height ? all : all.filter { !$0.0.isEmpty }
        for (row, line) in shown.prefix(area.height).enumerated() {
            canvas.put(line.0, area.column, area.row + row, Style(line.1, on: ground), width: area.width)
        }
    }

    func wipe() { secret.wipe() }
}
