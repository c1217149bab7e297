import Domain
import Metering
import Operations
import Routing

// The same search that the path makes, told in sentences.
extension RouteFinder {
    /// A call of the usual size, where none is at hand: what prices are compared by.
    private static let usualInput: Int64 = 1_000
    private static let usualOutput: Int64 = 256
    private static let candidatesMost = 64

    func explain(_ model: ModelName, for tenant: TenantRecord, at now: Instant) -> RouteExplanation {
        // The same every time, so that two looks can be compared; strategies by lot say that they are.
        let question = RouteQuestion(
            model: model, tenant: tenant, dialect: .openAIChat, input: Self.usualInput,
            output: Self.usualOutput, draw: 0)
        let found = find(question, at: now)
        var explanation = RouteExplanation(
            model: model, tenant: tenant.name, strategy: found.route.strategy.rawValue)
        guard found.isKnown else {
            explanation.note =
                "no provider serves this name for this tenant: add a key, a route, or name it PROVIDER/MODEL"
            return explanation
        }
        let targets = found.route.choices.map(\.target)
        let readings = Dictionary(
            zip(targets, gauges.readings(of: targets, at: now)), uniquingKeysWith: { first, _ in first })
        for (place, attempt) in found.plan.attempts.enumerated() {
            explanation.candidates.append(
                candidate(attempt, place: place + 1, found, question, readings[attempt.target]))
        }
        for skipped in found.plan.skipped {
            explanation.candidates.append(
                .init(
                    place: nil, target: skipped.target.description,
                    key: skipped.key.flatMap { found.keys[$0]?.record.label.text },
                    payer: payer(of: skipped.key, found, tenant), reason: skipped.reason.text(at: now),
                    price: price(of: question, at: skipped.target),
                    firstToken: readings[skipped.target]?.firstToken.map { $0.inSeconds * 1_000 },
                    running: readings[skipped.target]?.running ?? 0))
        }
        explanation.candidates = Array(explanation.candidates.prefix(Self.candidatesMost))
        explanation.note = note(of: found.route)
        return explanation
    }

    private func candidate(
        _ attempt: RoutePlan.Attempt, place: Int, _ found: Found, _ question: RouteQuestion,
        _ reading: TargetReading?
    ) -> RouteExplanation.Candidate {
        let price = price(of: question, at: attempt.target)
        let reason = reason(attempt, found, price, reading ?? TargetReading())
        return .init(
            place: place, target: attempt.target.description,
            key: attempt.key.flatMap { found.keys[$0]?.record.label.text },
            payer: payer(of: attempt.key, found, question.tenant), reason: reason, price: price,
            firstToken: reading?.firstToken.map { $0.inSeconds * 1_000 }, running: reading?.running ?? 0)
    }

    private func reason(
        _ attempt: RoutePlan.Attempt, _ found: Found, _ price: String?, _ reading: TargetReading
    ) -> String {
        let choice = found.route.choices.firstIndex { $0.target == attempt.target }
        var words =
            switch found.route.strategy {
            case .priority: "number \((choice ?? 0) + 1) of the route"
            case .weighted:
                "weight \(choice.map { found.route.choices[$0].weight } ?? 0) of "
                    + "\(found.route.choices.reduce(0) { $0 + $1.weight }), by lot each call"
            case .cheapest: price.map { "\($0) for a call of 1,000 in, 256 out" } ?? "its price is not known"
            case .fastest:
                reading.firstToken.map {
                    "first token in \($0.wholeMilliseconds) ms, the better of two by lot"
                }
                    ?? "not measured lately, so it is tried"
            case .throughput:
                reading.tokensPerSecond.map { "\(Int($0)) tokens/s, the better of two by lot" }
                    ?? "not measured lately, so it is tried"
            case .leastBusy: "\(reading.running) calls under way"
            case .sticky:
                "by the conversation; without one by lot, weight "
                    + "\(choice.map { found.route.choices[$0].weight } ?? 0)"
            }
        if let key = attempt.key.flatMap({ found.keys[$0]?.record }) {
            if let canary = key.canary {
                words += "; its key is on trial with \(canary.percent)% of the calls"
            }
            if key.state == .draining { words += "; its key is draining, in reserve" }
            if let weight = key.weight { words += "; key weight \(weight)" }
        }
        return words
    }

    private func price(of question: RouteQuestion, at target: Target) -> String? {
        directory.providers[target.provider].flatMap { directory.cost(of: question, at: target, $0) }
            .map { "$\($0.dollars(decimals: 4))" }
    }

    private func payer(of key: ProviderKeyID?, _ found: Found, _ tenant: TenantRecord) -> String {
        guard let key, let owner = found.keys[key]?.record.tenant else { return Payer.tenant.rawValue }
        return (owner == tenant.id ? Payer.tenant : .platform).rawValue
    }

    private func note(of route: Route) -> String {
        var notes: [String] = []
        if let last = route.lastResort { notes.append("last resort: \(last)") }
        if !route.onContextOverflow.isEmpty {
            notes.append("too long: \(route.onContextOverflow.map(\.description).joined(separator: ", "))")
        }
        if !route.onContentPolicy.isEmpty {
            notes.append("content: \(route.onContentPolicy.map(\.description).joined(separator: ", "))")
        }
        return notes.joined(separator: "; ")
    }
}
