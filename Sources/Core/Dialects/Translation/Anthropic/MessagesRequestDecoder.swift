/// Reads requests of Anthropic's messages.
///
/// Source: Anthropic API reference, "Create a Message" and "Count tokens in a Message" (SDK 2.12.0). The model is not
/// read: whoever routes the call does that.
public enum MessagesRequestDecoder: RequestDecoder {
    public static func decode(
        _ request: JSONNode, losses: inout Losses
    ) throws(TranslationRefusal) -> Conversation {
        let root = MessagesPlace(node: request, path: "")
        var conversation = try decodeForCount(request, losses: &losses)
        guard let most = try root.count("max_tokens") else {
            throw root.refusal(of: "max_tokens", "is required: the most tokens that the answer may have")
        }
        conversation.maxOutputTokens = most
        return conversation
    }

    /// Reads the body of `/v1/messages/count_tokens`, which has no `max_tokens` and no `stream`.
    public static func decodeForCount(
        _ root: JSONNode, losses: inout Losses
    ) throws(TranslationRefusal) -> Conversation {
        let root = MessagesPlace(node: root, path: "")
        try root.allow(known)
        var conversation = Conversation()
        conversation.system = try MessagesContent.system(of: root, losses: &losses)
        var content = MessagesContent()
        conversation.turns = try content.turns(of: root, losses: &losses)
        MessagesContent.mark(&conversation, as: try MessagesContent.cacheMark(of: root), losses: &losses)
        try MessagesTools.read(root, into: &conversation, losses: &losses)
        try readSampling(root, into: &conversation)
        try MessagesWishes.read(root, into: &conversation, losses: &losses)
        conversation.streamed = try root.flag("stream") ?? false
        try readRest(root, into: &conversation, losses: &losses)
        return conversation
    }

    /// What a request may hold; everything else is refused, as the answer may depend on it. `container` and
    /// `inference_geo` are among that: nobody else can keep their promises.
    private static let known = [
        "model", "max_tokens", "messages", "system", "stream", "temperature", "top_p", "top_k",
        "stop_sequences", "tools", "tool_choice", "thinking", "output_config", "output_format", "metadata",
        "cache_control", "service_tier", "speed", "diagnostics", "mcp_servers", "context_management",
    ]

    private static func readSampling(
        _ root: MessagesPlace, into conversation: inout Conversation
    ) throws(TranslationRefusal) {
        conversation.temperature = try root.number("temperature")
        conversation.topP = try root.number("top_p")
        conversation.topK = try root.number("top_k")
        for place in try root.elements("stop_sequences") ?? [] {
            conversation.stopSequences.append(try place.wholeText())
        }
    }

    private static func readRest(
        _ root: MessagesPlace, into conversation: inout Conversation, losses: inout Losses
    ) throws(TranslationRefusal) {
        if let metadata = root["metadata"] {
            try metadata.allow(["user_id"])
            conversation.endUser = try metadata.text("user_id")
        }
        if root["service_tier"] != nil, !root.has("service_tier", "auto") { losses.note("service_tier") }
        if root["speed"] != nil, !root.has("speed", "standard") { losses.note("speed") }
        if root["diagnostics"] != nil { losses.note("diagnostics") }
        if let servers = try root.elements("mcp_servers"), !servers.isEmpty {
            throw root.refusal(
                of: "mcp_servers", "works at Anthropic only: offer the servers' tools as 'tools'")
        }
        if let management = root["context_management"] {
            try check(contextManagement: management)
            losses.note("context_management")
        }
    }

    /// Edits that clear old thinking or tool results spare the caller tokens; others write into the conversation.
    private static func check(contextManagement place: MessagesPlace) throws(TranslationRefusal) {
        try place.allow(["edits"])
        for edit in try place.elements("edits") ?? [] {
            guard try edit.neededText("type").utf8.starts(with: "clear_".utf8) else {
                throw edit.refusal(of: "type", "works at Anthropic only: leave this edit out")
            }
        }
    }
}
