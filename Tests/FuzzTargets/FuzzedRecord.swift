import Cipher
import Domain
import Vault

/// A genuine record with edits: whatever they are, it opens exactly when they leave it as it was.
///
/// Bytes without the sealing key never get past the first check; so the input says how to edit, three bytes an edit.
enum FuzzedRecord {
    static let seeds: [[UInt8]] = [
        [0], [0, 0, 0, 1], [0, 1, 116, 0xff], [0, 2, 48, 32, 3, 90, 4], [1, 0, 40, 1], [1, 4, 200, 7],
    ]

    private struct Place {
        let vault: KeyVault
        let tenantKey: WrappedTenantKey
        let key: ProviderKeyRecord
        let origin: Origin
    }

    private static let place: Place = {
        do {
            try? SecureHeap.start(allowUnlocked: true)
            let file = Array("0123456789abcdef0123456789abcdef".utf8)
            let (vault, _) = try KeyVault.create(with: .keyFile(try secret(file)), at: now)
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
            return Place(vault: vault, tenantKey: tenantKey, key: key, origin: origin)
        } catch {
            preconditionFailure("no vault: \(error)")
        }
    }()

    private static let now = WallTime(milliseconds: 1_800_000_000_000)

    static func run(_ input: UnsafeRawBufferPointer) {
        guard let choice = input.first else { return }
        let edits = Array(input.dropFirst())
        if choice % 2 == 0 {
            var key = place.key
            key.sealed = edited(key.sealed, edits)
            let opens = (try? place.vault.openProviderKey(key, for: place.origin)) != nil
            must(opens == (key.sealed == place.key.sealed), "an edited record opens, or a whole one does not")
            key.sealed = edits
            must((try? place.vault.verifyProviderKey(key)) == nil, "bytes from outside open")
        } else {
            var key = place.tenantKey
            key.wrapped = edited(key.wrapped, edits)
            let opens = (try? place.vault.verifyTenantKey(key)) != nil
            must(
                opens == (key.wrapped == place.tenantKey.wrapped),
                "an edited key opens, or a whole one does not")
        }
    }

    /// Flips, cuts, inserts, moves and puts numbers, as the input says.
    private static func edited(_ record: [UInt8], _ edits: [UInt8]) -> [UInt8] {
        var record = record
        for start in stride(from: 0, to: edits.count - 2, by: 3).prefix(32) {
            let place = record.isEmpty ? 0 : Int(edits[start + 1]) % record.count
            let value = edits[start + 2]
            switch edits[start] % 5 {
            case 0: if !record.isEmpty { record[place] ^= value }
            case 1: record.removeLast(min(record.count, Int(value)))
            case 2: record.insert(value, at: place)
            case 3: record.swapAt(place, place == 0 ? 0 : Int(value) % place)
            default: if !record.isEmpty { record[place] = value }
            }
        }
        return record
    }

    private static func secret(_ bytes: [UInt8]) throws -> SecretBytes {
        try bytes.span.bytes.withUnsafeBytes { (bytes) throws(CipherFailure) in
            try SecretBytes(copying: bytes)
        }
    }
}
