/// In what one provider's chat completions differ from OpenAI's: plain data, by which the one encoder of that format goes.
///
/// It says how calls of other formats are written for the provider. A call that is in this format already goes as its
/// caller wrote it, and only ``asksForUsage`` touches it.
public struct ChatQuirks: Hashable, Sendable, Codable {
    /// The member in which the most tokens of an answer stand.
    public enum OutputBound: String, Hashable, Sendable, Codable {
        case maxCompletionTokens = "max_completion_tokens"
        case maxTokens = "max_tokens"
    }

    /// What ids of tool calls may look like.
    public enum CallIDs: String, Hashable, Sendable, Codable {
        /// Anything of up to 40 characters.
        case short
        /// Nine letters and digits, no more and no fewer.
        case nineAlphanumerics = "nine-alphanumerics"
    }

    /// Where an assistant's message hands back what a provider of this format thought.
    public enum ReasoningBack: String, Hashable, Sendable, Codable {
        /// Under the members that it came in.
        case asItCame = "as-it-came"
        case reasoningContent = "reasoning_content"
        case reasoning
        /// Among the parts of the content.
        case parts
        /// Other members than the documented ones are refused.
        case nowhere
    }

    /// How a model is kept from thinking.
    public enum ReasoningOff: String, Hashable, Sendable, Codable {
        /// With the effort `none`, where the model's name says that it knows the word.
        case noneForNewModels = "none-for-new-models"
        /// With the effort `none`.
        case none
        /// With `thinking: {"type": "disabled"}`.
        case thinkingDisabled = "thinking-disabled"
        /// Not for all models in one way.
        case unknown
    }

    /// Whether a stream is asked for its usage (`stream_options`).
    public var asksForUsage = true
    public var outputBound = OutputBound.maxCompletionTokens
    public var callIDs = CallIDs.short
    /// The `tool_choice` by which the model has to call some tool.
    public var anyTool = "required"
    /// The member that makes answers repeatable.
    public var seed = "seed"
    public var reasoningBack = ReasoningBack.nowhere
    public var reasoningOff = ReasoningOff.noneForNewModels
    /// The words of `reasoning_effort`, least first.
    public var efforts = Self.scale
    /// Whether `top_k` is known.
    public var takesTopK = false
    /// Whether the caller's own name for its user is known (`user`).
    public var takesUser = true
    /// Whether a message of the assistant may hold a `refusal`; else it goes as a text.
    public var takesRefusals = true
    /// Whether an answer can be bound to a JSON schema, and not only to JSON.
    public var takesSchemas = true
    /// Whether the provider fetches linked images.
    public var takesImageLinks = true
    /// Whether a tool without arguments still needs a schema of them.
    public var needsToolSchemas = false
    /// Whether the user may not speak right behind a tool's result.
    public var needsAnswerToTools = false

    public init(_ change: (inout ChatQuirks) -> Void = { _ in }) { change(&self) }

    /// Every effort that a provider of this format knows, least first (OpenAI API reference, `reasoning_effort`).
    public static let scale = ["none", "minimal", "low", "medium", "high", "xhigh", "max"]

    /// OpenAI's own, and Azure's: what the API reference does not name is refused ("Unknown parameter:
    /// 'messages[2].reasoning'").
    public static let openAI = ChatQuirks()

    /// A provider of which nothing is known but that it speaks like OpenAI: in the words that were there first.
    public static let compatible = ChatQuirks {
        $0.outputBound = .maxTokens
        $0.reasoningBack = .asItCame
        $0.takesRefusals = false
    }
}
