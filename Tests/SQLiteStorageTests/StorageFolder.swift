import Domain
import Foundation
import GRDB
import SQLiteStorage
import Storage
import TestKit

/// A data folder that goes away with the object.
final class StorageFolder: Sendable {
    let path: String

    init() { path = "/tmp/gatehouse-\(UUID().uuidString)" }

    deinit { try? FileManager.default.removeItem(atPath: path) }

    func data() throws -> DataFolder { try DataFolder(at: path) }

    func controlStore() throws -> SQLiteControlStore { try SQLiteControlStore(in: data(), hashing: testHash) }

    func tenantStores(limit: Int = 256) throws -> SQLiteTenantStores {
        try SQLiteTenantStores(in: data(), vault: Samples.vaultID, limit: limit)
    }

    func tenantFile(_ tenant: TenantID) -> String { "\(path)/tenants/\(tenant)/tenant.sqlite" }

    /// What someone with the file and the `sqlite3` program could do.
    func tamper(_ file: String, _ sql: String) throws {
        // A store that was refused may still be closing its file.
        var configuration = GRDB.Configuration()
        configuration.busyMode = .timeout(5)
        try DatabaseQueue(path: file, configuration: configuration).writeWithoutTransaction {
            try $0.execute(sql: sql)
        }
    }
}

/// Stands in for SHA-256, which is not this suite's business: four differently seeded FNV-1a sums.
func testHash(_ bytes: UnsafeRawBufferPointer) -> Digest256 {
    func sum(_ seed: UInt64) -> UInt64 {
        bytes.reduce(0xcbf2_9ce4_8422_2325 ^ seed) { ($0 ^ UInt64($1)) &* 0x0000_0100_0000_01b3 }
    }
    return Digest256(sum(1), sum(2), sum(3), sum(4))
}

/// Runs something that must be refused by storage, and gives the refusal.
func refusal(_ body: () async throws -> Void) async -> StorageFailure? {
    do {
        try await body()
        return nil
    } catch {
        return error as? StorageFailure
    }
}
