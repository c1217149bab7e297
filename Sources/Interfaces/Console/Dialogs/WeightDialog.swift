import Domain
import Operations

/// Shows what another weight of a target in a route would do; weights themselves stand in the configuration.
struct WeightDialog: Dialog {
    private let model: ModelName
    private let target: Target
    private let weight: Int
    private var facts = BlastFacts.waiting
    private var scroll = ScrolledLines()

    var title: String { "Weight \(weight) of \(target) in \(model)" }
    var question: EngineQuery? { .blastRadius(.weight(model: model, target, weight)) }

    init(_ model: ModelName, _ target: Target, _ weight: Int) {
        self.model = model
        self.target = target
        self.weight = weight
    }

    mutating func answered(_ result: Result<EngineAnswer, CommandRefusal>) {
        facts = BlastFacts.facts(result)
    }

    mutating func handle(_ input: Input, _ model: ConsoleModel) -> DialogStep {
        scroll.closes(input, count: lines(width: width(model.width)).count) ? .close : .stay
    }

    private func width(_ screen: Int) -> Int { min(72, screen - 6) }

    func size(_ model: ConsoleModel, width: Int) -> (width: Int, height: Int) {
        (self.width(width), lines(width: self.width(width)).count + 2)
    }

    func draw(_ model: ConsoleModel, _ canvas: inout Canvas, in area: Area) {
        scroll.draw(lines(width: area.width), &canvas, in: area, on: ground)
    }

    /// Breaks only what does not fit: numbers that stand below each other keep their blanks.
    private func lines(of text: String, width: Int) -> [String] {
        Canvas.cells(of: text) <= width ? [text] : Wrapped.lines(text, width: width)
    }

    private func lines(width: Int) -> [ScrolledLines.Line] {
        let advice =
            "Nothing is changed here. To make it so, set the weight in the [[route]] of \(model) in gatehouse.toml, then :reload"
        let told = facts.flatMap { fact in
            lines(of: fact.text, width: width - 10).enumerated().map { index, line in
                let label = index == 0 ? fact.label : ""
                let gap = String(repeating: " ", count: max(1, 10 - Canvas.cells(of: label)))
                return ScrolledLines.Line(label + gap + line, fact.slot)
            }
        }
        return told + [.init("")] + Wrapped.lines(advice, width: width).map { .init($0) }
    }
}
