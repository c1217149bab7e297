import Domain

/// Says requests of OpenAI's embeddings as Gemini's batchEmbedContents, and the answers back.
///
/// Sources: OpenAI API reference, "Create embeddings"; Gemini API reference, "models.batchEmbedContents". Each input is a
/// content of its own: several parts of one content would become one vector.
enum GeminiEmbeddings {
    /// "at most 100 requests can be in one batch".
    private static var inputsMost: Int { 100 }

    private enum Format: String, CaseIterable { case float, base64 }

    // MARK: Requests

    static func request(
        _ request: JSONNode, model: String, losses: inout Losses
    ) throws(TranslationRefusal) -> JSONNode {
        let root = MessagesPlace(node: request, path: "")
        try root.allow(["model", "input", "encoding_format", "dimensions", "user"])
        if root["encoding_format"] != nil,
            try root.word("encoding_format", of: Format.self) == nil
        {
            throw root.refusal(of: "encoding_format", "must be float or base64")
        }
        if try root.text("user") != nil { losses.note("user") }
        let dimensions = try root.count("dimensions")
        let name = GeminiTokenCount.resource(model)
        let requests = try inputs(root).map { text in
            JSONNode.object([
                "model": .string(name),
                "content": .object(["parts": .array([GeminiPart.text(text)])]),
                "outputDimensionality": dimensions.map { .whole($0) },
            ])
        }
        return .object(["requests": .array(requests)])
    }

    private static func inputs(_ root: MessagesPlace) throws(TranslationRefusal) -> [String] {
        guard let input = root["input"] else {
            throw root.refusal(of: "input", "is required: a string or an array of strings")
        }
        if input.node.text != nil { return [try text(input)] }
        guard input.node.elements != nil else {
            throw input.refusal("must be a string or an array of strings")
        }
        let places = try root.elements("input") ?? []
        guard (1...inputsMost).contains(places.count) else {
            throw input.refusal("must hold from 1 to \(inputsMost) texts for Gemini")
        }
        var texts: [String] = []
        for place in places { texts.append(try text(place)) }
        return texts
    }

    private static func text(_ place: MessagesPlace) throws(TranslationRefusal) -> String {
        guard let text = place.node.text else {
            throw place.refusal("must be a string: tokens mean nothing to another provider's model")
        }
        guard !text.isEmpty else { throw place.refusal("must not be empty") }
        return text
    }

    // MARK: Answers

    /// nil where the body is not an answer to this request.
    static func answer(
        _ answer: JSONNode, to request: JSONNode, model: String
    ) -> (body: JSONNode, usage: Usage?)? {
        let asked = request["input"]?.elements?.count ?? 1
        guard let embeddings = answer["embeddings"]?.elements, embeddings.count == asked else { return nil }
        let isPacked = MessagesPlace(node: request, path: "").has("encoding_format", Format.base64.rawValue)
        var data: [JSONNode] = []
        for (index, embedding) in embeddings.enumerated() {
            guard let values = embedding["values"]?.elements,
                let vector = isPacked ? packed(values) : plain(values)
            else { return nil }
            data.append(
                .object([
                    "object": .string("embedding"), "index": .whole(Int64(index)), "embedding": vector,
                ]))
        }
        let usage = usage(answer["usageMetadata"])
        let body = JSONNode.object([
            "object": .string("list"), "data": .array(data), "model": .string(model),
            "usage": usage.map {
                .object(["prompt_tokens": .whole($0.input), "total_tokens": .whole($0.input)])
            } ?? .null,
        ])
        return (body, usage)
    }

    /// Newer models report it (API reference, "EmbeddingUsageMetadata").
    private static func usage(_ node: JSONNode?) -> Usage? {
        guard let node, node["promptTokenCount"] != nil else { return nil }
        return Usage(input: GeminiUsage.tokens(node["promptTokenCount"]))
    }

    private static func plain(_ values: [JSONNode]) -> JSONNode? {
        values.allSatisfy(\.isNumber) ? .array(values) : nil
    }

    /// Each value as IEEE 754 binary32, little-endian, all of it in base64: what OpenAI's SDKs unpack.
    private static func packed(_ values: [JSONNode]) -> JSONNode? {
        var bytes: [UInt8] = []
        bytes.reserveCapacity(values.count * 4)
        for value in values {
            guard case .number(let text) = value, let number = Float(text), number.isFinite else {
                return nil
            }
            withUnsafeBytes(of: number.bitPattern.littleEndian) { bytes.append(contentsOf: $0) }
        }
        return .string(Base64.text(of: bytes))
    }
}
