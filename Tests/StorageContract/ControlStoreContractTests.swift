import Domain
import Storage
import TestKit
import Testing

@Suite struct ControlStoreContractTests {
    private let folder = TemporaryFolder()

    @Test(arguments: Backend.allCases)
    func `a new store is empty and its chain intact`(backend: Backend) async throws {
        let store = try backend.controlStore(in: folder)
        #expect(try await store.load() == ControlContents())
        #expect(try await store.verifyAudit() == .intact(records: 0, head: AuditChain.origin))
        #expect(try await store.auditRecords(before: nil, limit: 10).isEmpty)
    }

    @Test(arguments: Backend.allCases)
    func `an operator is erased from his records, in one step with the record of it, and the chain verifies`(
        backend: Backend
    ) async throws {
        let store = try backend.controlStore(in: folder)
        for name in ["ann", "bea", "ann"] {
            try await store.appendAudit(
                AuditDraft(
                    at: .init(milliseconds: 1), actor: name, via: "command", action: "x.y", target: "t",
                    origin: OperatorOrigin(session: "s", tty: "pts/1", uid: "1000", from: "10.0.0.1")))
        }
        let (before, head) = (try await store.auditRecords(from: 1, limit: 9), try await store.auditHead())
        let found = try await store.eraseOperator("ann") { erasure in
            AuditDraft(
                at: .init(milliseconds: 2), actor: "bea", via: "command", action: "audit.erase",
                target: "audit", before: "\(erasure.erased)")
        }
        #expect(found == AuditErasure(erased: 2, kept: 0))
        let after = try await store.auditRecords(from: 1, limit: 9)
        #expect(after.map(\.draft.actor) == ["", "bea", "", "bea"] && after[3].draft.before == "2")
        #expect(after[0] == before[0].withoutOperator && after[1] == before[1])
        #expect(after.prefix(3).map(\.hash) == before.map(\.hash) && after[3].previous == head.head)
        #expect(try await store.verifyAudit() == .intact(records: 4, head: after[3].hash))
    }

    @Test(arguments: Backend.allCases)
    func `a vault is made once and read back whole`(backend: Backend) async throws {
        let store = try backend.controlStore(in: folder)
        let vault = Samples.vault()
        try await store.createVault(vault, audit: Samples.draft())
        #expect(try await store.load().vault == vault)
        await #expect(throws: StorageFailure.vaultExists) {
            try await store.createVault(Samples.vault(), audit: Samples.draft())
        }
        #expect(try await store.load().vault == vault)
        #expect(try await store.auditRecords(before: nil, limit: 10).count == 1)
    }

    @Test(arguments: Backend.allCases)
    func `a vault is changed with its tenants' keys, all or nothing, from one epoch to the next`(
        backend: Backend
    ) async throws {
        let store = try backend.controlStore(in: folder)
        let vault = Samples.vault()
        try await store.createVault(vault, audit: Samples.draft())
        let (ant, first) = try Samples.tenant("ant")
        var next = vault
        next.epoch = 1
        next.ring = [1, 2]
        try await store.insertTenant(ant, key: first, vault: next, audit: Samples.draft())
        #expect(try await store.load().vault == next)

        var retiring = first
        retiring.state = .retiring
        retiring.rootVersion = 2
        retiring.wrapped = [9, 9]
        let second = WrappedTenantKey(
            tenant: ant.id, version: 2, state: .active, rootVersion: 2, wrapped: [7],
            created: .init(milliseconds: 11), sealings: 10_000)
        var after = next
        after.epoch = 2
        after.rootVersion = 2
        after.keyCheck = [5]
        after.previousRoot = [6]
        after.slots.removeLast()
        try await store.changeVault(after, keys: [second, retiring], audit: Samples.draft())
        #expect(try await store.load().vault == after)
        #expect(try await store.load().tenantKeys == [retiring, second])

        // From another epoch, of another vault, with a key of nobody: nothing happens.
        let (_, foreign) = try Samples.tenant("bee")
        var skipped = after
        skipped.epoch = 4
        var back = after
        back.epoch = 1
        var good = after
        good.epoch = 3
        for (record, keys) in [(skipped, []), (back, []), (after, []), (good, [foreign])] {
            await #expect(throws: StorageFailure.self) {
                try await store.changeVault(record, keys: keys, audit: Samples.draft())
            }
        }
        let (cat, catKey) = try Samples.tenant("cat")
        await #expect(throws: StorageFailure.vaultChanged) {
            try await store.insertTenant(cat, key: catKey, vault: after, audit: Samples.draft())
        }
        #expect(try await store.load().vault == after)
        #expect(try await store.load().tenants == [ant])
        #expect(try await store.auditRecords(before: nil, limit: 10).count == 3)
        // A step of a rotation is not chained.
        try await store.changeVault(good, keys: [], audit: nil)
        #expect(try await store.load().vault == good)
        #expect(try await store.auditRecords(before: nil, limit: 10).count == 3)
    }

    @Test(arguments: Backend.allCases)
    func `tenants are inserted, listed by name and changed`(backend: Backend) async throws {
        let store = try backend.controlStore(in: folder)
        var (zebra, zebraKey) = try Samples.tenant("zebra")
        let (ant, antKey) = try Samples.tenant("ant")
        try await store.insertTenant(zebra, key: zebraKey, audit: Samples.draft())
        try await store.insertTenant(ant, key: antKey, audit: Samples.draft())
        #expect(try await store.load().tenants == [ant, zebra])
        #expect(try await Set(store.load().tenantKeys) == [antKey, zebraKey])

        zebra.status = .suspended
        zebra.limits = .init(tokensPerMinute: 9)
        zebra.cacheEnabled = false
        try await store.updateTenant(zebra, audit: Samples.draft())
        #expect(try await store.load().tenants == [ant, zebra])
    }

    @Test(arguments: Backend.allCases)
    func `a taken tenant name, a foreign wrap and an unknown tenant are refused and leave no trace`(
        backend: Backend
    ) async throws {
        let store = try backend.controlStore(in: folder)
        let (ant, antKey) = try Samples.tenant("ant")
        try await store.insertTenant(ant, key: antKey, audit: Samples.draft())
        let (other, otherKey) = try Samples.tenant("ant")
        await #expect(throws: StorageFailure.tenantNameTaken(ant.name)) {
            try await store.insertTenant(other, key: otherKey, audit: Samples.draft())
        }
        let (bee, beeKey) = try Samples.tenant("bee")
        await #expect(throws: StorageFailure.otherTenant("the wrapped key", bee.id)) {
            try await store.insertTenant(bee, key: antKey, audit: Samples.draft())
        }
        let (again, againKey) = try Samples.tenant("cat", id: ant.id)
        await #expect(throws: StorageFailure.alreadyThere("tenant \(ant.id)")) {
            try await store.insertTenant(again, key: againKey, audit: Samples.draft())
        }
        await #expect(throws: StorageFailure.notFound("tenant bee")) {
            try await store.updateTenant(bee, audit: Samples.draft())
        }
        let renamed = TenantRecord(id: ant.id, name: bee.name, created: ant.created)
        await #expect(throws: StorageFailure.self) {
            try await store.updateTenant(renamed, audit: Samples.draft())
        }
        _ = beeKey
        #expect(try await store.load().tenants == [ant])
        #expect(try await store.load().tenantKeys == [antKey])
        #expect(try await store.auditRecords(before: nil, limit: 10).count == 1)
    }

    @Test(arguments: Backend.allCases)
    func `virtual keys are inserted, changed and rotated`(backend: Backend) async throws {
        let store = try backend.controlStore(in: folder)
        let (ant, antKey) = try Samples.tenant("ant")
        try await store.insertTenant(ant, key: antKey, audit: Samples.draft())
        var first = try Samples.virtualKey("first", of: ant.id, hash: 1, at: 20)
        try await store.insertVirtualKey(first, audit: Samples.draft())
        #expect(try await store.load().virtualKeys == [first])

        first.expires = .init(milliseconds: 99)
        first.models = []
        first.user = nil
        first.team = try Label("blue team")
        try await store.updateVirtualKey(first, audit: Samples.draft())
        #expect(try await store.load().virtualKeys == [first])

        let second = try Samples.virtualKey("second", of: ant.id, hash: 2, at: 21)
        first.successor = second.id
        first.revoked = .init(milliseconds: 100)
        try await store.rotateVirtualKey(ending: first, with: second, audit: Samples.draft())
        #expect(try await store.load().virtualKeys == [first, second])
    }

    @Test(arguments: Backend.allCases)
    func `a doubled, unknown or altered virtual key is refused and leaves no trace`(
        backend: Backend
    ) async throws {
        let store = try backend.controlStore(in: folder)
        let (ant, antKey) = try Samples.tenant("ant")
        try await store.insertTenant(ant, key: antKey, audit: Samples.draft())
        let key = try Samples.virtualKey("k", of: ant.id, hash: 1)
        try await store.insertVirtualKey(key, audit: Samples.draft())
        let sameHash = try Samples.virtualKey("k2", of: ant.id, hash: 1)
        await #expect(throws: StorageFailure.alreadyThere("virtual key k2")) {
            try await store.insertVirtualKey(sameHash, audit: Samples.draft())
        }
        let homeless = try Samples.virtualKey("k3", of: .random(), hash: 3)
        await #expect(throws: StorageFailure.notFound("tenant \(homeless.tenant)")) {
            try await store.insertVirtualKey(homeless, audit: Samples.draft())
        }
        let unknown = try Samples.virtualKey("k4", of: ant.id, hash: 4)
        let successor = try Samples.virtualKey("k5", of: ant.id, hash: 5)
        await #expect(throws: StorageFailure.notFound("virtual key k4")) {
            try await store.updateVirtualKey(unknown, audit: Samples.draft())
        }
        // All or nothing: the successor must not stay when the predecessor is not there.
        await #expect(throws: StorageFailure.notFound("virtual key k4")) {
            try await store.rotateVirtualKey(ending: unknown, with: successor, audit: Samples.draft())
        }
        let otherHash = VirtualKeyRecord(
            id: key.id, tenant: key.tenant, name: key.name, hash: [UInt8](repeating: 8, count: 32),
            created: key.created)
        await #expect(throws: StorageFailure.self) {
            try await store.updateVirtualKey(otherHash, audit: Samples.draft())
        }
        #expect(try await store.load().virtualKeys == [key])
        #expect(try await store.auditRecords(before: nil, limit: 10).count == 2)
    }

    @Test(arguments: Backend.allCases)
    func `limits of teams, users and provider keys are put, replaced and removed by owner`(
        backend: Backend
    ) async throws {
        let store = try backend.controlStore(in: folder)
        let (ant, antKey) = try Samples.tenant("ant")
        try await store.insertTenant(ant, key: antKey, audit: Samples.draft())
        let owners: [LimitOwner] = [
            .team(try Label("search")), .user(try Label("search")), .providerKey(.random()),
        ]
        for (number, owner) in owners.enumerated() {
            let record = LimitRecord(
                tenant: ant.id, owner: owner, limits: LimitSet(requestsPerMinute: number + 1))
            try await store.setLimits(record, audit: Samples.draft())
        }
        let changed = LimitRecord(
            tenant: ant.id, owner: owners[0], limits: LimitSet(tokensPerMinute: 5, parallel: 6))
        try await store.setLimits(changed, audit: Samples.draft())
        let none = LimitRecord(tenant: ant.id, owner: owners[1], limits: LimitSet())
        try await store.setLimits(none, audit: Samples.draft())
        let last = LimitRecord(tenant: ant.id, owner: owners[2], limits: LimitSet(requestsPerMinute: 3))
        #expect(Set(try await store.load().limits) == [changed, last])
        for owner in [LimitOwner.tenant, .virtualKey(.random())] {
            let elsewhere = LimitRecord(tenant: ant.id, owner: owner, limits: LimitSet(parallel: 1))
            await #expect(throws: StorageFailure.limitsElsewhere) {
                try await store.setLimits(elsewhere, audit: Samples.draft())
            }
        }
        let homeless = LimitRecord(tenant: .random(), owner: owners[0], limits: LimitSet(parallel: 1))
        await #expect(throws: StorageFailure.notFound("tenant \(homeless.tenant)")) {
            try await store.setLimits(homeless, audit: Samples.draft())
        }
    }

    @Test(arguments: Backend.allCases)
    func `holds are put, replaced and removed by target`(backend: Backend) async throws {
        let store = try backend.controlStore(in: folder)
        let (a, b) = (try Target("openai/gpt-5"), try Target("local/org/model"))
        func hold(_ mode: BreakerHold.Mode) -> BreakerHold {
            BreakerHold(
                mode: mode, owner: "ana", reason: "drill", since: .init(milliseconds: 1),
                ends: .init(milliseconds: 2))
        }
        try await store.setHold(hold(.open), on: a, audit: Samples.draft())
        try await store.setHold(hold(.asIs), on: b, audit: Samples.draft())
        try await store.setHold(hold(.closed), on: a, audit: Samples.draft())
        #expect(try await store.load().holds == [a: hold(.closed), b: hold(.asIs)])
        try await store.setHold(nil, on: a, audit: Samples.draft())
        try await store.setHold(nil, on: a, audit: Samples.draft())
        #expect(try await store.load().holds == [b: hold(.asIs)])
        #expect(try await store.auditRecords(before: nil, limit: 10).count == 5)
    }

    @Test(arguments: Backend.allCases)
    func `each change is chained once, and a change whose record is chained already is refused`(
        backend: Backend
    ) async throws {
        let store = try backend.controlStore(in: folder)
        let audit = Samples.draft("tenant.add")
        let (ant, antKey) = try Samples.tenant("ant")
        try await store.insertTenant(ant, key: antKey, audit: audit)
        let (bee, beeKey) = try Samples.tenant("bee")
        await #expect(throws: StorageFailure.chained(audit)) {
            try await store.insertTenant(bee, key: beeKey, audit: audit)
        }
        #expect(try await store.load().tenants == [ant])
        #expect(try await store.auditRecords(before: nil, limit: 10).map(\.draft) == [audit])
    }

    @Test(arguments: Backend.allCases)
    func `appending the same draft twice gives the same record`(backend: Backend) async throws {
        let store = try backend.controlStore(in: folder)
        let draft = Samples.draft("cache.purge")
        let first = try await store.appendAudit(draft)
        try await store.appendAudit(Samples.draft())
        let again = try await store.appendAudit(draft)
        #expect(first == again)
        #expect(first.sequence == 1)
        #expect(first.previous == AuditChain.origin)
        #expect(try await store.auditRecords(before: nil, limit: 10).count == 2)
    }

    @Test(arguments: Backend.allCases)
    func `audit records come newest first, in pages, and odd texts come back as they were chained`(
        backend: Backend
    ) async throws {
        let store = try backend.controlStore(in: folder)
        var chained: [AuditRecord] = []
        for text in [
            "plain", "nul \0 inside", "caf\u{e9}", "cafe\u{301}", "\r\n\u{1b}[31m", "",
            "'; DROP TABLE audit;--",
        ] {
            let draft = AuditDraft(
                at: .init(milliseconds: 1), actor: text, via: text, action: "a", target: text, before: text,
                after: text, reason: text)
            chained.append(try await store.appendAudit(draft))
        }
        let all = try await store.auditRecords(before: nil, limit: 100)
        #expect(all == chained.reversed())
        #expect(Array(all[2].draft.actor.utf8) == Array("\r\n\u{1b}[31m".utf8))
        #expect(Array(all[3].draft.actor.utf8) == Array("cafe\u{301}".utf8))
        #expect(try await store.auditRecords(before: 6, limit: 2).map(\.sequence) == [5, 4])
        #expect(try await store.auditRecords(before: 1, limit: 2).isEmpty)
        #expect(try await store.auditRecords(before: nil, limit: 0).isEmpty)
        #expect(try await store.verifyAudit() == .intact(records: 7, head: chained[6].hash))
    }

    @Test(arguments: Backend.allCases)
    func `changes made at once are all chained without a gap`(backend: Backend) async throws {
        let store = try backend.controlStore(in: folder)
        try await withThrowingTaskGroup(of: Void.self) { group in
            for _ in 0..<40 { group.addTask { try await store.appendAudit(Samples.draft()) } }
            try await group.waitForAll()
        }
        let records = try await store.auditRecords(before: nil, limit: 100)
        #expect(records.map(\.sequence) == Array((1...40).reversed()))
        let head = try #require(records.first).hash
        #expect(try await store.verifyAudit() == .intact(records: 40, head: head))
    }
}
