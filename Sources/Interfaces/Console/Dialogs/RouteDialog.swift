import Domain
import Operations

/// Shows where a tenant's call for a model would go now: the candidates in their order, with the reason of each.
struct RouteDialog: Dialog {
    private let model: ModelName
    private let tenant: TenantName
    private var answer: Result<EngineAnswer, CommandRefusal>?
    private var scroll = ScrolledLines()

    var title: String { "Route: \(model) for \(tenant)" }
    var question: EngineQuery? { .route(model: model, tenant: tenant) }

    init(_ model: ModelName, _ tenant: TenantName) {
        self.model = model
        self.tenant = tenant
    }

    mutating func answered(_ result: Result<EngineAnswer, CommandRefusal>) { answer = result }

    mutating func handle(_ input: Input, _ model: ConsoleModel) -> DialogStep {
        scroll.closes(input, count: lines(width: width(model.width)).count) ? .close : .stay
    }

    private func width(_ screen: Int) -> Int { min(100, screen - 6) }

    func size(_ model: ConsoleModel, width: Int) -> (width: Int, height: Int) {
        (self.width(width), lines(width: self.width(width)).count + 2)
    }

    func draw(_ model: ConsoleModel, _ canvas: inout Canvas, in area: Area) {
        scroll.draw(lines(width: area.width), &canvas, in: area, on: ground)
    }

    private func lines(width: Int) -> [ScrolledLines.Line] {
        switch answer {
        case nil: return [.init("asking the router ...", .statusNew)]
        case .success(.route(let route))?: return lines(route, width)
        case .success?: return [.init("the engine gave another answer", .statusWarn)]
        case .failure(let refusal)?:
            return Wrapped.lines(refusal.message, width: width).map { .init($0, .statusWarn) }
        }
    }

    private func lines(_ route: RouteExplanation, _ width: Int) -> [ScrolledLines.Line] {
        let tried = route.candidates.count { $0.place != nil }
        let head =
            "strategy \(route.strategy), \(tried) of \(Figure.count(route.candidates.count, "candidate")) would be tried"
        var out = Wrapped.lines(head, width: width).map { ScrolledLines.Line($0, .textStrong) }
        out += Wrapped.lines(route.note, width: width).map { .init($0, .statusWarn) }
        for candidate in route.candidates {
            out.append(.init(""))
            out += lines(candidate, width)
        }
        return out
    }

    private func lines(_ candidate: RouteExplanation.Candidate, _ width: Int) -> [ScrolledLines.Line] {
        let place = candidate.place.map { "\($0)" } ?? "-"
        let mark = String(repeating: " ", count: max(0, 2 - place.utf8.count)) + place
        let slot: Slot = candidate.place == nil ? .textDim : .textStrong
        let indent = "   "
        let isTried = candidate.place != nil
        let reason = isTried ? candidate.reason : "left out: \(candidate.reason)"
        var out = [ScrolledLines.Line("\(mark) \(candidate.target)", slot)]
        for line in Wrapped.lines(reason, width: width - 3) {
            out.append(ScrolledLines.Line(indent + line, isTried ? .text : .statusWarn))
        }
        for line in Self.packed(facts(candidate), width: width - 3) {
            out.append(ScrolledLines.Line(indent + line, .textDim))
        }
        return out
    }

    /// What is not known is said of those that would be tried; of the others only what is known.
    private func facts(_ candidate: RouteExplanation.Candidate) -> [String] {
        let isTried = candidate.place != nil
        let key = candidate.key.map { "key \($0) (\(candidate.payer) pays)" }
        let price = candidate.price.map { "\($0) a call" }
        let first = candidate.firstToken.map { "first token \(Figure.seconds($0))" }
        let running = isTried || candidate.running > 0 ? "\(candidate.running) running" : nil
        let unknown: [String?] =
            isTried ? ["no key", "price not known", "first token not known", nil] : [nil, nil, nil, nil]
        return zip([key, price, first, running], unknown).compactMap { $0 ?? $1 }
    }

    /// Whole facts side by side, as many as fit in a line.
    private static func packed(_ facts: [String], width: Int) -> [String] {
        facts.reduce(into: [String]()) { lines, fact in
            if let last = lines.last, Canvas.cells(of: last) + 2 + Canvas.cells(of: fact) <= width {
                lines[lines.count - 1] = "\(last), \(fact)"
            } else {
                lines.append(fact)
            }
        }
    }
}
