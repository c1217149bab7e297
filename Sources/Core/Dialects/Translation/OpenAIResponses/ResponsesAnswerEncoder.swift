import Domain

/// Writes whole responses of OpenAI's.
///
/// Source: OpenAI API reference, "The response object" (SDK 3.54.0). Reasoning goes as a summary, with its token as
/// `encrypted_content`; reasoning with a token but no text has one empty text in its summary, so that it can be told
/// from what came in encrypted form only, which has none.
public enum ResponsesAnswerEncoder: AnswerEncoder {
    public static func encode(_ answer: TranslatedAnswer, in context: AnswerContext) -> [UInt8] {
        let items = items(of: answer.parts, in: context)
        let hasRefusal = items.contains { $0.contents.contains { $0.kind == .refusal } }
        let reason = ResponsesStop.incompleteReason(answer.stop, hasRefusal: hasRefusal)
        let output = items.enumerated().map { position, item in
            // What came last is what was cut.
            item.node(reason != nil && position == items.count - 1 ? .incomplete : .completed)
        }
        return response(
            context, reason == nil ? .completed : .incomplete, reason: reason, output: output,
            usage: answer.usage
        ).bytes
    }

    private static func items(
        of parts: [Conversation.Part], in context: AnswerContext
    ) -> [ResponsesItem] {
        var items: [ResponsesItem] = []
        func append(_ kind: ResponsesItem.Kind, _ contents: [ResponsesItem.Content], _ encrypted: String?) {
            var item = ResponsesItem(kind, index: items.count, in: context)
            item.contents = contents
            item.encrypted = encrypted
            items.append(item)
        }
        func say(_ kind: ResponsesItem.Content.Kind, _ text: String) {
            guard !text.isEmpty else { return }
            let content = ResponsesItem.Content(kind: kind, text: text)
            if let last = items.last, case .message = last.kind {
                items[items.count - 1].contents.append(content)
            } else {
                append(.message, [content], nil)
            }
        }
        for part in parts {
            switch part {
            case .text(let text, _): say(.text, text)
            case .refusal(let text): say(.refusal, text)
            case .reasoning(let reasoning):
                let token = reasoning.token.map { ResponsesSignature.written($0) }
                guard token != nil || !reasoning.text.isEmpty else { continue }
                let isHidden = reasoning.isHidden && reasoning.text.isEmpty
                append(.reasoning, isHidden ? [] : [.init(kind: .summary, text: reasoning.text)], token)
            case .toolCall(let call, _):
                if let token = call.signature {
                    append(.reasoning, [], ResponsesSignature.written(ofCall: token))
                }
                let arguments = call.arguments.isEmpty ? ResponsesItem.noArguments : call.arguments
                append(
                    .call(id: call.id, name: call.name), [.init(kind: .arguments, text: arguments)], nil)
            // No model answers with these.
            case .image, .toolResult: continue
            }
        }
        return items
    }

    /// The response around its output. What the request said is not known here, so the members that repeat it say what
    /// holds without a word in it, or null.
    static func response(
        _ context: AnswerContext, _ status: ResponsesItem.Status, reason: String? = nil, output: [JSONNode],
        usage: Usage?
    ) -> JSONNode {
        .object([
            "id": .string("resp_\(context.id)"), "object": .string("response"),
            "created_at": .whole(context.created.milliseconds / 1_000),
            "status": .string(status.rawValue), "background": .bool(false), "error": .null,
            "incomplete_details": reason.map { .object(["reason": .string($0)]) } ?? .null,
            "instructions": .null, "max_output_tokens": .null, "metadata": .object([]),
            "model": .string(context.model), "output": .array(output), "parallel_tool_calls": .bool(true),
            "previous_response_id": .null, "reasoning": .null, "store": .bool(false), "temperature": .null,
            "tool_choice": .string("auto"), "tools": .array([]), "top_p": .null,
            "truncation": .string("disabled"),
            "usage": usage.map { ResponsesUsage.write($0) } ?? .null, "user": .null,
        ])
    }
}

/// The `usage` object of a response (OpenAI API reference, "ResponseUsage"): the input's tokens hold those of the cache,
/// the output's those of reasoning.
enum ResponsesUsage {
    static func write(_ usage: Usage) -> JSONNode {
        .object([
            "input_tokens": .whole(usage.totalInput),
            "input_tokens_details": .object([
                "cached_tokens": .whole(usage.cacheRead),
                "cache_write_tokens": .whole(usage.cacheWrite + usage.cacheWriteHour),
            ]),
            "output_tokens": .whole(usage.totalOutput),
            "output_tokens_details": .object(["reasoning_tokens": .whole(usage.reasoning)]),
            "total_tokens": .whole(usage.total),
        ])
    }
}

/// What a response calls `incomplete_details` (OpenAI API reference, "The response object").
enum ResponsesStop {
    /// nil for a complete response. A refusal without its text could not be told from an answer, so it goes as what was
    /// filtered.
    static func incompleteReason(_ stop: StopReason, hasRefusal: Bool) -> String? {
        switch stop {
        case .finished, .stopSequence, .toolCalls, .paused: nil
        case .length: "max_output_tokens"
        case .contentFilter: "content_filter"
        case .refusal: hasRefusal ? nil : "content_filter"
        }
    }
}
