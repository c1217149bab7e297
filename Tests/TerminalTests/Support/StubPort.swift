import Domain
import Events
import Locking
import Operations

/// An engine that shows what a test puts into it.
final class StubPort: EnginePort {
    private let picture = Locked(EngineSnapshot(instance: "stub-engine"))
    private let bus = EventBus(lanes: 1)

    func change(_ change: (inout EngineSnapshot) -> Void) {
        picture.withLock {
            change(&$0)
            $0.sequence += 1
        }
    }

    func snapshot(for who: OperatorID) -> EngineSnapshot { picture.withLock { $0 } }
    func admit(
        _ operation: EngineOperation, on target: String, by who: OperatorID
    ) async throws(CommandRefusal) {}

    func feed(depth: Int) -> EventFeed { bus.feed(depth: depth) }

    func perform(
        _ command: EngineCommand, secret: SecretDraft?, by who: OperatorID
    ) async throws(CommandRefusal) -> CommandOutcome {
        throw CommandRefusal(.unavailable, "a stub does nothing")
    }

    func ask(_ query: EngineQuery, by who: OperatorID) async throws(CommandRefusal) -> EngineAnswer {
        throw CommandRefusal(.unavailable, "a stub knows nothing")
    }
}
