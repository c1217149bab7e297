public import Domain

/// Puts a failure into the words of the caller's dialect.
public enum ErrorEnvelope {
    /// The body of an error answer: OpenAI's `{"error":{…}}` (also for the embeddings and models endpoints) or
    /// Anthropic's `{"type":"error",…}`. The request id is Anthropic's `request_id`; OpenAI has it in a header only.
    public static func body(
        of failure: CallFailure, as dialect: Dialect, requestID: String? = nil
    ) -> [UInt8] {
        var writer = JSONWriter()
        switch dialect {
        case .openAIChat, .openAIResponses, .openAIEmbeddings, .openAIModels:
            writer.raw("{\"error\":")
            writeOpenAI(failure, &writer)
        case .anthropicMessages, .anthropicCountTokens:
            writer.raw("{\"type\":\"error\",\"error\":{\"type\":")
            writer.text(anthropicType(failure.status))
            writer.raw(",\"message\":")
            writer.text(failure.message)
            writer.raw("}")
            if let requestID {
                writer.raw(",\"request_id\":")
                writer.text(requestID)
            }
        }
        writer.raw("}")
        return writer.bytes
    }

    /// The event that ends a stream which cannot go on; after it the stream is closed without `[DONE]`, `message_stop` or
    /// `response.completed`, so that nobody takes the answer for a whole one.
    ///
    /// OpenAI's chat protocol has no such event; the shape is OpenRouter's (its API reference, "Errors and debugging"):
    /// OpenAI's SDKs raise on the `error` member, others stop on `finish_reason`. For responses it is the event `error`
    /// (OpenAI API reference, "Streaming events"). Besides its documented members it has `error`, as OpenAI itself sends
    /// it: without that member OpenAI's SDKs hand the event on like any other and do not raise.
    ///
    /// - Parameter sequenceNumber: of the event, where the events of the format are numbered.
    public static func streamFrame(
        of failure: CallFailure, as dialect: Dialect, requestID: String? = nil, sequenceNumber: Int64 = 0
    ) -> [UInt8] {
        guard !dialect.isAnthropic else {
            return Array("event: error\ndata: ".utf8) + body(of: failure, as: dialect, requestID: requestID)
                + Array("\n\n".utf8)
        }
        guard dialect != .openAIResponses else { return responsesFrame(of: failure, sequenceNumber) }
        var writer = JSONWriter()
        writer.raw("data: {")
        if let requestID {
            writer.raw("\"id\":")
            writer.text(requestID)
            writer.raw(",")
        }
        writer.raw("\"object\":\"chat.completion.chunk\",\"error\":")
        writeOpenAI(failure, &writer)
        writer.raw(
            ",\"choices\":[{\"index\":0,\"delta\":{\"content\":\"\"},\"finish_reason\":\"error\"}]}\n\n")
        return writer.bytes
    }

    private static func responsesFrame(of failure: CallFailure, _ sequenceNumber: Int64) -> [UInt8] {
        var writer = JSONWriter()
        writer.raw("event: error\ndata: {\"type\":\"error\",\"code\":")
        writer.text(failure.code.rawValue)
        writer.raw(",\"message\":")
        writer.text(failure.message)
        writer.raw(",\"param\":")
        writer.text(failure.field)
        writer.raw(",\"sequence_number\":")
        writer.number(sequenceNumber)
        writer.raw(",\"error\":")
        writeOpenAI(failure, &writer)
        writer.raw("}\n\n")
        return writer.bytes
    }

    private static func writeOpenAI(_ failure: CallFailure, _ writer: inout JSONWriter) {
        writer.raw("{\"message\":")
        writer.text(failure.message)
        writer.raw(",\"type\":")
        writer.text(openAIType(failure.status))
        writer.raw(",\"param\":")
        writer.text(failure.field)
        writer.raw(",\"code\":")
        writer.text(failure.code.rawValue)
        writer.raw("}")
    }

    /// Types of OpenAI's envelope by status (OpenAI "Error codes").
    static func openAIType(_ status: Int) -> String {
        switch status {
        case 401: "authentication_error"
        case 403: "permission_error"
        case 404: "not_found_error"
        case 429: "rate_limit_error"
        case 400...499: "invalid_request_error"
        default: "server_error"
        }
    }

    /// Types of Anthropic's envelope by status (Anthropic API reference, "Errors"); 503 is not in its table and means
    /// the same as its 529.
    static func anthropicType(_ status: Int) -> String {
        switch status {
        case 401: "authentication_error"
        case 402: "billing_error"
        case 403: "permission_error"
        case 404: "not_found_error"
        case 409: "conflict_error"
        case 413: "request_too_large"
        case 429: "rate_limit_error"
        case 503, 529: "overloaded_error"
        case 504: "timeout_error"
        case 400...499: "invalid_request_error"
        default: "api_error"
        }
    }
}
