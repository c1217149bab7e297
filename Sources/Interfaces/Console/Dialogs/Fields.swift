import Operations

/// A line of text being typed: bounded, with a cursor.
struct TextField: Sendable, Hashable {
    private(set) var characters: [Character]
    private(set) var cursor: Int
    let limit: Int

    init(_ text: String = "", limit: Int = 64) {
        characters = Array(text.prefix(limit))
        cursor = characters.count
        self.limit = limit
    }

    var text: String { String(characters) }
    var isEmpty: Bool { characters.isEmpty }

    /// Whether the key was one for a text field.
    mutating func handle(_ key: Key) -> Bool {
        switch key {
        case .character(let character): insert(character)
        case .backspace, .control("h"):
            guard cursor > 0 else { break }
            cursor -= 1
            characters.remove(at: cursor)
        case .delete: if cursor < characters.count { characters.remove(at: cursor) }
        case .left: cursor = max(0, cursor - 1)
        case .right: cursor = min(characters.count, cursor + 1)
        case .home, .control("a"): cursor = 0
        case .end, .control("e"): cursor = characters.count
        case .control("u"):
            characters.removeFirst(cursor)
            cursor = 0
        default: return false
        }
        return true
    }

    mutating func insert(_ character: Character) {
        guard characters.count < limit else { return }
        characters.insert(character, at: cursor)
        cursor += 1
    }

    /// Takes the first line of a paste; control characters are left out.
    mutating func insert(_ paste: Paste) {
        let text = paste.withBytes { String(decoding: $0, as: UTF8.self) }
        for character in text {
            if character.isNewline { return }
            guard character.unicodeScalars.allSatisfy({ $0.value >= 0x20 && $0.value != 0x7f }) else {
                continue
            }
            insert(character)
        }
    }

    /// Draws `[text_____]` and sets the screen's cursor when the field has the focus.
    func draw(
        _ canvas: inout Canvas, _ column: Int, _ row: Int, width: Int, focused: Bool, on ground: Style.Ground
    ) {
        guard width > 2 else { return }
        let room = width - 2
        let first = max(0, cursor - room + 1)
        let shown = String(characters[first..<min(characters.count, first + room)])
        let style = Style(focused ? .textStrong : .text, on: ground)
        canvas.put("[", column, row, Style(focused ? .focus : .rule, on: ground))
        let used = canvas.put(shown, column + 1, row, style, width: room)
        for cell in used..<max(used, room) {
            canvas.put("_", column + 1 + cell, row, Style(.rule, on: ground))
        }
        canvas.put("]", column + width - 1, row, Style(focused ? .focus : .rule, on: ground))
        if focused { canvas.setCursor(column: column + 1 + min(room - 1, cursor - first), row: row) }
    }
}

/// One of several values, changed with left and right or by its first letter.
struct ChoiceField: Sendable, Hashable {
    let options: [String]
    private(set) var chosen: Int

    init(_ options: [String], chosen: Int = 0) {
        self.options = options
        self.chosen = options.indices.contains(chosen) ? chosen : 0
    }

    var value: String { options.isEmpty ? "" : options[chosen] }

    mutating func handle(_ key: Key) -> Bool {
        guard !options.isEmpty else { return false }
        switch key {
        case .left: chosen = (chosen + options.count - 1) % options.count
        case .right, .character(" "): chosen = (chosen + 1) % options.count
        case .character(let letter):
            let next = (1...options.count).map { (chosen + $0) % options.count }
            guard let match = next.first(where: { options[$0].first == letter }) else { return true }
            chosen = match
        default: return false
        }
        return true
    }

    func draw(
        _ canvas: inout Canvas, _ column: Int, _ row: Int, width: Int, focused: Bool, on ground: Style.Ground
    ) {
        let style = Style(focused ? .textStrong : .text, on: ground)
        let radio = options.enumerated().map { "(\($0 == chosen ? "*" : " ")) \($1)" }.joined(separator: "  ")
        if options.count <= 5, Canvas.cells(of: radio) <= width {
            canvas.put(radio, column, row, style, width: width)
        } else {
            let used = canvas.put("< \(value) >", column, row, style, width: width)
            canvas.put(
                "  \(chosen + 1) of \(options.count)", column + used, row, Style(.textDim, on: ground),
                width: width - used)
        }
        if focused { canvas.setCursor(column: column, row: row) }
    }
}

/// A secret being pasted or typed: goes straight into a draft, is shown as stars and a count.
struct SecretField: Sendable {
    let draft = SecretDraft()

    var isEmpty: Bool { draft.isEmpty }

    func handle(_ key: Key) -> Bool {
        switch key {
        case .character(let character):
            for byte in character.utf8 { draft.append(byte) }
        case .backspace, .control("h"): removeLastCharacter()
        case .control("u"): draft.wipe()
        default: return false
        }
        return true
    }

    /// Takes a paste up to its one trailing line end; one with control bytes is refused whole.
    ///
    /// The paste is wiped either way. Returns what to tell the person, when something was wrong.
    func insert(_ paste: Paste) -> String? {
        defer { paste.wipe() }
        if paste.dropped > 0 {
            return "the paste is longer than \(SecretDraft.longest) bytes; nothing was taken"
        }
        return paste.withBytes { bytes in
            var count = bytes.count
            if count > 0, bytes[count - 1] == 0x0a { count -= 1 }
            if count > 0, bytes[count - 1] == 0x0d { count -= 1 }
            let kept = bytes[..<count]
            guard kept.allSatisfy({ $0 >= 0x20 && $0 != 0x7f }) else {
                return "the paste holds line ends or control characters; nothing was taken"
            }
            guard draft.count + count <= SecretDraft.longest else {
                return "a secret has at most \(SecretDraft.longest) bytes; nothing was taken"
            }
            for byte in kept { draft.append(byte) }
            return nil
        }
    }

    /// A copy for the one who carries the command out; ours stays until the dialog closes.
    func copy() -> SecretDraft { draft.withBytes { SecretDraft(copying: $0) } }

    /// Takes the last character away, all bytes of it (RFC 3629: continuation bytes begin with 10).
    private func removeLastCharacter() {
        while let last = draft.withBytes({ $0.last }) {
            draft.removeLast()
            if last & 0xc0 != 0x80 { return }
        }
    }

    func draw(
        _ canvas: inout Canvas, _ column: Int, _ row: Int, width: Int, focused: Bool, on ground: Style.Ground
    ) {
        guard width > 2 else { return }
        let room = width - 2
        let stars = min(draft.count, room)
        let edge = Style(focused ? .focus : .rule, on: ground)
        canvas.put("[", column, row, edge)
        for cell in 0..<room {
            canvas.put(
                cell < stars ? "*" : "_", column + 1 + cell, row,
                Style(cell < stars ? .secret : .rule, on: ground))
        }
        canvas.put("]", column + width - 1, row, edge)
        if focused { canvas.setCursor(column: column + 1 + min(room - 1, stars), row: row) }
    }
}
