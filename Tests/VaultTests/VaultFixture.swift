import Cipher
import Domain
import Testing

@testable import Vault

/// Secrets out of plain bytes, for tests.
func secret(_ bytes: [UInt8]) throws -> SecretBytes {
    try SecureHeap.start()
    return try bytes.span.bytes.withUnsafeBytes { (bytes) throws(CipherFailure) in
        try SecretBytes(copying: bytes)
    }
}

func secret(_ text: String) throws -> SecretBytes { try secret(Array(text.utf8)) }

extension SecretBytes {
    /// A copy for comparing in tests; the program itself never copies a secret into an array.
    borrowing func copied() -> [UInt8] { withBytes { Array($0) } }
}

/// What a piece of work was refused with; nil when it went through.
func refusal(_ body: () throws(SealFailure) -> Void) -> SealFailure? {
    do throws(SealFailure) {
        try body()
        return nil
    } catch {
        return error
    }
}

/// An open vault with one tenant, made with a key file so that tests do not wait for scrypt.
struct VaultFixture {
    static let now = WallTime(milliseconds: 1_800_000_000_000)
    static let keyFile = Array("0123456789abcdef0123456789abcdef".utf8)
    static let phrase = "correct horse battery"
    /// The floor: tests that need a passphrase slot pay the least that is accepted.
    static let quickN: UInt64 = 1 << 15

    let vault: KeyVault
    let record: VaultRecord
    let tenant = TenantID.random()
    let tenantKey: WrappedTenantKey
    let origin = Origin(secure: true, host: "api.openai.com", port: 443)
    let provider: ProviderName

    init() throws {
        let source = UnlockSource.keyFile(try secret(Self.keyFile))
        (vault, record) = try KeyVault.create(with: source, at: Self.now)
        tenantKey = try vault.newTenantKey(tenant, version: 1, at: Self.now)
        provider = try ProviderName("openai")
        #expect(vault.load([tenantKey]).isEmpty)
    }

    func key(_ text: String = "sk-test-secret", counter: UInt32 = 1) throws -> ProviderKeyRecord {
        let id = ProviderKeyID.random()
        let plain = ProviderSecret(provider: provider, origin: origin, secret: try secret(text))
        let sealed = try vault.sealProviderKey(plain, tenant: tenant, record: id, counter: counter)
        return try stored(id: id, sealed: sealed, counter: counter)
    }

    func stored(
        id: ProviderKeyID, tenant: TenantID? = nil, provider: String = "openai", sealed: [UInt8],
        counter: UInt32
    ) throws -> ProviderKeyRecord {
        ProviderKeyRecord(
            id: id, tenant: tenant ?? self.tenant, provider: try ProviderName(provider),
            label: try Label("main"),
            state: .active, fingerprint: "", sealed: sealed, counter: counter, created: Self.now)
    }
}
