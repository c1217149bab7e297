import Operations

/// The question that the open dialog has put to the engine; one at a time.
struct AskedQuestion: Sendable, Hashable {
    let id: Int
    let query: EngineQuery
}
