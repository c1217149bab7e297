import Domain

/// Reads and writes what a model thought, in the words of those who extended OpenAI's chat completions by it.
///
/// Sources: OpenRouter, "Reasoning tokens", `reasoning_details` (entries `reasoning.text`, `reasoning.summary` and
/// `reasoning.encrypted`) and `reasoning`; DeepSeek API, "Reasoning model", `reasoning_content`. The plain texts repeat
/// the details, which therefore win.
///
/// What a provider of this format gave must come back to it as it was. So the token of its reasoning is the entry but
/// for the text, as JSON, or the name of the member that held a plain text. Another format's token stands, tagged, as
/// the `signature` or the `data` of an entry of the gateway's own, which has no `format`.
enum ChatReasoning {
    enum Kind: String, CaseIterable {
        case text = "reasoning.text"
        case summary = "reasoning.summary"
        case encrypted = "reasoning.encrypted"

        /// What its text stands under.
        var member: String {
            switch self {
            case .text: "text"
            case .summary: "summary"
            case .encrypted: "data"
            }
        }

        init?(_ detail: JSONNode) {
            guard let type = detail["type"]?.text,
                let found = Self.allCases.first(where: { $0.rawValue.utf8.elementsEqual(type.utf8) })
            else { return nil }
            self = found
        }
    }

    /// The members of plain texts.
    static let plainMembers = ["reasoning_content", "reasoning"]
    /// What is kept of an entry besides its text.
    private static let keptMembers = ["type", "id", "format", "index", "signature", "data"]

    // MARK: Reading

    /// What stands in a provider's answer.
    static func read(answer message: JSONNode) -> [Conversation.Reasoning] {
        let details = (message["reasoning_details"]?.elements ?? []).compactMap { read(detail: $0) }
        guard details.isEmpty else { return details }
        for member in plainMembers {
            guard let text = message[member]?.text, !text.isEmpty else { continue }
            return [.init(text: text, token: OpaqueToken(member, of: .openAIChat))]
        }
        return []
    }

    /// What a caller hands back. Nobody knows who made a plain text.
    static func read(request message: ChatPlace) throws(TranslationRefusal) -> [Conversation.Reasoning] {
        var found: [Conversation.Reasoning] = []
        for place in try message.elements("reasoning_details") ?? [] {
            guard try place.word("type", of: Kind.self) != nil else {
                throw place.refusal(
                    of: "type", "must be reasoning.text, reasoning.summary or reasoning.encrypted")
            }
            for name in ["text", "summary", "signature", "data"] { _ = try place.text(name) }
            if let reasoning = read(detail: place.node) { found.append(reasoning) }
        }
        for member in plainMembers {
            let text = try message.text(member) ?? ""
            if found.isEmpty, !text.isEmpty { found = [.init(text: text)] }
        }
        return found
    }

    /// nil for an entry that says nothing, or is of no known kind.
    private static func read(detail: JSONNode) -> Conversation.Reasoning? {
        guard let kind = Kind(detail) else { return nil }
        let token = token(of: kept(of: detail))
        guard kind != .encrypted else { return token.map { .init(text: "", token: $0, isHidden: true) } }
        let text = detail[kind.member]?.text ?? ""
        guard !text.isEmpty || isSigned(detail) else { return nil }
        return .init(text: text, token: token)
    }

    static func isSigned(_ detail: JSONNode) -> Bool { detail["signature"]?.text?.isEmpty == false }

    /// The members that are kept, in one order however they came.
    static func kept(of detail: JSONNode) -> [JSONNode.Member] {
        keptMembers.compactMap { name in detail[name].map { .init(name, $0) } }
    }

    /// The token of an entry, by what is kept of it; nil for one that nobody made for coming back.
    static func token(of kept: [JSONNode.Member]) -> OpaqueToken? {
        let detail = JSONNode.object(kept)
        if Kind(detail) == .encrypted {
            guard let data = detail["data"]?.text, !data.isEmpty else { return nil }
            return OpaqueToken(tagged: data) ?? OpaqueToken(detail.json, of: .openAIChat)
        }
        if let signature = detail["signature"]?.text, !signature.isEmpty {
            return OpaqueToken(tagged: signature) ?? OpaqueToken(detail.json, of: .openAIChat)
        }
        return detail["format"] == nil ? nil : OpaqueToken(detail.json, of: .openAIChat)
    }

    // MARK: Writing to callers

    /// `reasoning_content` and `reasoning_details`; nil where there is nothing to say.
    static func members(of parts: [Conversation.Part]) -> [JSONNode.Member] {
        var text = ""
        var details: [JSONNode] = []
        for part in parts {
            guard case .reasoning(let reasoning) = part,
                let detail = detail(reasoning, index: details.count)
            else { continue }
            text += reasoning.text
            details.append(detail)
        }
        guard !details.isEmpty else { return [] }
        let plain = text.isEmpty ? [] : [JSONNode.Member(plainMembers[0], .string(text))]
        return plain + [.init("reasoning_details", .array(details))]
    }

    /// nil for reasoning that holds nothing.
    static func detail(_ reasoning: Conversation.Reasoning, index: Int) -> JSONNode? {
        let hidden = reasoning.isHidden && reasoning.text.isEmpty
        guard reasoning.token != nil || !reasoning.text.isEmpty else { return nil }
        return entry(
            hidden ? .encrypted : .text, index: index, text: hidden ? nil : reasoning.text,
            token: reasoning.token)
    }

    /// An entry, or a piece of one in a stream.
    static func entry(_ kind: Kind, index: Int, text: String? = nil, token: OpaqueToken? = nil) -> JSONNode {
        .object([
            "type": .string(kind.rawValue), "text": text.map { .string($0) },
            (kind == .encrypted ? "data" : "signature"): token.map { .string($0.tagged) },
            "index": .whole(Int64(index)),
        ])
    }

    // MARK: Writing to providers

    /// What an assistant's message hands back of what it thought: members beside its content, or parts of it.
    struct HandedBack {
        var members: [JSONNode.Member] = []
        var parts: [JSONNode] = []

        var isEmpty: Bool { members.isEmpty && parts.isEmpty }
    }

    /// Hands back what a provider of this format thought, where this one takes it; the rest is noted.
    static func handedBack(
        _ parts: [Conversation.Part], _ way: ChatQuirks.ReasoningBack, losses: inout Losses
    ) -> HandedBack {
        var back = HandedBack()
        var details: [JSONNode] = []
        for part in parts {
            guard case .reasoning(let reasoning) = part else { continue }
            guard let token = reasoning.token, token.origin == .openAIChat else {
                losses.note("reasoning")
                continue
            }
            let isPlain = plainMembers.contains { $0.utf8.elementsEqual(token.text.utf8) }
            let thinking = ChatThinking.part(token, text: reasoning.text)
            let detail = unpacked(token, text: reasoning.text)
            let hasText = !reasoning.text.isEmpty && (isPlain || thinking != nil || detail != nil)
            switch way {
            case .asItCame where isPlain: append(reasoning.text, to: token.text, &back.members)
            case .asItCame:
                if let detail { details.append(detail) } else { losses.note("reasoning") }
            case .reasoningContent where hasText:
                append(reasoning.text, to: plainMembers[0], &back.members)
            case .reasoning where hasText: append(reasoning.text, to: plainMembers[1], &back.members)
            case .parts where hasText:
                back.parts.append(thinking ?? ChatThinking.part(reasoning.text))
            case .reasoningContent, .reasoning, .parts, .nowhere: losses.note("reasoning")
            }
        }
        if !details.isEmpty { back.members.append(.init("reasoning_details", .array(details))) }
        return back
    }

    private static func append(_ text: String, to member: String, _ plain: inout [JSONNode.Member]) {
        guard let position = plain.firstIndex(where: { $0.name.utf8.elementsEqual(member.utf8) }) else {
            return plain.append(.init(member, .string(text)))
        }
        plain[position].value = .string((plain[position].value.text ?? "") + text)
    }

    private static func unpacked(_ token: OpaqueToken, text: String) -> JSONNode? {
        guard let node = try? JSONNode.read(token.text), let kind = Kind(node) else { return nil }
        var members = kept(of: node)
        if kind != .encrypted { members.insert(.init(kind.member, .string(text)), at: 1) }
        return .object(members)
    }
}
