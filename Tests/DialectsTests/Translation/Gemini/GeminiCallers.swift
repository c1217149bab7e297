import Dialects
import Domain
import Testing

/// What callers of each format make of an answer, and how they hand it back.
enum GeminiCallers {
    static let dialects: [Dialect] = [.openAIChat, .openAIResponses, .anthropicMessages]

    /// The fixture with a request in the format.
    static func fixture(_ dialect: Dialect) -> String { "from-\(name(dialect)).json" }
    /// The fixture with `answer.json` in the format.
    static func written(_ dialect: Dialect) -> String { "written-\(name(dialect)).json" }

    private static func name(_ dialect: Dialect) -> String {
        switch dialect {
        case .openAIResponses: "openai-responses"
        case .anthropicMessages: "anthropic"
        default: "openai-chat"
        }
    }

    static func source(_ request: JSONNode, _ dialect: Dialect) throws -> Translator.Source {
        try lend(request.bytes) { (lent) throws(CallFailure) in try Translator.read(lent, as: dialect) }
    }

    /// The next request: the answer, the results of its calls, and what the user says then.
    static func next(_ answer: JSONNode, _ dialect: Dialect) throws -> Translator.Source {
        let user = #"{"role":"user","content":"Hi"}"#
        let calls = [("8f2k3jd1", "21 degrees"), (GeminiFixture.givenID, "noon")]
        switch dialect {
        case .openAIResponses:
            let results = calls.map {
                #"{"type":"function_call_output","call_id":"\#($0.0)","output":"\#($0.1)"}"#
            }
            let input = [user] + (answer["output"]?.elements ?? []).map(\.json) + results
            let tools = ["get_weather", "get_time"].map { #"{"type":"function","name":"\#($0)"}"# }
            return try source(
                try JSONNode.read(
                    #"{"model":"m","input":[\#(input.joined(separator: ","))],"tools":[\#(tools.joined(separator: ","))]}"#
                ), dialect)
        case .anthropicMessages:
            let results = calls.map {
                #"{"type":"tool_result","tool_use_id":"\#($0.0)","content":"\#($0.1)"}"#
            }
            let tools = ["get_weather", "get_time"].map {
                #"{"name":"\#($0)","input_schema":{"type":"object"}}"#
            }
            let content = answer["content"]?.json ?? ""
            return try source(
                try JSONNode.read(
                    #"{"model":"m","max_tokens":9,"messages":[\#(user),{"role":"assistant","content":\#(content)},{"role":"user","content":[\#(results.joined(separator: ","))]}],"tools":[\#(tools.joined(separator: ","))]}"#
                ), dialect)
        default:
            let results = calls.map {
                #"{"role":"tool","tool_call_id":"\#($0.0)","content":"\#($0.1)"}"#
            }
            let message = answer["choices"]?.elements?[0]["message"]?.json ?? ""
            let tools = ["get_weather", "get_time"].map {
                #"{"type":"function","function":{"name":"\#($0)"}}"#
            }
            let messages = [user, message] + results
            return try source(
                try JSONNode.read(
                    #"{"model":"m","messages":[\#(messages.joined(separator: ","))],"tools":[\#(tools.joined(separator: ","))]}"#
                ), dialect)
        }
    }

    // MARK: Streams, put together as the SDKs do

    static func whole(_ stream: [UInt8], _ dialect: Dialect) throws -> JSONNode {
        let events = String(decoding: stream, as: UTF8.self).split(separator: "\n\n").compactMap { event in
            event.split(separator: "\n").last.map { String($0.dropFirst("data: ".count)) }
        }
        let data = try events.filter { $0 != "[DONE]" }.map { try JSONNode.read($0) }
        switch dialect {
        case .openAIResponses: return data.last?["response"] ?? .null
        case .anthropicMessages: return .object(["content": .array(try blocks(data))])
        default: return .object(["choices": .array([.object(["message": message(data)])])])
        }
    }

    /// Content blocks by index; each delta adds to one member.
    private static func blocks(_ data: [JSONNode]) throws -> [JSONNode] {
        var blocks: [[String: JSONNode]] = []
        var inputs: [Int: String] = [:]
        for event in data {
            if let start = event["content_block"]?.members {
                blocks.append(Dictionary(uniqueKeysWithValues: start.map { ($0.name, $0.value) }))
            }
            guard let delta = event["delta"], event["index"] != nil, let last = blocks.indices.last else {
                continue
            }
            for name in ["text", "thinking", "signature"] {
                guard let piece = delta[name]?.text else { continue }
                blocks[last][name] = .string((blocks[last][name]?.text ?? "") + piece)
            }
            inputs[last, default: ""] += delta["partial_json"]?.text ?? ""
        }
        for (index, json) in inputs where !json.isEmpty { blocks[index]["input"] = try JSONNode.read(json) }
        return blocks.map { .object($0.sorted { $0.key < $1.key }.map { JSONNode.Member($0.key, $0.value) }) }
    }

    /// A message whose texts are joined; details and calls by their index.
    private static func message(_ data: [JSONNode]) -> JSONNode {
        var content = ""
        var details: [(text: String, signature: String)] = []
        var calls: [JSONNode] = []
        for chunk in data {
            guard let delta = chunk["choices"]?.elements?.first?["delta"] else { continue }
            content += delta["content"]?.text ?? ""
            for detail in delta["reasoning_details"]?.elements ?? [] {
                let index = Int(detail["index"]?.whole ?? 0)
                while details.count <= index { details.append(("", "")) }
                details[index].text += detail["text"]?.text ?? ""
                details[index].signature += detail["signature"]?.text ?? ""
            }
            for call in delta["tool_calls"]?.elements ?? [] {
                guard call["id"] == nil else {
                    calls.append(call)
                    continue
                }
                let index = Int(call["index"]?.whole ?? 0)
                let arguments = call["function"]?["arguments"]?.text ?? ""
                calls[index] = .object([
                    "id": calls[index]["id"], "type": .string("function"),
                    "function": .object([
                        "name": calls[index]["function"]?["name"],
                        "arguments": .string(
                            (calls[index]["function"]?["arguments"]?.text ?? "") + arguments),
                    ]), "extra_content": calls[index]["extra_content"],
                ])
            }
        }
        return .object([
            "role": .string("assistant"), "content": .string(content),
            "reasoning_details": .array(
                details.map {
                    .object([
                        "type": .string("reasoning.text"), "text": .string($0.text),
                        "signature": .string($0.signature),
                    ])
                }), "tool_calls": .array(calls),
        ])
    }
}
