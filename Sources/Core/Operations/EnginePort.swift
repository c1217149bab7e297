package import Events

/// The operator's only door to the engine: see, follow, act.
///
/// The console, the command line and the socket between them use this and nothing else.
package protocol EnginePort: Sendable {
    /// The newest picture: immutable, cheap, always answers.
    func snapshot() -> EngineSnapshot
    /// A bounded feed of events from now on; it says how many it lost.
    func feed(depth: Int) -> EventFeed
    /// Carries out a command. In force before the next call is routed once this returns.
    func perform(
        _ command: EngineCommand, secret: SecretDraft?, by who: OperatorID
    ) async throws(CommandRefusal)
        -> CommandOutcome
    func ask(_ query: EngineQuery) async throws(CommandRefusal) -> EngineAnswer
}

/// An engine port that shows everything and changes nothing.
package struct ReadOnlyPort: EnginePort {
    private let inner: any EnginePort

    package init(_ inner: any EnginePort) { self.inner = inner }

    package func snapshot() -> EngineSnapshot {
        var picture = inner.snapshot()
        picture.readOnly = true
        return picture
    }
    package func feed(depth: Int) -> EventFeed { inner.feed(depth: depth) }
    package func perform(
        _ command: EngineCommand, secret: SecretDraft?, by who: OperatorID
    ) async throws(CommandRefusal)
        -> CommandOutcome
    {
        throw CommandRefusal(
            .readOnly, "this console is read-only; start it without --read-only to change things")
    }
    package func ask(_ query: EngineQuery) async throws(CommandRefusal) -> EngineAnswer {
        try await inner.ask(query)
    }
}
