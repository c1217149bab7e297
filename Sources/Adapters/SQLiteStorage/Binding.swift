import CSQLite
import Domain
import GRDB
import Glibc

/// Binds the values of a prepared statement one after the other and runs it, without GRDB's boxes.
///
/// Only for the ledger's insert, which runs once for every call that the gateway serves: its 29 values as an array
/// of existentials cost more than the insert itself. SQLite keeps what is bound from one step to the next, so a value
/// that is the same as before need not be bound again. Ids and short texts lie in memory of this object, a place for
/// each, and SQLite reads them there; it copies longer texts. With the object the bindings go, before that memory does.
struct Binding: ~Copyable {
    /// Longest text that SQLite does not have to copy: all words, most names of models, users and teams.
    private static let stagedMost = 64

    private let statement: Statement
    private let staged: UnsafeMutableRawPointer
    private var place: Int32 = 0
    /// Whether each place has a value from an earlier step.
    private var isFilled = false
    private var failure = SQLITE_OK

    init(_ statement: Statement) {
        self.statement = statement
        let places = Int(sqlite3_bind_parameter_count(statement.sqliteStatement))
        staged = .allocate(byteCount: max(1, places) * Self.stagedMost, alignment: 16)
    }

    deinit {
        // The statement outlives this in GRDB's cache and would point to memory that is gone.
        sqlite3_clear_bindings(statement.sqliteStatement)
        staged.deallocate()
    }

    /// - Parameter isBound: it is what was bound here for the step before.
    mutating func bind(_ number: Int64?, unless isBound: Bool = false) {
        guard takesPlace(isBound) else { return }
        guard let number else { return note(sqlite3_bind_null(statement.sqliteStatement, place)) }
        note(sqlite3_bind_int64(statement.sqliteStatement, place, number))
    }

    mutating func bind(_ text: String?, unless isBound: Bool = false) {
        guard takesPlace(isBound) else { return }
        guard var text else { return note(sqlite3_bind_null(statement.sqliteStatement, place)) }
        let (handle, place, room) = (statement.sqliteStatement, place, room)
        note(
            text.withUTF8 { bytes in
                guard bytes.count <= Self.stagedMost else {
                    return gatehouse_sqlite_bind_text(
                        handle, place, bytes.baseAddress, Int32(truncatingIfNeeded: bytes.count))
                }
                // An empty text may have no address, and SQLite reads that as NULL: this one has one.
                if let start = bytes.baseAddress { room.copyMemory(from: start, byteCount: bytes.count) }
                return sqlite3_bind_text(
                    handle, place, room.assumingMemoryBound(to: CChar.self), Int32(bytes.count), nil)
            })
    }

    mutating func bind<Kind>(_ id: Identifier<Kind>?, unless isBound: Bool = false) {
        guard takesPlace(isBound) else { return }
        guard let id else { return note(sqlite3_bind_null(statement.sqliteStatement, place)) }
        room.storeBytes(of: id.high.bigEndian, as: UInt64.self)
        room.storeBytes(of: id.low.bigEndian, toByteOffset: 8, as: UInt64.self)
        note(sqlite3_bind_blob(statement.sqliteStatement, place, room, 16, nil))
    }

    /// Runs the statement and makes it ready for the next values.
    mutating func step(in database: Database) throws {
        place = 0
        isFilled = true
        // What could not be bound is NULL now, which not every column refuses.
        let result = failure == SQLITE_OK ? sqlite3_step(statement.sqliteStatement) : failure
        let message =
            result == SQLITE_DONE ? nil : sqlite3_errmsg(database.sqliteConnection).map(String.init(cString:))
        sqlite3_reset(statement.sqliteStatement)
        guard result == SQLITE_DONE else {
            throw DatabaseError(resultCode: ResultCode(rawValue: result), message: message)
        }
    }

    /// Goes on to the next place; whether a value is to be bound there.
    private mutating func takesPlace(_ isBound: Bool) -> Bool {
        place += 1
        return !(isBound && isFilled)
    }

    /// Where this place's text or id lies.
    private var room: UnsafeMutableRawPointer { staged + (Int(place) - 1) * Self.stagedMost }

    private mutating func note(_ result: Int32) {
        if result != SQLITE_OK { failure = result }
    }
}

extension String {
    /// Whether two texts are the same bytes: for `==` texts are equal that only look the same.
    func hasBytes(of other: String) -> Bool {
        let isSame: Bool?? = utf8.withContiguousStorageIfAvailable { own in
            other.utf8.withContiguousStorageIfAvailable { its -> Bool in
                guard own.count == its.count else { return false }
                guard let left = own.baseAddress, let right = its.baseAddress else { return own.isEmpty }
                return memcmp(left, right, own.count) == 0
            }
        }
        // Only a string bridged from elsewhere lies in pieces; none does on this platform.
        return (isSame ?? nil) ?? false
    }
}
