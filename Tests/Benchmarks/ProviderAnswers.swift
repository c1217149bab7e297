import NIOCore

/// What the loopback provider answers, made beforehand: one format's whole answer and its stream.
struct ProviderAnswers: Sendable {
    let json: ByteBuffer
    /// One chunk each (RFC 9112 section 7.1), the last with the end of the body.
    let events: [ByteBuffer]

    static let streamHead = ByteBuffer(
        string: "HTTP/1.1 200 OK\r\ncontent-type: text/event-stream\r\ntransfer-encoding: chunked\r\n\r\n")

    /// What OpenAI says of a key that it does not know.
    static let refusal: ByteBuffer = {
        let body =
            #"{"error":{"message":"Incorrect API key provided","type":"invalid_request_error","param":null,"#
            + #""code":"invalid_api_key"}}"#
        return ByteBuffer(
            string: "HTTP/1.1 401 Unauthorized\r\ncontent-type: application/json\r\ncontent-length: "
                + "\(body.utf8.count)\r\n\r\n\(body)")
    }()

    private static let words = String(repeating: "lorem ipsum dolor sit amet ", count: 26)

    private init(json: String, events: [String]) {
        self.json = ByteBuffer(
            string: "HTTP/1.1 200 OK\r\ncontent-type: application/json\r\ncontent-length: "
                + "\(json.utf8.count)\r\n\r\n\(json)")
        self.events = events.enumerated().map { place, text in
            let end = place == events.count - 1 ? "0\r\n\r\n" : ""
            return ByteBuffer(string: String(text.utf8.count, radix: 16) + "\r\n\(text)\r\n" + end)
        }
    }

    static let openAI: ProviderAnswers = {
        let start =
            #"data: {"id":"chatcmpl-1","object":"chat.completion.chunk","created":1780000000,"#
            + #""model":"gpt-6-sol","#
        let piece =
            start + #""choices":[{"index":0,"delta":{"content":"lorem ipsum "},"finish_reason":null}]}"#
        let last =
            start + #""choices":[],"usage":{"prompt_tokens":210,"completion_tokens":29,"total_tokens":239}}"#
        return ProviderAnswers(
            json:
                #"{"id":"chatcmpl-1","object":"chat.completion","created":1780000000,"model":"gpt-6-sol","choices":"#
                + #"[{"index":0,"message":{"role":"assistant","content":"\#(words)"},"finish_reason":"stop"}],"#
                + #""usage":{"prompt_tokens":210,"completion_tokens":190,"total_tokens":400}}"#,
            events: Array(repeating: piece + "\n\n", count: LoopbackProvider.chunks - 1)
                + [last + "\n\ndata: [DONE]\n\n"])
    }()

    /// As many pieces of text, and around them the events that Anthropic's streams begin and end with
    /// (docs.anthropic.com/en/docs/build-with-claude/streaming).
    static let anthropic: ProviderAnswers = {
        func event(_ name: String, _ data: String) -> String { "event: \(name)\ndata: \(data)\n\n" }
        let message =
            #""id":"msg_1","type":"message","role":"assistant","model":"claude-opus-5","stop_sequence":null,"#
        let start = event(
            "message_start",
            #"{"type":"message_start","message":{\#(message)"content":[],"stop_reason":null,"#
                + #""usage":{"input_tokens":210,"output_tokens":1}}}"#)
        let begin = event(
            "content_block_start",
            #"{"type":"content_block_start","index":0,"content_block":{"type":"text","text":""}}"#)
        let piece = event(
            "content_block_delta",
            #"{"type":"content_block_delta","index":0,"delta":{"type":"text_delta","text":"lorem ipsum "}}"#)
        let end =
            event("content_block_stop", #"{"type":"content_block_stop","index":0}"#)
            + event(
                "message_delta",
                #"{"type":"message_delta","delta":{"stop_reason":"end_turn","stop_sequence":null},"#
                    + #""usage":{"output_tokens":29}}"#) + event("message_stop", #"{"type":"message_stop"}"#)
        return ProviderAnswers(
            json: #"{\#(message)"content":[{"type":"text","text":"\#(words)"}],"stop_reason":"end_turn","#
                + #""usage":{"input_tokens":210,"output_tokens":190}}"#,
            events: [start + begin] + Array(repeating: piece, count: LoopbackProvider.chunks - 2) + [end])
    }()
}
