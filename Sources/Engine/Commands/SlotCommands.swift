import Cipher
import Domain
import Locking
import Operations
import Storage
import Vault

/// What opens the vault: slots beside each other, a new passphrase, a recovery key.
extension CommandDesk {
    func addSlot(_ kind: SlotKind, secret: SecretDraft?, by who: OperatorID) async throws -> CommandOutcome {
        guard parts.vault.isUnlocked else { throw sealedRefusal }
        // Asks a keeper, if there is one to ask, before others have to wait.
        let added = try await newSlotSecret(kind, secret)
        return try await alone { try await addSlot(added, by: who) }
    }

    private func addSlot(_ added: SlotSecret, by who: OperatorID) async throws -> CommandOutcome {
        guard parts.vault.isUnlocked else { throw sealedRefusal }
        let record = try vaultRecord()
        let kind = added.kind
        if kind == .recovery, record.slots.contains(where: { $0.kind == .recovery }) {
            throw CommandRefusal(
                .conflict, "there is a recovery key already; remove its slot first: gatehouse vault slot list"
            )
        }
        let now = parts.clock.wall
        let vault = parts.vault
        let next = try await Self.aside { try vault.addSlot(for: added, to: record, at: now) }
        let slot = next.slots.last?.id.short ?? ""
        try await changeVault(
            next,
            audit: draft(
                who, "vault.slot_add", "vault", before: Self.words(record.slots),
                after: Self.words(next.slots), reason: "slot \(slot)"))
        publishChange("vault.slot_add", "the vault opens with one more \(kind.rawValue)")
        return CommandOutcome(
            CommandReceipt(
                message: "slot \(slot) added: the vault opens with this \(kind.name) too",
                details: [
                    kind.isKeptOutside
                        ? "whoever may use it and has a copy of the data folder can open every key"
                        : "whoever has a copy of it and of the data folder can open every key"
                ]))
    }

    func removeSlot(_ id: SlotID, by who: OperatorID) async throws -> CommandOutcome {
        guard parts.vault.isUnlocked else { throw sealedRefusal }
        let record = try vaultRecord()
        guard let slot = record.slots.first(where: { $0.id == id }) else {
            throw CommandRefusal(.notFound, "there is no slot \(id.short); see: gatehouse vault slot list")
        }
        guard record.slots.contains(where: { $0.id != id && $0.kind != .recovery }) else {
            throw CommandRefusal(
                .conflict, "this is the last slot besides a recovery key; add another one first")
        }
        var next = record
        next.slots.removeAll { $0.id == id }
        try await changeVault(
            next,
            audit: draft(
                who, "vault.slot_remove", "vault", before: Self.words(record.slots),
                after: Self.words(next.slots), reason: "slot \(id.short)"))
        publishChange("vault.slot_remove", "a slot of the vault is gone")
        return CommandOutcome(
            CommandReceipt(
                message: "slot \(id.short) (\(slot.kind.name)) is gone", details: Self.notDone))
    }

    /// Comes with the present passphrase and the new one.
    func changePassphrase(_ secret: SecretDraft?, by who: OperatorID) async throws -> CommandOutcome {
        guard parts.vault.isUnlocked else { throw sealedRefusal }
        guard let secrets = secret.flatMap(SecretBundle.unpack), secrets.count == 2 else {
            throw CommandRefusal(.invalid, "the present passphrase and the new one are needed")
        }
        let record = try vaultRecord()
        let old = try Self.slotSecret(.passphrase, secrets[0])
        let new = try Self.slotSecret(.passphrase, secrets[1])
        let now = parts.clock.wall
        let vault = parts.vault
        let next: VaultRecord
        do {
            next = try await Self.aside {
                let slot = try vault.slot(of: record, openedBy: old)
                return try vault.addSlot(for: new, to: record, replacing: slot.id, at: now)
            }
        } catch let failure as SealFailure {
            throw CommandRefusal(.invalid, "the passphrase was not changed: \(failure)")
        }
        try await changeVault(
            next, audit: draft(who, "vault.passphrase", "vault", after: Self.words(next.slots)))
        publishChange("vault.passphrase", "the vault has another passphrase")
        return CommandOutcome(
            CommandReceipt(message: "the passphrase is changed", details: Self.notDone))
    }

    /// What taking a slot away cannot do.
    private static let notDone = [
        "not done: a copy of the data folder from before still opens with what was taken away,",
        "  and the root key in it is the one in use; did it leak? gatehouse vault rotate-kek, rotate-dek,",
        "  then rotate the provider keys at their providers",
    ]

    // MARK: Pieces

    /// Work that takes half a second and more a passphrase, away from this actor: calls, ticks and screens go on.
    @concurrent static func aside<Output: Sendable>(
        _ body: @Sendable () throws -> Output
    ) async throws -> Output { try body() }

    static func slotSecret(_ kind: SlotKind, _ draft: SecretDraft?) throws -> SlotSecret {
        guard let draft, !draft.isEmpty else {
            throw CommandRefusal(.invalid, "the \(kind.name) is needed")
        }
        do {
            let bytes = try draft.withBytes { (bytes) throws(CipherFailure) in
                try SecretBytes(copying: bytes)
            }
            return try SlotSecret(kind, bytes)
        } catch let fault as RecoveryKey.Fault {
            throw CommandRefusal(.invalid, "\(fault)")
        }
    }

    static func words(_ slots: [VaultSlot]) -> String {
        slots.map { "\($0.kind.rawValue) \($0.id.short)" }.joined(separator: ", ")
    }
}
