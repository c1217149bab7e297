import Domain
import Foundation
import GRDB
import Storage

/// Keeps the codes of the rows that decide access, and the seal over them, within the transaction of a change.
struct AccessCoding {
    private let vault: VaultID
    private let coding: RowCoding
    private(set) var seal: AccessSeal

    /// nil in a vault whose rows carry no codes yet: its next unlock gives them some.
    init?(in database: Database, coding: RowCoding?) throws {
        guard let record = try VaultRecord.stored(in: database), record.rowsCoded else { return nil }
        guard let coding else {
            throw StorageFailure.unavailable("rows that decide access cannot be written without the vault")
        }
        guard let stored = try AccessSeal.stored(in: database),
            try coding(stored.seal.form(vault: record.id)).bytes == stored.code
        else { throw StorageFailure.changedElsewhere("the seal over tenants, virtual keys and limits") }
        vault = record.id
        self.coding = coding
        seal = stored.seal
    }

    /// A seal over nothing, for codes that are all made anew.
    init(beginningAt counter: Int64, vault: VaultID, coding: @escaping RowCoding) {
        self.vault = vault
        self.coding = coding
        seal = AccessSeal(counter: counter, sum: AccessSeal().sum)
    }

    /// Before a row is changed. One that something else changed is not overwritten, and so taken for ours afterwards.
    mutating func release(_ row: AccessRow, in database: Database) throws {
        guard let stored = try row.stored(in: database) else { return }
        let code = try coding(stored.row.form(counter: stored.counter, vault: vault))
        guard code.bytes == stored.code else { throw StorageFailure.changedElsewhere(stored.row.title) }
        seal.remove(try mark(stored))
    }

    /// After a row was changed, as it stands now.
    mutating func code(_ row: AccessRow, in database: Database) throws {
        guard let stored = try row.stored(in: database) else { return }
        try seal.advance()
        let code = try coding(stored.row.form(counter: seal.counter, vault: vault))
        try database.execute(
            sql: "UPDATE \(row.table) SET counter = ?, code = ? WHERE \(row.condition)",
            arguments: [seal.counter, Data(code.bytes)] + row.key)
        seal.add(try mark(CodedRow(row, counter: seal.counter, code: [])))
    }

    /// Last in the transaction.
    func store(in database: Database) throws {
        let code = try coding(seal.form(vault: vault))
        try database.execute(
            sql: "INSERT OR REPLACE INTO access_seal (one, counter, sum, code) VALUES (1, ?, ?, ?)",
            arguments: [seal.counter, Data(seal.sum.bytes), Data(code.bytes)])
    }

    private func mark(_ stored: CodedRow) throws -> Digest256 {
        try coding(AccessSeal.mark(of: stored.row.place, counter: stored.counter, vault: vault))
    }
}

extension StorageFailure {
    static func changedElsewhere(_ what: String) -> Self {
        .conflict(
            "\(what): the stored row was changed by something else than gatehouse; see: gatehouse vault verify"
        )
    }
}

extension AccessSeal {
    static func stored(in database: Database) throws -> (seal: AccessSeal, code: [UInt8])? {
        guard let row = try Row.fetchOne(database, sql: "SELECT * FROM access_seal"),
            let sum = Digest256(bytes: try row.bytes("sum"))
        else { return nil }
        return (AccessSeal(counter: try row.value("counter"), sum: sum), try row.bytes("code"))
    }
}

extension AccessRow {
    // Names of our own tables and columns, never anything that someone chose.
    fileprivate var table: String {
        switch self {
        case .tenant: "tenants"
        case .virtualKey: "virtual_keys"
        case .limits: "limits"
        }
    }

    fileprivate var condition: String {
        switch self {
        case .tenant, .virtualKey: "id = ?"
        case .limits: "tenant = ? AND owner_kind = ? AND owner = ?"
        }
    }

    fileprivate var key: StatementArguments {
        switch self {
        case .tenant(let record): [record.id.blob]
        case .virtualKey(let record): [record.id.blob]
        case .limits(let record): record.place
        }
    }

    /// A tenant's own row, and those of its virtual keys and ceilings.
    static func all(of tenant: TenantID, in database: Database) throws -> [AccessRow] {
        try CodedRow.all(in: database).map(\.row).filter { $0.tenant == tenant }
    }

    /// What stands in this row's place.
    fileprivate func stored(in database: Database) throws -> CodedRow? {
        try Row.fetchOne(database, sql: "SELECT * FROM \(table) WHERE \(condition)", arguments: key).map {
            try coded($0)
        }
    }

    private func coded(_ row: Row) throws -> CodedRow {
        switch self {
        case .tenant: try CodedRow(.tenant(TenantRecord(row)), row)
        case .virtualKey: try CodedRow(.virtualKey(VirtualKeyRecord(row)), row)
        case .limits: try CodedRow(.limits(LimitRecord(row)), row)
        }
    }
}

extension CodedRow {
    fileprivate init(_ content: AccessRow, _ row: Row) throws {
        self.init(content, counter: try row.value("counter"), code: try row.bytes("code"))
    }

    /// All of them.
    static func all(in database: Database) throws -> [CodedRow] {
        let tenants = try Row.fetchAll(database, sql: "SELECT * FROM tenants")
            .map { try CodedRow(.tenant(TenantRecord($0)), $0) }
        let keys = try Row.fetchAll(database, sql: "SELECT * FROM virtual_keys")
            .map { try CodedRow(.virtualKey(VirtualKeyRecord($0)), $0) }
        let limits = try Row.fetchAll(database, sql: "SELECT * FROM limits")
            .map { try CodedRow(.limits(LimitRecord($0)), $0) }
        return tenants + keys + limits
    }
}
