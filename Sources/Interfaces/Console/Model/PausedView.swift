import Domain
import Operations

/// What the screen shows while time stands still on it.
struct PausedView: Sendable {
    let snapshot: EngineSnapshot
    let names: NameBook
    let calls: CallRing
    let at: WallTime
}
