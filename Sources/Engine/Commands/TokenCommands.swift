import Access
import Cipher
import Domain
import Locking
import Operations
import Storage
import Vault

/// Virtual keys: issue, rotate, revoke.
extension CommandDesk {
    private static let overlapSecondsMost = 30 * 86_400

    func issueToken(_ order: TokenOrder, by who: OperatorID) async throws -> CommandOutcome {
        let tenant = try tenant(named: order.tenant)
        let expires = order.expiresInSeconds.map { parts.clock.wall + .seconds($0) }
        if let expires, expires <= parts.clock.wall {
            throw CommandRefusal(.invalid, "the expiry lies in the past")
        }
        let (text, hash) = try makeToken()
        let record = VirtualKeyRecord(
            id: .random(), tenant: tenant.id, name: order.name, hash: hash, user: order.user,
            team: order.team,
            models: order.models, limits: order.limits, created: parts.clock.wall, expires: expires,
            callClass: order.callClass)
        try await control.insertVirtualKey(
            record,
            audit: draft(
                who, "token.issue", "\(order.tenant) \(order.name)", tenant: tenant.id,
                after: "\(record.fingerprint), \(Self.words(order.limits))"))
        change { $0.virtualKeys[record.id] = record }
        publishChange("token.issue", "virtual key \(order.name) of \(order.tenant) issued")
        return CommandOutcome(
            CommandReceipt(
                message: "virtual key \(order.name) of \(order.tenant) issued; it is shown this once",
                details: ["fingerprint \(record.fingerprint)", "id \(record.id)"]), issued: text)
    }

    func rotateToken(
        _ id: VirtualKeyID, overlapSeconds: Int, by who: OperatorID
    ) async throws -> CommandOutcome {
        var (old, tenant, name) = try token(id)
        guard old.revoked == nil, old.successor == nil, old.expires.map({ $0 > parts.clock.wall }) ?? true
        else {
            throw CommandRefusal(.conflict, "virtual key \(name) is revoked, expired or already rotated")
        }
        guard (0...Self.overlapSecondsMost).contains(overlapSeconds) else {
            throw CommandRefusal(.invalid, "the overlap takes 0 to \(Self.overlapSecondsMost) seconds")
        }
        let (text, hash) = try makeToken()
        let new = VirtualKeyRecord(
            id: .random(), tenant: tenant.id, name: old.name, hash: hash, user: old.user, team: old.team,
            models: old.models, limits: old.limits, created: parts.clock.wall, expires: old.expires,
            callClass: old.callClass)
        let ends = parts.clock.wall + .seconds(overlapSeconds)
        old.successor = new.id
        old.expires = min(old.expires ?? ends, ends)
        try await control.rotateVirtualKey(
            ending: old, with: new,
            audit: draft(
                who, "token.rotate", name, tenant: tenant.id, before: old.fingerprint, after: new.fingerprint,
                reason: "overlap \(overlapSeconds) s"))
        let ended = old
        change { state in
            state.virtualKeys[ended.id] = ended
            state.virtualKeys[new.id] = new
        }
        publishChange("token.rotate", "virtual key \(name) rotated")
        return CommandOutcome(
            CommandReceipt(
                message:
                    "virtual key \(name) rotated; the old one works until \(ends.civil.date) \(ends.civil.clock)Z",
                details: ["old \(old.fingerprint)", "new \(new.fingerprint)", "id \(new.id)"]), issued: text)
    }

    func revokeToken(_ id: VirtualKeyID, reason: String, by who: OperatorID) async throws -> CommandOutcome {
        var (record, tenant, name) = try token(id)
        guard record.revoked == nil else {
            throw CommandRefusal(.conflict, "virtual key \(name) is revoked already")
        }
        record.revoked = parts.clock.wall
        let revoked = record
        let audit = draft(
            who, "token.revoke", name, tenant: tenant.id, before: "active \(record.fingerprint)",
            after: "revoked", reason: reason)
        let control = control
        let owed = try await protect("token \(id)") {
            try await control.updateVirtualKey(revoked, audit: audit)
        }
        change { $0.virtualKeys[revoked.id] = revoked }
        publishChange("token.revoke", "virtual key \(name) revoked")
        return CommandOutcome(
            CommandReceipt(
                message: "virtual key \(name) is revoked: the next call with it gets a 401",
                details: owed.map { [$0] } ?? [], isBad: owed != nil))
    }

    func token(_ id: VirtualKeyID) throws(CommandRefusal) -> (VirtualKeyRecord, TenantRecord, String) {
        guard let record = state.load().virtualKeys[id], let tenant = state.load().tenants[record.tenant]
        else {
            throw CommandRefusal(.notFound, "there is no virtual key \(id.short); see: gatehouse token list")
        }
        let found = state.load().findings
        guard !found.virtualKeys.contains(id), !found.tenants.contains(tenant.id) else {
            throw changedElsewhere("virtual key \(tenant.name) \(record.name)")
        }
        return (record, tenant, "\(tenant.name) \(record.name)")
    }

    /// A new token's text, to be shown once, and the hash that is kept.
    private func makeToken() throws -> (SecretDraft, [UInt8]) {
        guard let pepper = parts.vault.tokens else { throw sealedRefusal }
        var text = try VirtualKeyText.make()
        defer { Eraser.erase(&text) }
        let hash = text.withUnsafeBytes { pepper.code(ofDigestOf: $0) }
        return (text.withUnsafeBytes { SecretDraft(copying: $0) }, hash.bytes)
    }
}
