import Cipher
import Domain
import Testing

@testable import Vault

@Suite struct SealedRecordTests {
    let tenant: TenantID
    let record: ProviderKeyID
    let key: SealingKey
    let context: SealContext

    init() throws {
        tenant = try #require(TenantID("00112233445566778899aabbccddeeff"))
        record = try #require(ProviderKeyID("0123456789abcdef0123456789abcdef"))
        key = SealingKey(try secret((0..<32).map { UInt8($0) }))
        context = SealContext(
            column: SealedColumns.providerKeySecret, tenant: tenant, record: record, sealingVersion: 3,
            counter: 7)
    }

    static let text = "sk-test-" + String(repeating: "0", count: 40)

    private func known() throws -> [UInt8] {
        try SealedRecord.seal(
            secret(Self.text), as: context, under: key, salt: [UInt8](repeating: 0xa5, count: 32))
    }

    private func detail(
        _ bytes: [UInt8], _ expected: SealContext, under key: SealingKey? = nil
    ) -> SealFailure.Detail? {
        let failure = refusal { () throws(SealFailure) in
            _ = try SealedRecord.open(bytes, expected: expected, under: key ?? self.key)
        }
        guard case .invalid(let detail) = failure else { return nil }
        #expect(failure?.description == "sealed record invalid")
        return detail
    }

    @Test func `the known answer of an independent implementation comes out`() throws {
        let sealed = try known()
        #expect(sealed.count == 180)
        #expect(
            hexadecimalText(of: sealed[80..<112])
                == "0cc41ec459a5663c8c676c00b57e08d3b1953cf9e83d834e2f3ca68ea73a1211")
        #expect(
            hexadecimalText(of: SHA256.digest(sealed).bytes)
                == "bb7661aa9a8e73079200d261101d8baa53143996c59514e8cc5c479b432b1041")
        #expect(
            try SealedRecord.open(sealed, expected: context, under: key).copied() == Array(Self.text.utf8))
    }

    @Test func `a record sealed with a fresh salt opens, and no two are alike`() throws {
        var salts: Set<[UInt8]> = []
        for _ in 0..<50 {
            let sealed = try SealedRecord.seal(secret(Self.text), as: context, under: key)
            salts.insert(Array(sealed[48..<80]))
            #expect(
                try SealedRecord.open(sealed, expected: context, under: key).copied() == Array(Self.text.utf8)
            )
        }
        #expect(salts.count == 50)
    }

    @Test func `every flipped bit is refused for the field it lies in`() throws {
        let sealed = try known()
        let fields: [(Int, SealFailure.Detail)] = [
            (4, .magic), (5, .formatVersion), (6, .suite), (7, .purpose), (8, .flags), (24, .tenant),
            (40, .record), (44, .sealingVersion), (48, .counter), (112, .commitment), (116, .length),
            (180, .tag),
        ]
        for index in sealed.indices {
            let expected = fields.first { index < $0.0 }?.1
            for bit in 0..<8 {
                var changed = sealed
                changed[index] ^= 1 << bit
                #expect(detail(changed, context) == expected, "byte \(index), bit \(bit)")
            }
        }
    }

    @Test func `every truncation and every trailing byte is refused`() throws {
        let sealed = try known()
        for count in 0..<sealed.count {
            let expected: SealFailure.Detail = count < SealedRecord.overhead ? .tooShort : .length
            #expect(detail(Array(sealed.prefix(count)), context) == expected)
        }
        #expect(detail(sealed + [0], context) == .length)
        #expect(detail(sealed + sealed, context) == .length)
    }

    @Test func `a record found in another place is refused`() throws {
        let sealed = try known()
        func other(
            column: SealedColumn = SealedColumns.providerKeySecret, tenant: TenantID? = nil,
            record: ProviderKeyID? = nil, version: UInt32 = 3, counter: UInt32 = 7, binding: [UInt8] = []
        ) -> SealContext {
            SealContext(
                column: column, tenant: tenant ?? self.tenant, record: record ?? self.record,
                sealingVersion: version, counter: counter, binding: binding)
        }
        #expect(detail(sealed, other()) == nil)
        #expect(detail(sealed, other(tenant: .random())) == .tenant)
        #expect(detail(sealed, other(record: .random())) == .record)
        #expect(detail(sealed, other(version: 4)) == .sealingVersion)
        #expect(detail(sealed, other(counter: 8)) == .counter)
        let sameNameOtherPurpose = SealedColumn(id: "provider_keys.secret", purpose: .tenantKeyWrap)
        #expect(detail(sealed, other(column: sameNameOtherPurpose)) == .purpose)
        let otherName = SealedColumn(id: "provider_keys.secrets", purpose: .providerKey)
        #expect(detail(sealed, other(column: otherName)) == .commitment)
        #expect(detail(sealed, other(binding: [1])) == .commitment)
        #expect(detail(sealed, context, under: try SealingKey.random()) == .commitment)
    }

    @Test func `the header of another tenant's record does not open it in this one's row`() throws {
        let stranger = TenantID.random()
        let theirs = SealContext(
            column: SealedColumns.providerKeySecret, tenant: stranger, record: record, sealingVersion: 3,
            counter: 7)
        let sealed = try SealedRecord.seal(secret("theirs"), as: theirs, under: key)
        #expect(detail(sealed, context) == .tenant)
        var relabelled = sealed
        relabelled.replaceSubrange(8..<24, with: tenant.bytes)
        #expect(detail(relabelled, context) == .commitment)
    }

    @Test func `impossible contexts, spent counters and oversized plaintexts are refused`() throws {
        func seal(_ context: SealContext, count: Int = 1) throws -> SealFailure? {
            let text = try secret([UInt8](repeating: 1, count: count))
            return refusal { () throws(SealFailure) in
                _ = try SealedRecord.seal(text, as: context, under: key)
            }
        }
        func place(_ column: SealedColumn, _ tenant: TenantID?, counter: UInt32 = 1) -> SealContext {
            SealContext(column: column, tenant: tenant, record: record, sealingVersion: 1, counter: counter)
        }
        #expect(try seal(place(SealedColumns.providerKeySecret, nil)) == .invalid(.context))
        #expect(
            try seal(place(SealedColumns.providerKeySecret, TenantID(high: 0, low: 0))) == .invalid(.context))
        #expect(try seal(place(SealedColumns.keyCheck, tenant)) == .invalid(.context))
        #expect(try seal(place(SealedColumns.providerKeySecret, tenant, counter: .max)) == .counterExhausted)
        #expect(try seal(place(SealedColumns.providerKeySecret, tenant, counter: .max - 1)) == nil)
    }

    @Test func `a length that claims more than a mebibyte is refused before anything is derived`() throws {
        var sealed = try known()
        sealed.replaceSubrange(112..<116, with: [0xff, 0xff, 0xff, 0xff])
        #expect(detail(sealed, context) == .length)
    }

    @Test func `column ids never change`() {
        // A renamed id makes every stored record unopenable; a new column is a new line here.
        #expect(
            SealedColumns.all.map { "\($0.id) \($0.purpose.rawValue)" } == [
                "provider_keys.secret 1", "tenant_keys.wrapped 16", "vaults.key_check 17",
                "vault_slots.sealed_root 18", "vaults.ring 20", "vaults.previous_root 18",
                "vaults.audit_secret 19",
            ])
        #expect(SealedColumns.all.allSatisfy { $0.id.utf8.allSatisfy { $0 > 0x20 && $0 < 0x7f } })
        #expect(Set(SealedColumns.all.map(\.purpose)) == Set(SealPurpose.allCases))
    }
}
