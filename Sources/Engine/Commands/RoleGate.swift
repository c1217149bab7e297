import Domain
import Locking
import Operations

/// Who may do what: asked before each command and each question, whichever way they came.
extension CommandDesk {
    /// Refuses what somebody has no role for, and puts that into the audit.
    func admit(
        _ operation: EngineOperation, on target: String, by who: OperatorID
    ) async throws(CommandRefusal) {
        let who = person(who)
        guard let denial = state.load().roster.denial(of: operation, to: who) else { return }
        if let skipped = denials.note(who.account, at: parts.clock.now) {
            let more = skipped == 0 ? "" : " (and \(skipped) times more since the last record)"
            await note(
                operation.rawValue, target, by: who, reason: denial.reason + more, result: "DENIED")
        }
        throw CommandRefusal(.denied, denial.sentence)
    }

    /// Where roles are named, the audit says the account that they hang on and not what a program calls itself.
    func person(_ who: OperatorID) -> OperatorID {
        guard !state.load().roster.isEmpty, !who.account.isEmpty else { return who }
        return OperatorID(
            name: who.account, via: who.via, origin: who.origin, account: who.account,
            isForeign: who.isForeign, ceiling: who.ceiling)
    }
}

/// Bounds the audit records of refusals: whoever may not even look must not be able to fill the disk.
struct DenialTally: Sendable {
    private struct Count: Sendable {
        var since: Instant
        var recorded = 0
        var skipped = 0
    }

    /// A minute's records of one account: more than anybody makes by hand.
    static let recordsMost = 20
    static let window = Duration.seconds(60)
    private static let accountsMost = 256
    private var counts: [String: Count] = [:]
    var count: Int { counts.count }

    /// Counts one refusal; the number of those that went unrecorded before it, or nil when it is not to be recorded
    /// either.
    mutating func note(_ account: String, at now: Instant) -> Int? {
        var count = counts[account] ?? Count(since: now)
        if now - count.since >= Self.window { count = Count(since: now, skipped: count.skipped) }
        defer { put(count, of: account) }
        guard count.recorded < Self.recordsMost else {
            count.skipped += 1
            return nil
        }
        let skipped = count.skipped
        count.recorded += 1
        count.skipped = 0
        return skipped
    }

    private mutating func put(_ count: Count, of account: String) {
        if counts[account] == nil, counts.count >= Self.accountsMost,
            let oldest = counts.min(by: { $0.value.since < $1.value.since })
        {
            counts[oldest.key] = nil
        }
        counts[account] = count
    }
}
