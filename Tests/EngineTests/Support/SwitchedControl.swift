import Cipher
import Domain
import Storage
import Synchronization

/// A control store in memory that a test can make fail: then nothing is written, and so nothing audited.
final class SwitchedControl: ControlStore {
    private let inner = MemoryControlStore(hashing: { SHA256.digest($0) })
    private let isBroken = Mutex(false)

    func fail(_ broken: Bool) { isBroken.withLock { $0 = broken } }

    private func check() throws {
        if isBroken.withLock({ $0 }) { throw StorageFailure.unavailable("the disk is full") }
    }

    func load() async throws -> ControlContents { try await inner.load() }

    func createVault(_ vault: VaultRecord, audit: AuditDraft) async throws {
        try check()
        try await inner.createVault(vault, audit: audit)
    }

    func changeVault(
        _ vault: VaultRecord, keys: [WrappedTenantKey], audit: AuditDraft?
    ) async throws {
        try check()
        try await inner.changeVault(vault, keys: keys, audit: audit)
    }

    func insertTenant(
        _ tenant: TenantRecord, key: WrappedTenantKey, vault: VaultRecord?, audit: AuditDraft
    ) async throws {
        try check()
        try await inner.insertTenant(tenant, key: key, vault: vault, audit: audit)
    }

    func updateTenant(_ tenant: TenantRecord, audit: AuditDraft) async throws {
        try check()
        try await inner.updateTenant(tenant, audit: audit)
    }

    func shredTenant(
        _ tenant: TenantID, commitment: [UInt8], vault: VaultRecord, audit: AuditDraft
    ) async throws -> Bool {
        try check()
        return try await inner.shredTenant(tenant, commitment: commitment, vault: vault, audit: audit)
    }

    func insertVirtualKey(_ key: VirtualKeyRecord, audit: AuditDraft) async throws {
        try check()
        try await inner.insertVirtualKey(key, audit: audit)
    }

    func rotateVirtualKey(
        ending predecessor: VirtualKeyRecord, with successor: VirtualKeyRecord, audit: AuditDraft
    ) async throws {
        try check()
        try await inner.rotateVirtualKey(ending: predecessor, with: successor, audit: audit)
    }

    func updateVirtualKey(_ key: VirtualKeyRecord, audit: AuditDraft) async throws {
        try check()
        try await inner.updateVirtualKey(key, audit: audit)
    }

    func setLimits(_ record: LimitRecord, audit: AuditDraft) async throws {
        try check()
        try await inner.setLimits(record, audit: audit)
    }

    func codeRows(
        _ vault: VaultRecord, hashing: @escaping @Sendable ([UInt8]) throws -> [UInt8], audit: AuditDraft
    ) async throws {
        try check()
        try await inner.codeRows(vault, hashing: hashing, audit: audit)
    }

    func checkRows() async throws -> AccessFindings { try await inner.checkRows() }

    func setHold(_ hold: BreakerHold?, on target: Target, audit: AuditDraft) async throws {
        try check()
        try await inner.setHold(hold, on: target, audit: audit)
    }

    @discardableResult
    func appendAudit(_ draft: AuditDraft) async throws -> AuditRecord {
        try check()
        return try await inner.appendAudit(draft)
    }

    func auditRecords(before: Int64?, limit: Int) async throws -> [AuditRecord] {
        try await inner.auditRecords(before: before, limit: limit)
    }

    func auditHead() async throws -> AuditHead { try await inner.auditHead() }

    func auditRecords(from sequence: Int64, limit: Int) async throws -> [AuditRecord] {
        try await inner.auditRecords(from: sequence, limit: limit)
    }

    func auditLeaves(size: Int64) async throws -> [Digest256] { try await inner.auditLeaves(size: size) }

    func eraseOperator(
        _ name: String, audit: @escaping @Sendable (AuditErasure) -> AuditDraft
    ) async throws -> AuditErasure {
        try check()
        return try await inner.eraseOperator(name, audit: audit)
    }

    func appendCheckpoint(_ checkpoint: StoredCheckpoint) async throws {
        try check()
        try await inner.appendCheckpoint(checkpoint)
    }

    func checkpoints(after position: Int64, limit: Int) async throws -> [StoredCheckpoint] {
        try await inner.checkpoints(after: position, limit: limit)
    }

    func lastCheckpoint() async throws -> StoredCheckpoint? { try await inner.lastCheckpoint() }

    func walkAudit() async throws -> AuditWalk { try await inner.walkAudit() }
}
