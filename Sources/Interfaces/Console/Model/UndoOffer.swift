import Domain
import Operations

/// A command that takes the last one back, while that is possible.
struct UndoOffer: Sendable, Hashable {
    let command: EngineCommand
    let words: String
    let until: WallTime
}
