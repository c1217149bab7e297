/// A place in a caller's request of Anthropic's messages: what stands there, and its path for refusals.
struct MessagesPlace {
    let node: JSONNode
    /// Such as `messages[2].content[0]`; empty for the request itself.
    let path: String

    func path(to name: String) -> String { path.isEmpty ? name : "\(path).\(name)" }

    func refusal(_ problem: String) -> TranslationRefusal { TranslationRefusal(path, problem) }

    func refusal(of name: String, _ problem: String) -> TranslationRefusal {
        TranslationRefusal(path(to: name), problem)
    }

    /// Refuses members that are not among these; a null is as good as no member.
    func allow(_ names: [String]) throws(TranslationRefusal) {
        guard let members = node.members else { throw refusal("must be an object") }
        for member in members where member.value != .null && !Self.contains(names, member.name) {
            throw refusal(of: member.name, "cannot be translated for this model's provider: leave it out")
        }
    }

    /// The place of a member; nil where it is missing or null.
    subscript(name: String) -> MessagesPlace? {
        node[name].map { MessagesPlace(node: $0, path: path(to: name)) }
    }

    func text(_ name: String) throws(TranslationRefusal) -> String? {
        guard let place = self[name] else { return nil }
        return try place.wholeText()
    }

    func wholeText() throws(TranslationRefusal) -> String {
        guard let text = node.text else { throw refusal("must be a string") }
        return text
    }

    func neededText(_ name: String) throws(TranslationRefusal) -> String {
        guard node.members != nil else { throw refusal("must be an object") }
        guard let text = try text(name) else { throw refusal(of: name, "is required: a string") }
        return text
    }

    func flag(_ name: String) throws(TranslationRefusal) -> Bool? {
        guard let place = self[name] else { return nil }
        guard let flag = place.node.flag else { throw place.refusal("must be true or false") }
        return flag
    }

    /// A number in the caller's spelling.
    func number(_ name: String) throws(TranslationRefusal) -> String? {
        guard let place = self[name] else { return nil }
        guard case .number(let number) = place.node else { throw place.refusal("must be a number") }
        return number
    }

    func count(_ name: String) throws(TranslationRefusal) -> Int64? {
        guard let place = self[name] else { return nil }
        guard let count = place.node.whole, count >= 1 else {
            throw place.refusal("must be a whole number from 1 on")
        }
        return count
    }

    func object(_ name: String) throws(TranslationRefusal) -> JSONNode? {
        guard let place = self[name] else { return nil }
        guard place.node.members != nil else { throw place.refusal("must be an object") }
        return place.node
    }

    /// The places of an array's elements; nil where the member is missing or null.
    func elements(_ name: String) throws(TranslationRefusal) -> [MessagesPlace]? {
        guard let place = self[name] else { return nil }
        guard let elements = place.node.elements else { throw place.refusal("must be an array") }
        return elements.enumerated().map { index, node in
            MessagesPlace(node: node, path: "\(place.path)[\(index)]")
        }
    }

    /// Whether a member is this text.
    func has(_ name: String, _ text: String) -> Bool {
        node[name]?.text?.utf8.elementsEqual(text.utf8) ?? false
    }

    /// Which of the known words a needed member is, compared byte for byte; nil for another one.
    func word<Word: RawRepresentable & CaseIterable>(
        _ name: String, of words: Word.Type
    ) throws(TranslationRefusal) -> Word? where Word.RawValue == String {
        let text = try neededText(name)
        return words.allCases.first { $0.rawValue.utf8.elementsEqual(text.utf8) }
    }

    private static func contains(_ names: [String], _ name: String) -> Bool {
        names.contains { $0.utf8.elementsEqual(name.utf8) }
    }
}
