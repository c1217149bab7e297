/// A place in a caller's chat request; what it does is the same in every format.
typealias ChatPlace = MessagesPlace

/// Reads requests of OpenAI's chat completions.
///
/// Source: OpenAI API reference, "Create chat completion" (SDK 3.54.0); OpenRouter, "Reasoning tokens" for `reasoning`,
/// "Prompt caching" for `cache_control`, "Parameters" for `top_k`. The model is not read: whoever routes the call does
/// that.
public enum ChatRequestDecoder: RequestDecoder {
    public static func decode(
        _ request: JSONNode, losses: inout Losses
    ) throws(TranslationRefusal) -> Conversation {
        let root = ChatPlace(node: request, path: "")
        try root.allow(known)
        var conversation = Conversation()
        var content = ChatContent()
        try content.read(root, into: &conversation, losses: &losses)
        try ChatTools.read(root, into: &conversation)
        try readSampling(root, into: &conversation)
        try ChatWishes.read(root, into: &conversation, losses: &losses)
        try readStream(root, into: &conversation)
        conversation.endUser = try root.text("user")
        try refuse(root)
        try note(root, losses: &losses)
        return conversation
    }

    /// What a request may hold; everything else is refused, as the answer may depend on it.
    private static let known = [
        "model", "messages", "stream", "stream_options", "tools", "tool_choice", "parallel_tool_calls",
        "response_format", "max_tokens", "max_completion_tokens", "temperature", "top_p", "top_k",
        "presence_penalty", "frequency_penalty", "seed", "stop", "reasoning_effort", "reasoning", "user", "n",
        "logprobs", "top_logprobs", "modalities", "audio", "logit_bias", "prediction", "web_search_options",
        "functions", "function_call", "moderation", "store", "metadata", "service_tier", "safety_identifier",
        "prompt_cache_key", "prompt_cache_options", "prompt_cache_retention", "verbosity",
    ]

    private static func readSampling(
        _ root: ChatPlace, into conversation: inout Conversation
    ) throws(TranslationRefusal) {
        let most = try root.count("max_completion_tokens")
        let older = try root.count("max_tokens")
        if let most, let older, most != older {
            throw root.refusal(
                of: "max_tokens", "differs from 'max_completion_tokens': leave out one of them")
        }
        conversation.maxOutputTokens = most ?? older
        conversation.temperature = try root.number("temperature")
        conversation.topP = try root.number("top_p")
        conversation.topK = try root.number("top_k")
        conversation.presencePenalty = try root.number("presence_penalty")
        conversation.frequencyPenalty = try root.number("frequency_penalty")
        conversation.seed = try root.number("seed")
        if let text = root["stop"]?.node.text {
            conversation.stopSequences = [text]
        } else {
            for place in try root.elements("stop") ?? [] {
                conversation.stopSequences.append(try place.wholeText())
            }
        }
    }

    private static func readStream(
        _ root: ChatPlace, into conversation: inout Conversation
    ) throws(TranslationRefusal) {
        conversation.streamed = try root.flag("stream") ?? false
        conversation.wantsStreamUsage = false
        guard let options = root["stream_options"] else { return }
        // Obfuscation pads events of OpenAI's own; what the gateway writes has none.
        try options.allow(["include_usage", "include_obfuscation"])
        conversation.wantsStreamUsage = try options.flag("include_usage") ?? false
    }

    // MARK: What no other format can say

    private static func refuse(_ root: ChatPlace) throws(TranslationRefusal) {
        if let place = root["n"], place.node.whole != 1 {
            throw place.refusal("must be 1 for this model's provider: send the request several times")
        }
        if try root.flag("logprobs") == true {
            throw root.refusal(of: "logprobs", "cannot be had from this model's provider: leave it out")
        }
        if let place = root["top_logprobs"], place.node.whole != 0 {
            throw place.refusal("cannot be had from this model's provider: leave it out")
        }
        for place in try root.elements("modalities") ?? [] {
            guard try place.wholeText().utf8.elementsEqual("text".utf8) else {
                throw place.refusal("must be text for this model's provider")
            }
        }
        if let biases = try root.object("logit_bias")?.members, !biases.isEmpty {
            throw root.refusal(of: "logit_bias", "is not known to this model's provider: leave it out")
        }
        if let functions = try root.elements("functions"), !functions.isEmpty {
            throw root.refusal(of: "functions", "is deprecated: send the functions as 'tools'")
        }
        if let place = root["function_call"] {
            throw place.refusal("is deprecated: send it as 'tool_choice'")
        }
        for name in ["audio", "prediction", "web_search_options", "moderation"] {
            guard let place = root[name] else { continue }
            throw place.refusal("works at OpenAI only: leave it out")
        }
    }

    /// What the answer does not depend on.
    private static func note(_ root: ChatPlace, losses: inout Losses) throws(TranslationRefusal) {
        if try root.flag("store") == true { losses.note("store") }
        if let pairs = try root.object("metadata")?.members, !pairs.isEmpty { losses.note("metadata") }
        if let tier = try root.text("service_tier"), !isOne(tier, of: ["auto", "default"]) {
            losses.note("service_tier")
        }
        if let verbosity = try root.text("verbosity"), !isOne(verbosity, of: ["medium"]) {
            losses.note("verbosity")
        }
        for name in [
            "safety_identifier", "prompt_cache_key", "prompt_cache_options", "prompt_cache_retention",
        ] where root[name] != nil {
            losses.note(name)
        }
    }

    private static func isOne(_ text: String, of words: [String]) -> Bool {
        words.contains { $0.utf8.elementsEqual(text.utf8) }
    }
}
