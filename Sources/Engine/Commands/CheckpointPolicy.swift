import Domain

/// When the audit has to be signed: at once after what an operator did, else after so many records or so long.
///
/// Pure: it takes what happened and the time, and answers.
struct CheckpointPolicy {
    static let recordsMost: Int64 = 1_000
    static let longest = Duration.seconds(60)

    /// Records that the newest checkpoint covers.
    private(set) var signed: Int64 = 0
    private var since: Instant?
    private var isUrgent = false

    /// A record is about to be written.
    mutating func note(byOperator: Bool) { if byOperator { isUrgent = true } }

    func isDue(records: Int64, at now: Instant) -> Bool {
        guard records > signed else { return false }
        guard let since else { return true }
        return isUrgent || records - signed >= Self.recordsMost || now - since >= Self.longest
    }

    mutating func didSign(_ records: Int64, at now: Instant) {
        signed = records
        since = now
        isUrgent = false
    }

    /// As of a checkpoint that was signed before the start.
    mutating func resume(at records: Int64) { signed = records }

    /// A new log has signed nothing yet.
    mutating func restart() { self = Self() }
}
