/// Puts a wish for reasoning into the words that a model of Anthropic's takes, with what follows from it for the other
/// members of the request.
///
/// Sources: Anthropic, "Extended thinking" (budgets of at least 1024, deprecated for 4.6, refused from 4.7 on; no other
/// temperature than 1, no `top_k`, `top_p` from 0.95 on, no forced tool), "Adaptive thinking" and "Effort" (from 4.6
/// on). Models from 4.7 on take no sampling parameters at all ("`temperature` is deprecated for this model").
struct MessagesThinking {
    /// Which words a model takes.
    enum Generation {
        /// Up to 4.5: `thinking` with a budget only. What is no model of Anthropic's own is taken for one of these: servers
        /// that speak its format began with it.
        case budget
        /// 4.6: budgets, and adaptive thinking with an effort.
        case both
        /// Later: adaptive thinking with an effort, and no sampling parameters.
        case adaptive
    }

    /// The least that the API takes as a budget.
    static var budgetLeast: Int64 { 1_024 }
    /// `max_tokens` where the caller gave none: every model of Anthropic's can write as much (its model overview has
    /// 4096 as the smallest figure). With a budget it is the room for the answer besides.
    static var answerMost: Int64 { 4_096 }

    /// What an effort is worth in tokens. These are the gateway's own figures, as Anthropic gives none; the largest leaves
    /// room for an answer within the 64,000 tokens of the smallest models that think.
    private static let budgets: [(effort: String, tokens: Int64)] = [
        ("minimal", budgetLeast), ("low", 2_048), ("medium", 8_192), ("high", 16_384), ("xhigh", 32_768),
        ("max", 49_152),
    ]

    /// `output_config.effort` knows no `minimal`.
    private static let leastEffort = "low"

    private(set) var thinking: JSONNode?
    private(set) var effort: String?
    private(set) var maxTokens: Int64
    private let generation: Generation

    /// Whether the model thinks within a budget, which forbids it other things.
    var isBudgeted: Bool { thinking?["budget_tokens"] != nil }
    var takesSampling: Bool { generation != .adaptive }
    /// Whether the model thinks at all.
    var isOn: Bool {
        guard let type = thinking?["type"]?.text else { return false }
        return !type.utf8.elementsEqual("disabled".utf8)
    }

    init(
        _ conversation: Conversation, model: String, losses: inout Losses
    ) throws(TranslationRefusal) {
        generation = Self.generation(of: model)
        maxTokens = conversation.maxOutputTokens ?? Self.answerMost
        switch conversation.reasoning {
        case nil: return
        case .off: thinking = Self.type("disabled")
        case .adaptive:
            if generation == .budget {
                losses.note("reasoning")
                try spend(Self.worth("high"), within: conversation.maxOutputTokens)
            } else {
                thinking = Self.type("adaptive")
            }
        case .effort(let wanted):
            guard Self.budgets.contains(where: { $0.effort.utf8.elementsEqual(wanted.utf8) }) else {
                throw TranslationRefusal(
                    "reasoning_effort", "must be minimal, low, medium, high, xhigh or max for Anthropic")
            }
            if generation == .budget {
                try spend(Self.worth(wanted), within: conversation.maxOutputTokens)
            } else {
                exert(wanted, losses: &losses)
            }
        case .budget(let tokens):
            if generation == .adaptive {
                // These models have no budgets: the least effort that is worth as much.
                losses.note("reasoning")
                let least = Self.budgets.first { $0.tokens >= tokens } ?? Self.budgets[Self.budgets.count - 1]
                exert(least.effort, losses: &losses)
            } else {
                try keep(tokens, within: conversation.maxOutputTokens, losses: &losses)
            }
        }
    }

    /// What a budget forbids: history whose last tool calls came without thoughts, which goes without the budget then,
    /// and a forced tool call.
    mutating func suit(
        _ conversation: Conversation, callsWithoutThought: Bool, losses: inout Losses
    ) throws(TranslationRefusal) {
        guard isBudgeted else { return }
        if callsWithoutThought {
            thinking = nil
            losses.note("reasoning")
        } else if MessagesTools.forces(conversation) {
            throw TranslationRefusal(
                "tool_choice",
                "cannot force a tool call while the model thinks at Anthropic: leave it or reasoning out")
        }
    }

    // MARK: Words

    private static func type(_ name: String, budget: Int64? = nil) -> JSONNode {
        .object(["type": .string(name), "budget_tokens": budget.map { .whole($0) }])
    }

    private static func worth(_ effort: String) -> Int64 {
        budgets.first { $0.effort.utf8.elementsEqual(effort.utf8) }?.tokens ?? budgetLeast
    }

    private mutating func exert(_ wanted: String, losses: inout Losses) {
        thinking = Self.type("adaptive")
        let isLeast = wanted.utf8.elementsEqual(Self.budgets[0].effort.utf8)
        if isLeast { losses.note("reasoning_effort") }
        effort = isLeast ? Self.leastEffort : wanted
    }

    /// An effort's budget: at most half of what the caller allows, so that an answer comes behind the thinking.
    private mutating func spend(_ worth: Int64, within most: Int64?) throws(TranslationRefusal) {
        guard let most else {
            maxTokens = worth + Self.answerMost
            thinking = Self.type("enabled", budget: worth)
            return
        }
        guard most > Self.budgetLeast else {
            throw TranslationRefusal(
                "max_tokens",
                "must be above \(Self.budgetLeast) for reasoning at Anthropic: raise it or switch reasoning off"
            )
        }
        thinking = Self.type("enabled", budget: min(worth, max(Self.budgetLeast, most / 2)))
    }

    /// The caller's own budget.
    private mutating func keep(
        _ tokens: Int64, within most: Int64?, losses: inout Losses
    ) throws(TranslationRefusal) {
        guard tokens > 0 else {
            thinking = Self.type("disabled")
            return
        }
        // No model has more; and the sum below cannot overflow.
        let budget = max(Self.budgetLeast, min(tokens, 1 << 32))
        if budget != tokens { losses.note("reasoning") }
        if let most {
            guard most > budget else {
                throw TranslationRefusal(
                    "max_tokens", "must be above the reasoning budget of \(budget) for Anthropic: raise it")
            }
        } else {
            maxTokens = budget + Self.answerMost
        }
        thinking = Self.type("enabled", budget: budget)
    }

    // MARK: Models

    private static let mark = "claude-"
    /// Versions up to 4.5, as they stand behind the mark.
    private static let early = [
        "2", "3", "opus-4-0", "opus-4-1", "opus-4-5", "sonnet-4-0", "sonnet-4-5", "haiku-4-5",
    ]
    /// Names of the same whose version is followed by a date at once.
    private static let earlyDated = [
        "instant", "opus-4-202", "opus-4@", "sonnet-4-202", "sonnet-4@",
    ]
    private static let middle = ["opus-4-6", "sonnet-4-6", "haiku-4-6", "mythos-preview"]

    /// Also where something stands before the name, as in `anthropic.claude-…`, or its version has a dot.
    static func generation(of model: String) -> Generation {
        let bytes = model.utf8.map { $0 == UInt8(ascii: ".") ? UInt8(ascii: "-") : $0 }
        var rest = bytes[...]
        while !rest.isEmpty, !rest.starts(with: mark.utf8) { rest = rest.dropFirst() }
        guard !rest.isEmpty else { return .budget }
        let name = rest.dropFirst(mark.utf8.count)
        // `opus-4-10` is not `opus-4-1`.
        func isOne(of versions: [String]) -> Bool {
            versions.contains { version in
                let next = name.dropFirst(version.utf8.count).first
                return name.starts(with: version.utf8) && next.map { !(0x30...0x39).contains($0) } ?? true
            }
        }
        if isOne(of: early) || earlyDated.contains(where: { name.starts(with: $0.utf8) }) { return .budget }
        return isOne(of: middle) ? .both : .adaptive
    }
}
