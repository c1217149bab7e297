/// Writes the events of a stream of Anthropic's messages.
///
/// Source: Anthropic API reference, "Streaming messages".
enum MessagesEvents {
    static func start(_ message: JSONNode, _ out: inout [UInt8]) {
        write("message_start", ["message": message], &out)
    }

    static func blockStart(_ index: Int, _ block: JSONNode, _ out: inout [UInt8]) {
        write("content_block_start", ["index": .whole(Int64(index)), "content_block": block], &out)
    }

    /// - Parameters:
    ///   - type: such as `text_delta`.
    ///   - member: what the text stands under.
    static func delta(
        _ index: Int, _ type: String, _ member: String, _ text: String, _ out: inout [UInt8]
    ) {
        let members: [JSONNode.Member] = [.init("type", .string(type)), .init(member, .string(text))]
        write("content_block_delta", ["index": .whole(Int64(index)), "delta": .object(members)], &out)
    }

    static func blockStop(_ index: Int, _ out: inout [UInt8]) {
        write("content_block_stop", ["index": .whole(Int64(index))], &out)
    }

    /// `message_delta`: why the model stopped, and the usage of the whole answer.
    static func end(_ reason: JSONNode, sequence: String?, usage: JSONNode, _ out: inout [UInt8]) {
        let delta = JSONNode.object([
            "stop_reason": reason, "stop_sequence": sequence.map { .string($0) } ?? .null,
        ])
        write("message_delta", ["delta": delta, "usage": usage], &out)
    }

    static func stop(_ out: inout [UInt8]) {
        write("message_stop", [:], &out)
    }

    private static func write(
        _ type: String, _ members: KeyValuePairs<String, JSONNode>, _ out: inout [UInt8]
    ) {
        let data = [JSONNode.Member("type", .string(type))] + members.map { JSONNode.Member($0, $1) }
        out += "event: \(type)\ndata: ".utf8
        out += JSONNode.object(data).bytes
        out += "\n\n".utf8
    }
}
