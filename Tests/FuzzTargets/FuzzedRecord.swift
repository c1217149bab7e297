import Cipher
import Domain
import Vault

/// A genuine record with edits: whatever they are, it opens exactly when they leave it as it was.
///
/// Bytes without the sealing key never get past the first check; so the input says how to edit, three bytes an edit.
enum FuzzedRecord {
    static let seeds: [[UInt8]] = [
        [0], [0, 0, 0, 1], [0, 1, 116, 0xff], [0, 2, 48, 32, 3, 90, 4], [1, 0, 40, 1], [1, 4, 200, 7],
        [2], [2, 0, 60, 1], [2, 3, 99, 7], [3], [3, 0, 5, 1], [3, 1, 0, 9],
    ]

    private struct Place {
        let vault: KeyVault
        let record: VaultRecord
        let opener: [UInt8]
        let tenantKey: WrappedTenantKey
        let key: ProviderKeyRecord
        let origin: Origin
    }

    private static let place: Place = {
        do {
            try? SecureHeap.start(allowUnlocked: true)
            let file = Array("0123456789abcdef0123456789abcdef".utf8)
            let (vault, bare) = try KeyVault.create(with: .keyFile(try secret(file)), at: now)
            let tenant = TenantID.random()
            let tenantKey = try vault.newTenantKey(tenant, version: 1, at: now)
            guard vault.load([tenantKey]).isEmpty else { preconditionFailure("a new key does not open") }
            let origin = Origin(secure: true, host: "api.openai.com", port: 443)
            let provider = try ProviderName("openai")
            let id = ProviderKeyID.random()
            let sealed = try vault.sealProviderKey(
                ProviderSecret(provider: provider, origin: origin, secret: try secret(Array("sk-fuzz".utf8))),
                tenant: tenant, record: id, counter: 1)
            let key = ProviderKeyRecord(
                id: id, tenant: tenant, provider: provider, label: try Label("main"), state: .active,
                fingerprint: "", sealed: sealed, counter: 1, created: now)
            let record = try vault.sealRing(bare, keys: [tenantKey])
            return Place(
                vault: vault, record: record, opener: file, tenantKey: tenantKey, key: key, origin: origin)
        } catch {
            preconditionFailure("no vault: \(error)")
        }
    }()

    private static let now = WallTime(milliseconds: 1_800_000_000_000)

    static func run(_ input: UnsafeRawBufferPointer) {
        guard let choice = input.first else { return }
        let edits = Array(input.dropFirst())
        switch choice % 4 {
        case 0:
            var key = place.key
            key.sealed = Edits.apply(edits, to: key.sealed)
            let opens = (try? place.vault.openProviderKey(key, for: place.origin)) != nil
            must(opens == (key.sealed == place.key.sealed), "an edited record opens, or a whole one does not")
            key.sealed = edits
            must((try? place.vault.verifyProviderKey(key)) == nil, "bytes from outside open")
        case 1:
            var key = place.tenantKey
            key.wrapped = Edits.apply(edits, to: key.wrapped)
            let opens = (try? place.vault.verifyTenantKey(key)) != nil
            must(
                opens == (key.wrapped == place.tenantKey.wrapped),
                "an edited key opens, or a whole one does not")
        case 2:
            var record = place.record
            record.ring = Edits.apply(edits, to: record.ring)
            let opens = (try? place.vault.verify(record, keys: [place.tenantKey])) != nil
            must(
                opens == (record.ring == place.record.ring), "an edited ring opens, or a whole one does not")
        default: slot(edits)
        }
    }

    /// A slot's own fields, one after another as the first edit says; the ring vouches for all of them.
    private static func slot(_ edits: [UInt8]) {
        var record = place.record
        guard var slot = record.slots.first else { return }
        let isRoot = (edits.first ?? 0) % 2 == 0
        slot = VaultSlot(
            id: slot.id, kind: slot.kind, scryptN: slot.scryptN,
            salt: isRoot ? slot.salt : Edits.apply(edits, to: slot.salt), rootVersion: slot.rootVersion,
            sealedRoot: isRoot ? Edits.apply(edits, to: slot.sealedRoot) : slot.sealedRoot,
            created: slot.created,
            outside: slot.outside)
        record.slots = [slot]
        let isWhole = record == place.record
        let opens = (try? place.vault.verify(record, keys: [place.tenantKey])) != nil
        must(opens == isWhole, "an edited slot is taken, or a whole one is not")
        let unlocks =
            (try? KeyVault().unlock(
                record, keys: [place.tenantKey], with: .keyFile(try secret(place.opener)))) != nil
        must(unlocks == isWhole, "an edited slot opens, or a whole one does not")
    }

    private static func secret(_ bytes: [UInt8]) throws -> SecretBytes {
        try bytes.span.bytes.withUnsafeBytes { (bytes) throws(CipherFailure) in
            try SecretBytes(copying: bytes)
        }
    }
}
