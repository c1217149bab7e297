import Domain

/// Reads the streams of OpenAI's chat completions, however they are cut into chunks.
public typealias ChatStreamDecoder = EventStreamDecoder<ChatEventReader>

/// What is known of a streamed answer of OpenAI's chat completions so far.
///
/// Source: OpenAI API reference, "The chat completion chunk object"; ``ChatReasoning`` for what others added. The format
/// does not say where a tool call ends and allows pieces of several to alternate, so all end with the answer. Errors
/// come as an `error` member (OpenRouter, "Errors and debugging"; vLLM), or as an event of that name.
public struct ChatEventReader: EventReader {
    private struct Call {
        let id: String
        /// nil for servers that do not count.
        let index: Int64?
    }

    /// Reasoning whose token is not reported yet.
    private struct Reasoning {
        /// What is kept of a detail, or the member that held the plain text.
        var detail: [JSONNode.Member] = []
        var plain: String?
        var sawText = false
    }

    /// No model calls as many tools in an answer.
    private static var callsMost: Int { 256 }

    private var began = false
    private var isStopped = false
    private var isOver = false
    private var sawRefusal = false
    private var id = ""
    private var calls: [Call] = []
    private var reasoning: Reasoning?

    public init() {}

    public mutating func read(
        name: UnsafeRawBufferPointer, data: UnsafeRawBufferPointer, _ take: (AnswerPiece) -> Void
    ) {
        guard !isOver else { return }
        if bytesEqual(data, "[DONE]") { return finish(take) }
        guard let chunk = try? JSONNode.read(data) else {
            return fail(UpstreamError(message: "the stream holds an event that is not JSON"), take)
        }
        let isError = chunk["object"]?.text?.utf8.elementsEqual("error".utf8) ?? false
        if isError || chunk["error"] != nil || bytesEqual(name, "error") || chunk["x_groq"]?["error"] != nil {
            return fail(UpstreamError.read(data), take)
        }
        // More than one answer is never asked for.
        let choice = chunk["choices"]?.elements?.first { ($0["index"]?.whole ?? 0) == 0 }
        // Azure begins with a chunk that holds what its filters think of the prompt, and no id.
        if let choice {
            begin(chunk, take)
            read(choice, take)
        }
        guard !isOver, let usage = ChatUsage.read(of: chunk) else { return }
        begin(chunk, take)
        take(.usage(usage, isFinal: isStopped || choice == nil))
    }

    private mutating func begin(_ chunk: JSONNode?, _ take: (AnswerPiece) -> Void) {
        guard !began else { return }
        began = true
        id = chunk?["id"]?.text ?? ""
        take(.began(id: id.isEmpty ? nil : id))
    }

    private mutating func read(_ choice: JSONNode, _ take: (AnswerPiece) -> Void) {
        if let error = choice["error"] {
            let envelope = JSONNode.object(["error": error]).bytes
            return fail(envelope.withUnsafeBytes { UpstreamError.read($0) }, take)
        }
        guard !isStopped else { return }
        if let delta = choice["delta"] { read(delta: delta, take) }
        // An empty word is none (xAI).
        guard !isOver, choice["finish_reason"]?.text?.isEmpty == false else { return }
        stop(choice, take)
    }

    private mutating func read(delta: JSONNode, _ take: (AnswerPiece) -> Void) {
        readReasoning(delta, take)
        for thought in ChatAnswerDecoder.thinking(delta["content"]) {
            if reasoning?.plain == nil { endReasoning(take) }
            if reasoning == nil { reasoning = Reasoning() }
            reasoning?.plain = thought.token?.text
            write(reasoning: thought.text, take)
        }
        if let text = ChatAnswerDecoder.text(delta["content"]), !text.isEmpty {
            endReasoning(take)
            take(.text(text))
        }
        if let refusal = delta["refusal"]?.text, !refusal.isEmpty {
            endReasoning(take)
            sawRefusal = true
            take(.refusal(refusal))
        }
        for node in delta["tool_calls"]?.elements ?? [] where !isOver {
            guard let call = ChatCall(node) else { continue }
            endReasoning(take)
            read(call, index: node["index"]?.whole, take)
        }
    }

    // MARK: Reasoning

    private mutating func readReasoning(_ delta: JSONNode, _ take: (AnswerPiece) -> Void) {
        var hasDetails = false
        for detail in delta["reasoning_details"]?.elements ?? [] {
            guard let kind = ChatReasoning.Kind(detail) else { continue }
            hasDetails = true
            read(detail, kind, take)
        }
        guard !hasDetails else { return }
        for member in ChatReasoning.plainMembers {
            guard let text = delta[member]?.text, !text.isEmpty else { continue }
            if reasoning == nil { reasoning = Reasoning(plain: member) }
            write(reasoning: text, take)
            return
        }
    }

    private mutating func read(
        _ detail: JSONNode, _ kind: ChatReasoning.Kind, _ take: (AnswerPiece) -> Void
    ) {
        let kept = ChatReasoning.kept(of: detail)
        guard kind != .encrypted else {
            endReasoning(take)
            if let token = ChatReasoning.token(of: kept) { take(.hiddenReasoning(token)) }
            return
        }
        let text = detail[kind.member]?.text ?? ""
        let isSigned = ChatReasoning.isSigned(detail)
        guard !text.isEmpty || isSigned else { return }
        if let open = reasoning, !Self.areOne(open.detail, kept) { endReasoning(take) }
        var open = reasoning ?? Reasoning()
        // The last word counts; a piece need not repeat what stood in an earlier one.
        open.detail = ChatReasoning.kept(of: .object(kept + open.detail))
        reasoning = open
        if !text.isEmpty { write(reasoning: text, take) }
        if isSigned { endReasoning(take) }
    }

    /// Whether two pieces are of the same entry.
    private static func areOne(_ left: [JSONNode.Member], _ right: [JSONNode.Member]) -> Bool {
        let left = JSONNode.object(left)
        let right = JSONNode.object(right)
        return left["type"] == right["type"] && left["index"] == right["index"]
    }

    private mutating func write(reasoning text: String, _ take: (AnswerPiece) -> Void) {
        reasoning?.sawText = true
        take(.reasoning(text))
    }

    private mutating func endReasoning(_ take: (AnswerPiece) -> Void) {
        guard let open = reasoning else { return }
        reasoning = nil
        let token =
            open.plain.map { OpaqueToken($0, of: .openAIChat) } ?? ChatReasoning.token(of: open.detail)
        guard let token else { return }
        // What is signed may be kept from the caller; the token belongs to an empty text then.
        if !open.sawText { take(.reasoning("")) }
        take(.reasoningToken(token))
    }

    // MARK: Tool calls

    private mutating func read(_ call: ChatCall, index: Int64?, _ take: (AnswerPiece) -> Void) {
        if let position = position(of: call, index: index) {
            if !call.arguments.isEmpty { take(.callArguments(index: position, call.arguments)) }
            return
        }
        guard let name = call.name else {
            return fail(UpstreamError(message: "the stream holds a tool call without a name"), take)
        }
        guard calls.count < Self.callsMost else {
            return fail(UpstreamError(message: "the model called too many tools at once"), take)
        }
        let position = calls.count
        let callID = call.id ?? ChatCall.id(position, of: id)
        calls.append(Call(id: callID, index: index))
        take(.callBegan(index: position, id: callID, name: name, signature: call.signature))
        if !call.arguments.isEmpty { take(.callArguments(index: position, call.arguments)) }
    }

    /// The call that a piece goes on with; nil where it begins one. Compatible servers repeat the id, or the name, or
    /// give every call the index 0, or none at all.
    private func position(of call: ChatCall, index: Int64?) -> Int? {
        guard let index else {
            if let id = call.id { return calls.lastIndex { $0.id.utf8.elementsEqual(id.utf8) } }
            return call.name == nil ? calls.indices.last : nil
        }
        guard let found = calls.lastIndex(where: { $0.index == index }) else { return nil }
        let isOther = call.id.map { !$0.utf8.elementsEqual(calls[found].id.utf8) } ?? false
        return isOther && call.name != nil ? nil : found
    }

    // MARK: The end

    private mutating func stop(_ choice: JSONNode, _ take: (AnswerPiece) -> Void) {
        guard let end = ChatStop.read(choice, hasCalls: !calls.isEmpty, hasRefusal: sawRefusal) else {
            return fail(UpstreamError(message: "the model's provider broke the answer off"), take)
        }
        endReasoning(take)
        for index in calls.indices { take(.callEnded(index: index)) }
        isStopped = true
        take(.stopped(end.stop, sequence: end.sequence))
    }

    private mutating func finish(_ take: (AnswerPiece) -> Void) {
        begin(nil, take)
        if !isStopped { stop(.object([]), take) }
        isOver = true
        take(.ended)
    }

    private mutating func fail(_ error: UpstreamError, _ take: (AnswerPiece) -> Void) {
        isOver = true
        take(.failed(error))
    }
}
