/// An item of a response's output, as it grows or whole.
///
/// Source: OpenAI API reference, "The response object", `output`.
struct ResponsesItem {
    enum Kind {
        case message, reasoning
        case call(id: String, name: String)

        fileprivate var prefix: String {
            switch self {
            case .message: "msg"
            case .reasoning: "rs"
            case .call: "fc"
            }
        }
    }

    enum Status: String {
        case completed, incomplete
        case inProgress = "in_progress"
    }

    /// A text of the item: of a message's contents, a reasoning's summary or a call's arguments.
    struct Content {
        enum Kind { case text, refusal, summary, arguments }

        let kind: Kind
        var text: String

        var node: JSONNode {
            switch kind {
            case .text:
                .object([
                    "type": .string("output_text"), "text": .string(text), "annotations": .array([]),
                    "logprobs": .array([]),
                ])
            case .refusal: .object(["type": .string("refusal"), "refusal": .string(text)])
            case .summary: .object(["type": .string("summary_text"), "text": .string(text)])
            case .arguments: .string(text)
            }
        }
    }

    /// Callers parse the arguments, and nothing does not parse.
    static var noArguments: String { "{}" }

    let kind: Kind
    let id: String
    /// Its place in the output.
    let index: Int
    var contents: [Content] = []
    /// Of reasoning: what only its maker understands.
    var encrypted: String?

    init(_ kind: Kind, index: Int, in context: AnswerContext) {
        self.kind = kind
        self.index = index
        id = "\(kind.prefix)_\(context.id)_\(index)"
    }

    func node(_ status: Status) -> JSONNode {
        let status = JSONNode.string(status.rawValue)
        switch kind {
        case .message:
            return .object([
                "id": .string(id), "type": .string("message"), "status": status,
                "role": .string("assistant"), "content": .array(contents.map(\.node)),
            ])
        case .reasoning:
            return .object([
                "id": .string(id), "type": .string("reasoning"), "status": status,
                "summary": .array(contents.map(\.node)),
                "encrypted_content": encrypted.map { .string($0) } ?? .null,
            ])
        case .call(let callID, let name):
            return .object([
                "id": .string(id), "type": .string("function_call"), "status": status,
                "call_id": .string(callID), "name": .string(name),
                "arguments": contents.first?.node ?? .string(""),
            ])
        }
    }
}
