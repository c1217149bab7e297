import Console
import Domain
import Operations
import Testing

@testable import Console

/// Screens that the panes' own frames do not show.
@Suite struct ScreenTests {
    private static let sizes = [(80, 24), (120, 40), (40, 12)]

    private func check(_ name: String, _ scene: Scene = .incident, prepare: (inout ConsoleModel) -> Void) {
        for (width, height) in Self.sizes {
            var model = scene.model(width, height)
            prepare(&model)
            GoldenFrame.check(model.frame(), "screen-\(name).\(width)x\(height)")
        }
    }

    @Test func `one tenant`() {
        check("tenant") {
            $0.type("4j")
            $0.press(.enter)
        }
    }

    @Test func `virtual keys`() {
        check("virtual-keys") {
            $0.type("5")
            $0.press(.tab)
        }
    }

    @Test func `a refused call`() { check("refused") { $0.type("2n") } }

    @Test func `paused with a filter`() {
        check("paused") {
            $0.type("2 /globex")
            $0.press(.enter)
        }
    }

    @Test func `a filter being typed`() { check("filter") { $0.type("3/open") } }

    @Test func `a key that one model cools`() {
        check("key-model-mark") { $0.type("5jj") }
        var model = Scene.incident.model(120, 40)
        model.type("5jj")
        #expect(model.screen.contains("claude-large COOLING for 40s"))
    }

    @Test func `a held target`() { check("held") { $0.type("3jjj") } }

    @Test func `demo and read-only are said on every pane`() {
        var snapshot = Scene.incident.snapshot()
        snapshot.demo = true
        snapshot.readOnly = true
        for pane in PaneID.allCases {
            for (width, height) in Self.sizes {
                var model = Scene.incident.model(width, height)
                _ = model.update(.snapshot(snapshot))
                model.type("\(pane.rawValue)")
                #expect(
                    model.screen.contains("DEMO") && model.screen.contains("READ-ONLY"), "\(pane) \(width)")
            }
        }
        check("demo") { _ = $0.update(.snapshot(snapshot)) }
    }

    @Test func `a sealed vault`() {
        var snapshot = Scene.calm.snapshot()
        snapshot.vault.unlocked = false
        check("sealed", .calm) { _ = $0.update(.snapshot(snapshot)) }
    }

    @Test func `ASCII`() {
        for (width, height) in Self.sizes {
            let model = Scene.incident.model(width, height)
            GoldenFrame.check(model.frame(ascii: true), "screen-ascii.\(width)x\(height)")
        }
    }

    @Test func `before the first picture`() {
        let model = ConsoleModel(operatorName: "mira", wall: Scene.now)
        #expect(model.screen.contains("waiting for the engine's first picture"))
        #expect(model.screen.contains("WAITING 12:04:31Z"))
    }

    @Test func `unknown prices are counted, never shown as zero`() {
        var model = Scene.incident.model(120, 40)
        model.type("7g")
        let line = model.screen.split(separator: "\n").first { $0.contains("vllm-a") } ?? ""
        #expect(line.contains(" - ") && !line.contains("0.00 "), "\(line)")
        #expect(line.contains("8 000") || line.contains("12 000"), "\(line)")
    }
}
