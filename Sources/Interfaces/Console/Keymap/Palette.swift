import Domain
import Operations

/// What a palette line does.
struct PaletteAction: Sendable {
    enum Deed: Sendable {
        case command(CommandID)
        case open(RowID)
        /// Goes to a row, then does what the key there would do.
        case on(RowID, CommandID)
        case theme(String)
        case addTenant(String)
        case purgeEvery
        case lockVault
        case route(RouteWords)
        case weight(WeightWords)
        case reload
    }
    let text: String
    let deed: Deed
}

/// All that can be typed after `:`, made from the keymap and from what there is.
enum Palette {
    /// One thing to run.
    struct Line: Sendable {
        let text: String
        let words: String
        let deed: PaletteAction.Deed
        /// Why it cannot be run now.
        let off: String?

        /// A role that is missing comes before any other reason: waiting does not help.
        func checked(_ model: ConsoleModel) -> Line {
            guard !model.isReadOnly, let missing = model.missingRole(for: deed.operation) else { return self }
            return Line(text: text, words: words, deed: deed, off: missing)
        }
    }

    /// Objects of one kind that are offered at most.
    private static let mostObjects = 1_000
    /// Tenants whose models are offered for `route`, and models of each.
    private static let mostRoutes = 100
    private static let mostModels = 5

    /// The lines that fit what was typed, the best first.
    static func matching(_ typed: String, _ model: ConsoleModel) -> [Line] {
        let needle = Array(typed.utf8.map { ($0 >= 0x41 && $0 <= 0x5a) ? $0 | 0x20 : $0 })
        let ranked = lines(typed, model).map { $0.checked(model) }.compactMap { line in
            rank(line.text, needle).map { ($0, line) }
        }
        return ranked.enumerated().sorted { ($0.element.0, $0.offset) < ($1.element.0, $1.offset) }
            .map(\.element.1)
    }

    /// 0 begins with it, 1 holds every word of it, 2 holds its letters in order; nil does not fit.
    private static func rank(_ text: String, _ needle: [UInt8]) -> Int? {
        if needle.isEmpty || Filter.begins(text, with: needle) { return 0 }
        let words = needle.split(separator: UInt8(ascii: " ")).map(Array.init)
        if words.allSatisfy({ Filter.contains(text, $0) }) { return 1 }
        var rest = needle[...]
        for byte in text.utf8 where byte | 0x20 == (rest.first ?? 0) | 0x20 { rest = rest.dropFirst() }
        return rest.isEmpty ? 2 : nil
    }

    private static func lines(_ typed: String, _ model: ConsoleModel) -> [Line] {
        let live = model.live
        let off = model.isReadOnly ? "read-only" : (model.pending == nil ? nil : "a command is running")
        var out = PaneID.allCases.map {
            Line(text: $0.word, words: "pane \($0.rawValue)", deed: .command(.go($0)), off: nil)
        }
        out += [
            Line(text: "pause", words: "stop or follow the screen", deed: .command(.pause), off: nil),
            Line(text: "help", words: "keys of this pane", deed: .command(.help), off: nil),
            Line(text: "redraw", words: "draw all again", deed: .command(.redraw), off: nil),
            Line(text: "quit", words: "leave the console", deed: .command(.quit), off: nil),
            Line(text: "key add", words: "seal a provider key", deed: .command(.addKey), off: off),
            Line(text: "token issue", words: "make a virtual key", deed: .command(.issueToken), off: off),
            Line(
                text: "audit verify", words: "walk the whole chain", deed: .command(.verifyAudit), off: nil),
            Line(
                text: "audit export", words: "into a file, asks where", deed: .command(.exportAudit), off: off
            ),
            Line(text: "reload", words: "read the configuration again", deed: .reload, off: off),
            Line(text: "purge *", words: "every tenant's cache, asks", deed: .purgeEvery, off: off),
        ]
        if !live.vault.unlocked {
            out.append(Line(text: "unlock", words: "open the vault", deed: .command(.unlock), off: off))
        } else {
            out.append(Line(text: "vault lock", words: "forget every key, asks", deed: .lockVault, off: off))
        }
        out.append(tenantAdd(typed, off))
        out += asked(typed)
        out += model.themes.map { Line(text: "theme \($0)", words: "colours", deed: .theme($0), off: nil) }
        for target in live.targets.prefix(mostObjects) { out += lines(target, off) }
        for tenant in live.tenants.prefix(mostObjects) {
            out += lines(tenant, model.drill(of: tenant.name), off)
        }
        for key in live.providerKeys.prefix(mostObjects) { out += lines(key, off) }
        for tenant in live.tenants.prefix(mostRoutes) { out += routes(tenant) }
        return out
    }

    /// `tenant add NAME` takes the name as it is typed.
    private static func tenantAdd(_ typed: String, _ off: String?) -> Line {
        let verb = "tenant add "
        let name = typed.hasPrefix(verb) ? String(typed.dropFirst(verb.count)) : ""
        return Line(
            text: name.isEmpty ? "tenant add NAME" : verb + name, words: "asks for limits",
            deed: .addTenant(name),
            off: off)
    }

    /// `route MODEL TENANT` and `weight MODEL TARGET NUMBER` take names as they are typed.
    private static func asked(_ typed: String) -> [Line] {
        var out: [Line] = []
        if let route = RouteWords(typed) {
            out.append(
                Line(text: typed, words: "candidates in order, and why", deed: .route(route), off: nil))
        } else {
            out.append(
                Line(
                    text: "route MODEL TENANT", words: "candidates in order, and why",
                    deed: .command(.palette),
                    off: "type both names"))
        }
        if let weight = WeightWords(typed) {
            out.append(Line(text: typed, words: "what it would do", deed: .weight(weight), off: nil))
        } else {
            out.append(
                Line(
                    text: "weight MODEL PROVIDER/MODEL N", words: "what it would do",
                    deed: .command(.palette),
                    off: "type all three"))
        }
        return out
    }

    private static func routes(_ tenant: TenantView) -> [Line] {
        tenant.models.prefix(mostModels).compactMap { line in
            let text = "route \(line.model) \(tenant.name)"
            return RouteWords(text).map {
                Line(text: text, words: "candidates in order, and why", deed: .route($0), off: nil)
            }
        }
    }

    private static func lines(_ view: TargetView, _ off: String?) -> [Line] {
        let (name, row) = (view.target.description, RowID.target(view.target))
        let release = view.hold == nil ? "no hold on it" : nil
        return [
            Line(text: "open \(name)", words: "breaker \(view.position.word)", deed: .open(row), off: nil),
            Line(text: "trip \(name)", words: "asks to confirm", deed: .on(row, .trip), off: off),
            Line(text: "close \(name)", words: "asks to confirm", deed: .on(row, .close), off: off),
            Line(text: "hold \(name)", words: "asks to confirm", deed: .on(row, .hold), off: off),
            Line(
                text: "release \(name)", words: "asks for a reason", deed: .on(row, .release),
                off: off ?? release),
        ]
    }

    private static func lines(_ key: ProviderKeyView, _ off: String?) -> [Line] {
        let (name, row) = ("key \(key.provider)/\(key.label)", RowID.providerKey(key.id))
        let verbs: [(String, CommandID, String)] = [
            ("verify", .verifyKey, "one free call"), ("rotate", .rotateKey, "asks for the successor"),
            ("drain", .drainKey, "asks to confirm"), ("revoke", .revokeKey, "asks to confirm"),
        ]
        let open = Line(text: "open \(name)", words: "of \(key.tenant)", deed: .open(row), off: nil)
        return [open]
            + verbs.map { verb, command, words in
                Line(
                    text: "\(verb) \(name)", words: "of \(key.tenant), \(words)", deed: .on(row, command),
                    off: off)
            }
    }

    private static func lines(_ view: TenantView, _ drill: DrillView?, _ off: String?) -> [Line] {
        let (name, row) = (view.name.text, RowID.tenant(view.id))
        let turn = view.status == .suspended ? "resume" : "suspend"
        return [
            Line(text: "open tenant \(name)", words: "go to tenant", deed: .open(row), off: nil),
            Line(text: "\(turn) \(name)", words: "asks to confirm", deed: .on(row, .suspendTenant), off: off),
            Line(
                text: drill == nil ? "drill \(name)" : "drill stop \(name)",
                words: drill == nil ? "made faults, asks to confirm" : "asks for a reason",
                deed: .on(row, .drill), off: off),
            Line(
                text: "purge \(name)", words: "its cache, asks to confirm", deed: .on(row, .purgeCache),
                off: off),
        ]
    }
}

extension ConsoleModel {
    /// Does what a palette line says; dangerous ones end in the same dialog that their key opens.
    mutating func obey(_ action: PaletteAction) -> [ConsoleEffect] {
        history.append(action.text)
        if history.count > 50 { history.removeFirst() }
        switch action.deed {
        case .command(let command): return obey(command)
        case .open(let row): open(row)
        case .on(let row, let command):
            // The line was made of the live picture, and the command acts on the row under the cursor.
            resume()
            open(row)
            guard stands(on: row) else {
                tell("\(action.text): it is gone", .warning)
                return []
            }
            return obey(command)
        case .theme(let name): return [.selectTheme(name)]
        case .addTenant(let name): open(AddTenantDialog(name))
        case .purgeEvery: open(PurgeCacheDialog(nil, self))
        case .lockVault: open(LockDialog(live.vault))
        case .route(let words): open(RouteDialog(words.model, words.tenant))
        case .weight(let words): open(WeightDialog(words.model, words.target, words.weight))
        case .reload: return [give(.configReload, words: "reading the configuration", byDialog: false)]
        }
        return []
    }

    private mutating func obey(_ command: CommandID) -> [ConsoleEffect] {
        let danger = Keymap.bindings.first { $0.command == command }?.danger ?? .none
        if let reason = Keymap.reason(command, danger: danger, self) {
            tell(reason, .warning)
            return []
        }
        return run(command)
    }
}
