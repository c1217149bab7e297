public import Domain

/// A chat call in no provider's words: what the formats have in common, as the go-between of every translation.
///
/// A decoder puts all it understands of a request here, refuses what cannot be said here and would change the answer
/// (``TranslationRefusal``), and lists what it leaves out without loss (``Losses``). An encoder does the same on the
/// other side. Nothing is dropped without being named in one of the two.
public struct Conversation: Hashable, Sendable {
    /// Texts that stand above all turns, in order; only `.text` parts.
    public var system: [Part] = []
    public var turns: [Turn] = []
    public var tools: [Tool] = []
    public var toolChoice: ToolChoice?
    /// Whether the model may call several tools at once; nil = the provider's default.
    public var parallelToolCalls: Bool?
    public var output = OutputShape.text
    public var maxOutputTokens: Int64?
    /// Numbers keep the caller's spelling; decoders check that they are numbers.
    public var temperature: String?
    public var topP: String?
    public var topK: String?
    public var presencePenalty: String?
    public var frequencyPenalty: String?
    public var seed: String?
    public var stopSequences: [String] = []
    public var reasoning: ReasoningWish?
    /// The caller's own name for its user (OpenAI `user`, Anthropic `metadata.user_id`).
    public var endUser: String?
    public var streamed = false
    /// Whether the caller asked for usage in his stream; formats that always send it take this as true.
    public var wantsStreamUsage = true

    public init() {}

    /// What one side said at once.
    public struct Turn: Hashable, Sendable {
        /// Who spoke.
        public enum Role: String, Sendable, Hashable, CaseIterable { case user, assistant }
        public var role: Role
        /// In order. `toolResult` only in user turns; `toolCall` and `reasoning` only in assistant turns.
        public var parts: [Part]

        public init(_ role: Role, _ parts: [Part]) {
            self.role = role
            self.parts = parts
        }
    }

    /// One piece of a turn.
    public enum Part: Hashable, Sendable {
        case text(String, cache: CacheMark? = nil)
        case image(Image, cache: CacheMark? = nil)
        case toolCall(ToolCall, cache: CacheMark? = nil)
        case toolResult(ToolResult, cache: CacheMark? = nil)
        case reasoning(Reasoning)
        /// What the model said in place of an answer (OpenAI `refusal`).
        case refusal(String)
    }

    /// Anthropic's `cache_control`, Bedrock's `cachePoint`: the prompt up to here may be kept by the provider.
    public enum CacheMark: String, Hashable, Sendable {
        case fiveMinutes = "5m"
        case oneHour = "1h"
    }

    /// A picture: its bytes, or where the provider finds it.
    public enum Image: Hashable, Sendable {
        /// `mediaType` such as `image/png`; `data` is base64 (RFC 4648 section 4).
        case inline(mediaType: String, data: String)
        case link(String)
    }

    /// What the model asks the caller to run.
    public struct ToolCall: Hashable, Sendable {
        public var id: String
        public var name: String
        /// A JSON object as text; empty means `{}`.
        public var arguments: String
        /// What the model signed the call with (Gemini's `thoughtSignature`).
        public var signature: OpaqueToken?

        public init(id: String, name: String, arguments: String, signature: OpaqueToken? = nil) {
            self.id = id
            self.name = name
            self.arguments = arguments
            self.signature = signature
        }
    }

    /// What came of a tool call.
    public struct ToolResult: Hashable, Sendable {
        /// The id of the call it answers.
        public var call: String
        /// The name of the tool, which some formats want: decoders fill it in from the call of the same id.
        public var name: String?
        /// Only texts and images.
        public var parts: [Part]
        public var isError: Bool

        public init(call: String, name: String? = nil, parts: [Part], isError: Bool = false) {
            self.call = call
            self.name = name
            self.parts = parts
            self.isError = isError
        }
    }

    /// What a model thought before it answered.
    public struct Reasoning: Hashable, Sendable {
        /// Empty where the provider keeps it to itself.
        public var text: String
        /// Hands it back unchanged to the one who made it; its whole content where ``isHidden``.
        public var token: OpaqueToken?
        /// Whether the provider gave it only in encrypted form (Anthropic `redacted_thinking`).
        public var isHidden: Bool

        public init(text: String, token: OpaqueToken? = nil, isHidden: Bool = false) {
            self.text = text
            self.token = token
            self.isHidden = isHidden
        }
    }

    /// A tool that the model may call.
    public struct Tool: Hashable, Sendable {
        public var name: String
        public var description: String?
        /// JSON schema of the arguments; nil = none.
        public var schema: JSONNode?
        public var strict: Bool?
        public var cache: CacheMark?

        public init(
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
    public enum ToolChoice: Hashable, Sendable {
        case auto, none, any
        case named(String)
    }

    /// In which shape the answer has to come.
    public enum OutputShape: Hashable, Sendable {
        case text
        /// Any JSON object.
        case json
        case schema(name: String, description: String?, schema: JSONNode, strict: Bool?)
    }

    /// How much the model shall think.
    public enum ReasoningWish: Hashable, Sendable {
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
public struct TranslatedAnswer: Hashable, Sendable {
    /// The provider's own id, where it gave one.
    public var id: String?
    /// In order: texts, reasoning, tool calls, refusals.
    public var parts: [Conversation.Part]
    public var stop: StopReason
    /// The stop sequence that was met, where the provider names it.
    public var stopSequence: String?
    /// nil where the provider reported none.
    public var usage: Usage?

    public init(
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
public enum StopReason: String, Hashable, Sendable, CaseIterable {
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
public enum AnswerPiece: Hashable, Sendable {
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
