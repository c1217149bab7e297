import CSQLite
import GRDB
import Storage

/// How every SQLite connection is set up, writers and readers alike; nothing opens a database but through here.
///
/// What the limit on attached databases protects against is our own bugs: a statement on a tenant's handle can
/// never name another tenant's file. It is a seat belt, not a wall, for whoever runs code in this process can
/// raise it again. It also refuses VACUUM, which attaches a temporary file: none of our handles can do that.
enum ConnectionRules {
    /// The switches of `sqlite3_db_config` and what each must be.
    private static let switches: [(setting: Int32, name: String, on: Int32)] = [
        // No writes to shadow tables, to the schema's own table, no corruption by PRAGMA.
        (SQLITE_DBCONFIG_DEFENSIVE, "defensive", 1),
        // Functions and virtual tables with side effects do not run from within a schema that someone prepared.
        (SQLITE_DBCONFIG_TRUSTED_SCHEMA, "trusted_schema", 0),
        // On in Debian's build: hands out and takes code pointers.
        (SQLITE_DBCONFIG_ENABLE_FTS3_TOKENIZER, "fts3_tokenizer", 0),
        (SQLITE_DBCONFIG_ENABLE_LOAD_EXTENSION, "load_extension", 0),
        // A misspelt column in double quotes is an error and not a text.
        (SQLITE_DBCONFIG_DQS_DML, "double-quoted strings in statements", 0),
        (SQLITE_DBCONFIG_DQS_DDL, "double-quoted strings in schemas", 0),
    ]

    /// The pragmas and the value each must read.
    private static let pragmas: [(read: String, value: Int64)] = [
        ("PRAGMA synchronous", 2),
        ("PRAGMA foreign_keys", 1),
        // Removed key material is overwritten with zeros in the file.
        ("PRAGMA secure_delete", 1),
        // Debian's build would spill sorts and temporary tables to the disk.
        ("PRAGMA temp_store", 2),
        // How long a statement waits for another process's lock: only a backup or a curious operator has one.
        // GRDB gives a pool's readers a wait of its own.
        ("PRAGMA busy_timeout", 5_000),
    ]

    /// As SQLite's own advice on compiling says (SQLITE_DEFAULT_MEMSTATUS=0): nobody reads those figures, and keeping them
    /// takes a lock fifty times for each ledger row. Refused once SQLite is in use, which only tests are first to do.
    private static let countsNoMemory = gatehouse_sqlite_stop_counting_memory() == SQLITE_OK

    /// - Parameter readers: beside the writer; 0 = a single connection.
    static func configuration(label: String, readers: Int = 1) -> Configuration {
        _ = countsNoMemory
        var configuration = Configuration()
        configuration.label = label
        let isAlone = readers == 0
        // A single connection turns the write-ahead log on by itself: GRDB would also write a transaction into an empty
        // log, and so cost each opening of a file a write, and each closing a flush.
        configuration.journalMode = isAlone ? .default : .wal
        configuration.foreignKeysEnabled = true
        // For the statements before `apply`: another handle on the file may be closing this moment.
        configuration.busyMode = .timeout(5)
        configuration.maximumReaderCount = max(1, readers)
        configuration.prepareDatabase { database in
            try apply(to: database)
            if isAlone { try database.execute(sql: "PRAGMA journal_mode = WAL") }
            // A reader is made by the pool at any time later; the writer is not finished before `finish`.
            if database.configuration.readonly { try verify(database) }
        }
        return configuration
    }

    /// To be called on the writer after opening: GRDB sets `synchronous` to NORMAL when it turns on the
    /// write-ahead log, after `prepareDatabase`.
    static func finish(_ database: Database) throws {
        try database.execute(sql: "PRAGMA synchronous = FULL")
        try verify(database)
    }

    private static func apply(to database: Database) throws {
        let handle = try handle(of: database)
        for (setting, name, on) in switches
        where gatehouse_sqlite_set(handle, setting, on) != SQLITE_OK {
            throw StorageFailure.unavailable("this SQLite cannot set \(name)")
        }
        _ = sqlite3_limit(handle, SQLITE_LIMIT_ATTACHED, 0)
        try database.execute(
            sql: """
                PRAGMA busy_timeout = 5000;
                PRAGMA synchronous = FULL;
                PRAGMA secure_delete = ON;
                PRAGMA temp_store = MEMORY;
                """)
    }

    /// Refuses to work with a connection on which any rule does not hold.
    static func verify(_ database: Database) throws {
        let handle = try handle(of: database)
        for (setting, name, on) in switches where gatehouse_sqlite_get(handle, setting) != on {
            throw StorageFailure.unavailable("a database connection runs without the right \(name) setting")
        }
        // -1 reads a limit and leaves it.
        guard sqlite3_limit(handle, SQLITE_LIMIT_ATTACHED, -1) == 0 else {
            throw StorageFailure.unavailable("a database connection may attach other files")
        }
        for (read, value) in pragmas where try Int64.fetchOne(database, sql: read) != value {
            throw StorageFailure.unavailable("a database connection does not read \(value) for: \(read)")
        }
        guard try String.fetchOne(database, sql: "PRAGMA journal_mode") == "wal" else {
            throw StorageFailure.unavailable("a database is not in write-ahead mode")
        }
    }

    private static func handle(of database: Database) throws -> OpaquePointer {
        guard let handle = database.sqliteConnection else {
            throw StorageFailure.unavailable("a database connection is closed")
        }
        return handle
    }
}
