import GRDB
import Storage

/// The numbered steps that make one kind of database file what this version knows.
///
/// The step's number is the file's `user_version`, set by the step itself in its transaction; a released step is
/// never edited, only followed by another. The kind is the file's `application_id`: the first step sets it.
struct Schema: Sendable {
    /// One step. `sql` ends with setting `user_version` to `number`.
    struct Step: Sendable {
        let number: Int64
        let sql: String
    }

    /// What such a file is called in an error, such as "control database".
    let name: String
    let applicationID: Int64
    let steps: [Step]

    /// Brings a file to the newest step; a file that is there already is left alone.
    func migrate(_ database: Database, path: String) throws {
        let kind = try Int64.fetchOne(database, sql: "PRAGMA application_id") ?? 0
        var version = try self.version(of: database)
        guard kind == applicationID || (kind == 0 && version == 0) else {
            throw StorageFailure.corrupt("\(path) is not a \(name) of gatehouse")
        }
        let newest = steps.last?.number ?? 0
        guard version <= newest else {
            throw StorageFailure.unavailable(
                "\(path) was written by a newer gatehouse (schema \(version), this one knows up to \(newest)); "
                    + "run that version")
        }
        for step in steps where step.number > version {
            try database.inTransaction(.immediate) {
                try database.execute(sql: step.sql)
                return .commit
            }
            version = try self.version(of: database)
            guard version == step.number else {
                throw StorageFailure.corrupt("\(path): schema step \(step.number) left version \(version)")
            }
        }
    }

    private func version(of database: Database) throws -> Int64 {
        try Int64.fetchOne(database, sql: "PRAGMA user_version") ?? 0
    }
}
