import Domain

/// Token counts of a simulated answer.
struct SimulatedTokens: Sendable {
    var input: Int
    var output: Int
    var cached: Int
}

/// The texts of a simulated answer in each format; shapes from the providers' API references (seen 2026-11-23).
struct SimulatedWords: Sendable {
    let model: String
    let tokens: SimulatedTokens

    private var openAIUsage: String {
        """
        {"prompt_tokens":\(tokens.input),"completion_tokens":\(tokens.output),\
        "total_tokens":\(tokens.input + tokens.output),"prompt_tokens_details":{"cached_tokens":\(min(tokens.cached, tokens.input))}}
        """
    }

    private var anthropicInput: String {
        """
        "input_tokens":\(tokens.input),"cache_creation_input_tokens":0,"cache_read_input_tokens":\(tokens.cached)
        """
    }

    func whole(_ dialect: Dialect) -> String {
        switch dialect {
        case .anthropicMessages, .anthropicCountTokens:
            """
            {"id":"msg_sim","type":"message","role":"assistant","model":"\(model)","content":[{"type":"text",\
            "text":"A simulated answer."}],"stop_reason":"end_turn","stop_sequence":null,\
            "usage":{\(anthropicInput),"output_tokens":\(tokens.output)}}
            """
        case .openAIEmbeddings:
            """
            {"object":"list","data":[{"object":"embedding","index":0,"embedding":[0.1,0.2,0.3]}],"model":"\(model)",\
            "usage":{"prompt_tokens":\(tokens.input),"total_tokens":\(tokens.input)}}
            """
        case .openAIChat, .openAIResponses, .openAIModels:
            """
            {"id":"chatcmpl-sim","object":"chat.completion","created":1,"model":"\(model)","choices":[{"index":0,\
            "message":{"role":"assistant","content":"A simulated answer."},"finish_reason":"stop"}],"usage":\(openAIUsage)}
            """
        }
    }

    func events(_ dialect: Dialect, pieces: Int) -> [String] {
        dialect == .anthropicMessages ? anthropicEvents(pieces) : openAIEvents(pieces)
    }

    private func openAIEvents(_ pieces: Int) -> [String] {
        func chunk(_ delta: String, _ finish: String) -> String {
            """
            data: {"id":"chatcmpl-sim","object":"chat.completion.chunk","created":1,"model":"\(model)",\
            "choices":[{"index":0,"delta":\(delta),"finish_reason":\(finish)}],"usage":null}\n\n
            """
        }
        var events = [chunk(#"{"role":"assistant","content":""}"#, "null")]
        for piece in 0..<pieces { events.append(chunk(#"{"content":"word\#(piece) "}"#, "null")) }
        events.append(chunk("{}", #""stop""#))
        events.append(
            """
            data: {"id":"chatcmpl-sim","object":"chat.completion.chunk","created":1,"model":"\(model)","choices":[],\
            "usage":\(openAIUsage)}\n\n
            """)
        events.append("data: [DONE]\n\n")
        return events
    }

    private func anthropicEvents(_ pieces: Int) -> [String] {
        func event(_ name: String, _ data: String) -> String { "event: \(name)\ndata: \(data)\n\n" }
        var events = [
            event(
                "message_start",
                """
                {"type":"message_start","message":{"id":"msg_sim","type":"message","role":"assistant","content":[],\
                "model":"\(model)","stop_reason":null,"stop_sequence":null,"usage":{\(anthropicInput),"output_tokens":1}}}
                """),
            event(
                "content_block_start",
                #"{"type":"content_block_start","index":0,"content_block":{"type":"text","text":""}}"#),
        ]
        for piece in 0..<pieces {
            events.append(
                event(
                    "content_block_delta",
                    #"{"type":"content_block_delta","index":0,"delta":{"type":"text_delta","text":"word\#(piece) "}}"#
                ))
        }
        events.append(event("content_block_stop", #"{"type":"content_block_stop","index":0}"#))
        events.append(
            event(
                "message_delta",
                """
                {"type":"message_delta","delta":{"stop_reason":"end_turn","stop_sequence":null},\
                "usage":{"output_tokens":\(tokens.output)}}
                """))
        events.append(event("message_stop", #"{"type":"message_stop"}"#))
        return events
    }
}
