public import Domain

/// The bounded, durable queue between the event loops and the usage ledger.
///
/// A call reserves its place before it is let in and writes its row when it settles: a row that was written
/// survives the death of the process, and a full queue refuses new calls instead of losing old ones.
/// `reserve`, `append` and `release` are called on event loops: they neither wait nor make a system call.
public protocol UsageJournal: Sendable {
    /// Takes one place; false when the queue is full.
    func reserve() -> Bool
    /// Gives back a place that no row will use.
    func release()
    /// Writes a row into a reserved place. Once this returns, killing the process does not lose the row.
    func append(_ row: LedgerRow)
    /// Rows that were appended and not yet confirmed, oldest first.
    func pending(limit: Int) throws -> [LedgerRow]
    /// Says that these rows are in the ledger: their places are free again.
    func confirm(_ calls: [CallID]) throws
    /// Places taken (reserved or written) and places in all.
    var load: (used: Int, capacity: Int) { get }
}
