/// Writes single parts of a content.
///
/// Source: Gemini API reference, "Part", "Blob" and "FileData"; "Image understanding" for the types of images, "File
/// input methods" for links.
enum GeminiPart {
    static func text(_ text: String, signature: String? = nil) -> JSONNode {
        .object(["text": .string(text), "thoughtSignature": signature.map { .string($0) }])
    }

    static func thought(_ text: String, signature: String?) -> JSONNode {
        .object([
            "text": .string(text), "thought": .bool(true),
            "thoughtSignature": signature.map { .string($0) },
        ])
    }

    // MARK: Images

    private enum MediaType: String, CaseIterable {
        case png = "image/png"
        case jpeg = "image/jpeg"
        case webp = "image/webp"
        case heic = "image/heic"
        case heif = "image/heif"

        /// RFC 6838 names are compared without regard to case; `image/jpg` is a common misspelling.
        init?(name: String) {
            let name = name.lowercased()
            if name.utf8.elementsEqual("image/jpg".utf8) {
                self = .jpeg
            } else {
                guard let found = Self.allCases.first(where: { $0.rawValue.utf8.elementsEqual(name.utf8) })
                else { return nil }
                self = found
            }
        }

        /// By what the path of a link ends with.
        init?(link: String) {
            let path = link.utf8.prefix { $0 != UInt8(ascii: "?") && $0 != UInt8(ascii: "#") }
            guard let dot = path.lastIndex(of: UInt8(ascii: ".")) else { return nil }
            self.init(name: "image/" + (String(path[path.index(after: dot)...]) ?? ""))
        }
    }

    static func image(
        _ image: Conversation.Image, for model: GeminiModel
    ) throws(TranslationRefusal) -> JSONNode {
        switch image {
        case .inline(let mediaType, let data):
            guard let type = MediaType(name: mediaType) else {
                throw TranslationRefusal(
                    "messages",
                    "holds an image of a type that Gemini does not take: send PNG, JPEG, WebP, HEIC or HEIF")
            }
            return .object([
                "inlineData": .object(["mimeType": .string(type.rawValue), "data": .string(data)])
            ])
        case .link(let link):
            guard follows(link, model) else {
                throw TranslationRefusal(
                    "messages",
                    "names an image by a link that this model of Gemini's does not follow: use https with 2.5 or later, or send the image itself as base64"
                )
            }
            return .object([
                "fileData": .object([
                    "mimeType": MediaType(link: link).map { .string($0.rawValue) },
                    "fileUri": .string(link),
                ])
            ])
        }
    }

    private static let filesAPI = "https://generativelanguage.googleapis.com/"

    /// Files that were uploaded to Google before are read by all; other links from 2.5 on, and over TLS only.
    private static func follows(_ link: String, _ model: GeminiModel) -> Bool {
        if link.utf8.starts(with: filesAPI.utf8) { return true }
        let isSecure = String(link.prefix(8)).lowercased().utf8.elementsEqual("https://".utf8)
        return isSecure && (model.generation == .budget || model.generation == .level)
    }

    /// Whether an image may stand inside a tool result (Gemini API, "Function calling", "Multimodal function responses").
    static func fitsResult(_ image: Conversation.Image) -> Bool {
        guard case .inline(let mediaType, _) = image else { return false }
        switch MediaType(name: mediaType) {
        case .png, .jpeg, .webp: return true
        case .heic, .heif, nil: return false
        }
    }
}
