import Domain
import Engine
import Locking
import Operations
import Storage
import Testing

/// Every operation by every role, and by somebody without one: what the table says is what the engine does.
@Suite struct RoleTableTests {
    /// Written down a second time on purpose: an operation that is added, or moved to another role, fails here first.
    private static let expected: [OperatorRole: Set<String>] = [
        .viewer: [
            "status", "usage.report", "audit.list", "audit.log", "audit.verify", "call.list", "limit.list",
            "change.preview", "route.explain", "route.list",
        ],
        .operator: [
            "breaker.trip", "breaker.close", "breaker.hold", "breaker.release", "key.verify", "key.drain",
            "key.undo", "provider.test", "drill.start", "drill.stop", "cache.purge", "tenant.suspend",
            "tenant.resume",
        ],
        .admin: [
            "tenant.add", "tenant.delete", "tenant.platform_keys", "key.add", "key.rotate", "key.revoke",
            "key.set", "token.issue", "token.rotate", "token.revoke", "limit.set", "vault.unlock",
            "vault.lock", "vault.verify", "vault.accept", "vault.slot_add", "vault.slot_remove",
            "vault.passphrase", "vault.rotate_root", "vault.rotate_keys", "config.reload", "config.import",
            "audit.export", "audit.new_log", "audit.erase", "backup.make", "backup.restore",
        ],
    ]

    private static let roster = OperatorRoster(["vera": .viewer, "oscar": .operator, "ada": .admin])
    private static let people: [(name: String, role: OperatorRole?)] = [
        ("vera", .viewer), ("oscar", .operator), ("ada", .admin), ("nemo", nil),
    ]

    private static func person(_ name: String) -> OperatorID {
        OperatorID(name: name, via: "command", account: name, isForeign: true)
    }

    /// An engine with one tenant and these people.
    private func house() async throws -> EngineFixture {
        let house = try await EngineFixture()
        try await house.engine.configure(
            providers: [house.provider.name: house.provider, house.second.name: house.second], routes: [:],
            roster: Self.roster, options: house.engine.parts.options.load(), note: "people",
            by: EngineFixture.who)
        return house
    }

    @Test func `every operation has the role that is written down here, and each name is there once`() {
        var names: Set<String> = []
        for (role, operations) in Self.expected {
            for name in operations {
                #expect(names.insert(name).inserted, "\(name) is there twice")
                #expect(EngineOperation(rawValue: name)?.role == role, "\(name)")
            }
        }
        #expect(names == Set(EngineOperation.allCases.map(\.rawValue)))
    }

    @Test func `each role holds the one before it`() {
        #expect(OperatorRole.allCases.sorted() == [.viewer, .operator, .admin])
        for operation in EngineOperation.allCases {
            for (name, role) in Self.people {
                let mayDo = Self.roster.denial(of: operation, to: Self.person(name)) == nil
                #expect(
                    mayDo == (role.map { $0 >= operation.role } ?? false), "\(name) \(operation.rawValue)")
            }
        }
    }

    @Test(arguments: EngineOperation.allCases)
    func `a command or question without its role is refused in a line, changes nothing and is audited`(
        _ operation: EngineOperation
    ) async throws {
        let house = try await house()
        let state = try await house.control.load()
        for (name, role) in Self.people where role.map({ $0 < operation.role }) ?? true {
            let before = try await house.control.auditRecords(before: nil, limit: 100).count
            var tries = 0
            func isDenied(_ attempt: () async throws(CommandRefusal) -> Void) async throws {
                tries += 1
                do throws(CommandRefusal) {
                    try await attempt()
                    Issue.record("\(name) may \(operation.rawValue)")
                } catch {
                    #expect(error.code == .denied && !error.message.contains("\n"), "\(error)")
                    #expect(error.message.contains(name), "\(error)")
                    #expect(
                        role == nil || error.message.contains("needs role \(operation.role.rawValue)"),
                        "\(error)")
                    #expect(role == nil || error.message.contains("ada"), "who can give it: \(error)")
                }
                let record = try #require(
                    try await house.control.auditRecords(before: nil, limit: 1).first
                ).draft
                #expect(record.action == operation.rawValue && record.result == "DENIED")
                #expect(record.actor == name && !record.reason.isEmpty, "\(record)")
            }
            let who = Self.person(name)
            for command in try Self.commands(of: operation, house) {
                try await isDenied { () async throws(CommandRefusal) in
                    _ = try await house.engine.perform(command, secret: nil, by: who)
                }
            }
            for query in try Self.queries(of: operation, house) {
                try await isDenied { () async throws(CommandRefusal) in
                    _ = try await house.engine.ask(query, by: who)
                }
            }
            try await isDenied { () async throws(CommandRefusal) in
                try await house.engine.admit(operation, on: "acme", by: who)
            }
            let after = try await house.control.auditRecords(before: nil, limit: 100).count
            #expect(after == before + tries, "nothing but the refusals")
        }
        let now = try await house.control.load()
        #expect(now.tenants == state.tenants && now.virtualKeys == state.virtualKeys)
        #expect(now.holds == state.holds && now.limits == state.limits && now.vault == state.vault)
    }

    @Test(arguments: EngineOperation.allCases)
    func `with its role a command or question is not refused for want of one`(
        _ operation: EngineOperation
    ) async throws {
        let house = try await house()
        for (name, role) in Self.people {
            guard let role, role >= operation.role else { continue }
            let who = Self.person(name)
            try await house.engine.admit(operation, on: "acme", by: who)
            for query in try Self.queries(of: operation, house) {
                do { _ = try await house.engine.ask(query, by: who) } catch {
                    #expect(error.code != .denied, "\(name): \(error)")
                }
            }
            for command in try Self.commands(of: operation, house) {
                do { _ = try await house.engine.perform(command, secret: nil, by: who) } catch {
                    #expect(error.code != .denied, "\(name): \(error)")
                }
            }
        }
    }

    @Test func `every command and every question of the port is one of these`() async throws {
        // What the compiler does not ask for: that the samples below lead back to the operation they stand for.
        let house = try await EngineFixture()
        for operation in EngineOperation.allCases {
            for command in try Self.commands(of: operation, house) {
                #expect(command.operation == operation)
            }
            for query in try Self.queries(of: operation, house) { #expect(query.operation == operation) }
        }
    }

    // MARK: Samples

    private static func commands(
        of operation: EngineOperation, _ house: EngineFixture
    ) throws -> [EngineCommand] {
        let acme = try TenantName("acme")
        let target = try Target("openai/gpt-6")
        let key = ProviderKeyID.random()
        let token = VirtualKeyID.random()
        return switch operation {
        case .status, .usageReport, .auditList, .auditLog, .auditVerify, .callList, .limitList,
            .changePreview, .routeExplain, .routeList, .configImport, .backupRestore:
            []
        case .breakerTrip: [.breakerTrip(target: target, seconds: 60, reason: "try")]
        case .breakerClose: [.breakerClose(target: target, seconds: 60, reason: "try")]
        case .breakerHold: [.breakerHold(target: target, seconds: 60, reason: "try")]
        case .breakerRelease: [.breakerRelease(target: target, reason: "try")]
        case .keyVerify: [.keyVerify(key: key)]
        case .keyDrain: [.keyDrain(key: key, seconds: 60, reason: "try")]
        case .keyUndo: [.keyUndo(key: key)]
        case .providerTest: [.providerTest(provider: house.second.name, tenant: nil)]
        case .drillStart:
            [.drillStart(tenant: acme, fault: .cut, percent: 1, minutes: 1, reason: "try")]
        case .drillStop: [.drillStop(tenant: acme, reason: "try")]
        case .cachePurge: [.cachePurge(tenant: nil), .cachePurge(tenant: acme)]
        case .tenantSuspend: [.tenantSuspend(name: acme, reason: "try")]
        case .tenantResume: [.tenantResume(name: acme)]
        case .tenantAdd: [.tenantAdd(name: try TenantName("beta"), limits: LimitSet())]
        case .tenantDelete: [.tenantDelete(name: acme, confirm: "acme", reason: "try")]
        case .tenantPlatformKeys: [.tenantPlatformKeys(name: acme, used: true)]
        case .keyAdd:
            [
                .keyAdd(
                    tenant: acme, provider: house.provider.name, label: try Label("main"),
                    acceptUnverified: true)
            ]
        case .keyRotate: [.keyRotate(key: key, drainSeconds: 60, acceptUnverified: true)]
        case .keyRevoke: [.keyRevoke(key: key, reason: "try")]
        case .keySet: [.keySet(key: key, weight: 1, models: [])]
        case .tokenIssue: [.tokenIssue(TokenOrder(tenant: acme, name: try Label("web")))]
        case .tokenRotate: [.tokenRotate(key: token, overlapSeconds: 60)]
        case .tokenRevoke: [.tokenRevoke(key: token, reason: "try")]
        case .limitSet: [.limitSet(tenant: acme, owner: .tenant, limits: LimitSet(parallel: 1))]
        case .vaultUnlock: [.vaultUnlock, .vaultUnlockOutside(kind: .token)]
        case .vaultLock: [.vaultLock(reason: "try")]
        case .vaultVerify: [.vaultVerify]
        case .vaultAccept: [.vaultAccept(reason: "try")]
        case .vaultSlotAdd: [.vaultSlotAdd(kind: .passphrase)]
        case .vaultSlotRemove: [.vaultSlotRemove(slot: SlotID.random())]
        case .vaultPassphrase: [.vaultPassphraseChange]
        case .vaultRotateRoot: [.vaultRotateRoot(kinds: [.keyFile], dropOthers: false)]
        case .vaultRotateKeys: [.vaultRotateKeys(tenant: nil)]
        case .configReload: [.configReload]
        case .auditExport: [.auditExport(form: "jsonl", file: nil), .auditExport(form: "csv", file: "/x")]
        case .auditNewLog: [.auditNewLog(reason: "try")]
        case .auditErase: [.auditErase(operatorName: "jo", confirm: "jo", reason: "try")]
        case .backupMake: [.backup(folder: "/nowhere", tenant: nil)]
        }
    }

    private static func queries(
        of operation: EngineOperation, _ house: EngineFixture
    ) throws -> [EngineQuery] {
        let acme = try TenantName("acme")
        return switch operation {
        case .usageReport:
            [
                .usageReport(
                    UsageQuery(by: ["tenant"], since: house.clock.wall, until: house.clock.wall, tenant: nil))
            ]
        case .auditList: [.audit(before: nil, limit: 10)]
        case .auditExport: [.auditFrom(sequence: 1, limit: 10), .checkpoints(after: 0, limit: 10)]
        case .auditLog: [.auditLog]
        case .auditVerify: [.verifyAudit]
        case .callList: [.calls(tenant: acme, limit: 10)]
        case .limitList: [.limits(tenant: acme)]
        case .changePreview: [.blastRadius(.breaker(try Target("openai/gpt-6"), .open))]
        case .routeExplain: [.route(model: try ModelName("openai/gpt-6"), tenant: acme)]
        case .routeList: [.routes]
        default: []
        }
    }
}
