import Domain
import Locking
import Logging
import Operations
import Storage
import Vault

/// What the audit says of things that no command does: sessions, unlocks at start, keys that were read.
extension CommandDesk {
    /// How often the use of keys is written down: counted per key, not per call.
    static let keyUseTime = Duration.seconds(3_600)

    /// A record of something that has happened whether or not it can be written: it is owed until it is.
    func note(
        _ action: String, _ target: String, by who: OperatorID, before: String = "", after: String = "",
        reason: String = "", result: String = "ok"
    ) async {
        _ = await auditAfterwards(
            draft(who, action, target, before: before, after: after, reason: reason, result: result))
        await refreshAuditTail()
    }

    /// Once an hour, and with `force` at shutdown: how often each provider key was lent to a call, a record a tenant, or
    /// more where it has many keys.
    func noteKeyUses(force: Bool = false) async {
        let now = parts.clock.now
        let since = keyUsesSince ?? now
        keyUsesSince = since
        guard force || now - since >= Self.keyUseTime else { return }
        keyUsesSince = now
        let state = state.load()
        var lines: [TenantID: [String]] = [:]
        for (id, count) in parts.secrets.takeUses().sorted(by: { $0.key < $1.key }) where count > 0 {
            guard let key = state.providerKeys[id] else { continue }
            lines[key.tenant, default: []].append("\(key.provider)/\(key.label) \(key.fingerprint) \(count)")
        }
        let gateway = OperatorID(name: "gateway", via: "engine")
        for (tenant, uses) in lines.sorted(by: { $0.key < $1.key }) {
            let name = state.tenants[tenant]?.name.text ?? tenant.text
            for start in stride(from: 0, to: uses.count, by: Self.usesInRecord) {
                let some = uses[start..<min(start + Self.usesInRecord, uses.count)]
                _ = await auditAfterwards(
                    draft(
                        gateway, "key.use", name, tenant: tenant, after: some.joined(separator: ", "),
                        reason: "times lent in \((now - since).secondsRoundedUp) s"))
            }
        }
    }

    /// A label has at most 64 characters: forty stay below the longest text of a record.
    private static let usesInRecord = 40
}

/// A change that protects and is in force, but not in storage: it is written as soon as that works.
struct OwedProtection: Sendable {
    /// What it is about: a later change of the same takes its place.
    let subject: String
    /// Whose outbox the record of it goes through, where it lives in a tenant's schema.
    let tenant: TenantID?
    let write: @Sendable () async throws -> Void
}

extension CommandDesk {
    /// More than an operator revokes while a disk is full.
    private static let protectionsMost = 64

    /// Writes a change that protects. Where storage cannot be written the change has to act all the same: then it is owed,
    /// and the answer says what has to be told.
    func protect(
        _ subject: String, in tenant: TenantID? = nil, _ write: @escaping @Sendable () async throws -> Void
    ) async throws -> String? {
        protections.removeAll { $0.subject.utf8.elementsEqual(subject.utf8) }
        do {
            try await makingRoom(write)
            return nil
        } catch StorageFailure.unavailable(let why) {
            guard protections.count < Self.protectionsMost else { throw StorageFailure.unavailable(why) }
            protections.append(OwedProtection(subject: subject, tenant: tenant, write: write))
            log.error("a protective change is in force but not durable", metadata: ["why": "\(why)"])
            return
                "NOT YET DURABLE: in force now and until a restart, written once storage works again (\(why))"
        }
    }

    /// A change of the same subject makes an owed one void.
    func forgetProtection(_ subject: String) {
        protections.removeAll { $0.subject.utf8.elementsEqual(subject.utf8) }
    }

    /// Writes what is owed; what storage refuses for another reason has been overtaken.
    func settleProtections() async {
        for owed in protections {
            do { try await owed.write() } catch StorageFailure.unavailable { return } catch {
                log.error("a protective change was overtaken", metadata: ["why": "\(error)"])
            }
            forgetProtection(owed.subject)
            if let tenant = owed.tenant { unsettled.insert(tenant) }
            await refreshAuditTail()
        }
    }
}
