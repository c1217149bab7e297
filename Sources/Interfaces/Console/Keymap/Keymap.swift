/// The one table of keys: hints, help and palette are made from it.
enum Keymap {
    /// Where a binding stands in the help.
    enum Group: String, Sendable, CaseIterable {
        case move = "MOVE", see = "SEE", act = "ACT", anywhere = "ANYWHERE"
    }

    /// How much a command can do.
    enum Danger: Sendable {
        case none
        /// Changes something; goes through a dialog.
        case change
        /// Goes through a dialog that asks for a typed word.
        case typed
    }

    /// A key, what it does, and in which words it is told.
    struct Binding: Sendable {
        let keys: [Key]
        let command: CommandID
        /// For the hint row.
        let words: String
        let group: Group
        let danger: Danger
        /// nil = every pane.
        let panes: Set<PaneID>?
        /// The pane's table it belongs to; nil = any.
        let region: Int?
        /// Whether the hint row has it.
        let hinted: Bool
        /// How hints and help write the key; nil leaves the binding out of them.
        let sign: String?

        init(
            _ keys: [Key], _ command: CommandID, _ words: String, _ group: Group, danger: Danger = .none,
            panes: Set<PaneID>? = nil, region: Int? = nil, hinted: Bool = false, sign: String? = nil
        ) {
            self.keys = keys
            self.command = command
            self.words = words
            self.group = group
            self.danger = danger
            self.panes = panes
            self.region = region
            self.hinted = hinted
            self.sign = sign
        }

        func applies(in pane: PaneID, region: Int) -> Bool {
            (panes?.contains(pane) ?? true) && (self.region.map { $0 == region } ?? true)
        }
    }

    static let bindings: [Binding] = moving + seeing + acting + anywhere

    private static let moving: [Binding] = [
        .init([.character("j"), .down], .down, "down", .move, sign: "j"),
        .init([.character("k"), .up], .up, "up", .move, sign: "k"),
        .init(
            [.character("g")], .top, "top", .move, panes: Set(PaneID.allCases).subtracting([.costs]),
            sign: "g"),
        .init([.home], .top, "top", .move),
        .init([.character("G"), .end], .bottom, "bottom", .move, sign: "G"),
        .init([.control("d")], .halfDown, "half page down", .move, sign: "^d"),
        .init([.control("u")], .halfUp, "half page up", .move, sign: "^u"),
        .init([.pageDown, .control("f")], .pageDown, "page down", .move, sign: "^f"),
        .init([.pageUp, .control("b")], .pageUp, "page up", .move, sign: "^b"),
        .init([.character("h"), .left], .left, "columns left", .move, sign: "h"),
        .init([.character("l"), .right], .right, "columns right", .move, sign: "l"),
        .init([.tab], .nextRegion, "next region", .move, sign: "tab"),
        .init([.backTab], .previousRegion, "region before", .move, sign: "S-tab"),
    ]

    private static let seeing: [Binding] = [
        .init([.enter], .enter, "open", .see, hinted: true, sign: "enter"),
        .init([.escape], .back, "back", .see, sign: "esc"),
        .init([.character("/")], .filter, "filter", .see, hinted: true, sign: "/"),
        .init([.character("s")], .sort, "sort", .see, sign: "s"),
        .init([.character("S")], .reverse, "reverse", .see, sign: "S"),
        .init([.character(" ")], .pause, "pause", .see, hinted: true, sign: "space"),
        .init([.character("n")], .nextError, "next error", .see, panes: [.traffic], hinted: true, sign: "n"),
        .init([.character("N")], .previousError, "error before", .see, panes: [.traffic], sign: "N"),
        .init([.character("g")], .group, "group by", .see, panes: [.costs], hinted: true, sign: "g"),
        .init(
            [.character("w")], .route, "route", .see, panes: [.tenants], region: 1, hinted: true,
            sign: "w"),
        .init([.character("w")], .route, "route", .see, panes: [.traffic], hinted: true, sign: "w"),
        .init([.character("y")], .copy, "copy id", .see, sign: "y"),
    ]

    private static let acting: [Binding] = [
        .init(
            [.character("T")], .trip, "trip", .act, danger: .typed, panes: [.providers], hinted: true,
            sign: "T"),
        .init(
            [.character("C")], .close, "close", .act, danger: .typed, panes: [.providers], hinted: true,
            sign: "C"),
        .init(
            [.character("H")], .hold, "hold", .act, danger: .typed, panes: [.providers], hinted: true,
            sign: "H"),
        .init(
            [.character("R")], .release, "release", .act, danger: .change, panes: [.providers], hinted: true,
            sign: "R"),
        .init(
            [.character("v")], .testProvider, "test", .act, danger: .change, panes: [.providers],
            hinted: true,
            sign: "v"),
        .init(
            [.character("n")], .addKey, "add key", .act, danger: .change, panes: [.keys], region: 0,
            hinted: true,
            sign: "n"),
        .init(
            [.character("r")], .rotateKey, "rotate", .act, danger: .change, panes: [.keys], region: 0,
            hinted: true, sign: "r"),
        .init(
            [.character("d")], .drainKey, "drain", .act, danger: .typed, panes: [.keys], region: 0,
            hinted: true,
            sign: "d"),
        .init(
            [.character("x")], .revokeKey, "revoke", .act, danger: .typed, panes: [.keys], region: 0,
            hinted: true, sign: "x"),
        .init(
            [.character("v")], .verifyKey, "verify", .act, danger: .change, panes: [.keys], region: 0,
            hinted: true, sign: "v"),
        .init(
            [.character("n")], .issueToken, "issue", .act, danger: .change, panes: [.keys],
            region: 1, hinted: true, sign: "n"),
        .init(
            [.character("r")], .rotateToken, "rotate", .act, danger: .change, panes: [.keys], region: 1,
            hinted: true, sign: "r"),
        .init(
            [.character("x")], .revokeToken, "revoke", .act, danger: .typed, panes: [.keys], region: 1,
            hinted: true, sign: "x"),
        .init(
            [.character("n")], .addTenant, "add", .act, danger: .change, panes: [.tenants], hinted: true,
            sign: "n"),
        .init(
            [.character("P")], .suspendTenant, "suspend, resume", .act, danger: .typed, panes: [.tenants],
            hinted: true, sign: "P"),
        .init(
            [.character("X")], .purgeCache, "purge cache", .act, danger: .typed, panes: [.tenants],
            hinted: true,
            sign: "X"),
        .init(
            [.character("D")], .drill, "drill", .act, danger: .typed, panes: [.tenants],
            hinted: true, sign: "D"),
        .init(
            [.character("X"), .character("x"), .character("p")], .purgeCache, "purge", .act, danger: .typed,
            panes: [.cache], hinted: true, sign: "X"),
        .init(
            [.character("T")], .trafficThen, "traffic then", .act, panes: [.audit], hinted: true, sign: "T"),
        .init(
            [.character("a")], .filterActor, "actor", .see, panes: [.audit], hinted: true, sign: "a"),
        .init(
            [.character("e")], .exportAudit, "export", .act, danger: .change, panes: [.audit], hinted: true,
            sign: "e"),
        .init([.character("v")], .verifyAudit, "verify", .act, panes: [.audit], hinted: true, sign: "v"),
        .init([.character("u")], .undo, "undo", .act, danger: .change, hinted: true, sign: "u"),
    ]

    private static let anywhere: [Binding] =
        PaneID.allCases.map { pane in
            .init(
                [.character(Character("\(pane.rawValue)"))], .go(pane), pane.title, .anywhere,
                sign: "\(pane.rawValue)")
        } + [
            .init([.character(":")], .palette, "command", .anywhere, hinted: true, sign: ":"),
            .init([.character("?")], .help, "help", .anywhere, hinted: true, sign: "?"),
            .init([.character("~")], .theme, "theme", .anywhere, sign: "~"),
            .init([.character("m")], .mouse, "mouse on, off", .anywhere, sign: "m"),
            .init([.control("l")], .redraw, "redraw", .anywhere, sign: "^l"),
            .init([.character("q"), .control("c")], .quit, "quit", .anywhere, hinted: true, sign: "q"),
        ]

    /// What a key does in a pane.
    static func binding(for key: Key, in pane: PaneID, region: Int) -> Binding? {
        bindings.first { $0.keys.contains(key) && $0.applies(in: pane, region: region) }
    }

    /// All that can be pressed in a pane, in the order of the table.
    static func bindings(in pane: PaneID, region: Int) -> [Binding] {
        bindings.filter { $0.applies(in: pane, region: region) }
    }
}
