package import Domain
import Storage

/// Records of every kind that storage keeps, for tests.
package enum Samples {
    package static let vaultID = VaultID(high: 7, low: 7)

    package static func draft(_ action: String = "test.change", id: AuditID = .random()) -> AuditDraft {
        AuditDraft(
            id: id, at: .init(milliseconds: 1_700_000_000_123), actor: "ana", via: "console", action: action,
            target: "x", tenant: .init(high: 1, low: 1), before: "a", after: "b", reason: "tests")
    }

    package static func vault() -> VaultRecord {
        VaultRecord(
            id: vaultID, created: .init(milliseconds: 5),
            slots: [
                VaultSlot(
                    id: .random(), kind: .passphrase, scryptN: 1 << 17, salt: [1, 2], rootVersion: 1,
                    sealedRoot: [3, 4, 5], created: .init(milliseconds: 6)),
                VaultSlot(
                    id: .random(), kind: .keyFile, scryptN: 0, salt: [], rootVersion: 1, sealedRoot: [9],
                    created: .init(milliseconds: 7)),
                VaultSlot(
                    id: .random(), kind: .token, scryptN: 0, salt: [], rootVersion: 1, sealedRoot: [8],
                    created: .init(milliseconds: 8),
                    outside: OutsideKey(name: "pkcs11:token=t", sealed: [0, 7])),
            ], rootVersion: 1, keyCheck: [0, 255])
    }

    package static func tenant(
        _ name: String, id: TenantID = .random()
    ) throws -> (TenantRecord, WrappedTenantKey) {
        let tenant = TenantRecord(
            id: id, name: try TenantName(name), limits: .init(requestsPerMinute: 60, parallel: 4),
            created: .init(milliseconds: 10))
        let key = WrappedTenantKey(
            tenant: id, version: 1, state: .active, rootVersion: 1, wrapped: [1, 2, 3],
            created: .init(milliseconds: 10))
        return (tenant, key)
    }

    package static func virtualKey(
        _ name: String, of tenant: TenantID, hash: UInt8, at: Int64 = 20
    ) throws
        -> VirtualKeyRecord
    {
        VirtualKeyRecord(
            id: .random(), tenant: tenant, name: try Label(name), hash: [UInt8](repeating: hash, count: 32),
            user: try Label("u"), models: [try ModelName("gpt-5"), try ModelName("m/x:1")],
            limits: .init(tokensPerMinute: 5), created: .init(milliseconds: at))
    }

    package static func providerKey(
        _ label: String, of tenant: TenantID, at: Int64 = 30
    ) throws -> ProviderKeyRecord {
        ProviderKeyRecord(
            id: .random(), tenant: tenant, provider: try ProviderName("openai"), label: try Label(label),
            state: .active, fingerprint: "a1b2c3d4e5f6", sealed: Array("GWE1 secret".utf8), counter: 1,
            created: .init(milliseconds: at))
    }

    package static func row(
        of tenant: TenantID, at: Int64, using generator: inout some RandomNumberGenerator
    ) throws -> LedgerRow {
        func number(_ bound: Int64) -> Int64 { Int64.random(in: 0..<bound, using: &generator) }
        let provider = try ["openai", "anthropic", "local"].map { try ProviderName($0) }[Int(number(3))]
        let model = ["gpt-5", "claude-9", "llama"][Int(number(3))]
        let reached = number(5) > 0
        let priced = number(4) > 0
        let ends: [CallEnd] = [.answered, .answered, .answered, .refused, .failed, .cut, .cancelled]
        let end = ends[Int(number(7))]
        return LedgerRow(
            call: .random(using: &generator), tenant: tenant,
            virtualKey: .init(high: 11, low: UInt64(number(3))), at: .init(milliseconds: at),
            dialect: .openAIChat, model: model,
            target: reached ? Target(provider: provider, model: try ModelName(model)) : nil,
            providerKey: reached ? .init(high: 12, low: UInt64(number(2))) : nil,
            user: ["", "ana", "bob", "caf\u{e9}"][Int(number(4))], team: ["", "search"][Int(number(2))],
            tags: ["", "team=a", "team=a,feature=b", "feature=b, team=a,team=a", "x=1,y=2,z=3"][
                Int(number(5))],
            status: end == .answered ? 200 : 502, end: end, failure: end == .failed ? .upstreamFailed : nil,
            cache: number(6) == 0 ? .hit : .miss, attempts: Int(number(3)),
            usage: Usage(
                input: number(10_000), cacheRead: number(1_000), cacheWrite: number(500),
                cacheWriteHour: number(50), output: number(4_000), reasoning: number(2_000)),
            usageSource: .reported, cost: priced ? Money(nanoUSD: number(1_000_000_000)) : nil,
            saved: number(6) == 0 ? Money(nanoUSD: number(1_000_000)) : nil, priceVersion: "2026-11",
            latencyMicroseconds: number(9_000_000), firstByteMicroseconds: number(900_000))
    }

    package static func rows(_ count: Int, of tenant: TenantID, seed: UInt64) throws -> [LedgerRow] {
        var generator = SplitMix(seed: seed)
        return try (0..<count).map { _ in
            let at = Int64.random(in: 0..<10_000, using: &generator)
            return try row(of: tenant, at: at, using: &generator)
        }
    }
}
