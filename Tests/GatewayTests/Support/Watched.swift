import Foundation
import TestKit

/// State that one thread changes and another waits for; every wait is bounded.
final class Watched<State>: @unchecked Sendable {
    // Safe because `state` is only touched while the condition's lock is held.
    private let condition = NSCondition()
    private var state: State

    init(_ initial: sending State) { state = initial }

    /// Changes the state and wakes those who wait.
    @discardableResult
    func update<Output>(_ change: (inout State) throws -> Output) rethrows -> Output {
        condition.lock()
        defer {
            condition.broadcast()
            condition.unlock()
        }
        return try change(&state)
    }

    func read<Output>(_ look: (State) throws -> Output) rethrows -> Output {
        condition.lock()
        defer { condition.unlock() }
        return try look(state)
    }

    /// Waits until `look` finds what it looks for.
    @discardableResult
    func wait<Output>(
        for what: String, seconds: Double = patience, _ look: (State) -> Output?
    ) throws -> Output {
        let deadline = Date(timeIntervalSinceNow: seconds)
        condition.lock()
        defer { condition.unlock() }
        while true {
            if let found = look(state) { return found }
            guard condition.wait(until: deadline) else {
                throw Overdue(description: "not within \(seconds) s: \(what)")
            }
        }
    }
}

/// Something that a test waited for did not happen.
struct Overdue: Error, CustomStringConvertible {
    let description: String
}
