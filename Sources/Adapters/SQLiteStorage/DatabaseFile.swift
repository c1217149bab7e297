import Dispatch
import GRDB
import Locking
import Storage

/// One open database file: checked, configured and migrated before anyone gets it.
///
/// Reads and writes run on the database's own queue, so that no cooperative thread waits for a disk. A write is
/// one transaction that takes the write lock at its start (`BEGIN IMMEDIATE`).
final class DatabaseFile: Sendable {
    let path: String
    private let connections: any DatabaseWriter
    /// Set when a flush to the disk failed. What the system then holds of the file is not known, and trying again
    /// can succeed without having written (the kernel drops the error and the page): so nothing more is done with
    /// this handle.
    private let broken = Locked(false)

    /// Opens the file, making it if it is missing. `readers` above 0 makes a pool in which reads do not wait
    /// behind a write; 0 makes a single connection. Blocks: not for an event loop or a cooperative thread.
    init(at path: String, schema: Schema, readers: Int) throws {
        self.path = path
        do {
            let before = try PrivateFile.make(path)
            for companion in ["-wal", "-shm"] { _ = try PrivateFile.identity(of: path + companion) }
            // Before SQLite sees it: beside a file that it may only read it would leave others that nobody may write.
            try PrivateFile.checkWritable(path)
            let configuration = ConnectionRules.configuration(label: schema.name, readers: readers)
            connections =
                readers > 0
                ? try DatabasePool(path: path, configuration: configuration)
                : try DatabaseQueue(path: path, configuration: configuration)
            guard try PrivateFile.identity(of: path) == before else {
                throw StorageFailure.unavailable("\(path) was replaced while it was being opened")
            }
            try connections.writeWithoutTransaction { database in
                try ConnectionRules.finish(database)
                try schema.migrate(database, path: path)
            }
        } catch let error as DatabaseError {
            throw StorageFailure(error, path: path)
        }
    }

    /// Closing flushes and locks: it is left to a thread that may wait, whoever was the last user.
    deinit {
        let connections = connections
        DispatchQueue.global().async { withExtendedLifetime(connections) {} }
    }

    var isBroken: Bool { broken.withLock { $0 } }

    func read<Value: Sendable>(_ body: @Sendable (Database) throws -> Value) async throws -> Value {
        try await translating { try await connections.read(body) }
    }

    func write<Value: Sendable>(_ body: @Sendable (Database) throws -> Value) async throws -> Value {
        try await translating { try await connections.write(body) }
    }

    /// As `write`, but the body begins its own transactions, if any.
    func writeOutsideTransaction<Value: Sendable>(
        _ body: @Sendable (Database) throws -> Value
    ) async throws -> Value {
        try await translating { try await connections.writeWithoutTransaction(body) }
    }

    /// As `write`, on the calling thread, which has to be one that may wait.
    func blockingWrite<Value>(_ body: (Database) throws -> Value) throws -> Value {
        try checkFlushes()
        do {
            return try connections.write(body)
        } catch let error as DatabaseError {
            throw failure(of: error)
        }
    }

    /// Moves what is in the write-ahead log into the file and empties the log: removed key material is then in
    /// neither. Best effort, for a reader may hold the log; closing does it again.
    @discardableResult
    func emptyLog() async -> Bool {
        let done = try? await writeOutsideTransaction { database in
            // Busy with a reader, it writes what it can and leaves the log: its size tells.
            _ = try database.checkpoint(.truncate)
            return true
        }
        return done ?? false
    }

    /// Copies the database as of one moment into a new file of ours (SQLite's online backup): writers go on.
    func copy(to path: String) async throws {
        _ = try PrivateFile.make(path)
        try await translating {
            try await withCheckedThrowingContinuation { continuation in
                DispatchQueue.global().async { [connections] in
                    continuation.resume(
                        with: Result {
                            var configuration = Configuration()
                            configuration.label = "backup"
                            let target = try DatabaseQueue(path: path, configuration: configuration)
                            try connections.backup(to: target)
                            try target.close()
                        })
                }
            }
        }
    }

    /// Blocks until running statements have ended. Only for shutdown and tests.
    func close() throws { try connections.close() }

    private func translating<Value>(_ body: () async throws -> Value) async throws -> Value {
        try checkFlushes()
        do {
            return try await body()
        } catch let error as DatabaseError {
            throw failure(of: error)
        }
    }

    private func checkFlushes() throws {
        guard !isBroken else {
            throw StorageFailure.unavailable(
                "a flush of \(path) to the disk failed; check the disk, then restart the gateway")
        }
    }

    private func failure(of error: DatabaseError) -> StorageFailure {
        if error.extendedResultCode == .SQLITE_IOERR_FSYNC { broken.withLock { $0 = true } }
        return StorageFailure(error, path: path)
    }
}

extension StorageFailure {
    /// SQLite's refusal as a sentence; holds no value of a row.
    init(_ error: DatabaseError, path: String) {
        let said = error.message ?? "SQLite error \(error.extendedResultCode.rawValue)"
        self =
            switch error.resultCode {
            case .SQLITE_CORRUPT, .SQLITE_NOTADB: .corrupt("\(path): \(said)")
            case .SQLITE_FULL: .unavailable("\(path) cannot grow: the disk is full; free some space")
            case .SQLITE_BUSY, .SQLITE_LOCKED:
                .unavailable("\(path) is locked by another program; close that and try again")
            // SQLite says one thing or another of it, mostly "disk I/O error".
            case _ where PrivateFile.isOnReadOnlyDisk(path):
                .unavailable("\(path): the disk is read-only; \(PrivateFile.mountAdvice)")
            case .SQLITE_READONLY, .SQLITE_CANTOPEN, .SQLITE_PERM:
                .unavailable(
                    "\(path) cannot be opened for writing (\(said)); the data folder must be writable")
            default: .unavailable("\(path): \(said)")
            }
    }
}
