import Operations

/// Lets one change in at a time; the others wait in order.
///
/// An actor alone does not do that: at each of its waits it takes up other work, and a change that reads, writes and
/// puts in force would find what it read changed underneath it.
actor Turnstile {
    /// More commands than operators give at once; one more is told to come back.
    private static let waitingMost = 256

    private var isTaken = false
    private var waiting: [CheckedContinuation<Void, Never>] = []

    func enter() async throws(CommandRefusal) {
        guard isTaken else {
            isTaken = true
            return
        }
        guard waiting.count < Self.waitingMost else {
            throw CommandRefusal(.unavailable, "\(Self.waitingMost) commands wait already; try again shortly")
        }
        await withCheckedContinuation { waiting.append($0) }
    }

    func leave() {
        if waiting.isEmpty { isTaken = false } else { waiting.removeFirst().resume() }
    }
}
