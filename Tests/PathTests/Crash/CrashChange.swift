import Domain
import Operations

/// One command that changes what is stored.
struct CrashChange {
    /// What is changed.
    enum Kind: String, CaseIterable {
        case root, allKeys, oneTenantsKeys, slotAdd, slotRemove, keyAdd, keyRotate, keyRevoke, tokenIssue,
            tokenRotate, tokenRevoke

        /// What the audit calls it.
        var action: String {
            switch self {
            case .root: "vault.rotate_root"
            case .allKeys, .oneTenantsKeys: "vault.rotate_keys"
            case .slotAdd: "vault.slot_add"
            case .slotRemove: "vault.slot_remove"
            case .keyAdd: "key.add"
            case .keyRotate: "key.rotate"
            case .keyRevoke: "key.revoke"
            case .tokenIssue: "token.issue"
            case .tokenRotate: "token.rotate"
            case .tokenRevoke: "token.revoke"
            }
        }
    }

    /// The two slots that there may be.
    struct Slots {
        let first: [UInt8]
        let second: [UInt8]
        /// nil = nobody was told.
        var hasSecond: Bool?
    }

    let kind: Kind
    let command: EngineCommand
    var secret: SecretDraft?
    /// The provider key's label, or the virtual key's id; empty where it is about neither.
    var subject = ""

    /// Rotations more often than the rest: they have the most steps.
    private static let draws: [Kind] =
        Kind.allCases + [.root, .allKeys, .root, .allKeys, .keyAdd, .keyRotate, .tokenIssue]
    /// Those that go on after they were acknowledged.
    static let rotations: [Kind] = [.root, .allKeys, .root, .allKeys, .oneTenantsKeys]
    /// More are not added: every check looks at all of them.
    private static let most = 10

    /// - Parameters:
    ///   - fresh: a name that nothing has yet.
    ///   - isRotation: whether it has to be one.
    static func draw(
        _ fresh: String, isRotation: Bool, _ picture: EngineSnapshot, _ slots: Slots,
        _ generator: inout SplitMix
    ) throws -> CrashChange {
        while true {
            let kind = (isRotation ? rotations : draws).randomElement(using: &generator) ?? .root
            if let change = try make(kind, fresh, picture, slots, &generator) { return change }
        }
    }

    /// nil where there is nothing that it could be done to.
    static func make(
        _ kind: Kind, _ fresh: String, _ picture: EngineSnapshot, _ slots: Slots,
        _ generator: inout SplitMix
    ) throws -> CrashChange? {
        let acme = try TenantName("acme")
        let keys = picture.providerKeys.filter {
            $0.tenant == acme && $0.state == .active && $0.label.text.hasPrefix("k")
        }.sorted { $0.id < $1.id }
        let tokens = picture.virtualKeys.filter {
            $0.name.text.hasPrefix("k") && $0.revoked == nil && $0.successor == nil
        }.sorted { $0.id < $1.id }
        let key = keys.randomElement(using: &generator)
        let token = tokens.randomElement(using: &generator)
        let secret = draft(Array("sk-test-\(fresh)-0123456789abcdef".utf8))
        switch kind {
        case .root:
            return CrashChange(
                kind: kind, command: .vaultRotateRoot(kinds: [.keyFile], dropOthers: true),
                secret: SecretBundle.pack([draft(slots.first)]))
        case .allKeys: return CrashChange(kind: kind, command: .vaultRotateKeys(tenant: nil))
        case .oneTenantsKeys:
            return CrashChange(kind: kind, command: .vaultRotateKeys(tenant: try TenantName("beta")))
        case .slotAdd:
            guard slots.hasSecond == false else { return nil }
            return CrashChange(
                kind: kind, command: .vaultSlotAdd(kind: .keyFile), secret: draft(slots.second))
        case .slotRemove:
            guard slots.hasSecond == true, let slot = picture.vault.slotList.dropFirst().first else {
                return nil
            }
            return CrashChange(kind: kind, command: .vaultSlotRemove(slot: slot.id))
        case .keyAdd:
            guard keys.count < most else { return nil }
            return CrashChange(
                kind: kind,
                command: .keyAdd(
                    tenant: acme, provider: try ProviderName("openai"), label: try Label(fresh),
                    acceptUnverified: false), secret: secret, subject: fresh)
        case .keyRotate:
            return key.map {
                CrashChange(
                    kind: kind, command: .keyRotate(key: $0.id, drainSeconds: 1, acceptUnverified: false),
                    secret: secret, subject: $0.label.text)
            }
        case .keyRevoke:
            guard let key, keys.count > 2 else { return nil }
            return CrashChange(
                kind: kind, command: .keyRevoke(key: key.id, reason: "old"), subject: key.label.text)
        case .tokenIssue:
            guard tokens.count < most else { return nil }
            return CrashChange(
                kind: kind, command: .tokenIssue(TokenOrder(tenant: acme, name: try Label(fresh))))
        case .tokenRotate:
            return token.map {
                CrashChange(
                    kind: kind, command: .tokenRotate(key: $0.id, overlapSeconds: 3_600),
                    subject: $0.id.text)
            }
        case .tokenRevoke:
            guard let token, tokens.count > 2 else { return nil }
            return CrashChange(
                kind: kind, command: .tokenRevoke(key: token.id, reason: "old"), subject: token.id.text)
        }
    }

    private static func draft(_ bytes: [UInt8]) -> SecretDraft {
        bytes.withUnsafeBytes { SecretDraft(copying: $0) }
    }
}
