import Domain
import Foundation
import GRDB
import Storage

// Reading columns without a trap: GRDB's own subscripts stop the process on a value of another type, and a
// database file is something that others can have written.
extension Row {
    func value<Value: DatabaseValueConvertible>(_ column: String) throws -> Value {
        guard let value: Value = try optional(column) else { throw damage(column) }
        return value
    }

    func optional<Value: DatabaseValueConvertible>(_ column: String) throws -> Value? {
        let stored: DatabaseValue = self[column]
        if stored.isNull { return nil }
        guard let value = Value.fromDatabaseValue(stored) else { throw damage(column) }
        return value
    }

    func id<Kind>(_ column: String) throws -> Identifier<Kind> {
        guard let id: Identifier<Kind> = try optionalID(column) else { throw damage(column) }
        return id
    }

    func optionalID<Kind>(_ column: String) throws -> Identifier<Kind>? {
        guard let data: Data = try optional(column) else { return nil }
        guard let id = Identifier<Kind>(bytes: data) else { throw damage(column) }
        return id
    }

    /// An id that was stored as its text.
    func textID<Kind>(_ column: String) throws -> Identifier<Kind> {
        let text: String = try value(column)
        guard let id = Identifier<Kind>(text) else { throw damage(column) }
        return id
    }

    func bytes(_ column: String) throws -> [UInt8] {
        let stored: DatabaseValue = self[column]
        // An empty blob reads as an empty text or blob, never as NULL.
        guard !stored.isNull, let data = Data.fromDatabaseValue(stored) else { throw damage(column) }
        return Array(data)
    }

    func time(_ column: String) throws -> WallTime { WallTime(milliseconds: try value(column)) }

    func optionalTime(_ column: String) throws -> WallTime? {
        try (optional(column) as Int64?).map(WallTime.init(milliseconds:))
    }

    func name<Rule>(_ column: String) throws -> Name<Rule> {
        guard let name: Name<Rule> = try optionalName(column) else { throw damage(column) }
        return name
    }

    func optionalName<Rule>(_ column: String) throws -> Name<Rule>? {
        guard let text: String = try optional(column) else { return nil }
        do {
            return try Name(text)
        } catch {
            throw damage(column)
        }
    }

    func choice<Choice: RawRepresentable<String>>(_ column: String) throws -> Choice {
        guard let choice: Choice = try optionalChoice(column) else { throw damage(column) }
        return choice
    }

    func optionalChoice<Choice: RawRepresentable<String>>(_ column: String) throws -> Choice? {
        guard let text: String = try optional(column) else { return nil }
        guard let choice = Choice(rawValue: text) else { throw damage(column) }
        return choice
    }

    /// Names separated by blanks, which none of them holds.
    func models() throws -> [ModelName] {
        let text: String = try value("models")
        return try text.utf8.split(separator: UInt8(ascii: " ")).map {
            guard let name = try? ModelName(String(decoding: $0, as: UTF8.self)) else {
                throw damage("models")
            }
            return name
        }
    }

    func limits() throws -> LimitSet {
        LimitSet(
            requestsPerMinute: try optional("requests_per_minute"),
            tokensPerMinute: try optional("tokens_per_minute"), parallel: try optional("parallel"))
    }

    private func damage(_ column: String) -> StorageFailure {
        .corrupt("the column \(column) of a stored record cannot be read")
    }
}

extension Identifier {
    /// The 16 bytes as SQLite stores them.
    var blob: Data {
        var data = Data(capacity: 16)
        for word in [high, low] { Swift.withUnsafeBytes(of: word.bigEndian) { data.append(contentsOf: $0) } }
        return data
    }
}
