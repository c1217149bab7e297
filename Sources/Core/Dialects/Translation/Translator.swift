public import Domain

/// Says calls of one format in another, and the answers back: the one door to all codecs.
///
/// A request is read once (``read(_:as:)``) and may be written for several targets; what a target's format cannot say is
/// refused for that target only.
public enum Translator {
    /// A caller's request, understood.
    public enum Source: Sendable, Hashable {
        case chat(Conversation, Losses)
        /// OpenAI's embeddings, which have one other format only.
        case embeddings(JSONNode)
        case countTokens(Conversation, Losses)
    }

    /// A request in the provider's words.
    public struct Request: Sendable {
        public let body: [UInt8]
        public let losses: Losses
    }

    /// A whole answer in the caller's words.
    public struct Answer: Sendable {
        public let body: [UInt8]
        /// nil where the provider reported none.
        public let usage: Usage?
    }

    /// Reads a request's body; failures are the caller's and name the field.
    public static func read(
        _ body: UnsafeRawBufferPointer, as dialect: Dialect
    ) throws(CallFailure) -> Source {
        let root: JSONNode
        do throws(JSONFault) { root = try JSONNode.read(body) } catch { throw CallFailure(fault: error) }
        var losses = Losses()
        do throws(TranslationRefusal) {
            switch dialect {
            case .openAIChat: return .chat(try ChatRequestDecoder.decode(root, losses: &losses), losses)
            case .openAIResponses:
                return .chat(try ResponsesRequestDecoder.decode(root, losses: &losses), losses)
            case .anthropicMessages:
                return .chat(try MessagesRequestDecoder.decode(root, losses: &losses), losses)
            case .anthropicCountTokens:
                return .countTokens(try MessagesRequestDecoder.decodeForCount(root, losses: &losses), losses)
            case .openAIEmbeddings, .openAIModels: return .embeddings(root)
            }
        } catch {
            throw error.failure
        }
    }

    /// Writes a request for a target.
    public static func request(
        _ source: Source, in format: WireFormat, for target: WireTarget
    ) throws(TranslationRefusal) -> Request {
        switch source {
        case .chat(let conversation, var losses):
            let body = try encoder(format).encode(conversation, for: target, losses: &losses)
            return Request(body: body.bytes, losses: losses)
        case .embeddings(let root):
            var losses = Losses()
            let body = try GeminiEmbeddings.request(root, model: target.model, losses: &losses)
            return Request(body: body.bytes, losses: losses)
        case .countTokens(let conversation, var losses):
            let body = try GeminiTokenCount.request(conversation, for: target, losses: &losses)
            return Request(body: body.bytes, losses: losses)
        }
    }

    /// Says a whole answer in the caller's words; nil where it is none of the provider's format.
    public static func answer(
        _ body: UnsafeRawBufferPointer, from format: WireFormat, to dialect: Dialect, of source: Source,
        in context: AnswerContext
    ) -> Answer? {
        guard let root = try? JSONNode.read(body) else { return nil }
        switch source {
        case .embeddings(let request):
            return GeminiEmbeddings.answer(root, to: request, model: context.model).map {
                Answer(body: $0.body.bytes, usage: $0.usage)
            }
        case .countTokens:
            return GeminiTokenCount.answer(root).map {
                // Counting is free.
                Answer(body: JSONNode.object(["input_tokens": .whole($0)]).bytes, usage: Usage())
            }
        case .chat:
            guard let answer = decoder(format).decode(root) else { return nil }
            return Answer(body: encoder(dialect).encode(answer, in: context), usage: answer.usage)
        }
    }

    /// What went wrong, where a provider says so in a body that came with a 200; nil where it does not.
    public static func failure(
        _ body: UnsafeRawBufferPointer, from format: WireFormat
    ) -> UpstreamError? {
        switch format {
        case .openAIChat, .openAIResponses:
            return UnaryReader.read(body, as: .openAIChat).hasError ? UpstreamError.read(body) : nil
        case .geminiContents: return (try? JSONNode.read(body)).flatMap { GeminiFailure.read($0) }
        case .anthropicMessages, .bedrockConverse: return nil
        }
    }

    /// Follows a stream and says it in the caller's words.
    public static func stream(
        from format: WireFormat, to dialect: Dialect, in context: AnswerContext
    ) -> TranslatedStream {
        TranslatedStream(streamDecoder(format).init(), streamEncoder(dialect).init(context))
    }

    // MARK: The codecs: one line for each format and side

    private static func encoder(_ format: WireFormat) -> any RequestEncoder.Type {
        switch format {
        // Nobody is sent a translation into the responses format: who speaks it speaks chat too.
        case .openAIChat, .openAIResponses: ChatRequestEncoder.self
        case .anthropicMessages: MessagesRequestEncoder.self
        case .geminiContents: GeminiRequestEncoder.self
        case .bedrockConverse: ConverseRequestEncoder.self
        }
    }

    private static func decoder(_ format: WireFormat) -> any AnswerDecoder.Type {
        switch format {
        case .openAIChat, .openAIResponses: ChatAnswerDecoder.self
        case .anthropicMessages: MessagesAnswerDecoder.self
        case .geminiContents: GeminiAnswerDecoder.self
        case .bedrockConverse: ConverseAnswerDecoder.self
        }
    }

    private static func streamDecoder(_ format: WireFormat) -> any StreamDecoder.Type {
        switch format {
        case .openAIChat, .openAIResponses: ChatStreamDecoder.self
        case .anthropicMessages: MessagesStreamDecoder.self
        case .geminiContents: GeminiStreamDecoder.self
        case .bedrockConverse: ConverseStreamDecoder.self
        }
    }

    private static func encoder(_ dialect: Dialect) -> any AnswerEncoder.Type {
        switch dialect {
        case .openAIChat, .openAIEmbeddings, .openAIModels: ChatAnswerEncoder.self
        case .openAIResponses: ResponsesAnswerEncoder.self
        case .anthropicMessages, .anthropicCountTokens: MessagesAnswerEncoder.self
        }
    }

    private static func streamEncoder(_ dialect: Dialect) -> any StreamEncoder.Type {
        switch dialect {
        case .openAIChat, .openAIEmbeddings, .openAIModels: ChatStreamEncoder.self
        case .openAIResponses: ResponsesStreamEncoder.self
        case .anthropicMessages, .anthropicCountTokens: MessagesStreamEncoder.self
        }
    }
}
