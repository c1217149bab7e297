public import Domain

/// What the gateway as a whole keeps: tenants, virtual keys, the vault's wraps, breaker holds and the audit chain.
///
/// Each verb is one transaction. A verb that changes something takes the audit draft that tells of it and chains
/// it in the same transaction: if the audit record cannot be written, nothing changes.
public protocol ControlStore: Sendable {
    /// Everything the directory is made of, read at one moment.
    func load() async throws -> ControlContents

    func createVault(_ vault: VaultRecord, audit: AuditDraft) async throws
    /// Replaces the vault's record and puts tenants' keys, new ones and changed ones: all or nothing. Refuses with
    /// `.stale` unless what is stored has the epoch before the record's. What it removes (slots, wraps) is gone from
    /// the files when it returns. `audit` is nil for the steps of a rotation whose beginning and end are chained.
    func changeVault(_ vault: VaultRecord, keys: [WrappedTenantKey], audit: AuditDraft?) async throws
    /// Refuses with `.conflict` when the tenant's name is taken. `vault` is the record with its next epoch, as for
    /// `changeVault`; nil leaves it alone, which only a vault without a key ring bears.
    func insertTenant(
        _ tenant: TenantRecord, key: WrappedTenantKey, vault: VaultRecord?, audit: AuditDraft) async throws
    func updateTenant(_ tenant: TenantRecord, audit: AuditDraft) async throws
    /// Removes a tenant with its virtual keys, its ceilings and the wraps of its keys, and notes in `shredded` that it
    /// is gone for good. `vault` is the record with its next epoch. What is removed is overwritten in the files; false
    /// when a copy may stay in the write-ahead log until the log is next emptied.
    func shredTenant(
        _ tenant: TenantID, commitment: [UInt8], vault: VaultRecord, audit: AuditDraft
    ) async throws -> Bool
    func insertVirtualKey(_ key: VirtualKeyRecord, audit: AuditDraft) async throws
    /// Several at once: a rotation writes the successor and ends the predecessor together.
    func rotateVirtualKey(
        ending predecessor: VirtualKeyRecord, with successor: VirtualKeyRecord, audit: AuditDraft)
        async throws
    func updateVirtualKey(_ key: VirtualKeyRecord, audit: AuditDraft) async throws
    /// Puts or replaces the ceilings of a team, a user or a provider key; an empty set removes them. Refuses owners
    /// whose ceilings stand in their own record.
    func setLimits(_ record: LimitRecord, audit: AuditDraft) async throws
    /// Gives every row that decides access its code, as the rows stand: once for a vault from before there were codes,
    /// when `hashing` turns each virtual key's stored hash into the one it is looked up by, and again when an operator
    /// accepts rows that something else changed. `vault` is the record with its next epoch. The vault has to be open.
    func codeRows(
        _ vault: VaultRecord, hashing: @escaping @Sendable ([UInt8]) throws -> [UInt8], audit: AuditDraft)
        async throws
    /// Checks the codes of all rows that decide access. The vault has to be open.
    func checkRows() async throws -> AccessFindings
    /// Puts or replaces a breaker hold; nil removes it.
    func setHold(_ hold: BreakerHold?, on target: Target, audit: AuditDraft) async throws

    /// Chains one record by itself: for changes that live elsewhere (a tenant's schema, the cache) and for refusals.
    /// Chaining a draft whose id is already in the chain changes nothing and returns the record that is there.
    @discardableResult
    func appendAudit(_ draft: AuditDraft) async throws -> AuditRecord
    /// Erases who an operator was from every record that names him: his name, terminal, user id, session, address, and the
    /// random bytes of the commitment to them. What is hashed stays as it is. `audit` makes the record of it, chained in
    /// the same transaction, from the figures. What is erased is overwritten in the files.
    func eraseOperator(
        _ name: String, audit: @escaping @Sendable (AuditErasure) -> AuditDraft
    ) async throws -> AuditErasure
    /// Newest first; `before` = only sequences below it.
    func auditRecords(before: Int64?, limit: Int) async throws -> [AuditRecord]
    /// The chain's end and its tree.
    func auditHead() async throws -> AuditHead
    /// Oldest first, from `sequence` on.
    func auditRecords(from sequence: Int64, limit: Int) async throws -> [AuditRecord]
    /// The leaves of the tree of the first `size` records, as they stand; fewer when there are not so many.
    func auditLeaves(size: Int64) async throws -> [Digest256]
    func appendCheckpoint(_ checkpoint: StoredCheckpoint) async throws
    /// In the order in which they were signed, from a position on, at most so many.
    func checkpoints(after position: Int64, limit: Int) async throws -> [StoredCheckpoint]
    func lastCheckpoint() async throws -> StoredCheckpoint?
    /// Walks the whole chain in order, a batch at a time, and compares the stored tree with it.
    func walkAudit() async throws -> AuditWalk
}

extension ControlStore {
    public func verifyAudit() async throws -> AuditVerification { try await walkAudit().verdict }
}

/// What the erasing of an operator did.
public struct AuditErasure: Sendable, Equatable {
    /// Records that say no more who it was.
    public var erased: Int64
    /// Records of the older form, in which the name itself is hashed: it stays.
    public var kept: Int64
    /// False when a copy may stay in the write-ahead log until the log is next emptied.
    public var isEmptied: Bool

    public init(erased: Int64, kept: Int64, isEmptied: Bool = true) {
        self.erased = erased
        self.kept = kept
        self.isEmptied = isEmptied
    }
}

/// The end of the audit: how many records there are, the last one's hash, and the root of the tree over all of them.
public struct AuditHead: Sendable, Equatable {
    public let size: Int64
    public let head: [UInt8]
    public let root: Digest256

    public init(size: Int64, head: [UInt8], root: Digest256) {
        self.size = size
        self.head = head
        self.root = root
    }
}

/// What a control store holds, apart from the audit chain.
public struct ControlContents: Sendable, Equatable {
    public var vault: VaultRecord?
    public var tenants: [TenantRecord]
    public var tenantKeys: [WrappedTenantKey]
    public var virtualKeys: [VirtualKeyRecord]
    public var holds: [Target: BreakerHold]
    /// In no order.
    public var limits: [LimitRecord]
    /// Tenants that were removed for good: their storage is removed at the next start, if it is still there, and no
    /// backup brings them back.
    public var shredded: [TenantID]

    public init(
        vault: VaultRecord? = nil, tenants: [TenantRecord] = [], tenantKeys: [WrappedTenantKey] = [],
        virtualKeys: [VirtualKeyRecord] = [], holds: [Target: BreakerHold] = [:], limits: [LimitRecord] = [],
        shredded: [TenantID] = []
    ) {
        self.shredded = shredded
        self.vault = vault
        self.tenants = tenants
        self.tenantKeys = tenantKeys
        self.virtualKeys = virtualKeys
        self.holds = holds
        self.limits = limits
    }
}

/// What a walk over the audit chain found.
public enum AuditVerification: Sendable, Equatable, Codable {
    /// Every record follows from the one before; `head` is the last hash.
    case intact(records: Int64, head: [UInt8])
    /// The first record that does not: its sequence and what is wrong with it.
    case broken(at: Int64, what: String)
}

/// Why a store refused.
public enum StorageFailure: Error, Sendable, Equatable, CustomStringConvertible {
    case notFound(String)
    case conflict(String)
    /// The row was changed by someone else since it was read.
    case stale(String)
    case corrupt(String)
    case unavailable(String)
    /// The tenant was removed for good.
    case shredded(TenantID)

    public var description: String {
        switch self {
        case .notFound(let what): "\(what) was not found"
        case .conflict(let what): what
        case .stale(let what): "\(what) was changed meanwhile; read it again"
        case .corrupt(let what): "storage is damaged: \(what)"
        case .unavailable(let what): "storage is not available: \(what)"
        case .shredded(let tenant): "tenant \(tenant) was deleted for good"
        }
    }
}
