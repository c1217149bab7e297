import Cipher
import Domain
import Logging
import Operations
import Vault

/// What opens a slot that is to stay when the root changes, and what its successor is to be opened with.
struct KeptSlot: Sendable {
    let now: SlotSecret
    let next: SlotSecret
}

/// Slots whose keys are kept outside, by a token or a key service. They are asked before a command goes behind the
/// turnstile: that may take as long as the keeper's own bound on time.
extension CommandDesk {
    func unlockVault(
        keptBy kind: SlotKind, pin: SecretDraft?, by who: OperatorID
    ) async throws -> CommandOutcome {
        let keeper = try keeper(of: kind)
        let record = try sealedRecord()
        let held: Result<HeldSlotKey, any Error>
        do {
            held = .success(try await KeyVault.slotKey(of: record, from: keeper, pin: Self.pin(pin)))
        } catch {
            held = .failure(error)
        }
        return try await alone {
            guard try sealedRecord() == record else {
                throw CommandRefusal(.conflict, "the vault's slots changed meanwhile; try again")
            }
            return try await unlockVault(by: who) { vault, keys in
                try vault.unlock(record, keys: keys, with: SlotSecret(held.get())).count
            }
        }
    }

    /// What a new slot is opened with.
    func newSlotSecret(_ kind: SlotKind, _ draft: SecretDraft?) async throws -> SlotSecret {
        guard kind.isKeptOutside else { return try Self.slotSecret(kind, draft) }
        let (keeper, record) = (try keeper(of: kind), try vaultRecord())
        return SlotSecret(
            try await Self.unchanged { () throws(SealFailure) in
                try await KeyVault.newSlotKey(for: record, from: keeper, pin: Self.pin(draft))
            })
    }

    func keptSlot(_ kind: SlotKind, _ draft: SecretDraft) async throws -> KeptSlot {
        guard kind.isKeptOutside else {
            let secret = try Self.slotSecret(kind, draft)
            return KeptSlot(now: secret, next: secret)
        }
        let (keeper, record) = (try keeper(of: kind), try vaultRecord())
        let held = try await Self.unchanged { () throws(SealFailure) in
            try await KeyVault.slotKey(of: record, from: keeper, pin: Self.pin(draft))
        }
        return KeptSlot(now: SlotSecret(held), next: try await newSlotSecret(kind, draft))
    }

    private static func unchanged(
        _ body: () async throws(SealFailure) -> HeldSlotKey
    ) async throws(CommandRefusal) -> HeldSlotKey {
        do throws(SealFailure) { return try await body() } catch {
            throw CommandRefusal(.unavailable, "nothing was changed: \(error)")
        }
    }

    private func keeper(of kind: SlotKind) throws(CommandRefusal) -> any KeyKeeper {
        guard let keeper = keepers.first(where: { $0.kind == kind }) else {
            throw CommandRefusal(
                .invalid,
                "[vault.\(kind.rawValue)] was not in the configuration when this engine started; add it, and start again"
            )
        }
        return keeper
    }

    private static func pin(_ draft: SecretDraft?) throws(SealFailure) -> KeeperPIN? {
        guard let draft, !draft.isEmpty else { return nil }
        do throws(CipherFailure) {
            return KeeperPIN(
                try draft.withBytes { (bytes) throws(CipherFailure) in try SecretBytes(copying: bytes) })
        } catch {
            throw .cipher(error)
        }
    }
}
