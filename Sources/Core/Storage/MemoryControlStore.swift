public import Domain
import Locking

/// A control store that lives as long as the process: for tests and for the demonstration.
public final class MemoryControlStore: ControlStore {
    private let state: Locked<State>

    public init(hashing: @escaping Hashing) { state = Locked(State(hashing: hashing)) }

    public func load() async throws -> ControlContents { state.withLock(\.contents) }

    public func createVault(_ vault: VaultRecord, audit: AuditDraft) async throws {
        try change(audit) { contents in
            guard contents.vault == nil else { throw StorageFailure.vaultExists }
            contents.vault = vault
        }
    }

    public func changeVault(
        _ vault: VaultRecord, keys: [WrappedTenantKey], audit: AuditDraft?
    ) async throws {
        try change(audit) { contents in
            try contents.replaceVault(vault)
            for key in keys {
                guard contents.tenants.contains(where: { $0.id == key.tenant }) else {
                    throw StorageFailure.notFound("tenant \(key.tenant)")
                }
                contents.tenantKeys.removeAll { $0.tenant == key.tenant && $0.version == key.version }
                contents.tenantKeys.append(key)
            }
            contents.tenantKeys.sort { ($0.tenant, $0.version) < ($1.tenant, $1.version) }
        }
    }

    public func insertTenant(
        _ tenant: TenantRecord, key: WrappedTenantKey, vault: VaultRecord?, audit: AuditDraft
    ) async throws {
        try change(audit) { contents in
            if let vault { try contents.replaceVault(vault) }
            guard key.tenant == tenant.id else {
                throw StorageFailure.otherTenant("the wrapped key", tenant.id)
            }
            guard !contents.tenants.contains(where: { $0.name == tenant.name }) else {
                throw StorageFailure.tenantNameTaken(tenant.name)
            }
            guard !contents.tenants.contains(where: { $0.id == tenant.id }) else {
                throw StorageFailure.alreadyThere("tenant \(tenant.id)")
            }
            contents.tenants.append(tenant)
            contents.tenants.sort { $0.name < $1.name }
            contents.tenantKeys.append(key)
            contents.tenantKeys.sort { ($0.tenant, $0.version) < ($1.tenant, $1.version) }
        }
    }

    public func updateTenant(_ tenant: TenantRecord, audit: AuditDraft) async throws {
        try change(audit) { contents in
            guard let index = contents.tenants.firstIndex(where: { $0.id == tenant.id }) else {
                throw StorageFailure.notFound("tenant \(tenant.name)")
            }
            let stored = contents.tenants[index]
            guard stored.name == tenant.name, stored.created == tenant.created else {
                throw StorageFailure.fixed("the name of tenant \(stored.name)")
            }
            contents.tenants[index] = tenant
        }
    }

    public func shredTenant(
        _ tenant: TenantID, commitment: [UInt8], vault: VaultRecord, audit: AuditDraft
    ) async throws -> Bool {
        try change(audit) { contents in
            guard contents.tenants.contains(where: { $0.id == tenant }) else {
                throw StorageFailure.notFound("tenant \(tenant)")
            }
            try contents.replaceVault(vault)
            contents.tenants.removeAll { $0.id == tenant }
            contents.tenantKeys.removeAll { $0.tenant == tenant }
            contents.virtualKeys.removeAll { $0.tenant == tenant }
            contents.limits.removeAll { $0.tenant == tenant }
            contents.shredded.append(tenant)
        }
        return true
    }

    public func insertVirtualKey(_ key: VirtualKeyRecord, audit: AuditDraft) async throws {
        try change(audit) { try $0.insert(key) }
    }

    public func rotateVirtualKey(
        ending predecessor: VirtualKeyRecord, with successor: VirtualKeyRecord, audit: AuditDraft
    ) async throws {
        try change(audit) { contents in
            guard predecessor.tenant == successor.tenant else {
                throw StorageFailure.otherTenant("the successor", predecessor.tenant)
            }
            try contents.insert(successor)
            try contents.update(predecessor)
        }
    }

    public func updateVirtualKey(_ key: VirtualKeyRecord, audit: AuditDraft) async throws {
        try change(audit) { try $0.update(key) }
    }

    public func setLimits(_ record: LimitRecord, audit: AuditDraft) async throws {
        guard record.hasPlace else { throw StorageFailure.limitsElsewhere }
        try change(audit) { contents in
            guard contents.tenants.contains(where: { $0.id == record.tenant }) else {
                throw StorageFailure.notFound("tenant \(record.tenant)")
            }
            contents.limits.removeAll { $0.tenant == record.tenant && $0.owner == record.owner }
            if !record.limits.isEmpty { contents.limits.append(record) }
        }
    }

    public func codeRows(
        _ vault: VaultRecord, hashing: @escaping @Sendable ([UInt8]) throws -> [UInt8], audit: AuditDraft
    ) async throws {
        try change(audit) { contents in
            let isFirst = contents.vault?.rowsCoded == false
            try contents.replaceVault(vault)
            guard isFirst else { return }
            contents.virtualKeys = try contents.virtualKeys.map { try $0.hashed(hashing) }
        }
    }

    /// Nobody but this process can change what is in its memory: there is nothing to code and nothing to find.
    public func checkRows() async throws -> AccessFindings { AccessFindings() }

    public func setHold(_ hold: BreakerHold?, on target: Target, audit: AuditDraft) async throws {
        try change(audit) { $0.holds[target] = hold }
    }

    @discardableResult
    public func appendAudit(_ draft: AuditDraft) async throws -> AuditRecord {
        state.withLock { state in
            if let record = state.chain.first(where: { $0.draft.id == draft.id }) { return record }
            return state.append(draft)
        }
    }

    public func auditRecords(before: Int64?, limit: Int) async throws -> [AuditRecord] {
        state.withLock { state in
            let upTo = Int(min(max(0, (before ?? .max) - 1), Int64(state.chain.count)))
            return Array(state.chain[..<upTo].suffix(max(0, limit)).reversed())
        }
    }

    public func auditHead() async throws -> AuditHead {
        state.withLock { state in
            AuditHead(
                size: state.tree.size, head: state.chain.last?.hash ?? AuditChain.origin,
                root: state.tree.root(hashing: state.hashing))
        }
    }

    public func auditRecords(from sequence: Int64, limit: Int) async throws -> [AuditRecord] {
        state.withLock { Array($0.chain.lazy.filter { $0.sequence >= sequence }.prefix(max(0, limit))) }
    }

    public func auditLeaves(size: Int64) async throws -> [Digest256] {
        state.withLock { state in
            state.chain.prefix(Int(clamping: max(0, size))).compactMap { Digest256(bytes: $0.hash) }
        }
    }

    public func appendCheckpoint(_ checkpoint: StoredCheckpoint) async throws {
        state.withLock { state in
            var stored = checkpoint
            stored.position = Int64(state.checkpoints.count) + 1
            state.checkpoints.append(stored)
        }
    }

    public func checkpoints(after position: Int64, limit: Int) async throws -> [StoredCheckpoint] {
        state.withLock {
            Array($0.checkpoints.dropFirst(Int(clamping: max(0, position))).prefix(max(0, limit)))
        }
    }

    public func eraseOperator(
        _ name: String, audit: @escaping @Sendable (AuditErasure) -> AuditDraft
    ) async throws -> AuditErasure {
        state.withLock { state in
            var erasure = AuditErasure(erased: 0, kept: 0)
            for place in state.chain.indices
            where state.chain[place].draft.actor.utf8.elementsEqual(name.utf8) {
                if let record = state.chain[place].withoutOperator {
                    state.chain[place] = record
                    erasure.erased += 1
                } else {
                    erasure.kept += 1
                }
            }
            state.append(audit(erasure))
            return erasure
        }
    }

    public func lastCheckpoint() async throws -> StoredCheckpoint? { state.withLock(\.checkpoints.last) }

    public func walkAudit() async throws -> AuditWalk {
        let (chain, hashing) = state.withLock { ($0.chain, $0.hashing) }
        var walk = AuditWalk(hashing: hashing)
        for record in chain { walk.take(record) }
        return walk
    }

    /// One transaction: both the change and the audit record, or neither.
    private func change(_ audit: AuditDraft?, _ body: (inout ControlContents) throws -> Void) throws {
        try state.withLock { state in
            if let audit, state.chain.contains(where: { $0.draft.id == audit.id }) {
                throw StorageFailure.chained(audit)
            }
            var next = state.contents
            try body(&next)
            state.contents = next
            if let audit { state.append(audit) }
        }
    }

    private struct State {
        var contents = ControlContents()
        var chain: [AuditRecord] = []
        var tree = MerkleFrontier()
        var checkpoints: [StoredCheckpoint] = []
        let hashing: Hashing

        @discardableResult
        mutating func append(_ draft: AuditDraft) -> AuditRecord {
            let record = AuditChain.record(of: draft, after: chain.last, hashing: hashing)
            chain.append(record)
            if let leaf = Digest256(bytes: record.hash) { tree.append(leaf, hashing: hashing) }
            return record
        }
    }
}

extension ControlContents {
    fileprivate mutating func replaceVault(_ next: VaultRecord) throws {
        guard let stored = vault, stored.id == next.id, stored.epoch < next.epoch,
            stored.epoch == next.epoch - 1
        else { throw StorageFailure.vaultChanged }
        vault = next
    }

    fileprivate mutating func insert(_ key: VirtualKeyRecord) throws {
        guard tenants.contains(where: { $0.id == key.tenant }) else {
            throw StorageFailure.notFound("tenant \(key.tenant)")
        }
        guard !virtualKeys.contains(where: { $0.id == key.id || $0.hash == key.hash }) else {
            throw StorageFailure.alreadyThere("virtual key \(key.name)")
        }
        virtualKeys.append(key)
        virtualKeys.sort { ($0.created, $0.id) < ($1.created, $1.id) }
    }

    fileprivate mutating func update(_ key: VirtualKeyRecord) throws {
        guard let index = virtualKeys.firstIndex(where: { $0.id == key.id }) else {
            throw StorageFailure.notFound("virtual key \(key.name)")
        }
        let stored = virtualKeys[index]
        guard stored.tenant == key.tenant, stored.hash == key.hash, stored.name == key.name,
            stored.created == key.created
        else { throw StorageFailure.fixed("the identity of virtual key \(stored.name)") }
        virtualKeys[index] = key
    }
}
