import Console
import Glibc
import Locking

/// What comes back from commands that run elsewhere; wakes the console's thread.
final class CommandInbox: Sendable {
    private struct Content: Sendable {
        var inputs: [ConsoleInput] = []
        var wake: Int32 = -1
        var stopWanted = false
    }
    /// One command runs at a time, so a handful is plenty.
    private static let most = 64

    private let content = Locked(Content())

    func attach(_ wake: Int32) { content.withLock { $0.wake = wake } }

    func post(_ input: ConsoleInput) {
        content.withLock { content in
            if content.inputs.count < Self.most { content.inputs.append(input) }
            Self.ring(content.wake)
        }
    }

    func askToStop() {
        content.withLock { content in
            content.stopWanted = true
            Self.ring(content.wake)
        }
    }

    /// Whether a stop was asked for.
    var stopWanted: Bool { content.withLock { $0.stopWanted } }

    func take() -> (inputs: [ConsoleInput], stop: Bool) {
        content.withLock { content in
            defer { content.inputs = [] }
            return (content.inputs, content.stopWanted)
        }
    }

    private static func ring(_ descriptor: Int32) {
        guard descriptor >= 0 else { return }
        var byte: UInt8 = 0
        _ = write(descriptor, &byte, 1)
    }
}
