public import Domain
import Operations

/// All the console knows: a value that inputs change and a view draws.
///
/// Holds no secret but what a dialog's draft holds while it is open. Every list in it is bounded.
public struct ConsoleModel: Sendable {
    /// How many finished calls Traffic remembers.
    public static let callsKept = 2_000
    /// How long destructive keys rest after an escape sequence nobody knows: a terminal's late reply comes in one
    /// burst, and 150 ms is longer than any burst and shorter than a deliberate key press.
    public static let restAfterUnknown: Duration = .milliseconds(150)

    public let operatorName: String
    public internal(set) var width: Int
    public internal(set) var height: Int
    public internal(set) var ascii: Bool
    public internal(set) var theme: String
    public internal(set) var pane: PaneID = .overview
    /// What is shown is read-only: the console was started so, or the engine says so.
    public var isReadOnly: Bool { startedReadOnly || live.readOnly }
    public var isPaused: Bool { paused != nil }

    let startedReadOnly: Bool
    var themes: [String]
    var live: EngineSnapshot
    var liveNames: NameBook
    var calls = CallRing(capacity: callsKept)
    var paused: PausedView?
    var wall: WallTime
    var now: Instant
    var hasSnapshot = false

    var states: [PaneID: PaneState] = [:]
    /// Panes to go back to, the newest last; at most 16.
    var trail: [PaneID] = []
    /// Whether keys go to the filter line.
    var isFiltering = false
    var dialogs: [any Dialog] = []
    var flash: Flash?
    var undo: UndoOffer?
    var pending: PendingCommand?
    var nextCommand = 1
    var asked: AskedQuestion?
    var nextQuestion = 1
    var restsUntil: Instant?
    var lostEvents: UInt64 = 0
    var mouseCaptured = true
    var offeredUnlock = false
    /// Palette lines that were run, the newest last; at most 50.
    var history: [String] = []

    /// - Parameters:
    ///   - operatorName: who the audit will name.
    ///   - readOnly: whether keys that change something are off.
    public init(
        operatorName: String, width: Int = 80, height: Int = 24, theme: String = "", themes: [String] = [],
        ascii: Bool = false, readOnly: Bool = false, wall: WallTime = WallTime(milliseconds: 0),
        now: Instant = Instant(nanoseconds: 0)
    ) {
        self.operatorName = operatorName
        self.width = width
        self.height = height
        self.theme = theme
        self.themes = themes
        self.ascii = ascii
        startedReadOnly = readOnly
        live = EngineSnapshot()
        liveNames = NameBook()
        self.wall = wall
        self.now = now
    }

    /// The picture on the screen: the newest, or the one it was paused at.
    var shown: EngineSnapshot { paused?.snapshot ?? live }
    var shownCalls: CallRing { paused?.calls ?? calls }
    var names: NameBook { paused?.names ?? liveNames }
    /// The time of what is on the screen.
    var shownTime: WallTime { paused?.at ?? wall }
    /// Calls that finished since the pause.
    var newer: UInt64 { paused.map { calls.seen - $0.calls.seen } ?? 0 }

    /// Too small for graphs and for dialogs beside the pane.
    var isSmall: Bool { width < 60 || height < 16 }

    var state: PaneState {
        get { states[pane] ?? PaneState() }
        set { states[pane] = newValue }
    }

    func region(_ key: Int, of pane: PaneID) -> PaneState.Region {
        states[pane]?.regions[key] ?? PaneState.Region()
    }
}
