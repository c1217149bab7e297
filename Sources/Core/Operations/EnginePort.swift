public import Events

/// The operator's only door to the engine: see, follow, act.
///
/// The console, the command line and the socket between them use this and nothing else.
public protocol EnginePort: Sendable {
    /// Says whether somebody may do something, and puts it into the audit when not. `perform` and `ask` do so themselves.
    func admit(
        _ operation: EngineOperation, on target: String, by who: OperatorID
    ) async throws(CommandRefusal)
    /// The newest picture: immutable, cheap, always answers. Whoever has no role sees an empty one.
    func snapshot(for who: OperatorID) -> EngineSnapshot
    /// A bounded feed of events from now on; it says how many it lost.
    func feed(depth: Int) -> EventFeed
    /// Carries out a command. In force before the next call is routed once this returns.
    func perform(
        _ command: EngineCommand, secret: SecretDraft?, by who: OperatorID
    ) async throws(CommandRefusal)
        -> CommandOutcome
    func ask(_ query: EngineQuery, by who: OperatorID) async throws(CommandRefusal) -> EngineAnswer
}

/// An engine port that shows everything and changes nothing.
public struct ReadOnlyPort: EnginePort {
    private let inner: any EnginePort

    public init(_ inner: any EnginePort) { self.inner = inner }

    public func admit(
        _ operation: EngineOperation, on target: String, by who: OperatorID
    ) async throws(CommandRefusal) {
        try await inner.admit(operation, on: target, by: who)
    }
    public func snapshot(for who: OperatorID) -> EngineSnapshot {
        var picture = inner.snapshot(for: who)
        picture.readOnly = true
        return picture
    }
    public func feed(depth: Int) -> EventFeed { inner.feed(depth: depth) }
    public func perform(
        _ command: EngineCommand, secret: SecretDraft?, by who: OperatorID
    ) async throws(CommandRefusal)
        -> CommandOutcome
    {
        throw CommandRefusal(
            .readOnly, "this console is read-only; start it without --read-only to change things")
    }
    public func ask(
        _ query: EngineQuery, by who: OperatorID
    ) async throws(CommandRefusal) -> EngineAnswer {
        try await inner.ask(query, by: who)
    }
}
