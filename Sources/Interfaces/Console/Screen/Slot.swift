/// What a piece of the screen means; a theme gives each meaning its colours and attributes.
public enum Slot: String, Sendable, Hashable, CaseIterable {
    case baseBackground = "base.bg"
    case baseRaised = "base.raised"
    case text
    case textDim = "text.dim"
    case textStrong = "text.strong"
    case title
    case rule
    case focus
    case selectBackground = "select.bg"
    case selectForeground = "select.fg"
    case key
    case keyOff = "key.off"
    case crumb
    case match
    case mark
    case statusOK = "status.ok"
    case statusWarn = "status.warn"
    case statusBad = "status.bad"
    case statusHeld = "status.held"
    case statusNew = "status.new"
    case statusUnknown = "status.unknown"
    case graph1 = "graph.1"
    case graph2 = "graph.2"
    case graph3 = "graph.3"
    case graph4 = "graph.4"
    case graphGrid = "graph.grid"
    case bannerPaused = "banner.paused"
    case bannerReadOnly = "banner.readonly"
    case bannerProd = "banner.prod"
    case dangerBackground = "danger.bg"
    case dangerForeground = "danger.fg"
    case secret
    case diffAdd = "diff.add"
    case diffDel = "diff.del"
}

/// How a cell looks: its meaning, and whether it stands in the selected row, on a raised dialog or in a danger box.
public struct Style: Sendable, Hashable {
    /// The ground a cell stands on.
    public enum Ground: Sendable, Hashable { case base, raised, selected, danger }
    public var slot: Slot
    public var ground: Ground

    public init(_ slot: Slot, on ground: Ground = .base) {
        self.slot = slot
        self.ground = ground
    }
}
