import Domain
import Operations
import Testing

@testable import Console

/// What the console shows and does for each role; the engine asks again.
@Suite struct ConsoleRoleTests {
    private func model(
        _ role: OperatorRole?, _ scene: Scene = .incident, _ width: Int = 80, _ height: Int = 24
    ) -> ConsoleModel {
        var model = scene.model(width, height)
        var snapshot = scene.snapshot()
        snapshot.role = role
        _ = model.update(.snapshot(snapshot))
        return model
    }

    @Test(arguments: OperatorRole.allCases)
    func `a key that the role does not allow does nothing and says which role it takes`(_ role: OperatorRole)
    {
        var refused = 0
        for pane in PaneID.allCases {
            for region in 0...1 {
                for binding in Keymap.bindings(in: pane, region: region) {
                    guard let needed = binding.command.operation?.role, needed > role else { continue }
                    var model = model(role)
                    model.type("\(pane.rawValue)")
                    if region == 1 { model.press(.tab) }
                    guard model.regionKey == region else { continue }
                    let effects = model.press(binding.keys[0])
                    #expect(effects.isEmpty && model.dialogs.isEmpty, "\(role) \(pane) \(binding.words)")
                    #expect(
                        model.screen.contains("\(binding.words) - needs role \(needed.rawValue)"),
                        "\(role) \(pane) \(binding.words)")
                    refused += 1
                }
            }
        }
        #expect((refused == 0) == (role == .admin), "\(refused)")
    }

    @Test func `every key that changes something stands for an operation`() {
        for binding in Keymap.bindings where binding.danger != .none && binding.command != .undo {
            #expect(binding.command.operation != nil, "\(binding.words)")
            #expect(binding.command.operation?.role != .viewer, "\(binding.words)")
        }
    }

    @Test(arguments: OperatorRole.allCases)
    func `the palette has every line, and those that the role does not allow are off`(_ role: OperatorRole) {
        let lines = Palette.matching("", model(role))
        for line in lines {
            guard let needed = line.deed.operation?.role else { continue }
            #expect((line.off == "needs role \(needed.rawValue)") == (needed > role), "\(role) \(line.text)")
        }
        #expect(lines.count == Palette.matching("", model(.admin)).count)
        #expect(lines.contains { $0.off?.hasPrefix("needs role") == true } == (role != .admin))
    }

    @Test func `undo takes the role of what it takes back`() throws {
        var model = model(.operator)
        let target = try #require(model.live.targets.first?.target)
        func offer(_ command: EngineCommand) {
            model.undo = UndoOffer(command: command, words: "it", until: model.wall + .seconds(60))
        }
        offer(.breakerRelease(target: target, reason: "undo"))
        #expect(Keymap.reason(.undo, danger: .change, model) == nil)
        offer(.tenantPlatformKeys(name: try TenantName("acme"), used: false))
        #expect(Keymap.reason(.undo, danger: .change, model) == "needs role admin")
    }

    @Test func `the header names operator and role, and a long name gives way to the role`() {
        for (role, word) in [(OperatorRole.viewer, "viewer"), (.operator, "operator"), (.admin, "admin")] {
            for width in [80, 120] {
                #expect(model(role, .calm, width).screen.split(separator: "\n")[0].hasSuffix("mira \(word)"))
            }
            #expect(model(role, .calm, 40, 12).screen.contains(" \(word)") == (role != .admin))
        }
        var model = ConsoleModel(operatorName: String(repeating: "n", count: 64), wall: Scene.now)
        var snapshot = Scene.long.snapshot()
        snapshot.role = .operator
        _ = model.update(.snapshot(snapshot))
        #expect(model.screen.split(separator: "\n")[0].hasSuffix("n operator"))
    }

    @Test func `a viewer is not asked to open a sealed vault`() {
        for (role, asked) in [(OperatorRole.viewer, false), (.operator, false), (.admin, true)] {
            var snapshot = Scene.calm.snapshot()
            snapshot.vault.unlocked = false
            snapshot.role = role
            var model = ConsoleModel(operatorName: "mira", wall: Scene.now)
            _ = model.update(.snapshot(snapshot))
            #expect(model.dialogs.isEmpty != asked)
        }
    }

    @Test func `when the role is taken away nothing stays on the screen`() {
        for pane in PaneID.allCases {
            var model = model(.admin)
            model.type("\(pane.rawValue) ")
            model.type("?")
            var nothing = EngineSnapshot(instance: "gw prod-eu1", at: Scene.now)
            nothing.role = nil
            _ = model.update(.snapshot(nothing))
            _ = model.update(.events(Scene.incident.events(), lost: 0))
            #expect(model.screen.contains("NO ROLE") && model.dialogs.isEmpty && !model.isPaused)
            for tenant in Scene.incident.snapshot().tenants {
                #expect(!model.screen.contains(tenant.name.text), "\(pane)")
            }
            #expect(model.calls.count == 0)
        }
    }

    @Test func `help, palette and panes of a viewer`() {
        for (width, height) in [(120, 40), (80, 24), (40, 12)] {
            func check(_ name: String, _ keys: String) {
                var model = model(.viewer, .incident, width, height)
                model.type(keys)
                GoldenFrame.check(model.frame(), "role-\(name).\(width)x\(height)")
            }
            check("help-providers", "3?")
            check("help-keys", "5?")
            check("palette", ":tri")
            check("refused", "3T")
            check("audit", "8")
        }
    }
}
