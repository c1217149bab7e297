import Domain

/// Bodies and answers in the shape of the providers' documentation.
enum Wire {
    // MARK: Requests

    static func chat(
        _ model: String = "openai/gpt-6-sol", stream: Bool = false, more: String = ""
    ) -> String {
        #"{"model":"\#(model)","messages":[{"role":"user","content":"hello"}]"#
            + (stream ? #","stream":true"# : "") + "\(more)}"
    }

    static func responses(_ model: String = "openai/gpt-6-sol", stream: Bool = true) -> String {
        #"{"model":"\#(model)","input":"hello"\#(stream ? #","stream":true"# : "")}"#
    }

    static func messages(_ model: String = "anthropic/claude-sonnet-5", stream: Bool = false) -> String {
        #"{"model":"\#(model)","max_tokens":50,"messages":[{"role":"user","content":"hello"}]"#
            + (stream ? #","stream":true}"# : "}")
    }

    // MARK: Whole answers

    static func counted(_ body: String, status: String = "200 OK", headers: String = "") -> String {
        "HTTP/1.1 \(status)\r\ncontent-type: application/json\r\n\(headers)content-length: \(body.utf8.count)\r\n\r\n\(body)"
    }

    static let chatBody =
        #"{"id":"c1","object":"chat.completion","model":"gpt-6-sol","choices":[{"index":0,"message":{"role":"assistant","content":"hi there"},"finish_reason":"stop"}],"usage":{"prompt_tokens":9,"completion_tokens":12,"total_tokens":21,"prompt_tokens_details":{"cached_tokens":4},"completion_tokens_details":{"reasoning_tokens":5}}}"#
    static let chatUsage = Usage(input: 5, cacheRead: 4, output: 7, reasoning: 5)
    static let chatAnswer = counted(chatBody)

    static let messagesBody =
        #"{"id":"m1","type":"message","role":"assistant","model":"claude-sonnet-5","content":[{"type":"text","text":"hi"}],"stop_reason":"end_turn","usage":{"input_tokens":11,"cache_read_input_tokens":3,"cache_creation_input_tokens":0,"output_tokens":6}}"#
    static let messagesUsage = Usage(input: 11, cacheRead: 3, output: 6)
    static let messagesAnswer = counted(messagesBody)

    static func failure(_ status: String, type: String, code: String? = nil, message: String = "no") -> String
    {
        let code = code.map { #""\#($0)""# } ?? "null"
        return counted(
            #"{"error":{"message":"\#(message)","type":"\#(type)","param":null,"code":\#(code)}}"#,
            status: status)
    }

    // MARK: Streams

    static let streamHead =
        "HTTP/1.1 200 OK\r\ncontent-type: text/event-stream\r\ntransfer-encoding: chunked\r\n\r\n"
    static let streamEnd = "0\r\n\r\n"

    static func chunk(_ text: String) -> String { "\(String(text.utf8.count, radix: 16))\r\n\(text)\r\n" }

    static func delta(_ content: String) -> String {
        #"data: {"id":"c1","object":"chat.completion.chunk","choices":[{"index":0,"delta":{"content":"\#(content)"},"finish_reason":null}]}"#
            + "\n\n"
    }

    static let lastDelta =
        #"data: {"id":"c1","object":"chat.completion.chunk","choices":[{"index":0,"delta":{},"finish_reason":"stop"}]}"#
        + "\n\n"
    static let usageChunk =
        #"data: {"id":"c1","object":"chat.completion.chunk","choices":[],"usage":{"prompt_tokens":9,"completion_tokens":12,"total_tokens":21,"prompt_tokens_details":{"cached_tokens":4},"completion_tokens_details":{"reasoning_tokens":5}}}"#
        + "\n\n"
    static let done = "data: [DONE]\n\n"

    static func event(_ name: String, _ data: String) -> String { "event: \(name)\ndata: \(data)\n\n" }

    // MARK: OpenAI responses

    /// The two events that every stream of responses begins with.
    static func responsesStart(instructions: String = "") -> String {
        ["created", "in_progress"].enumerated().map { number, name in
            event(
                "response.\(name)",
                #"{"type":"response.\#(name)","sequence_number":\#(number),"response":{"id":"r1","object":"response","status":"in_progress","instructions":"\#(instructions)","output":[]}}"#
            )
        }.joined()
    }

    static func responsesDelta(_ text: String, _ number: Int) -> String {
        event(
            "response.output_text.delta",
            #"{"type":"response.output_text.delta","sequence_number":\#(number),"item_id":"m1","output_index":0,"content_index":0,"delta":"\#(text)"}"#
        )
    }

    static func responsesError(_ code: String, _ number: Int) -> String {
        event(
            "error",
            #"{"type":"error","sequence_number":\#(number),"error":{"type":"\#(code)","code":"\#(code)","message":"no","param":null}}"#
        )
    }

    static func responsesEnd(_ number: Int) -> String {
        event(
            "response.completed",
            #"{"type":"response.completed","sequence_number":\#(number),"response":{"id":"r1","object":"response","status":"completed","output":[],"usage":{"input_tokens":9,"input_tokens_details":{"cached_tokens":4},"output_tokens":12,"output_tokens_details":{"reasoning_tokens":5},"total_tokens":21}}}"#
        )
    }

    static let messageStart = event(
        "message_start",
        #"{"type":"message_start","message":{"id":"m1","type":"message","role":"assistant","content":[],"usage":{"input_tokens":11,"cache_read_input_tokens":3,"output_tokens":1}}}"#
    )
    static let blockStart = event(
        "content_block_start",
        #"{"type":"content_block_start","index":0,"content_block":{"type":"text","text":""}}"#)

    static func textDelta(_ text: String) -> String {
        event(
            "content_block_delta",
            #"{"type":"content_block_delta","index":0,"delta":{"type":"text_delta","text":"\#(text)"}}"#)
    }

    static let messageDelta = event(
        "message_delta",
        #"{"type":"message_delta","delta":{"stop_reason":"end_turn"},"usage":{"output_tokens":6}}"#)
    static let messageStop = event("message_stop", #"{"type":"message_stop"}"#)
}
