public import Domain

/// What is known of all coded rows together: how often they were written, and a sum over which row was last written
/// when. Kept in one row with a code of its own, changed in the transaction of every change.
///
/// A row's code says that the row was written like this once, not that it still is so. An older version of a row put
/// back carries a good code; it does not fit the sum, nor does a row that was added or taken away. The sum adds up
/// HMACs of (row, counter) modulo 2^256, an additive multiset hash (Clarke et al., "Incremental multiset hash
/// functions", ASIACRYPT 2003): who has no key finds no other rows with the same sum. Each change costs the same, however
/// many rows there are.
public struct AccessSeal: Sendable, Hashable {
    public private(set) var counter: Int64
    public private(set) var sum: Digest256

    /// Of no rows.
    public init() { self.init(counter: 0, sum: Digest256(0, 0, 0, 0)) }

    public init(counter: Int64, sum: Digest256) {
        self.counter = counter
        self.sum = sum
    }

    /// The bytes that the seal's own code is of.
    public func form(vault: VaultID) -> [UInt8] {
        var form = CanonicalForm(3, counter: counter, vault: vault)
        form.add(sum.bytes)
        return form.bytes
    }

    /// Counts one more write.
    public mutating func advance() throws {
        guard counter < .max else { throw StorageFailure.unavailable("the rows were written too often") }
        counter += 1
    }

    public mutating func add(_ mark: Digest256) { sum = sum.adding(mark) }
    public mutating func remove(_ mark: Digest256) { sum = sum.subtracting(mark) }

    /// The bytes of which a row's part in the sum is the HMAC.
    public static func mark(of place: [UInt8], counter: Int64, vault: VaultID) -> [UInt8] {
        var form = CanonicalForm(2, counter: counter, vault: vault)
        form.add(place)
        return form.bytes
    }
}

extension Digest256 {
    fileprivate func adding(_ other: Digest256) -> Digest256 {
        let (low, first) = words.3.addingReportingOverflow(other.words.3)
        let (third, second) = words.2.adding(other.words.2, carry: first)
        let (next, last) = words.1.adding(other.words.1, carry: second)
        return Digest256(words.0 &+ other.words.0 &+ (last ? 1 : 0), next, third, low)
    }

    fileprivate func subtracting(_ other: Digest256) -> Digest256 {
        // -x = ~x + 1
        adding(Digest256(~other.words.0, ~other.words.1, ~other.words.2, ~other.words.3))
            .adding(Digest256(0, 0, 0, 1))
    }
}

extension UInt64 {
    fileprivate func adding(_ other: UInt64, carry: Bool) -> (UInt64, Bool) {
        let (sum, over) = addingReportingOverflow(other)
        let (whole, overAgain) = sum.addingReportingOverflow(carry ? 1 : 0)
        return (whole, over || overAgain)
    }
}

/// One stored row with what vouches for it.
public struct CodedRow: Sendable {
    public let row: AccessRow
    public let counter: Int64
    public let code: [UInt8]

    public init(_ row: AccessRow, counter: Int64, code: [UInt8]) {
        self.row = row
        self.counter = counter
        self.code = code
    }
}

/// What a check of the coded rows found.
public struct AccessFindings: Sendable, Equatable {
    /// Rows that were looked at.
    public var rows = 0
    /// Virtual keys whose row was changed by something else than the gateway.
    public var virtualKeys: Set<VirtualKeyID> = []
    /// Tenants of which a row about the tenant as a whole was: none of its virtual keys is to be used.
    public var tenants: Set<TenantID> = []
    /// The rows do not fit together: one was put back to an older state, added or taken away. No virtual key can be
    /// trusted.
    public var isWhole = false
    /// One line each, for operators.
    public var sentences: [String] = []

    public init() {}

    public var isClean: Bool { sentences.isEmpty }

    /// Checks rows as they are stored.
    ///
    /// - Parameter seal: with its code; nil when it is missing.
    public static func check(
        _ rows: [CodedRow], seal: (seal: AccessSeal, code: [UInt8])?, vault: VaultID, coding: RowCoding
    ) throws -> AccessFindings {
        var found = AccessFindings()
        found.rows = rows.count
        var all = AccessSeal()
        var good = AccessSeal()
        for stored in rows {
            let mark = try coding(
                AccessSeal.mark(of: stored.row.place, counter: stored.counter, vault: vault))
            all.add(mark)
            let code = try coding(stored.row.form(counter: stored.counter, vault: vault))
            if code.bytes == stored.code { good.add(mark) } else { found.distrust(stored.row) }
        }
        guard let seal, try coding(seal.seal.form(vault: vault)).bytes == seal.code else {
            found.distrustAll("the seal over them is missing or was changed")
            return found
        }
        // A changed row is still the one that was written last; a row of someone's own is not to be counted. Both at
        // once, or an old row that was put back, fit neither way.
        if all.sum != seal.seal.sum, good.sum != seal.seal.sum {
            found.distrustAll("a row was put back to an older state, added or taken away")
        }
        return found
    }

    private mutating func distrust(_ row: AccessRow) {
        switch row {
        case .virtualKey(let key): virtualKeys.insert(key.id)
        case .tenant(let tenant): tenants.insert(tenant.id)
        // A ceiling that cannot be trusted is not simply left out: then there would be none.
        case .limits(let limits): tenants.insert(limits.tenant)
        }
        sentences.append("\(row.title) of \(row.tenant): changed by something else than gatehouse")
    }

    private mutating func distrustAll(_ why: String) {
        isWhole = true
        sentences.append("tenants, virtual keys and limits do not fit together: \(why)")
    }
}
