import Domain

/// Writes whole answers of OpenAI's chat completions.
///
/// Source: OpenAI API reference, "The chat completion object"; ``ChatReasoning`` for what others added. The format has
/// one text an answer, so several are joined; handed back, the message is read as reasoning, text, refusal and calls.
public enum ChatAnswerEncoder: AnswerEncoder {
    public static func encode(_ answer: TranslatedAnswer, in context: AnswerContext) -> [UInt8] {
        var text: String?
        var refusal: String?
        var calls: [JSONNode] = []
        for part in answer.parts {
            switch part {
            case .text(let piece, _): text = (text ?? "") + piece
            case .refusal(let piece): refusal = (refusal ?? "") + piece
            case .toolCall(let call, _):
                calls.append(ChatTools.call(call, id: call.id, signature: call.signature?.tagged))
            // No model answers with images and results.
            case .reasoning, .image, .toolResult: continue
            }
        }
        var message: [JSONNode.Member] = [
            .init("role", .string("assistant")), .init("content", text.map { .string($0) } ?? .null),
            .init("refusal", refusal.map { .string($0) } ?? .null),
        ]
        message += ChatReasoning.members(of: answer.parts)
        if !calls.isEmpty { message.append(.init("tool_calls", .array(calls))) }
        let choice = JSONNode.object([
            "index": .whole(0), "message": .object(message), "logprobs": .null,
            "finish_reason": ChatStop.write(
                answer.stop, hasCalls: !calls.isEmpty, hasRefusal: refusal != nil),
        ])
        let head = head(context, object: "chat.completion")
        let usage = answer.usage.map { [JSONNode.Member("usage", ChatUsage.write($0))] } ?? []
        return JSONNode.object(head + [.init("choices", .array([choice]))] + usage).bytes
    }

    /// What every object of an answer begins with.
    static func head(_ context: AnswerContext, object: String) -> [JSONNode.Member] {
        [
            .init("id", .string("chatcmpl-\(context.id)")), .init("object", .string(object)),
            .init("created", .whole(context.created.milliseconds / 1_000)),
            .init("model", .string(context.model)),
        ]
    }
}
