import Domain
import Foundation
import SQLiteStorage
import Storage
import TestKit
import Testing

/// The storages that the one contract is run against.
enum Backend: String, CaseIterable, Sendable, CustomTestStringConvertible {
    case memory, sqlite

    var testDescription: String { rawValue }

    func controlStore(in folder: TemporaryFolder) throws -> any ControlStore {
        switch self {
        case .memory: MemoryControlStore(hashing: testHash)
        case .sqlite: try SQLiteControlStore(in: DataFolder(at: folder.path), hashing: testHash)
        }
    }

    func tenantStores(in folder: TemporaryFolder) throws -> any TenantStores {
        switch self {
        case .memory: MemoryTenantStores()
        case .sqlite: try SQLiteTenantStores(in: DataFolder(at: folder.path), vault: Samples.vaultID)
        }
    }

    func journal(in folder: TemporaryFolder, capacity: Int) throws -> any UsageJournal {
        switch self {
        case .memory: MemoryJournal(capacity: capacity)
        case .sqlite: try MappedJournal(in: DataFolder(at: folder.path), capacity: capacity)
        }
    }
}

/// A folder that goes away with the object.
final class TemporaryFolder: Sendable {
    let path: String

    init() {
        path = "/tmp/gatehouse-\(UUID().uuidString)"
    }

    deinit { try? FileManager.default.removeItem(atPath: path) }
}

/// Stands in for SHA-256, which is not this suite's business: four differently seeded FNV-1a sums.
func testHash(_ bytes: UnsafeRawBufferPointer) -> Digest256 {
    func sum(_ seed: UInt64) -> UInt64 {
        bytes.reduce(0xcbf2_9ce4_8422_2325 ^ seed) { ($0 ^ UInt64($1)) &* 0x0000_0100_0000_01b3 }
    }
    return Digest256(sum(1), sum(2), sum(3), sum(4))
}
