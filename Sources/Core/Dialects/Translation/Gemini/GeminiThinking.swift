/// Puts a wish for reasoning into `thinkingConfig`, in the words that a model takes.
///
/// Source: Gemini API, "Gemini thinking" and "OpenAI compatibility" (what an effort is worth with 2.5). Whoever wishes
/// for reasoning is shown it (`includeThoughts`).
enum GeminiThinking {
    /// What each effort is worth in tokens: "OpenAI compatibility" gives the first four; nothing is worth more.
    private static let efforts: [(word: String, budget: Int64)] = [
        ("minimal", 1_024), ("low", 1_024), ("medium", 8_192), ("high", 24_576), ("xhigh", 32_768),
        ("max", 32_768),
    ]

    /// The levels that a budget of so many tokens comes closest to: the gateway's own figures, as nobody gives any; the
    /// same that ``ChatWishes`` has.
    private static let levels: [(most: Int64, level: String)] = [(2_048, "LOW"), (8_192, "MEDIUM")]

    /// nil where nothing has to be said. What comes close to a wish is noted as `reasoning`.
    static func config(
        _ wish: Conversation.ReasoningWish?, for model: GeminiModel, losses: inout Losses
    ) throws(TranslationRefusal) -> JSONNode? {
        guard let wish else { return nil }
        if case .effort(let word) = wish, !efforts.contains(where: { isSame($0.word, word) }) {
            throw TranslationRefusal(
                "reasoning_effort", "must be minimal, low, medium, high, xhigh or max for Gemini")
        }
        switch model.generation {
        case .level: return level(wish, model, losses: &losses)
        case .budget: return budget(wish, model, losses: &losses)
        case .early, .other:
            // These refuse the whole of it ("Thinking is not enabled for this model").
            if wish != .off { losses.note("reasoning") }
            return nil
        }
    }

    // MARK: Models from 3 on

    private static func level(
        _ wish: Conversation.ReasoningWish, _ model: GeminiModel, losses: inout Losses
    ) -> JSONNode {
        switch wish {
        // The model decides within its default level.
        case .adaptive: return written(shown: true)
        case .off: return least(model, losses: &losses)
        case .budget(let tokens):
            guard tokens > 0 else { return least(model, losses: &losses) }
            losses.note("reasoning")
            return written(level: levels.first { tokens <= $0.most }?.level ?? "HIGH", shown: true)
        case .effort(let word):
            switch efforts.first(where: { isSame($0.word, word) })?.word {
            case "minimal" where model.thinksMinimally: return written(level: "MINIMAL", shown: true)
            case "minimal":
                losses.note("reasoning")
                return written(level: "LOW", shown: true)
            case "low": return written(level: "LOW", shown: true)
            case "medium": return written(level: "MEDIUM", shown: true)
            case "high": return written(level: "HIGH", shown: true)
            default:
                losses.note("reasoning")
                return written(level: "HIGH", shown: true)
            }
        }
    }

    /// These models cannot be kept from thinking.
    private static func least(_ model: GeminiModel, losses: inout Losses) -> JSONNode {
        losses.note("reasoning")
        return written(level: model.thinksMinimally ? "MINIMAL" : "LOW", shown: false)
    }

    private static func written(level: String? = nil, shown: Bool) -> JSONNode {
        .object([
            "includeThoughts": shown ? .bool(true) : nil, "thinkingLevel": level.map { .string($0) },
        ])
    }

    // MARK: 2.5

    private static func budget(
        _ wish: Conversation.ReasoningWish, _ model: GeminiModel, losses: inout Losses
    ) -> JSONNode {
        switch wish {
        case .adaptive: return written(budget: -1, shown: true)
        case .off: return none(model, losses: &losses)
        case .effort(let word):
            let worth = efforts.first { isSame($0.word, word) }?.budget ?? 0
            return written(budget: bounded(worth, model, losses: &losses), shown: true)
        case .budget(let tokens):
            guard tokens > 0 else { return none(model, losses: &losses) }
            return written(budget: bounded(tokens, model, losses: &losses), shown: true)
        }
    }

    private static func none(_ model: GeminiModel, losses: inout Losses) -> JSONNode {
        guard !model.canStopThinking else { return written(budget: 0, shown: false) }
        losses.note("reasoning")
        return written(budget: model.budgets.lowerBound, shown: false)
    }

    private static func bounded(_ tokens: Int64, _ model: GeminiModel, losses: inout Losses) -> Int64 {
        let bounded = min(max(tokens, model.budgets.lowerBound), model.budgets.upperBound)
        if bounded != tokens { losses.note("reasoning") }
        return bounded
    }

    private static func written(budget: Int64, shown: Bool) -> JSONNode {
        .object(["includeThoughts": shown ? .bool(true) : nil, "thinkingBudget": .whole(budget)])
    }

    private static func isSame(_ text: String, _ word: String) -> Bool { text.utf8.elementsEqual(word.utf8) }
}
