/// Writes the events of a streamed response, numbered from 0.
///
/// Source: OpenAI API reference, "Streaming events" of responses.
struct ResponsesEvents {
    /// How many events were written: the number of the next.
    private(set) var count: Int64 = 0

    mutating func response(_ name: String, _ response: JSONNode, _ out: inout [UInt8]) {
        write("response.\(name)", [.init("response", response)], &out)
    }

    mutating func added(_ item: ResponsesItem, _ out: inout [UInt8]) {
        write("response.output_item.added", Self.members(item, .inProgress), &out)
    }

    mutating func done(_ item: ResponsesItem, _ status: ResponsesItem.Status, _ out: inout [UInt8]) {
        write("response.output_item.done", Self.members(item, status), &out)
    }

    /// The item's last content begins.
    mutating func partAdded(_ item: ResponsesItem, _ out: inout [UInt8]) {
        guard let content = item.contents.last, let names = Names(partOf: content.kind) else { return }
        let part = ResponsesItem.Content(kind: content.kind, text: "")
        write("\(names.part).added", Self.place(item, names) + [.init("part", part.node)], &out)
    }

    /// More of a content of the item.
    mutating func delta(
        _ item: ResponsesItem, _ kind: ResponsesItem.Content.Kind, _ more: String, _ out: inout [UInt8]
    ) {
        let names = Names(of: kind)
        var members = Self.place(item, names) + [.init("delta", .string(more))]
        if kind == .text { members.append(.init("logprobs", .array([]))) }
        write("\(names.event).delta", members, &out)
    }

    /// The item's last content is whole.
    mutating func partDone(_ item: ResponsesItem, _ out: inout [UInt8]) {
        guard let content = item.contents.last else { return }
        let names = Names(of: content.kind)
        var members = Self.place(item, names) + [.init(names.member, .string(content.text))]
        if content.kind == .text { members.append(.init("logprobs", .array([]))) }
        if case .call(_, let name) = item.kind { members.append(.init("name", .string(name))) }
        write("\(names.event).done", members, &out)
        if Names(partOf: content.kind) != nil {
            write("\(names.part).done", Self.place(item, names) + [.init("part", content.node)], &out)
        }
    }

    // MARK: Words

    /// What the events of a content are called.
    private struct Names {
        let event: String
        /// What its text stands under in `done`.
        let member: String
        var part = ""
        /// What its place in the item is called.
        var index: String?

        init(of kind: ResponsesItem.Content.Kind) {
            switch kind {
            case .text:
                (event, member) = ("response.output_text", "text")
                (part, index) = ("response.content_part", "content_index")
            case .refusal:
                (event, member) = ("response.refusal", "refusal")
                (part, index) = ("response.content_part", "content_index")
            case .summary:
                (event, member) = ("response.reasoning_summary_text", "text")
                (part, index) = ("response.reasoning_summary_part", "summary_index")
            case .arguments: (event, member) = ("response.function_call_arguments", "arguments")
            }
        }

        /// nil for what is no part of its own.
        init?(partOf kind: ResponsesItem.Content.Kind) {
            self.init(of: kind)
            if index == nil { return nil }
        }
    }

    private static func place(_ item: ResponsesItem, _ names: Names) -> [JSONNode.Member] {
        let place: [JSONNode.Member] = [
            .init("item_id", .string(item.id)), .init("output_index", .whole(Int64(item.index))),
        ]
        guard let index = names.index else { return place }
        return place + [.init(index, .whole(Int64(item.contents.count - 1)))]
    }

    private static func members(_ item: ResponsesItem, _ status: ResponsesItem.Status) -> [JSONNode.Member] {
        [.init("output_index", .whole(Int64(item.index))), .init("item", item.node(status))]
    }

    private mutating func write(_ type: String, _ members: [JSONNode.Member], _ out: inout [UInt8]) {
        let head: [JSONNode.Member] = [
            .init("type", .string(type)), .init("sequence_number", .whole(count)),
        ]
        count += 1
        out += "event: \(type)\ndata: ".utf8
        out += JSONNode.object(head + members).bytes
        out += "\n\n".utf8
    }
}
