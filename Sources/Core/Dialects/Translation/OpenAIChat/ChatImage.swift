/// Reads and writes the links by which chat completions name images: `https:` and `http:`, or `data:` (RFC 2397) with
/// the image itself in base64.
enum ChatImage {
    /// nil for any other link.
    static func read(_ link: String) -> Conversation.Image? {
        if begins(link.utf8, with: "https://") || begins(link.utf8, with: "http://") { return .link(link) }
        guard begins(link.utf8, with: "data:image/"), let comma = link.utf8.firstIndex(of: UInt8(ascii: ","))
        else { return nil }
        let head = link.utf8[..<comma].dropFirst("data:".utf8.count).map { lowered($0) }
        let data = link.utf8[link.utf8.index(after: comma)...]
        let type = head.prefix { $0 != UInt8(ascii: ";") }
        guard head.suffix(mark.utf8.count).elementsEqual(mark.utf8), !data.isEmpty else { return nil }
        return .inline(
            mediaType: String(decoding: type, as: UTF8.self), data: String(decoding: data, as: UTF8.self))
    }

    static func write(_ image: Conversation.Image) -> String {
        switch image {
        case .link(let link): link
        case .inline(let mediaType, let data): "data:\(mediaType)\(mark),\(data)"
        }
    }

    private static let mark = ";base64"

    private static func begins(_ bytes: String.UTF8View, with start: String) -> Bool {
        bytes.lazy.map { lowered($0) }.starts(with: start.utf8)
    }
}
