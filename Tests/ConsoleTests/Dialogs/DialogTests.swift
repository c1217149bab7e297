import Console
import Domain
import Operations
import Testing

@testable import Console

@Suite struct DialogTests {
    private static let openers: [(name: String, keys: String)] = [
        ("trip", "3jT"), ("close", "3C"), ("hold", "3jH"), ("release", "3jjjR"), ("add-key", "5n"),
        ("rotate", "5r"),
        ("drain", "5d"), ("revoke", "5x"), ("issue-token", "5\tn"), ("rotate-token", "5\tr"),
        ("revoke-token", "5\tx"),
        ("add-tenant", "4n"), ("suspend", "4P"), ("drill", "4D"), ("purge", "4X"), ("undo", "5ju"),
        ("audit-verify", "8v"), ("audit-export", "8e"),
        ("help", "3?"),
        ("palette", "3:"),
    ]

    private func open(_ keys: String, _ width: Int, _ height: Int, _ scene: Scene = .incident) -> ConsoleModel
    {
        var model = scene.model(width, height)
        for character in keys { model.press(character == "\t" ? .tab : .character(character)) }
        return model
    }

    @Test func `the frames are the ones that were looked at`() {
        for (name, keys) in Self.openers {
            for (width, height) in [(80, 24), (40, 12)] {
                let model = open(keys, width, height)
                #expect(model.dialogs.count == 1, "\(name)")
                GoldenFrame.check(model.frame(), "dialog-\(name).\(width)x\(height)")
            }
        }
    }

    @Test func `every dialog draws at every size and closes with esc`() {
        for (name, keys) in Self.openers {
            for scene in [Scene.incident, .long] {
                var model = open(keys, 80, 24, scene)
                for width in [1, 29, 30, 40, 60, 80, 250] {
                    for height in [1, 6, 12, 16, 24, 60] {
                        _ = model.update(.input(.resized(width: width, height: height)))
                        #expect(model.frame().cells.count == width * height, "\(name)")
                    }
                }
                model.press(.escape)
                #expect(model.dialogs.isEmpty, "\(name)")
            }
        }
    }

    @Test func `enter alone never acts in a dialog`() {
        for (name, keys) in Self.openers where name != "palette" {
            var model = open(keys, 80, 24)
            for _ in 0..<12 {
                for effect in model.press(.enter) {
                    if case .perform(_, let command, _) = effect { Issue.record("\(name): \(command)") }
                }
                if model.dialogs.isEmpty { break }
            }
        }
    }

    @Test func `pressing the key that opened a dialog again and again never acts`() {
        for (name, keys) in Self.openers where !["palette", "help"].contains(name) {
            var model = open(keys, 80, 24)
            guard let key = keys.last else { continue }
            for _ in 0..<30 {
                for effect in model.press(.character(key)) {
                    if case .perform = effect { Issue.record("\(name) acted on its own key") }
                }
            }
        }
    }

    @Test func `a rotation sends the pasted secret, never shows it, and wipes it`() throws {
        var model = open("5r", 80, 24)
        let form = try #require((model.dialogs.last as? RotateKeyDialog)?.form)
        let draft = try #require(form.secret?.draft)
        let paste = Paste(bytes: Array("sk-proj-topsecret-123456\r\n".utf8), dropped: 0)
        _ = model.update(.input(.paste(paste)))
        #expect(paste.count == 0 && draft.count == 24)
        #expect(!model.screen.contains("topsecret") && model.screen.contains("24 bytes"))
        let effects = model.press(.enter)
        guard case .perform(let id, .keyRotate(let key, .usual, 600, false), let secret?)? = effects.first
        else {
            Issue.record("no rotation: \(effects)")
            return
        }
        #expect(key == Fixture.id(100))
        #expect(secret.withBytes { Array($0) } == Array("sk-proj-topsecret-123456".utf8))
        let until = model.wall + .seconds(600)
        _ = model.update(
            .commandDone(
                id: id,
                .success(
                    CommandOutcome(
                        CommandReceipt(
                            message: "openai/main switched; the old key drains until 12:14:31Z",
                            undo: .keyUndo(key: key), undoUntil: until)))))
        #expect(draft.isEmpty)
        #expect(model.screen.contains("drains until 12:14:31Z") && model.screen.contains("u takes it back"))
    }

    @Test func `an unverified key is used only after a typed word`() {
        var model = open("5r", 80, 24)
        _ = model.paste("sk-new")
        guard case .perform(let id, _, _)? = model.press(.enter).first else {
            Issue.record("no command")
            return
        }
        _ = model.update(
            .commandDone(id: id, .failure(CommandRefusal(.keyUnverified, "openai did not answer in 10 s"))))
        #expect(model.screen.contains("Switch anyway") && model.screen.contains("openai did not answer"))
        #expect(model.press(.enter).isEmpty)
        model.type("unverified")
        let effects = model.press(.enter)
        guard case .perform(_, .keyRotate(_, .usual, 600, true), let secret?)? = effects.first else {
            Issue.record("not accepted: \(effects)")
            return
        }
        #expect(secret.withBytes { Array($0) } == Array("sk-new".utf8))
    }

    @Test func `a refused key changes nothing and says so`() {
        var model = open("5r", 80, 24)
        _ = model.paste("sk-bad")
        guard case .perform(let id, _, _)? = model.press(.enter).first else {
            Issue.record("no command")
            return
        }
        _ = model.update(.commandDone(id: id, .failure(CommandRefusal(.keyRefused, "openai answered 401"))))
        #expect(model.dialogs.count == 1 && model.screen.contains("Nothing was changed"))
    }

    @Test func `a paste with a line end inside is refused whole`() {
        var model = open("5n", 80, 24)
        model.press(.tab, .tab, .tab)
        _ = model.paste("sk-one\nsk-two")
        #expect(model.screen.contains("nothing was taken"))
        #expect((model.dialogs.last as? AddKeyDialog)?.form.secret?.isEmpty == true)
    }

    @Test func `a new virtual key is on the screen once, and nowhere after`() {
        var model = open("5\tn", 80, 24)
        model.press(.tab)
        model.type("web")
        model.press(.tab, .tab, .tab, .tab, .tab)
        let effects = model.press(.enter)
        guard case .perform(let id, .tokenIssue(let order), nil)? = effects.first else {
            Issue.record("no token: \(effects)")
            return
        }
        #expect(order.name.text == "web" && order.tenant.text == "acme")
        let secret = Array("gth_live_0123456789abcdefghij".utf8).withUnsafeBytes { SecretDraft(copying: $0) }
        _ = model.update(
            .commandDone(
                id: id,
                .success(CommandOutcome(CommandReceipt(message: "issued web for acme"), issued: secret))))
        #expect(model.screen.contains("gth_live_0123456789abcdefghij") && model.screen.contains("shown once"))
        GoldenFrame.check(model.frame(), "dialog-shown-once.80x24")
        model.press(.escape)
        #expect(model.screen.contains("cannot be shown again"))
        model.press(.escape)
        #expect(model.dialogs.isEmpty && secret.isEmpty)
        #expect(!model.screen.contains("gth_live"))
    }

    @Test func `esc wipes a half-typed secret`() throws {
        var model = open("5n", 80, 24)
        let draft = try #require((model.dialogs.last as? AddKeyDialog)?.form.secret?.draft)
        model.press(.tab, .tab, .tab)
        model.type("sk-half")
        #expect(draft.count == 7)
        model.press(.backspace)
        #expect(draft.count == 6)
        model.press(.escape)
        #expect(draft.isEmpty)
    }

    @Test func `the palette runs commands on objects and ends in the same dialogs`() {
        var model = Scene.incident.model()
        model.type(":trip openai/gpt-l")
        #expect(model.screen.contains("trip openai/gpt-large"))
        let effects = model.press(.enter)
        #expect(!effects.contains { if case .perform = $0 { true } else { false } })
        #expect(model.dialogs.last?.title == "Trip breaker: openai/gpt-large" && model.pane == .providers)
        model.press(.escape)
        model.type(":suspend acme")
        model.press(.enter)
        #expect(model.dialogs.last?.title == "Suspend tenant: acme")
        model.press(.escape)
        model.type(":tenant add new-one")
        model.press(.enter)
        #expect(model.dialogs.last is AddTenantDialog && model.screen.contains("new-one"))
        model.press(.escape)
        model.type(":theme mono")
        guard case .selectTheme("mono")? = model.press(.enter).first else {
            Issue.record("no theme")
            return
        }
        model.type(":")
        model.press(.control("p"), .control("p"))
        #expect(model.screen.contains(":[tenant add new-one"))
        model.press(.escape)
        model.type(":costs")
        model.press(.enter)
        #expect(model.pane == .costs)
        model.type(":purge *")
        model.press(.enter)
        #expect(model.dialogs.last?.title == "Purge cache: every tenant")
    }

    @Test func `the vault is locked from the palette, after its word was typed`() {
        var model = open("", 80, 24)
        model.type(":vault lock")
        model.press(.enter)
        #expect(model.dialogs.last?.title == "Lock the vault")
        #expect(model.press(.enter).isEmpty)
        model.type("lock")
        var effects: [ConsoleEffect] = []
        for _ in 0..<3 where effects.isEmpty { effects = model.press(.enter) }
        guard case .perform(_, .vaultLock, _)? = effects.first else {
            Issue.record("\(effects)")
            return
        }
    }
}
