import Domain
import Events
import Operations
import Testing

@testable import Console

@Suite struct DrillTests {
    private static let sizes = [(80, 24), (120, 40), (40, 12)]

    private func drilled(_ width: Int, _ height: Int) -> ConsoleModel {
        var snapshot = Scene.calm.snapshot()
        snapshot.drills = [
            DrillView(
                tenant: Fixture.tenant("acme"), fault: .overloaded, percent: 50,
                since: Scene.now + .seconds(-48), until: Scene.now + .seconds(252), owner: "mira",
                reason: "failover drill Q4", calls: 412)
        ]
        snapshot.targets[1].drilled = true
        var model = ConsoleModel(operatorName: "mira", width: width, height: height, wall: Scene.now)
        _ = model.update(.snapshot(snapshot))
        let events = Scene.calm.events().map { numbered -> NumberedEvent in
            guard case .callFinished(let call) = numbered.event else { return numbered }
            let finish = GatewayEvent.CallFinish(
                row: call.row, attempts: call.attempts,
                drill: call.row.tenant == Fixture.id(1) && !call.attempts.isEmpty)
            return NumberedEvent(sequence: numbered.sequence, event: .callFinished(finish))
        }
        _ = model.update(.events(events, lost: 0))
        return model
    }

    @Test func `a drill is said on every pane at every size`() {
        for pane in PaneID.allCases {
            for (width, height) in Self.sizes {
                var model = drilled(width, height)
                model.type("\(pane.rawValue)")
                let head = model.screen.split(separator: "\n").first ?? ""
                #expect(head.contains("DRILL"), "\(pane) \(width)")
            }
        }
    }

    @Test func `drilled calls, targets and tenants carry the mark`() {
        for (width, height) in Self.sizes {
            for pane in [PaneID.traffic, .providers, .tenants] {
                var model = drilled(width, height)
                model.type(pane == .traffic ? "2/acme" : "\(pane.rawValue)")
                if pane == .traffic { model.press(.enter) }
                let rows = model.screen.split(separator: "\n").dropFirst()
                #expect(rows.contains { $0.contains("DRILL") }, "\(pane) \(width)")
                GoldenFrame.check(model.frame(), "screen-drill-\(pane.word).\(width)x\(height)")
            }
        }
    }

    @Test func `without a drill nothing says so`() {
        for pane in PaneID.allCases {
            var model = Scene.incident.model(120, 40)
            model.type("\(pane.rawValue)")
            #expect(!model.screen.contains("DRILL"), "\(pane)")
        }
    }

    @Test func `a drill starts with a fault, a share, an end and a reason`() {
        var model = Scene.calm.model()
        model.type(":drill acme")
        model.press(.enter)
        #expect(model.dialogs.last?.title == "Start drill: acme")
        model.type("5")
        model.press(.tab, .right, .tab, .right, .tab)
        model.type("game day")
        model.press(.tab)
        #expect(model.press(.enter).isEmpty)
        model.type("acme")
        guard
            case .perform(_, .drillStart(let tenant, .overloaded, 25, 15, "game day"), nil)? =
                model.press(.enter).first
        else {
            Issue.record("no drill\n\(model.screen)")
            return
        }
        #expect(tenant.text == "acme")
    }

    @Test func `a drill that is on is stopped with a reason`() {
        for keys in [":drill stop acme", "4D"] {
            var model = drilled(80, 24)
            model.type(keys)
            if keys.hasPrefix(":") { model.press(.enter) }
            #expect(model.dialogs.last?.title == "Stop drill: acme")
            #expect(model.screen.contains("529 on 50%") && model.screen.contains("failover drill Q4"))
            #expect(model.press(.enter).isEmpty)
            model.type("done")
            guard case .perform(_, .drillStop(_, "done"), nil)? = model.press(.enter).first else {
                Issue.record("not stopped\n\(model.screen)")
                return
            }
        }
    }

    @Test func `each fault can be chosen`() {
        var seen: Set<DrillFault> = []
        for step in DrillFault.allCases.indices {
            var model = Scene.calm.model()
            model.type("4D")
            for _ in 0..<step { model.press(.right) }
            model.press(.tab, .tab, .tab)
            model.type("x")
            model.press(.tab)
            model.type("acme")
            if case .perform(_, .drillStart(_, let fault, _, _, _), _)? = model.press(.enter).first {
                seen.insert(fault)
            }
        }
        #expect(seen.count == DrillFault.allCases.count)
    }

    @Test func `the stop dialog at three sizes`() {
        for (width, height) in Self.sizes {
            var model = drilled(width, height)
            model.type("4D")
            GoldenFrame.check(model.frame(), "dialog-drill-stop.\(width)x\(height)")
        }
    }
}
