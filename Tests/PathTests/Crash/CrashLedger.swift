import CSQLite
import Domain
import TestKit

/// A tenant's ledger as its file has it, beside a running engine.
struct CrashLedger {
    let file: String

    /// The calls of all rows.
    func calls() throws -> [String] {
        var database: OpaquePointer?
        defer { sqlite3_close_v2(database) }
        guard sqlite3_open_v2(file, &database, SQLITE_OPEN_READONLY, nil) == SQLITE_OK else {
            throw Tool.Failure(description: "\(file) does not open")
        }
        sqlite3_busy_timeout(database, 5_000)
        var statement: OpaquePointer?
        defer { sqlite3_finalize(statement) }
        guard sqlite3_prepare_v2(database, "SELECT call FROM usage", -1, &statement, nil) == SQLITE_OK else {
            throw Tool.Failure(description: "\(file): \(String(cString: sqlite3_errmsg(database)))")
        }
        var calls: [String] = []
        while true {
            let step = sqlite3_step(statement)
            guard step == SQLITE_ROW else {
                guard step == SQLITE_DONE else {
                    throw Tool.Failure(description: "\(file): \(String(cString: sqlite3_errmsg(database)))")
                }
                return calls
            }
            let bytes = UnsafeRawBufferPointer(
                start: sqlite3_column_blob(statement, 0), count: Int(sqlite3_column_bytes(statement, 0)))
            calls.append(CallID(bytes: Array(bytes))?.text ?? "?")
        }
    }
}
