import Operations

/// The content that most dialogs share: facts, fields, a note, and two buttons of which Cancel comes first.
struct Form: Sendable {
    /// A fact: a label and a sentence, or a heading when the label is empty.
    struct Fact: Sendable, Hashable {
        let label: String
        let text: String
        let slot: Slot
        init(_ label: String, _ text: String, _ slot: Slot = .text) {
            self.label = label
            self.text = text
            self.slot = slot
        }
    }

    /// One thing to fill in.
    struct Field: Sendable {
        enum Kind: Sendable {
            case text(TextField)
            case choice(ChoiceField)
            case secret(SecretField)
            /// Must be typed as shown before the action can be taken.
            case word(TextField, expected: String)
        }
        let label: String
        var kind: Kind
        /// Stands after the field.
        let hint: String

        init(_ label: String, _ kind: Kind, hint: String = "") {
            self.label = label
            self.kind = kind
            self.hint = hint
        }
    }

    /// Where the keys go.
    enum Focus: Hashable, Sendable { case field(Int), cancel, action }

    /// What a key did.
    enum Answer: Sendable { case stay, cancel, act }

    var facts: [Fact]
    var fields: [Field]
    /// The word on the button that does it.
    var action: String
    var focus: Focus
    /// What went wrong, or what is going on.
    var note: String?
    var isWaiting = false
    /// How many lines above the ones with the focus are asked for.
    var lifted = 0

    init(facts: [Fact] = [], fields: [Field] = [], action: String, note: String? = nil) {
        self.facts = facts
        self.fields = fields
        self.action = action
        self.note = note
        focus = fields.isEmpty ? .cancel : .field(0)
    }

    func text(_ index: Int) -> String {
        guard fields.indices.contains(index) else { return "" }
        return switch fields[index].kind {
        case .text(let field), .word(let field, _): field.text
        case .choice(let field): field.value
        case .secret: ""
        }
    }

    func choice(_ index: Int) -> Int {
        guard fields.indices.contains(index), case .choice(let field) = fields[index].kind else { return 0 }
        return field.chosen
    }

    var secret: SecretField? {
        for field in fields { if case .secret(let secret) = field.kind { return secret } }
        return nil
    }

    var takesPaste: Bool {
        guard case .field(let index) = focus, fields.indices.contains(index) else { return false }
        if case .choice = fields[index].kind { return false }
        return !isWaiting
    }

    /// The words that were not typed as shown; compared as bytes.
    var missingWord: String? {
        for field in fields {
            if case .word(let typed, let expected) = field.kind,
                !typed.text.utf8.elementsEqual(expected.utf8)
            {
                return "type \(expected) first"
            }
        }
        return nil
    }

    func wipe() { secret?.draft.wipe() }

    /// Takes an input; `missing` says why the action cannot be taken yet.
    mutating func handle(_ input: Input, missing: String?) -> Answer {
        switch input {
        case .key(.escape): return .cancel
        case .key(.pageUp):
            lifted = min(40, lifted + 4)
            return .stay
        case .key(.pageDown):
            lifted = max(0, lifted - 4)
            return .stay
        case .key(let key): return isWaiting ? .stay : handle(key, missing: missing)
        case .paste(let paste):
            take(paste)
            return .stay
        default: return .stay
        }
    }

    private mutating func take(_ paste: Paste) {
        guard case .field(let index) = focus, takesPaste else { return paste.wipe() }
        switch fields[index].kind {
        case .text(var field):
            field.insert(paste)
            fields[index].kind = .text(field)
        case .word(var field, let expected):
            field.insert(paste)
            fields[index].kind = .word(field, expected: expected)
        case .secret(let field): note = field.insert(paste)
        case .choice: break
        }
        paste.wipe()
    }

    private mutating func handle(_ key: Key, missing: String?) -> Answer {
        lifted = 0
        if case .field(let index) = focus, give(key, to: index) {
            note = nil
            return .stay
        }
        switch key {
        case .tab, .down: move(1)
        case .backTab, .up: move(-1)
        case .left, .right: focus = focus == .cancel ? .action : .cancel
        case .enter: return enter(missing: missing)
        default: break
        }
        return .stay
    }

    private mutating func give(_ key: Key, to index: Int) -> Bool {
        switch fields[index].kind {
        case .text(var field):
            guard field.handle(key) else { return false }
            fields[index].kind = .text(field)
        case .word(var field, let expected):
            guard field.handle(key) else { return false }
            fields[index].kind = .word(field, expected: expected)
        case .choice(var field):
            guard field.handle(key) else { return false }
            fields[index].kind = .choice(field)
        case .secret(let field): return field.handle(key)
        }
        return true
    }

    /// Enter acts from the last field once all is filled in, and from the button; elsewhere it goes on.
    private mutating func enter(missing: String?) -> Answer {
        switch focus {
        case .cancel: return .cancel
        case .field(let index) where index < fields.count - 1:
            move(1)
            return .stay
        case .field, .action:
            if let missing {
                note = missing
                return .stay
            }
            return .act
        }
    }

    private mutating func move(_ step: Int) {
        let stops = fields.indices.map(Focus.field) + [.cancel, .action]
        let here = stops.firstIndex(of: focus) ?? 0
        focus = stops[(here + step + stops.count) % stops.count]
    }
}
