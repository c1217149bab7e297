/// The attempts of a call that are under way: one, and while a hedge runs beside it two.
public struct AttemptsUnderWay {
    /// The one that has run longer, or alone.
    public private(set) var first: CallSession.Attempt?
    public private(set) var second: CallSession.Attempt?

    var isEmpty: Bool { first == nil }
    var count: Int { first == nil ? 0 : second == nil ? 1 : 2 }
    /// The one that is under way, where it is the only one.
    public var only: CallSession.Attempt? { second == nil ? first : nil }

    mutating func add(_ attempt: CallSession.Attempt) {
        if first == nil { first = attempt } else { second = attempt }
    }

    /// Says whether it was there.
    mutating func remove(_ attempt: CallSession.Attempt) -> Bool {
        if second?.number == attempt.number {
            second = nil
            return true
        }
        guard first?.number == attempt.number else { return false }
        first = second
        second = nil
        return true
    }

    /// Takes the one that has run longest.
    mutating func removeFirst() -> CallSession.Attempt? {
        defer {
            first = second
            second = nil
        }
        return first
    }

    func contains(_ number: Int) -> Bool { contains { $0.number == number } }

    func contains(where isWanted: (CallSession.Attempt) -> Bool) -> Bool {
        first.map(isWanted) ?? false || second.map(isWanted) ?? false
    }
}
