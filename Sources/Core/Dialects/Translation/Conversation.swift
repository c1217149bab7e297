package import Domain

/// A chat call in no provider's words: what the formats have in common, as the go-between of every translation.
///
/// A decoder puts all it understands of a request here, refuses what cannot be said here and would change the answer
/// (``TranslationRefusal``), and lists what it leaves out without loss (``Losses``). An encoder does the same on the
/// other side. Nothing is dropped without being named in one of the two.
package struct Conversation: Hashable, Sendable {
    /// Texts that stand above all turns, in order; only `.text` parts.
    package var system: [Part] = []
    package var turns: [Turn] = []
    package var tools: [Tool] = []
    package var toolChoice: ToolChoice?
    /// Whether the model may call several tools at once; nil = the provider's default.
    package var parallelToolCalls: Bool?
    package var output = OutputShape.text
    package var maxOutputTokens: Int64?
    /// Numbers keep the caller's spelling; decoders check that they are numbers.
    package var temperature: String?
    package var topP: String?
    package var topK: String?
    package var presencePenalty: String?
    package var frequencyPenalty: String?
    package var seed: String?
    package var stopSequences: [String] = []
    package var reasoning: ReasoningWish?
    /// The caller's own name for its user (OpenAI `user`, Anthropic `metadata.user_id`).
    package var endUser: String?
    package var streamed = false
    /// Whether the caller asked for usage in his stream; formats that always send it take this as true.
    package var wantsStreamUsage = true

    package init() {}

    /// What one side said at once.
    package struct Turn: Hashable, Sendable {
        /// Who spoke.
        package enum Role: String, Sendable, Hashable, CaseIterable { case user, assistant }
        package var role: Role
        /// In order. `toolResult` only in user turns; `toolCall` and `reasoning` only in assistant turns.
        package var parts: [Part]

        package init(_ role: Role, _ parts: [Part]) {
            self.role = role
            self.parts = parts
        }
    }

    /// One piece of a turn.
    package enum Part: Hashable, Sendable {
        case text(String, cache: CacheMark? = nil)
        case image(Image, cache: CacheMark? = nil)
        case toolCall(ToolCall, cache: CacheMark? = nil)
        case toolResult(ToolResult, cache: CacheMark? = nil)
        case reasoning(Reasoning)
        /// What the model said in place of an answer (OpenAI `refusal`).
        case refusal(String)
    }

    /// Anthropic's `cache_control`, Bedrock's `cachePoint`: the prompt up to here may be kept by the provider.
    package enum CacheMark: String, Hashable, Sendable {
        case fiveMinutes = "5m"
        case oneHour = "1h"
    }

    /// A picture: its bytes, or where the provider finds it.
    package enum Image: Hashable, Sendable {
        /// `mediaType` such as `image/png`; `data` is base64 (RFC 4648 section 4).
        case inline(mediaType: String, data: String)
        case link(String)
    }

    /// What the model asks the caller to run.
    package struct ToolCall: Hashable, Sendable {
        package var id: String
        package var name: String
        /// A JSON object as text; empty means `{}`.
        package var arguments: String
        /// What the model signed the call with (Gemini's `thoughtSignature`).
        package var signature: OpaqueToken?

        package init(id: String, name: String, arguments: String, signature: OpaqueToken? = nil) {
            self.id = id
            self.name = name
            self.arguments = arguments
            self.signature = signature
        }
    }

    /// What came of a tool call.
    package struct ToolResult: Hashable, Sendable {
        /// The id of the call it answers.
        package var call: String
        /// The name of the tool, which some formats want: decoders fill it in from the call of the same id.
        package var name: String?
        /// Only texts and images.
        package var parts: [Part]
        package var isError: Bool

        package init(call: String, name: String? = nil, parts: [Part], isError: Bool = false) {
            self.call = call
            self.name = name
            self.parts = parts
            self.isError = isError
        }
    }

    /// What a model thought before it answered.
    package struct Reasoning: Hashable, Sendable {
        /// Empty where the provider keeps it to itself.
        package var text: String
        /// Hands it back unchanged to the one who made it; its whole content where ``isHidden``.
        package var token: OpaqueToken?
        /// Whether the provider gave it only in encrypted form (Anthropic `redacted_thinking`).
        package var isHidden: Bool

        package init(text: String, token: OpaqueToken? = nil, isHidden: Bool = false) {
            self.text = text
            self.token = token
            self.isHidden = isHidden
        }
    }

    /// A tool that the model may call.
    package struct Tool: Hashable, Sendable {
        package var name: String
        package var description: String?
        /// JSON schema of the arguments; nil = none.
        package var schema: JSONNode?
        package var strict: Bool?
        package var cache: CacheMark?

        package init(
            name: String, description: String? = nil, schema: JSONNode? = nil, strict: Bool? = nil,
            cache: CacheMark? = nil
        ) {
            self.name = name
            self.description = description
            self.schema = schema
            self.strict = strict
            self.cache = cache
        }
    }

    /// Whether and which tool the model has to call.
    package enum ToolChoice: Hashable, Sendable {
        case auto, none, any
        case named(String)
    }

    /// In which shape the answer has to come.
    package enum OutputShape: Hashable, Sendable {
        case text
        /// Any JSON object.
        case json
        case schema(name: String, description: String?, schema: JSONNode, strict: Bool?)
    }

    /// How much the model shall think.
    package enum ReasoningWish: Hashable, Sendable {
        case off
        /// `minimal`, `low`, `medium`, `high` (OpenAI `reasoning_effort`).
        case effort(String)
        /// Anthropic `budget_tokens`, Gemini `thinkingBudget`.
        case budget(Int64)
        /// As much as the model likes (Anthropic `adaptive`, Gemini `-1`).
        case adaptive
    }
}

/// A whole answer in no provider's words.
package struct TranslatedAnswer: Hashable, Sendable {
    /// The provider's own id, where it gave one.
    package var id: String?
    /// In order: texts, reasoning, tool calls, refusals.
    package var parts: [Conversation.Part]
    package var stop: StopReason
    /// The stop sequence that was met, where the provider names it.
    package var stopSequence: String?
    /// nil where the provider reported none.
    package var usage: Usage?

    package init(
        id: String? = nil, parts: [Conversation.Part], stop: StopReason, stopSequence: String? = nil,
        usage: Usage? = nil
    ) {
        self.id = id
        self.parts = parts
        self.stop = stop
        self.stopSequence = stopSequence
        self.usage = usage
    }
}

/// Why a model stopped.
package enum StopReason: String, Hashable, Sendable, CaseIterable {
    case finished
    case stopSequence = "stop_sequence"
    case length
    case toolCalls = "tool_calls"
    case contentFilter = "content_filter"
    case refusal
    /// Anthropic `pause_turn`: the provider wants the turn sent back to go on.
    case paused
}

/// One step of a streamed answer in no provider's words.
package enum AnswerPiece: Hashable, Sendable {
    /// The first piece, once.
    case began(id: String?)
    case text(String)
    case refusal(String)
    case reasoning(String)
    /// The token of the reasoning that came just before.
    case reasoningToken(OpaqueToken)
    /// Reasoning that came in encrypted form only, whole.
    case hiddenReasoning(OpaqueToken)
    /// A tool call begins; `index` counts the answer's calls from 0.
    case callBegan(index: Int, id: String, name: String, signature: OpaqueToken?)
    /// More of a call's arguments. Pieces of several open calls may alternate.
    case callArguments(index: Int, String)
    case callEnded(index: Int)
    /// Once, after all content. The usage may come before or after it.
    case stopped(StopReason, sequence: String?)
    /// What is known of the usage so far: replaces what came before.
    case usage(Usage, isFinal: Bool)
    /// The provider's last event came: the answer is whole.
    case ended
    /// An error inside the stream; nothing follows.
    case failed(UpstreamError)
}
