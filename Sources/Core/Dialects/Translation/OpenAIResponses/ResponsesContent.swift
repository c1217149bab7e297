/// Reads the content of messages and of function outputs in a request for a response.
///
/// Source: OpenAI API reference, "Create a model response", `input`, content types.
enum ResponsesContent {
    /// The kinds of content that other formats know too; no others are taken.
    enum Block: String, CaseIterable {
        case inputText = "input_text"
        case inputImage = "input_image"
        case outputText = "output_text"
        case refusal
    }

    /// What stands under a name as a string or an array of these kinds.
    static func parts(
        of item: ResponsesPlace, _ name: String, _ kinds: [Block], losses: inout Losses
    ) throws(TranslationRefusal) -> [Conversation.Part] {
        guard let content = item[name] else {
            throw item.refusal(of: name, "is required: a string or an array of parts")
        }
        if let text = content.node.text { return [.text(text)] }
        guard content.node.elements != nil else {
            throw content.refusal("must be a string or an array of parts")
        }
        var parts: [Conversation.Part] = []
        for block in try item.elements(name) ?? [] {
            let kind = try block.word("type", of: Block.self)
            guard let kind, kinds.contains(kind) else {
                let known = kinds.map(\.rawValue).joined(separator: " or ")
                throw block.refusal(of: "type", "must be \(known) here for this model's provider")
            }
            parts.append(try part(block, kind, losses: &losses))
        }
        return parts
    }

    private static func part(
        _ block: ResponsesPlace, _ kind: Block, losses: inout Losses
    ) throws(TranslationRefusal) -> Conversation.Part {
        switch kind {
        case .inputText:
            try block.allow(["type", "text", "prompt_cache_breakpoint"])
            noteBreakpoint(block, losses: &losses)
            return .text(try block.neededText("text"))
        case .inputImage: return .image(try image(block, losses: &losses))
        case .outputText:
            try block.allow(["type", "text", "annotations", "logprobs"])
            for name in ["annotations", "logprobs"] {
                if let notes = try block.elements(name), !notes.isEmpty { losses.note(name) }
            }
            return .text(try block.neededText("text"))
        case .refusal:
            try block.allow(["type", "refusal"])
            return .refusal(try block.neededText("refusal"))
        }
    }

    private static func image(
        _ block: ResponsesPlace, losses: inout Losses
    ) throws(TranslationRefusal) -> Conversation.Image {
        try block.allow(["type", "image_url", "file_id", "detail", "prompt_cache_breakpoint"])
        noteBreakpoint(block, losses: &losses)
        if block["file_id"] != nil {
            throw block.refusal(
                of: "file_id", "names what OpenAI keeps: send the image itself as 'image_url'")
        }
        if let detail = try block.text("detail"), !detail.utf8.elementsEqual("auto".utf8) {
            losses.note("detail")
        }
        guard let image = read(link: try block.neededText("image_url")) else {
            throw block.refusal(
                of: "image_url", "must be an https link or the image itself as data:image/TYPE;base64,…")
        }
        return image
    }

    /// Where the prompt may be kept, for 30 minutes or 12 hours: no other provider has either.
    private static func noteBreakpoint(_ block: ResponsesPlace, losses: inout Losses) {
        if block["prompt_cache_breakpoint"] != nil { losses.note("prompt_cache_breakpoint") }
    }

    /// The texts of an array of parts that are all of one kind.
    static func texts(
        of item: ResponsesPlace, _ name: String, _ kind: String
    ) throws(TranslationRefusal) -> [String] {
        var texts: [String] = []
        for block in try item.elements(name) ?? [] {
            try block.allow(["type", "text"])
            guard block.has("type", kind) else { throw block.refusal(of: "type", "must be \(kind)") }
            texts.append(try block.neededText("text"))
        }
        return texts
    }

    // MARK: Links of images

    /// `https:` and `http:`, or `data:` (RFC 2397) with the image itself in base64; nil for any other link.
    private static func read(link: String) -> Conversation.Image? {
        if begins(link.utf8, with: "https://") || begins(link.utf8, with: "http://") { return .link(link) }
        guard begins(link.utf8, with: "data:image/"), let comma = link.utf8.firstIndex(of: UInt8(ascii: ","))
        else { return nil }
        let head = link.utf8[..<comma].dropFirst("data:".utf8.count).map { lowered($0) }
        let data = link.utf8[link.utf8.index(after: comma)...]
        let type = head.prefix { $0 != UInt8(ascii: ";") }
        guard head.suffix(inBase64.utf8.count).elementsEqual(inBase64.utf8), !data.isEmpty else { return nil }
        return .inline(
            mediaType: String(decoding: type, as: UTF8.self), data: String(decoding: data, as: UTF8.self))
    }

    private static let inBase64 = ";base64"

    private static func begins(_ bytes: String.UTF8View, with start: String) -> Bool {
        bytes.lazy.map { lowered($0) }.starts(with: start.utf8)
    }
}
