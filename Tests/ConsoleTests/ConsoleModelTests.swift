import Console
import Domain
import Events
import Operations
import Testing

@testable import Console

@Suite struct ConsoleModelTests {
    private func commands(_ effects: [ConsoleEffect]) -> [EngineCommand] {
        effects.compactMap { effect in
            if case .perform(_, let command, _) = effect { return command }
            return nil
        }
    }

    private func target(_ model: ConsoleModel) -> Target? {
        guard case .target(let target)? = model.selected else { return nil }
        return target
    }

    @Test func `a trip needs a reason and the provider's name, and names the target it was opened for`()
        throws
    {
        var model = Scene.incident.model()
        model.type("3j")
        let wanted = try #require(target(model))
        #expect(commands(model.type("T")).isEmpty)
        #expect(model.dialogs.count == 1)
        // Enter all the way does nothing: a reason and the word are missing, and Cancel is the default after them.
        #expect(commands(model.press(.enter, .enter, .enter, .enter)).isEmpty)
        model.press(.backTab, .backTab)
        var reordered = Scene.incident.snapshot()
        reordered.targets.reverse()
        _ = model.update(.snapshot(reordered))
        model.press(.tab, .tab)
        model = Scene.incident.model()
        model.type("3jT")
        model.press(.tab)
        model.type("status page")
        model.press(.enter)
        #expect(commands(model.type("opena")).isEmpty)
        #expect(commands(model.press(.enter)).isEmpty)
        _ = model.update(.snapshot(reordered))
        model.type("i")
        let given = commands(model.press(.enter))
        #expect(given == [.breakerTrip(target: wanted, seconds: 900, reason: "status page")])
        #expect(model.pending != nil)
    }

    @Test func `no key sequence reaches a dangerous command without its dialog`() {
        var dice = Dice(20_261_123)
        let letters = Array("TCHRnrdxvuPXpgGjk12345678 \n")
        for round in 0..<80 {
            var model = Scene.incident.model()
            for _ in 0..<40 {
                let letter = letters[Int(dice.next() % UInt64(letters.count))]
                let before = model.dialogs.count
                let effects = model.press(letter == "\n" ? .enter : .character(letter))
                for command in commands(effects) {
                    switch command {
                    case .keyVerify, .providerTest: continue
                    // These ask for more than a press of a key, but for no word: a pasted secret, a name, a button.
                    case .tenantResume, .keyUndo, .tokenRotate, .tokenIssue, .tenantAdd, .keyAdd, .keyRotate:
                        #expect(before > 0, "round \(round), seed 20261123: \(command)")
                    default: Issue.record("round \(round), seed 20261123: \(command) without a typed word")
                    }
                }
            }
        }
    }

    @Test func `the selection stays on its row when the rows change places`() throws {
        var model = Scene.calm.model()
        model.type("3jj")
        let chosen = try #require(model.selected)
        var snapshot = Scene.calm.snapshot()
        snapshot.targets.reverse()
        _ = model.update(.snapshot(snapshot))
        #expect(model.selected == chosen)
        model.type("sss")
        #expect(model.selected == chosen)
        snapshot.targets.removeAll { RowID.target($0.target) == chosen }
        _ = model.update(.snapshot(snapshot))
        #expect(model.selected != nil && model.selected != chosen)
    }

    @Test func `a row that was never moved to is pinned all the same`() throws {
        var model = Scene.calm.model()
        model.type("3")
        let chosen = try #require(model.selected)
        var snapshot = Scene.calm.snapshot()
        snapshot.targets.reverse()
        _ = model.update(.snapshot(snapshot))
        #expect(model.selected == chosen)
    }

    @Test func `the live tail follows the newest call until the cursor moves down`() throws {
        var model = Scene.calm.model()
        model.type("2")
        let first = try #require(model.selected)
        var dice = Dice(5)
        func newer(_ index: Int) -> NumberedEvent {
            let call = Scene.calm.events()[Int(dice.next() % 50)]
            guard case .callFinished(let finish) = call.event else { return call }
            let row = finish.row
            let copy = LedgerRow(
                call: Fixture.id(9_000 + index), tenant: row.tenant, virtualKey: row.virtualKey,
                at: Scene.now,
                dialect: row.dialect, model: row.model, target: row.target, providerKey: row.providerKey,
                user: "",
                team: "", tags: "", status: 200, end: .answered, failure: nil, cache: .miss, attempts: 1,
                usage: row.usage, usageSource: .reported, cost: nil, saved: nil, priceVersion: "",
                latencyMicroseconds: 5, firstByteMicroseconds: 5)
            return NumberedEvent(
                sequence: UInt64(1_000 + index),
                event: .callFinished(.init(row: copy, attempts: finish.attempts)))
        }
        _ = model.update(.events([newer(1)], lost: 0))
        #expect(model.selected == .call(Fixture.id(9_001)))
        model.type("j")
        #expect(model.selected == first)
        _ = model.update(.events([newer(2), newer(3)], lost: 0))
        #expect(model.selected == first)
        model.type("g")
        #expect(model.selected == .call(Fixture.id(9_003)))
    }

    @Test func `esc closes the dialog, clears the filter, ends the pause, then goes back`() {
        var model = Scene.calm.model()
        model.type("3 ")
        model.type("/openai")
        model.press(.enter)
        model.type("?")
        #expect(model.dialogs.count == 1 && model.isPaused && model.state.filter == "openai")
        model.press(.escape)
        #expect(model.dialogs.isEmpty && model.state.filter == "openai")
        model.press(.escape)
        #expect(model.state.filter.isEmpty && model.isPaused)
        model.press(.escape)
        #expect(!model.isPaused && model.pane == .providers)
        model.press(.escape)
        #expect(model.pane == .overview)
    }

    @Test func `a pause freezes the screen and counts what is newer`() {
        var model = Scene.calm.model()
        model.type("2 ")
        let before = model.screen
        var snapshot = Scene.incident.snapshot()
        snapshot.totals.requestsPerSecond = 999
        _ = model.update(.snapshot(snapshot))
        _ = model.update(.events(Scene.calm.events(), lost: 0))
        let after = model.screen
        #expect(after.contains("PAUSED at 12:04:31Z, 60 newer"))
        #expect(
            before.split(separator: "\n").dropFirst(2).elementsEqual(
                after.split(separator: "\n").dropFirst(2)))
        model.type(" ")
        #expect(model.screen.contains("999.0 rq/s"))
    }

    @Test func `the filter narrows as it is typed, by field and inverse too`() {
        var model = Scene.incident.model()
        model.type("3/open")
        #expect(model.focusedListing?.count == 3)
        model.press(.control("u"))
        model.type("breaker=open")
        #expect(model.focusedListing?.count == 1)
        model.press(.control("u"))
        model.type("!closed")
        #expect(model.focusedListing?.count == 2)
        model.type(" !mistral")
        #expect(model.focusedListing?.count == 1)
        #expect(model.screen.contains("Targets 1 of 5"))
        model.press(.escape)
        #expect(model.focusedListing?.count == 5)
    }

    @Test func `a paste outside a field is told and never becomes keys`() {
        var model = Scene.incident.model()
        model.type("3")
        #expect(model.paste("Tq\nxR").isEmpty)
        #expect(model.dialogs.isEmpty && model.pane == .providers)
        #expect(model.screen.contains("pasted 5 characters, ignored"))
        model.type("?")
        _ = model.paste("q")
        #expect(model.dialogs.count == 1)
    }

    @Test func `destructive keys rest for 150 ms after an unknown sequence`() {
        var model = Scene.incident.model()
        model.type("3")
        _ = model.update(.input(.unknownSequence))
        model.type("T")
        #expect(model.dialogs.isEmpty)
        model.type("j")
        #expect(model.screen.contains(">openai/gpt-large"))
        _ = model.update(.tick(model.wall, model.now + .milliseconds(149)))
        model.type("T")
        #expect(model.dialogs.isEmpty)
        _ = model.update(.tick(model.wall, model.now + .milliseconds(2)))
        model.type("T")
        #expect(model.dialogs.count == 1)
    }

    @Test func `read-only switches every changing key off and says why`() {
        for pane in PaneID.allCases {
            var model = Scene.incident.model(readOnly: true)
            model.type("\(pane.rawValue)")
            for binding in Keymap.bindings(in: pane, region: model.regionKey) where binding.danger != .none {
                let effects = model.press(binding.keys[0])
                #expect(commands(effects).isEmpty && model.dialogs.isEmpty)
                #expect(model.screen.contains("read-only"), "\(pane) \(binding.words)")
            }
            #expect(model.screen.contains("READ-ONLY"))
        }
    }

    @Test func `a sealed vault asks for its passphrase and the draft is wiped`() throws {
        var snapshot = Scene.calm.snapshot()
        snapshot.vault.unlocked = false
        var model = ConsoleModel(operatorName: "mira", wall: Scene.now)
        _ = model.update(.snapshot(snapshot))
        let dialog = try #require(model.dialogs.first as? UnlockDialog)
        let draft = try #require(dialog.form.secret?.draft)
        model.type("open sesame")
        #expect(draft.count == 11 && !model.screen.contains("sesame"))
        let effects = model.press(.enter)
        guard case .perform(let id, .vaultUnlock, let secret?)? = effects.first else {
            Issue.record("no unlock: \(effects)")
            return
        }
        #expect(secret.withBytes { Array($0) } == Array("open sesame".utf8))
        _ = model.update(
            .commandDone(
                id: id, .failure(CommandRefusal(.invalid, "that passphrase does not open the vault"))))
        #expect(draft.isEmpty && model.screen.contains("does not open the vault"))
        model.press(.escape)
        _ = model.update(.snapshot(snapshot))
        #expect(model.dialogs.isEmpty, "asked once, not at every picture")
        #expect(model.screen.contains("SEALED"))
    }

    @Test func `a sealed vault with a token or a key service offers those too`() throws {
        var snapshot = Scene.calm.snapshot()
        snapshot.vault.unlocked = false
        snapshot.vault.slots = ["passphrase", "pkcs11", "kms"]
        var model = ConsoleModel(operatorName: "mira", wall: Scene.now)
        _ = model.update(.snapshot(snapshot))
        GoldenFrame.check(model.frame(), "dialog-unlock-outside.80x24")
        func asked(_ effects: [ConsoleEffect]) -> (EngineCommand, String?)? {
            guard case .perform(_, let command, let secret)? = effects.first else { return nil }
            return (command, secret.map { $0.withBytes { String(decoding: $0, as: UTF8.self) } })
        }
        // What is typed at once is the passphrase; the token, with a PIN and without one.
        model.press(.up)
        model.press(.right)
        model.press(.tab)
        model.type("4711")
        var token = try #require(asked(model.press(.enter)))
        #expect(token == (.vaultUnlockOutside(kind: .token), "4711"))
        _ = model.update(
            .commandDone(id: model.nextCommand - 1, .failure(CommandRefusal(.invalid, "wrong PIN"))))
        #expect(model.screen.contains("wrong PIN"))
        token = try #require(asked(model.press(.enter)))
        #expect(token == (.vaultUnlockOutside(kind: .token), ""))
        _ = model.update(
            .commandDone(id: model.nextCommand - 1, .failure(CommandRefusal(.invalid, "no PIN"))))
        // The key service is given nothing.
        model.press(.up)
        model.press(.right)
        model.press(.enter)
        let service = try #require(asked(model.press(.enter)))
        #expect(service == (.vaultUnlockOutside(kind: .keyService), nil))
    }

    @Test func `a vault that only a token opens asks for its PIN`() throws {
        var snapshot = Scene.calm.snapshot()
        snapshot.vault.unlocked = false
        snapshot.vault.slots = ["pkcs11"]
        var model = ConsoleModel(operatorName: "mira", wall: Scene.now)
        _ = model.update(.snapshot(snapshot))
        let dialog = try #require(model.dialogs.first as? UnlockDialog)
        #expect(dialog.form.fields.map(\.label) == ["PIN"] && dialog.missing == nil)
        guard case .perform(_, .vaultUnlockOutside(kind: .token), _)? = model.press(.enter).first else {
            Issue.record("no unlock")
            return
        }
    }

    @Test func `q quits at once, and asks while a command is on its way`() {
        var model = Scene.calm.model()
        guard case .quit? = model.type("q").first else {
            Issue.record("q did not quit")
            return
        }
        model = Scene.calm.model()
        model.type("5v")
        #expect(model.pending != nil)
        #expect(model.type("q").isEmpty)
        #expect(model.screen.contains("Still running"))
        #expect(model.press(.enter).isEmpty, "Cancel is the default")
        model.press(.control("c"))
        model.press(.right)
        guard case .quit? = model.press(.enter).first else {
            Issue.record("the quit dialog did not quit")
            return
        }
    }

    @Test func `an undo is offered with its countdown and goes through a dialog`() throws {
        var model = Scene.calm.model()
        model.type("5v")
        let id = try #require(model.pending?.id)
        let key = ProviderKeyID(high: 1, low: 2)
        let receipt = CommandReceipt(
            message: "switched", undo: .keyUndo(key: key), undoUntil: model.wall + .seconds(600))
        _ = model.update(.commandDone(id: id, .success(CommandOutcome(receipt))))
        #expect(model.screen.contains("u undoes") && model.screen.contains("10m00s left"))
        #expect(commands(model.type("u")).isEmpty)
        model.press(.right)
        #expect(commands(model.press(.enter)) == [.keyUndo(key: key)])
        model = Scene.calm.model()
        model.undo = UndoOffer(command: .keyUndo(key: key), words: "x", until: model.wall + .seconds(1))
        _ = model.update(.tick(model.wall + .seconds(1), model.now))
        #expect(model.undo == nil)
    }

    @Test func `lost events are counted and ask for a fresh picture`() {
        var model = Scene.calm.model()
        let effects = model.update(.events([], lost: 12))
        guard case .refreshSnapshot? = effects.first else {
            Issue.record("no refresh")
            return
        }
        #expect(model.screen.contains("12 events lost"))
    }

    @Test func `the ring keeps the newest 2,000 calls`() {
        var model = Scene.calm.model()
        for _ in 0..<50 { _ = model.update(.events(Scene.calm.events(), lost: 0)) }
        #expect(model.calls.count == ConsoleModel.callsKept)
        #expect(model.calls.seen == 3_060)
        #expect(model.calls[0].row.call == Fixture.id(1_059))
    }

    @Test func `a click chooses a pane or a row`() {
        var model = Scene.incident.model()
        _ = model.update(.input(.click(column: 27, row: 1)))
        #expect(model.pane == .providers)
        _ = model.update(.input(.click(column: 10, row: 6)))
        #expect(model.screen.contains(">openai/gpt-small"))
    }
}
