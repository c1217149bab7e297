import Domain
import Events
import Locking
import Operations

/// An engine that writes down what it is asked and answers what it was told to.
final class RecordingPort: EnginePort {
    struct Heard: Sendable, Equatable {
        let command: EngineCommand
        let secret: [UInt8]?
        let who: OperatorID
    }

    let picture: EngineSnapshot
    private let refusal: CommandRefusal?
    private let issued: [UInt8]?
    private let record = Locked<[Heard]>([])

    init(_ picture: EngineSnapshot = .init(), refusal: CommandRefusal? = nil, issued: [UInt8]? = nil) {
        self.picture = picture
        self.refusal = refusal
        self.issued = issued
    }

    var heard: [Heard] { record.withLock { $0 } }

    func snapshot(for who: OperatorID) -> EngineSnapshot { picture }

    func admit(
        _ operation: EngineOperation, on target: String, by who: OperatorID
    ) async throws(CommandRefusal) {}

    func feed(depth: Int) -> EventFeed { EventBus(lanes: 1).feed(depth: depth) }

    func perform(
        _ command: EngineCommand, secret: SecretDraft?, by who: OperatorID
    ) async throws(CommandRefusal) -> CommandOutcome {
        let heard = Heard(command: command, secret: secret?.withBytes { Array($0) }, who: who)
        record.withLock { $0.append(heard) }
        if let refusal { throw refusal }
        let receipt = CommandReceipt(message: "done", details: ["a", "b"], undo: command, isBad: true)
        return CommandOutcome(
            receipt, issued: issued.map { bytes in bytes.withUnsafeBytes { SecretDraft(copying: $0) } })
    }

    func ask(_ query: EngineQuery, by who: OperatorID) async throws(CommandRefusal) -> EngineAnswer {
        if let refusal { throw refusal }
        return .auditIntact(records: 3, head: "ab")
    }
}
