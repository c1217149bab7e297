import CSQLite
import Domain
import GRDB

/// Binds the values of a prepared statement one after the other and runs it, without GRDB's boxes.
///
/// Only for the ledger's insert, which runs once for every call that the gateway serves: its 28 values as an array
/// of existentials cost more than the insert itself. A failed binding leaves NULL, which the schema refuses.
struct Binding {
    private let statement: OpaquePointer
    private var place: Int32 = 0

    init(_ statement: Statement) { self.statement = statement.sqliteStatement }

    mutating func bind(_ number: Int64?) {
        place += 1
        if let number {
            sqlite3_bind_int64(statement, place, number)
        } else {
            sqlite3_bind_null(statement, place)
        }
    }

    mutating func bind(_ text: String?) {
        place += 1
        guard var text else {
            sqlite3_bind_null(statement, place)
            return
        }
        let place = place
        text.withUTF8 { bytes in
            // An empty text may have no address, and SQLite reads that as NULL.
            let start = UnsafeRawPointer(bytes.baseAddress)
            _ = withUnsafePointer(to: UInt8(0)) { empty in
                gatehouse_sqlite_bind_text(
                    statement, place, start ?? UnsafeRawPointer(empty), Int32(truncatingIfNeeded: bytes.count)
                )
            }
        }
    }

    mutating func bind<Kind>(_ id: Identifier<Kind>?) {
        place += 1
        guard let id else {
            sqlite3_bind_null(statement, place)
            return
        }
        let place = place
        _ = withUnsafeBytes(of: (id.high.bigEndian, id.low.bigEndian)) { bytes in
            gatehouse_sqlite_bind_blob(statement, place, bytes.baseAddress, 16)
        }
    }

    /// Runs the statement and makes it ready for the next values.
    mutating func step(in database: Database) throws {
        place = 0
        let result = sqlite3_step(statement)
        let message =
            result == SQLITE_DONE ? nil : sqlite3_errmsg(database.sqliteConnection).map(String.init(cString:))
        sqlite3_reset(statement)
        guard result == SQLITE_DONE else {
            throw DatabaseError(resultCode: ResultCode(rawValue: result), message: message)
        }
    }
}
