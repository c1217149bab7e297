import Cipher
import Domain
import Testing

@testable import Vault

@Suite struct ProviderSecretTests {
    let fixture: VaultFixture

    init() throws { fixture = try VaultFixture() }

    private func refused(_ key: ProviderKeyRecord, _ origin: Origin) -> SealFailure? {
        refusal { () throws(SealFailure) in _ = try fixture.vault.openProviderKey(key, for: origin) }
    }

    @Test func `a provider key opens for its own origin alone`() throws {
        let key = try fixture.key()
        #expect(
            try fixture.vault.openProviderKey(key, for: fixture.origin).copied()
                == Array("sk-test-secret".utf8))
        #expect(refused(key, Origin(secure: true, host: "evil.example", port: 443)) == .wrongOrigin)
        #expect(refused(key, Origin(secure: false, host: "api.openai.com", port: 443)) == .wrongOrigin)
        #expect(refused(key, Origin(secure: true, host: "api.openai.com", port: 8_443)) == .wrongOrigin)
    }

    @Test func `a row edited to another provider, tenant, id or counter does not open`() throws {
        let key = try fixture.key()
        let provider = try fixture.stored(id: key.id, provider: "other", sealed: key.sealed, counter: 1)
        #expect(refused(provider, fixture.origin) == .wrongOrigin)
        let counter = try fixture.stored(id: key.id, sealed: key.sealed, counter: 2)
        #expect(refused(counter, fixture.origin) == .invalid(.counter))
        let id = try fixture.stored(id: .random(), sealed: key.sealed, counter: 1)
        #expect(refused(id, fixture.origin) == .invalid(.record))
        let stranger = TenantID.random()
        let theirs = try fixture.vault.newTenantKey(stranger, version: 1, at: VaultFixture.now)
        #expect(fixture.vault.load([theirs]).isEmpty)
        let tenant = try fixture.stored(id: key.id, tenant: stranger, sealed: key.sealed, counter: 1)
        #expect(refused(tenant, fixture.origin) == .invalid(.tenant))
        let empty = try fixture.stored(id: key.id, sealed: [], counter: 1)
        #expect(refused(empty, fixture.origin) == .invalid(.tooShort))
    }

    @Test func `the sealed length tells a key's length to 64 bytes only`() throws {
        // 2 + 6 bytes of provider, 2 + 26 of origin, 2 for the length: 38.
        #expect(try fixture.key("a").sealed.count == SealedRecord.overhead + 64)
        #expect(try fixture.key(String(repeating: "a", count: 26)).sealed.count == SealedRecord.overhead + 64)
        #expect(
            try fixture.key(String(repeating: "a", count: 27)).sealed.count == SealedRecord.overhead + 128)
    }

    @Test func `keys of every length come back whole`() throws {
        for length in [1, 25, 26, 27, 89, 90, 91, 164, 4_096, 8_192] {
            let text = String(repeating: "k", count: length)
            let opened = try fixture.vault.openProviderKey(fixture.key(text), for: fixture.origin)
            #expect(opened.copied() == Array(text.utf8))
        }
    }

    @Test(arguments: [0, 8_193]) func `an empty or oversized key is refused`(length: Int) throws {
        let plain = ProviderSecret(
            provider: fixture.provider, origin: fixture.origin,
            secret: try secret([UInt8](repeating: 1, count: length)))
        let failure = refusal { () throws(SealFailure) in _ = try plain.encoded() }
        #expect(failure == .unsuitable("a provider key has 1 to 8192 bytes"))
    }

    @Test func `reading is strict: lengths, padding and multiples`() throws {
        let plain = ProviderSecret(
            provider: fixture.provider, origin: fixture.origin, secret: try secret("sk"))
        let good = try plain.encoded().copied()
        func decode(_ change: (inout [UInt8]) -> Void) throws -> SealFailure? {
            var bytes = good
            change(&bytes)
            let text = try secret(bytes)
            return refusal { () throws(SealFailure) in
                _ = try ProviderSecret.decode(text, provider: fixture.provider, origin: fixture.origin)
            }
        }
        #expect(try decode { _ in } == nil)
        #expect(try decode { $0[63] = 1 } == .invalid(.content))
        #expect(try decode { $0 += [UInt8](repeating: 0, count: 64) } == .invalid(.content))
        #expect(try decode { $0.removeLast() } == .invalid(.content))
        #expect(try decode { $0 = [] } == .invalid(.content))
        #expect(try decode { $0[0] = 0xff } == .invalid(.content))
        #expect(try decode { $0[37] = 0 } == .invalid(.content))
        #expect(try decode { $0[37] = 200 } == .invalid(.content))
        #expect(try decode { $0[2] ^= 1 } == .wrongOrigin)
    }

    @Test func `fingerprints tell keys apart, and the same key at two tenants`() throws {
        let one = try secret("sk-one"), other = try secret("sk-other")
        let vault = fixture.vault, tenant = fixture.tenant
        let shown = try vault.fingerprint(of: one, tenant: tenant)
        #expect(shown.utf8.count == 14)
        #expect(shown.split(separator: " ").map(\.utf8.count) == [4, 4, 4])
        #expect(try vault.fingerprint(of: one, tenant: tenant) == shown)
        #expect(try vault.fingerprint(of: other, tenant: tenant) != shown)
        #expect(try vault.fingerprint(of: one, tenant: .random()) != shown)
        #expect(try VaultFixture().vault.fingerprint(of: one, tenant: tenant) != shown)
    }

    @Test func `labels of derived keys never change and differ`() {
        #expect(
            DerivedKeyUse.allCases.map(\.rawValue)
                == [
                    "fingerprint", "token-pepper", "access-row", "backup-manifest", "backup-file",
                    "fingerprint-key", "salt",
                ])
    }

    @Test func `nothing that holds a secret describes it`() throws {
        let held = HeldSecret(try secret("sk-canary-1234"))
        let sealing = SealingKey(try secret(Array("sk-canary-1234-32-bytes-of-key--".utf8)))
        let texts = [
            String(describing: held), String(reflecting: held), String(describing: sealing),
            String(describing: fixture.vault), String(reflecting: fixture.vault),
        ]
        #expect(texts.allSatisfy { !$0.contains("canary") })
        var dumped = ""
        dump(held, to: &dumped)
        dump(sealing, to: &dumped)
        dump(fixture.vault, to: &dumped)
        #expect(!dumped.contains("canary"))
        let key = try fixture.key("sk-canary-1234")
        #expect(!key.sealed.withUnsafeBytes { String(decoding: $0, as: UTF8.self) }.contains("canary"))
    }
}
