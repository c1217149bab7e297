public import Domain

/// HMAC-SHA-256 under a key that only the open vault has, as the stores get it from their maker; throws while the vault
/// is sealed.
public typealias RowCoding = @Sendable ([UInt8]) throws -> Digest256

/// A row that decides who may call, with what, and how much: it carries a code that only the open vault can make.
///
/// Without the code such rows would be plain: whoever can write the data folder could move a virtual key to another
/// tenant, lift its limits, or add one of his own.
public enum AccessRow: Sendable, Hashable {
    case tenant(TenantRecord)
    case virtualKey(VirtualKeyRecord)
    case limits(LimitRecord)

    /// The table and the row's key in it: what a row is told apart by.
    public var place: [UInt8] {
        switch self {
        case .tenant(let record): [1] + record.id.bytes
        case .virtualKey(let record): [2] + record.id.bytes
        case .limits(let record): [3] + record.tenant.bytes + record.owner.bytes
        }
    }

    public var tenant: TenantID {
        switch self {
        case .tenant(let record): record.id
        case .virtualKey(let record): record.tenant
        case .limits(let record): record.tenant
        }
    }

    /// The bytes that a row's code is of: everything in it that is not the code, and its write counter.
    ///
    /// One byte for the kind of the form (1), the counter, the vault, then the fields in the order of the record:
    /// numbers big-endian, a text or a list with its length, what may be missing with a byte that says so. No two
    /// different rows have the same form.
    public func form(counter: Int64, vault: VaultID) -> [UInt8] {
        var form = CanonicalForm(1, counter: counter, vault: vault)
        form.add(place)
        switch self {
        case .tenant(let record):
            form.add(record.name.text)
            form.add(record.status.rawValue)
            form.add(record.limits)
            form.add(record.cacheEnabled ? 1 : 0)
            form.add(record.usesPlatformKeys ? 1 : 0)
            form.add(record.created.milliseconds)
        case .virtualKey(let record):
            form.add(record.tenant.bytes)
            form.add(record.name.text)
            form.add(record.hash)
            form.add(record.user?.text)
            form.add(record.team?.text)
            form.add(Int64(record.models.count))
            for model in record.models { form.add(model.text) }
            form.add(record.limits)
            form.add(record.created.milliseconds)
            form.add(record.expires?.milliseconds)
            form.add(record.revoked?.milliseconds)
            form.add(record.successor?.bytes)
            form.add(record.callClass.rawValue)
        case .limits(let record): form.add(record.limits)
        }
        return form.bytes
    }

    /// What an operator calls the row.
    public var title: String {
        switch self {
        case .tenant(let record): "tenant \(record.name)"
        case .virtualKey(let record): "virtual key \(record.name) (\(record.id.short))"
        case .limits(let record): "limits of \(record.owner.title)"
        }
    }
}

/// Bytes that say one thing only: every field has a fixed or a stated length.
struct CanonicalForm {
    private(set) var bytes: [UInt8]

    init(_ kind: UInt8, counter: Int64, vault: VaultID) {
        bytes = [kind]
        add(counter)
        bytes += vault.bytes
    }

    mutating func add(_ number: Int64) {
        withUnsafeBytes(of: number.bigEndian) { bytes.append(contentsOf: $0) }
    }

    mutating func add(_ content: [UInt8]) {
        add(Int64(content.count))
        bytes += content
    }

    mutating func add(_ text: String) { add(Array(text.utf8)) }

    mutating func add(_ text: String?) { add(text.map { Array($0.utf8) }) }

    mutating func add(_ content: [UInt8]?) {
        bytes.append(content == nil ? 0 : 1)
        if let content { add(content) }
    }

    mutating func add(_ number: Int64?) {
        bytes.append(number == nil ? 0 : 1)
        if let number { add(number) }
    }

    mutating func add(_ limits: LimitSet) {
        for limit in [limits.requestsPerMinute, limits.tokensPerMinute, limits.parallel] {
            add(limit.map(Int64.init))
        }
    }
}

extension LimitOwner {
    fileprivate var bytes: [UInt8] {
        switch self {
        case .tenant: [1]
        case .team(let name): [2] + Array(name.text.utf8)
        case .user(let name): [3] + Array(name.text.utf8)
        case .virtualKey(let id): [4] + id.bytes
        case .providerKey(let id): [5] + id.bytes
        }
    }

    fileprivate var title: String {
        switch self {
        case .tenant: "the tenant"
        case .team(let name): "team \(name)"
        case .user(let name): "user \(name)"
        case .virtualKey(let id): "virtual key \(id.short)"
        case .providerKey(let id): "provider key \(id.short)"
        }
    }
}

extension VirtualKeyRecord {
    /// The same key, looked up by another hash.
    public func hashed(_ hashing: ([UInt8]) throws -> [UInt8]) rethrows -> VirtualKeyRecord {
        VirtualKeyRecord(
            id: id, tenant: tenant, name: name, hash: try hashing(hash), user: user, team: team,
            models: models,
            limits: limits, created: created, expires: expires, revoked: revoked, successor: successor,
            callClass: callClass)
    }
}
