/// The wire formats of chat endpoints that calls are translated between.
public enum WireFormat: String, Sendable, Hashable, CaseIterable {
    /// `POST /chat/completions` (OpenAI API reference, "Chat").
    case openAIChat = "openai-chat"
    /// `POST /responses` (OpenAI API reference, "Responses").
    case openAIResponses = "openai-responses"
    /// `POST /messages` (Anthropic API reference, "Messages").
    case anthropicMessages = "anthropic-messages"
    /// `POST /models/{model}:generateContent` (Gemini API reference, "Generating content").
    case geminiContents = "gemini-contents"
    /// `POST /model/{id}/converse` (Amazon Bedrock API reference, "Converse").
    case bedrockConverse = "bedrock-converse"
}

/// A text that only the provider who made it understands: a signature of reasoning, or reasoning it keeps to itself.
///
/// In another format than its own it travels as ``tagged``, so that it comes back to its maker unchanged and to nobody
/// else: providers refuse each other's.
public struct OpaqueToken: Hashable, Sendable {
    public let origin: WireFormat
    public let text: String

    public init(_ text: String, of origin: WireFormat) {
        self.origin = origin
        self.text = text
    }

    /// Reads the form that other formats carry; nil for a text that no gateway wrote.
    public init?(tagged: String) {
        for format in WireFormat.allCases {
            let tag = format.rawValue + ":"
            guard tagged.utf8.starts(with: tag.utf8) else { continue }
            self.init(String(tagged.utf8.dropFirst(tag.utf8.count)) ?? "", of: format)
            return
        }
        return nil
    }

    /// The token with its maker's name before it.
    public var tagged: String { "\(origin.rawValue):\(text)" }
}
