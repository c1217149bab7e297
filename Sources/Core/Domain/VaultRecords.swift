/// How a slot's key-encryption key is obtained.
public enum SlotKind: String, Sendable, Codable {
    case passphrase
    case keyFile = "keyfile"
    /// 256 bits on paper, for the day when nothing else opens the vault.
    case recovery
    /// A key that never leaves a token keeps the slot's key.
    case token = "pkcs11"
    /// A key that never leaves a key service (AWS KMS, or one that speaks as it does) keeps the slot's key.
    case keyService = "kms"

    /// Whether something outside of this machine's files has to be asked for the slot's key.
    public var isKeptOutside: Bool {
        switch self {
        case .token, .keyService: true
        case .passphrase, .keyFile, .recovery: false
        }
    }
}

/// What a slot keeps of a key that never comes here: which one it is, and the slot's key as that key sealed it.
public struct OutsideKey: Hashable, Sendable, Codable {
    /// As its keeper calls it: a PKCS #11 URI (RFC 7512), or the ARN of a key at AWS. Open to everyone.
    public let name: String
    public let sealed: [UInt8]

    public init(name: String, sealed: [UInt8]) {
        self.name = name
        self.sealed = sealed
    }
}

/// One way to open the vault: the root key wrapped for one unlock source, as LUKS key slots do.
public struct VaultSlot: Hashable, Sendable, Codable {
    public let id: Identifier<SlotIDKind>
    public let kind: SlotKind
    /// scrypt's N (RFC 7914), 0 for sources that are random enough; r = 8 and p = 1 are constants of the code.
    public let scryptN: UInt64
    public let salt: [UInt8]
    public let rootVersion: UInt32
    /// The root key as a GWE1 record of purpose 18.
    public let sealedRoot: [UInt8]
    public let created: WallTime
    /// Of slots whose key is kept outside.
    public let outside: OutsideKey?

    public init(
        id: Identifier<SlotIDKind>, kind: SlotKind, scryptN: UInt64, salt: [UInt8], rootVersion: UInt32,
        sealedRoot: [UInt8], created: WallTime, outside: OutsideKey? = nil
    ) {
        self.outside = outside
        self.id = id
        self.kind = kind
        self.scryptN = scryptN
        self.salt = salt
        self.rootVersion = rootVersion
        self.sealedRoot = sealedRoot
        self.created = created
    }
}

/// Marks ids of vault slots.
public enum SlotIDKind {}
public typealias SlotID = Identifier<SlotIDKind>

/// Marks ids of audit logs.
public enum AuditLogIDKind {}
public typealias AuditLogID = Identifier<AuditLogIDKind>

/// The log that the audit is, and the key that signs its checkpoints: the secret sealed, the public key in the open.
public struct AuditSigner: Hashable, Sendable, Codable {
    public let log: AuditLogID
    /// Ed25519, 32 bytes.
    public let publicKey: [UInt8]
    /// The secret as a GWE1 record of purpose 19.
    public var sealed: [UInt8]

    public init(log: AuditLogID, publicKey: [UInt8], sealed: [UInt8]) {
        self.log = log
        self.publicKey = publicKey
        self.sealed = sealed
    }
}

/// What is stored of a vault: its slots, a sealed check record, and the sealed key ring; never a key.
public struct VaultRecord: Hashable, Sendable, Codable {
    public let id: VaultID
    public let created: WallTime
    public var slots: [VaultSlot]
    public var rootVersion: UInt32
    /// A GWE1 record of purpose 17 under the root key: opens if and only if the right root key was found.
    public var keyCheck: [UInt8]
    /// Moves with every change of slots, roots and tenants' keys; 0 = from before there were key rings.
    public var epoch: UInt32
    /// The key ring as a GWE1 record of purpose 20, with the epoch as its counter; empty with epoch 0.
    public var ring: [UInt8]
    /// The root key of the version before, sealed under this one while a rotation still needs it; else empty.
    public var previousRoot: [UInt8]
    /// Whether the rows that decide access carry codes, and virtual keys are looked up with the vault's pepper: so in
    /// every new vault, and in an older one from its first unlock on.
    public var rowsCoded: Bool
    /// Signs checkpoints of the audit; nil in a vault from before there were any, until it is next open.
    public var auditSigner: AuditSigner?

    public init(
        id: VaultID, created: WallTime, slots: [VaultSlot], rootVersion: UInt32, keyCheck: [UInt8],
        epoch: UInt32 = 0, ring: [UInt8] = [], previousRoot: [UInt8] = [], rowsCoded: Bool = false,
        auditSigner: AuditSigner? = nil
    ) {
        self.rowsCoded = rowsCoded
        self.auditSigner = auditSigner
        self.epoch = epoch
        self.ring = ring
        self.previousRoot = previousRoot
        self.id = id
        self.created = created
        self.slots = slots
        self.rootVersion = rootVersion
        self.keyCheck = keyCheck
    }
}

/// State of one version of a tenant's data-encryption key.
public enum TenantKeyState: String, Sendable, Codable {
    /// Seals and opens.
    case active
    /// Opens only.
    case retiring
    /// Its wrap is gone.
    case destroyed
}

/// One version of a tenant's data-encryption key, wrapped by the root key (GWE1, purpose 16).
public struct WrappedTenantKey: Hashable, Sendable, Codable {
    public let tenant: TenantID
    public let version: UInt32
    public var state: TenantKeyState
    public var rootVersion: UInt32
    public var wrapped: [UInt8]
    public let created: WallTime
    /// How many records it may have sealed: counted in batches, so never too low.
    public var sealings: Int64

    public init(
        tenant: TenantID, version: UInt32, state: TenantKeyState, rootVersion: UInt32, wrapped: [UInt8],
        created: WallTime, sealings: Int64 = 0
    ) {
        self.sealings = sealings
        self.tenant = tenant
        self.version = version
        self.state = state
        self.rootVersion = rootVersion
        self.wrapped = wrapped
        self.created = created
    }
}
