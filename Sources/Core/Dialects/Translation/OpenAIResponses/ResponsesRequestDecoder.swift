/// A place in a caller's request for a response; what it does is the same in every format.
typealias ResponsesPlace = MessagesPlace

/// Reads requests of OpenAI's responses.
///
/// Source: OpenAI API reference, "Create a model response" (SDK 3.54.0). The model is not read: whoever routes the call
/// does that. What rests on state that OpenAI keeps (`previous_response_id`, `conversation`, `prompt`) is refused, as
/// nobody else has it.
public enum ResponsesRequestDecoder: RequestDecoder {
    public static func decode(
        _ request: JSONNode, losses: inout Losses
    ) throws(TranslationRefusal) -> Conversation {
        let root = ResponsesPlace(node: request, path: "")
        // First what has a sentence of its own.
        if request.members != nil { try refuse(root) }
        try root.allow(known)
        var conversation = Conversation()
        if let text = try root.text("instructions") { conversation.system = [.text(text)] }
        var input = ResponsesInput()
        try input.read(root, into: &conversation, losses: &losses)
        try ResponsesTools.read(root, into: &conversation)
        conversation.maxOutputTokens = try root.count("max_output_tokens")
        conversation.temperature = try root.number("temperature")
        conversation.topP = try root.number("top_p")
        try ResponsesWishes.read(root, into: &conversation, losses: &losses)
        conversation.endUser = try root.text("user")
        try readStream(root, into: &conversation, losses: &losses)
        try note(root, losses: &losses)
        return conversation
    }

    /// What a request may hold; everything else is refused, as the answer may depend on it.
    private static let known = [
        "model", "input", "instructions", "stream", "stream_options", "tools", "tool_choice",
        "parallel_tool_calls", "text", "max_output_tokens", "temperature", "top_p", "reasoning", "user",
        "metadata", "store", "service_tier", "safety_identifier", "prompt_cache_key", "prompt_cache_options",
        "prompt_cache_retention", "truncation", "include", "top_logprobs", "background",
        "context_management",
    ]

    private static func readStream(
        _ root: ResponsesPlace, into conversation: inout Conversation, losses: inout Losses
    ) throws(TranslationRefusal) {
        conversation.streamed = try root.flag("stream") ?? false
        guard let options = root["stream_options"] else { return }
        try options.allow(["include_obfuscation"])
        if try options.flag("include_obfuscation") == true {
            losses.note("stream_options.include_obfuscation")
        }
    }

    // MARK: What no other format can say

    private static func refuse(_ root: ResponsesPlace) throws(TranslationRefusal) {
        for name in ["previous_response_id", "conversation"] where root[name] != nil {
            throw root.refusal(
                of: name, "names what OpenAI keeps: leave it out and send the whole conversation as 'input'")
        }
        if root["prompt"] != nil {
            throw root.refusal(of: "prompt", "names what OpenAI keeps: send its text as 'instructions'")
        }
        if try root.flag("background") == true {
            throw root.refusal(
                of: "background",
                "works at OpenAI only: leave it out and wait for the answer or stream it")
        }
        if root["max_tool_calls"] != nil {
            throw root.refusal(
                of: "max_tool_calls", "cannot be kept by this model's provider: leave it out")
        }
        if let place = root["top_logprobs"], place.node.whole != 0 {
            throw place.refusal("cannot be had from this model's provider: leave it out")
        }
        if root["truncation"] != nil, !root.has("truncation", "disabled") {
            throw root.refusal(
                of: "truncation", "must be disabled for this model's provider: shorten 'input' yourself")
        }
        for place in try root.elements("include") ?? [] {
            guard try place.wholeText().utf8.elementsEqual("reasoning.encrypted_content".utf8) else {
                throw place.refusal(
                    "must be reasoning.encrypted_content: this model's provider has nothing else to include")
            }
        }
        if let edits = try root.elements("context_management"), !edits.isEmpty {
            throw root.refusal(
                of: "context_management", "works at OpenAI only: leave it out and shorten 'input' yourself")
        }
        if let options = root["prompt_cache_options"], try options.flag("prewarm") == true {
            throw options.refusal(of: "prewarm", "works at OpenAI only: leave it out")
        }
    }

    // MARK: What the answer does not depend on

    private static func note(
        _ root: ResponsesPlace, losses: inout Losses
    ) throws(TranslationRefusal) {
        if let metadata = try root.object("metadata"), metadata.members?.isEmpty == false {
            losses.note("metadata")
        }
        // Nothing is kept, which is what false asks for.
        if try root.flag("store") == true { losses.note("store") }
        if let tier = try root.text("service_tier"), !isOne(tier, of: ["auto", "default"]) {
            losses.note("service_tier")
        }
        if try root.object("prompt_cache_options") != nil { losses.note("prompt_cache_options") }
        for name in ["safety_identifier", "prompt_cache_key", "prompt_cache_retention"] {
            if try root.text(name) != nil { losses.note(name) }
        }
    }

    private static func isOne(_ text: String, of words: [String]) -> Bool {
        words.contains { $0.utf8.elementsEqual(text.utf8) }
    }
}
