import Operations

/// Something drawn over a pane that takes the keys while it is open.
protocol Dialog: Sendable {
    var title: String { get }
    var ground: Style.Ground { get }
    /// Whether a paste belongs to it now.
    var takesPaste: Bool { get }
    mutating func handle(_ input: Input, _ model: ConsoleModel) -> DialogStep
    /// How the command ended that it gave.
    mutating func finished(
        _ result: Result<CommandOutcome, CommandRefusal>, _ model: ConsoleModel
    ) -> DialogStep
    /// What it wants to know of the engine while it is open.
    var question: EngineQuery? { get }
    mutating func answered(_ result: Result<EngineAnswer, CommandRefusal>)
    /// The size its content would like, borders apart, when the screen has so many columns.
    func size(_ model: ConsoleModel, width: Int) -> (width: Int, height: Int)
    func draw(_ model: ConsoleModel, _ canvas: inout Canvas, in area: Area)
    /// Wipes what it holds of a secret; it is about to go.
    func wipe()
}

/// What a dialog wants after an input.
enum DialogStep: Sendable {
    case stay
    case close
    /// Carry out a command; the dialog stays until it has ended. The secret is a copy for the runner.
    case perform(EngineCommand, secret: SecretDraft?, words: String)
    /// Close, then open another.
    case replace(any Dialog)
    /// Close, then do what a key would do.
    case run(CommandID)
    /// Close, then do what a palette line says.
    case obey(PaletteAction)
    case copy(String)
    case quit
}

extension Dialog {
    var ground: Style.Ground { .raised }
    var takesPaste: Bool { false }
    mutating func finished(
        _ result: Result<CommandOutcome, CommandRefusal>, _ model: ConsoleModel
    ) -> DialogStep {
        .close
    }
    var question: EngineQuery? { nil }
    mutating func answered(_ result: Result<EngineAnswer, CommandRefusal>) {}
    func wipe() {}
}
