import Domain
import Operations
import Testing

@testable import Console

@Suite struct AuditPaneTests {
    @Test func `the frames are the ones that were looked at`() { GoldenFrame.check(.audit) }

    @Test func `a record with its operator, where he came from, and what can be undone`() {
        for (width, height) in [(80, 24), (120, 40), (40, 12)] {
            let (model, _) = held(width, height)
            GoldenFrame.check(model.frame(), "screen-audit-undo.\(width)x\(height)")
        }
    }

    /// The audit pane on the record of a hold that is in force.
    private func held(_ width: Int = 80, _ height: Int = 24) -> (ConsoleModel, Target) {
        var snapshot = Scene.calm.snapshot()
        let target = snapshot.targets[0].target
        let at = snapshot.at + .seconds(-30)
        snapshot.targets[0].hold = BreakerHold(
            mode: .open, owner: "mira", reason: "status page", since: at, ends: at + .seconds(900))
        snapshot.audit.insert(
            AuditRecord(
                sequence: 48_212,
                draft: AuditDraft(
                    id: Fixture.id(399), at: at, actor: "mira", via: "console", action: "breaker.trip",
                    target: target.description, before: "closed", after: "open until 12:19:01",
                    reason: "status page",
                    origin: OperatorOrigin(session: "0a0b0c0d", tty: "pts/4", uid: "1000", from: "10.2.0.9")),
                previous: [UInt8](repeating: 1, count: 32), hash: [UInt8](repeating: 2, count: 32)),
            at: 0)
        var model = Scene.calm.model(width, height)
        _ = model.update(.snapshot(snapshot))
        model.type("8g")
        return (model, target)
    }

    @Test func `u takes back a hold from its record, while that very hold is in force`() {
        var (model, target) = held()
        #expect(model.selectedRecord?.sequence == 48_212)
        guard case .breakerRelease(target, let reason)? = model.undoCommand?.command else {
            Issue.record("\(String(describing: model.undoCommand))")
            return
        }
        #expect(reason == "undo of #48212")
        #expect(model.type("u").isEmpty && model.dialogs.count == 1)
        // A later hold by someone else is not this record's.
        var later = model.live
        later.targets[0].hold = BreakerHold(
            mode: .open, owner: "jo", reason: "x", since: later.at, ends: later.at + .seconds(60))
        model.press(.escape)
        _ = model.update(.snapshot(later))
        #expect(model.undoCommand == nil)
    }

    @Test func `T shows the traffic of the record's time, paused, and is off for a time that is not held`()
        throws
    {
        var (model, _) = held()
        let at = try #require(model.selectedRecord?.draft.at)
        let wanted = model.call(at: at)
        if wanted == nil {
            #expect(Keymap.reason(.trafficThen, danger: .none, model) == "no call of that time is held")
        }
        model.type("8G")
        #expect(Keymap.reason(.trafficThen, danger: .none, model) == "no call of that time is held")
        model.type("T")
        #expect(model.pane == .audit)
        // A record of the time of a call that is held.
        let calls = model.shownCalls
        let call = calls[calls.count / 2]
        var snapshot = model.live
        snapshot.audit.insert(
            AuditRecord(
                sequence: 48_213,
                draft: AuditDraft(
                    id: Fixture.id(400), at: call.row.at, actor: "mira", via: "console",
                    action: "cache.purge", target: "all"), previous: [], hash: []), at: 0)
        _ = model.update(.snapshot(snapshot))
        model.type("g")
        #expect(model.selectedRecord?.sequence == 48_213)
        model.type("T")
        #expect(model.pane == .traffic && model.paused != nil)
        guard case .call(let shown)? = model.selected else {
            Issue.record("\(String(describing: model.selected))")
            return
        }
        let row = (0..<calls.count).first { calls[$0].row.call == shown }.map { calls[$0].row.at }
        #expect(row == call.row.at)
    }

    private func verified(_ answers: [EngineAnswer], _ width: Int, _ height: Int) -> ConsoleModel {
        var (model, _) = held(width, height)
        var effects = model.type("v")
        for answer in answers {
            guard case .ask(let id, _)? = effects.last else { return model }
            effects = model.update(.answered(id: id, .success(answer)))
        }
        return model
    }

    private static let log = AuditLogView(
        origin: "gatehouse/a/b", verifierKey: "k", fingerprint: String(repeating: "3b1c90aa", count: 8),
        records: 48_212, head: "h", root: String(repeating: "71f2e907", count: 8), signed: 48_212,
        signedAt: WallTime(milliseconds: 1_700_000_000_000))

    @Test func `v walks the chain and shows what was found, and e leads to an export`() {
        let head = String(repeating: "e90771f2", count: 8)
        let intact: [EngineAnswer] = [.auditIntact(records: 48_212, head: head), .auditLog(Self.log)]
        var troubled = Self.log
        (troubled.signed, troubled.trouble) = (48_000, "the copy outside cannot be written: disk full")
        let broken: [EngineAnswer] = [
            .auditBroken(at: 48_001, what: "the record was changed"), .auditLog(troubled),
        ]
        for (width, height) in [(80, 24), (120, 40), (40, 12)] {
            GoldenFrame.check(verified(intact, width, height).frame(), "audit-intact.\(width)x\(height)")
            GoldenFrame.check(verified(broken, width, height).frame(), "audit-broken.\(width)x\(height)")
        }
        #expect(verified([], 80, 24).screen.contains("walking the chain"))
        #expect(verified(intact, 80, 24).screen.contains("the chain is intact: 48 212 records"))
        #expect(verified(broken, 80, 24).screen.contains("BROKEN at #48 001"))
    }

    @Test func `e asks for a file and a form, and gives the command`() {
        var (model, _) = held()
        model.type("e")
        #expect(model.screen.contains("give an absolute path"))
        model.type("/var/audit.csv")
        model.press(.tab, .right, .tab, .tab)
        guard case .perform(let id, .auditExport("csv", "/var/audit.csv"), nil)? = model.press(.enter).first
        else {
            Issue.record("no export: \(model.screen)")
            return
        }
        let receipt = CommandReceipt(message: "7 records are in /var/audit.csv", details: ["a table"])
        _ = model.update(.commandDone(id: id, .success(CommandOutcome(receipt))))
        #expect(model.screen.contains("The audit is exported") && model.screen.contains("7 records are in"))
    }

    @Test func `a shows one operator's records, and all again`() {
        var (model, _) = held()
        let all = model.listings(of: .audit)[0].total
        model.type("a")
        #expect(model.state.filter == "actor=mira")
        #expect(model.screen.contains("breaker.trip") && all > 1)
        model.type("a")
        #expect(model.state.filter.isEmpty)
    }
}
