public import Domain

/// Who gives a command, and by which way: what the audit says, and what roles are decided by.
public struct OperatorID: Hashable, Sendable {
    public let name: String
    /// `console`, `command` or `engine`.
    public let via: String
    public let origin: OperatorOrigin
    /// The machine's account that the kernel vouches for; empty = not known.
    public let account: String
    /// The account is neither the engine's own nor root.
    public let isForeign: Bool
    /// The most that the operator wants to be able to do in this session; nil = all that he may.
    public let ceiling: OperatorRole?

    public init(
        name: String, via: String, origin: OperatorOrigin = .unknown, account: String = "",
        isForeign: Bool = false, ceiling: OperatorRole? = nil
    ) {
        self.name = name
        self.via = via
        self.origin = origin
        self.account = account
        self.isForeign = isForeign
        self.ceiling = ceiling
    }
}

/// Everything that can be changed in a running gateway. Secrets travel beside a command, never in it.
public enum EngineCommand: Sendable, Hashable, Codable {
    case tenantAdd(name: TenantName, limits: LimitSet)
    case tenantSuspend(name: TenantName, reason: String)
    case tenantResume(name: TenantName)
    /// Destroys the tenant's keys and removes it for good. `confirm` is its name once more.
    case tenantDelete(name: TenantName, confirm: String, reason: String)
    /// Whether the tenant's calls may go out with the platform's keys where its own do not serve.
    case tenantPlatformKeys(name: TenantName, used: Bool)

    /// Seals a provider key, after a real call to the provider with it. Comes with a secret.
    case keyAdd(tenant: TenantName, provider: ProviderName, label: Label, acceptUnverified: Bool)
    case keyVerify(key: ProviderKeyID)
    /// Verifies the successor, tries it with a share of the calls where one is given, switches, and lets the old key
    /// drain. Comes with a secret.
    case keyRotate(
        key: ProviderKeyID, canary: CanaryOrder? = nil, drainSeconds: Int, acceptUnverified: Bool)
    /// Puts traffic back on a draining key, or ends the trial of its successor, and drains that instead.
    case keyUndo(key: ProviderKeyID)
    case keyDrain(key: ProviderKeyID, seconds: Int, reason: String)
    case keyRevoke(key: ProviderKeyID, reason: String)
    /// Its share of the calls among the tenant's keys for the provider, nil = none stated; and the models it is for, in
    /// the provider's words, empty = all.
    case keySet(key: ProviderKeyID, weight: Int?, models: [ModelName])

    case tokenIssue(TokenOrder)
    case tokenRotate(key: VirtualKeyID, overlapSeconds: Int)
    case tokenRevoke(key: VirtualKeyID, reason: String)

    /// Puts the ceilings of a tenant or of someone in it; an empty set takes them away.
    case limitSet(tenant: TenantName, owner: LimitOwner, limits: LimitSet)

    case breakerTrip(target: Target, seconds: Int, reason: String)
    case breakerClose(target: Target, seconds: Int, reason: String)
    case breakerHold(target: Target, seconds: Int, reason: String)
    case breakerRelease(target: Target, reason: String)

    /// Makes some of one tenant's calls meet a fault, 1 to 100 of a hundred, until the minutes are over.
    case drillStart(tenant: TenantName, fault: DrillFault, percent: Int, minutes: Int, reason: String)
    case drillStop(tenant: TenantName, reason: String)

    /// nil = every tenant's.
    case cachePurge(tenant: TenantName?)
    /// A free call to the provider; with a tenant, with that tenant's key.
    case providerTest(provider: ProviderName, tenant: TenantName?)
    /// Comes with the passphrase, or with the key file's content.
    case vaultUnlock
    /// Opens the vault with a key that is kept outside: by a token or a key service. Comes with the token's PIN, or with
    /// nothing where the configuration says where that lies, or where there is none.
    case vaultUnlockOutside(kind: SlotKind)
    /// Forgets every key: calls that need one are refused until the next unlock.
    case vaultLock(reason: String)
    /// Opens every sealed record and says which do not open.
    case vaultVerify
    /// Takes the rows that decide access as they stand, after an operator has looked at what was found.
    case vaultAccept(reason: String)
    /// One more way to open the vault. Comes with the passphrase, the key file's content, or the recovery key's text;
    /// for a key that is kept outside, with what opens that.
    case vaultSlotAdd(kind: SlotKind)
    /// Never the last one.
    case vaultSlotRemove(slot: SlotID)
    /// Comes with the present passphrase and the new one, as a `SecretBundle`.
    case vaultPassphraseChange
    /// A new root key. Comes with the secrets of the slots that stay, of these kinds, as a `SecretBundle`; with slots
    /// left over it is refused, unless they are to go.
    case vaultRotateRoot(kinds: [SlotKind], dropOthers: Bool)
    /// A new version of one tenant's data key, or of every tenant's; what is sealed is sealed anew in the background.
    case vaultRotateKeys(tenant: TenantName?)
    case configReload
    /// Says in the audit that its records up to now leave the gateway, and in which form. With a file, an absolute path,
    /// the engine also writes it; without one whoever asked does.
    case auditExport(form: String, file: String?)
    /// A new log with a new key, whose first record names the old one: after a data folder was put back, since the old
    /// log must not sign twice for the same size. The records stay.
    case auditNewLog(reason: String)
    /// Erases from the audit who an operator was, for good; what he did stays. `confirm` is the name once more.
    case auditErase(operatorName: String, confirm: String, reason: String)
    /// Copies everything, or one tenant's storage, sealed into a new folder.
    case backup(folder: String, tenant: TenantName?)
}

extension EngineCommand {
    /// Whether it writes tenants, virtual keys or limits: not while the vault is sealed.
    public var changesAccess: Bool {
        switch self {
        case .tenantAdd, .tenantSuspend, .tenantResume, .tenantDelete, .tenantPlatformKeys, .tokenIssue,
            .tokenRotate,
            .tokenRevoke, .limitSet, .vaultAccept:
            true
        default: false
        }
    }
}

/// How a successor of a provider key is tried before it takes every call.
public struct CanaryOrder: Sendable, Hashable, Codable {
    /// Of a hundred calls, 1 to 99.
    public let percent: Int
    public let seconds: Int

    /// What a rotation does when nothing else is said.
    public static let usual = CanaryOrder(percent: 5, seconds: 120)

    public init(percent: Int, seconds: Int) {
        self.percent = percent
        self.seconds = seconds
    }
}

/// What a new virtual key is to be.
public struct TokenOrder: Sendable, Hashable, Codable {
    public var tenant: TenantName
    public var name: Label
    public var user: Label?
    public var team: Label?
    /// Empty = every model.
    public var models: [ModelName]
    public var limits: LimitSet
    public var expiresInSeconds: Int?
    public var callClass: CallClass

    public init(
        tenant: TenantName, name: Label, user: Label? = nil, team: Label? = nil, models: [ModelName] = [],
        limits: LimitSet = .init(), expiresInSeconds: Int? = nil, callClass: CallClass = .interactive
    ) {
        self.callClass = callClass
        self.tenant = tenant
        self.name = name
        self.user = user
        self.team = team
        self.models = models
        self.limits = limits
        self.expiresInSeconds = expiresInSeconds
    }
}

/// What a command did.
public struct CommandReceipt: Sendable, Hashable, Codable {
    /// One line: what happened.
    public let message: String
    /// Further facts, a line each.
    public let details: [String]
    /// The command that takes it back, while that is possible.
    public let undo: EngineCommand?
    public let undoUntil: WallTime?
    /// The command did its work, and what it found is bad: a key that the provider refuses.
    public let isBad: Bool

    public init(
        message: String, details: [String] = [], undo: EngineCommand? = nil, undoUntil: WallTime? = nil,
        isBad: Bool = false
    ) {
        self.message = message
        self.details = details
        self.undo = undo
        self.undoUntil = undoUntil
        self.isBad = isBad
    }
}

/// A receipt with the secret that was made, if one was: a new virtual key, to be shown once.
public struct CommandOutcome: Sendable {
    public let receipt: CommandReceipt
    public let issued: SecretDraft?
    public init(_ receipt: CommandReceipt, issued: SecretDraft? = nil) {
        self.receipt = receipt
        self.issued = issued
    }
}

/// Why a command was not carried out; nothing was changed.
public struct CommandRefusal: Error, Sendable, Hashable, Codable, CustomStringConvertible {
    /// What kind of refusal it is.
    public enum Code: String, Sendable, Codable {
        case notFound = "not_found"
        case conflict
        case invalid
        case readOnly = "read_only"
        /// The operator lacks the role.
        case denied
        case sealed
        /// The provider refused the key.
        case keyRefused = "key_refused"
        /// The provider could not be asked: repeat with `acceptUnverified` to go on all the same.
        case keyUnverified = "key_unverified"
        case storage
        case unavailable
    }
    public let code: Code
    /// What, why, what to do.
    public let message: String
    public init(_ code: Code, _ message: String) {
        self.code = code
        self.message = message
    }
    public var description: String { message }
}
