import Domain

/// Writes streams of OpenAI's chat completions.
///
/// Source: OpenAI API reference, "The chat completion chunk object"; ``ChatReasoning`` for what others added. The first
/// chunk waits for the first piece that is content or the end, so that a call that fails before has written nothing. The
/// usage comes in a chunk of its own before the end, if the caller asked for it.
public struct ChatStreamEncoder: StreamEncoder {
    private enum Phase { case waiting, content, stopped, over }

    private let wantsUsage: Bool
    /// How every chunk begins.
    private let head: [UInt8]
    private var phase = Phase.waiting
    private var usage: Usage?
    private var hasCalls = false
    private var hasRefusal = false
    /// How many entries of reasoning ended: the index of the open one.
    private var details = 0
    private var isInReasoning = false

    public init(_ context: AnswerContext) {
        wantsUsage = context.wantsStreamUsage
        let members = ChatAnswerEncoder.head(context, object: "chat.completion.chunk")
        head = Array("data: ".utf8) + JSONNode.object(members).bytes.dropLast()
    }

    public mutating func write(_ piece: AnswerPiece, into out: inout [UInt8]) {
        switch (phase, piece) {
        case (.over, _), (_, .began): return
        case (_, .failed): phase = .over
        case (_, .usage(let usage, _)): self.usage = usage
        case (_, .ended): end(&out)
        case (.stopped, _): return
        case (_, .stopped(let stop, _)): finish(stop, &out)
        default: content(piece, &out)
        }
    }

    // MARK: Content

    private mutating func content(_ piece: AnswerPiece, _ out: inout [UInt8]) {
        begin(&out)
        switch piece {
        case .reasoning(let text):
            isInReasoning = true
            guard !text.isEmpty else { return }
            let entry = ChatReasoning.entry(.text, index: details, text: text)
            delta(
                [.init(ChatReasoning.plainMembers[0], .string(text)), Self.details(entry)], &out)
        case .reasoningToken(let token):
            delta([Self.details(ChatReasoning.entry(.text, index: details, token: token))], &out)
            isInReasoning = false
            details += 1
        case .hiddenReasoning(let token):
            endReasoning()
            delta([Self.details(ChatReasoning.entry(.encrypted, index: details, token: token))], &out)
            details += 1
        case .text(let text):
            endReasoning()
            if !text.isEmpty { delta([.init("content", .string(text))], &out) }
        case .refusal(let text):
            endReasoning()
            hasRefusal = true
            if !text.isEmpty { delta([.init("refusal", .string(text))], &out) }
        case .callBegan(let index, let id, let name, let signature):
            endReasoning()
            hasCalls = true
            call(index, &out) {
                $0 += [
                    .init("id", .string(id)), .init("type", .string("function")),
                    .init("function", .object(["name": .string(name), "arguments": .string("")])),
                ]
                guard let signature else { return }
                $0.append(.init("extra_content", ChatSignature.extraContent(signature.tagged)))
            }
        case .callArguments(let index, let json):
            guard !json.isEmpty else { return }
            call(index, &out) { $0.append(.init("function", .object(["arguments": .string(json)]))) }
        default: return
        }
    }

    /// Reasoning that nobody signed ends where something else begins.
    private mutating func endReasoning() {
        if isInReasoning { details += 1 }
        isInReasoning = false
    }

    private static func details(_ entry: JSONNode) -> JSONNode.Member {
        .init("reasoning_details", .array([entry]))
    }

    private func call(
        _ index: Int, _ out: inout [UInt8], _ fill: (inout [JSONNode.Member]) -> Void
    ) {
        var members: [JSONNode.Member] = [.init("index", .whole(Int64(index)))]
        fill(&members)
        delta([.init("tool_calls", .array([.object(members)]))], &out)
    }

    // MARK: Chunks

    private mutating func begin(_ out: inout [UInt8]) {
        guard case .waiting = phase else { return }
        phase = .content
        delta([.init("role", .string("assistant")), .init("content", .string(""))], &out)
    }

    private mutating func finish(_ stop: StopReason, _ out: inout [UInt8]) {
        begin(&out)
        phase = .stopped
        delta([], reason: ChatStop.write(stop, hasCalls: hasCalls, hasRefusal: hasRefusal), &out)
    }

    private mutating func end(_ out: inout [UInt8]) {
        if phase != .stopped { finish(.finished, &out) }
        phase = .over
        if wantsUsage, let usage {
            chunk([.init("choices", .array([])), .init("usage", ChatUsage.write(usage))], &out)
        }
        out += "data: [DONE]\n\n".utf8
    }

    private func delta(_ members: [JSONNode.Member], reason: JSONNode = .null, _ out: inout [UInt8]) {
        let choice = JSONNode.object([
            "index": .whole(0), "delta": .object(members), "logprobs": .null, "finish_reason": reason,
        ])
        // Where usage is asked for, every chunk but the last has a null in its place.
        let usage = wantsUsage ? [JSONNode.Member("usage", .null)] : []
        chunk([.init("choices", .array([choice]))] + usage, &out)
    }

    private func chunk(_ members: [JSONNode.Member], _ out: inout [UInt8]) {
        out += head
        out.append(UInt8(ascii: ","))
        out += JSONNode.object(members).bytes.dropFirst()
        out += "\n\n".utf8
    }
}
