/// Reads the candidate that was asked for, part by part.
///
/// Source: Gemini API reference, "Candidate" and "Part".
enum GeminiCandidate {
    /// No more than one is ever asked for.
    static func first(of answer: JSONNode) -> JSONNode? {
        answer["candidates"]?.elements?.first { ($0["index"]?.whole ?? 0) == 0 }
    }

    static func parts(of candidate: JSONNode) -> [JSONNode] { candidate["content"]?["parts"]?.elements ?? [] }
}

/// A part of an answer that other formats know too.
enum GeminiAnswerPart {
    case text(String, signature: String)
    case thought(String, signature: String)
    case call(GeminiCall)
    /// What the gateway never asks for: images, the provider's own tools.
    case other

    /// nil for a part whose kind is known and whose content is not.
    init?(_ node: JSONNode) {
        guard node.members != nil else { return nil }
        let signature = node["thoughtSignature"]?.text ?? ""
        if let call = node["functionCall"] {
            guard let call = GeminiCall(call, signature: signature) else { return nil }
            self = .call(call)
        } else if let text = node["text"] {
            guard let text = text.text else { return nil }
            self =
                node["thought"]?.flag == true
                ? .thought(text, signature: signature) : .text(text, signature: signature)
        } else if node.members?.allSatisfy({ Self.says(nothing: $0.name) }) == true {
            // A signature may come alone.
            self = .text("", signature: signature)
        } else {
            self = .other
        }
    }

    private static func says(nothing name: String) -> Bool {
        name.utf8.elementsEqual("thoughtSignature".utf8) || name.utf8.elementsEqual("thought".utf8)
    }
}

/// A tool call of an answer: it comes whole, also in streams, and older models give it no id.
struct GeminiCall {
    let id: String?
    let name: String
    /// A JSON object as text.
    let arguments: String
    let signature: OpaqueToken?

    init?(_ node: JSONNode, signature: String) {
        guard let name = node["name"]?.text, !name.isEmpty else { return nil }
        if let arguments = node["args"], arguments.members == nil { return nil }
        self.name = name
        id = node["id"]?.text.flatMap { $0.isEmpty ? nil : $0 }
        arguments = node["args"]?.json ?? "{}"
        self.signature = signature.isEmpty ? nil : OpaqueToken(signature, of: .geminiContents)
    }

    /// What the call is called: its own id, or one that the same answer gives it each time and no other answer. Every
    /// format takes these characters and this length.
    func id(_ index: Int, of answer: String) -> String {
        if let id { return id }
        var hash = FNV()
        // An answer's own id tells it from all others; without one, what the call holds must do.
        for text in answer.isEmpty ? [name, arguments, signature?.text ?? ""] : [answer] { hash.take(text) }
        return "gemini_\(hash.text)_\(index)"
    }
}

/// FNV-1a with 64 bits (RFC 9923, section 5): names must not depend on the process, as Swift's hashes do.
private struct FNV {
    private var value: UInt64 = 0xcbf2_9ce4_8422_2325

    mutating func take(_ text: String) {
        for byte in text.utf8 { mix(byte) }
        // Apart from what comes next.
        mix(0)
    }

    private mutating func mix(_ byte: UInt8) { value = (value ^ UInt64(byte)) &* 0x100_0000_01b3 }

    var text: String { String(value, radix: 36) }
}
