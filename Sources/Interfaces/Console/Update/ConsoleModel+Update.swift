import Domain
import Events
import Operations

extension ConsoleModel {
    /// Takes what happened and says what to do about it.
    public mutating func update(_ input: ConsoleInput) -> [ConsoleEffect] {
        let effects = follow(input)
        return effects + askForDialog()
    }

    private mutating func follow(_ input: ConsoleInput) -> [ConsoleEffect] {
        switch input {
        case .input(let input): return take(input)
        case .tick(let wall, let now):
            tick(wall, now)
            return []
        case .snapshot(let snapshot):
            take(snapshot)
            return []
        case .events(let events, let lost): return take(events, lost: lost)
        case .commandDone(let id, let result): return take(result, of: id)
        case .answered(let id, let result):
            takeAnswer(result, of: id)
            return []
        case .themes(let names, let current):
            themes = names
            if !theme.isEmpty, theme != current { tell("theme \(current)") }
            theme = current
            return []
        case .notice(let text):
            tell(text)
            return []
        }
    }

    mutating func tell(_ text: String, _ kind: Flash.Kind = .told) {
        flash = Flash(text: text, kind: kind, until: now + Flash.stay)
    }

    private mutating func tick(_ wall: WallTime, _ now: Instant) {
        self.wall = wall
        self.now = now
        if let flash, flash.until <= now { self.flash = nil }
        if let undo, undo.until <= wall { self.undo = nil }
    }

    private mutating func take(_ snapshot: EngineSnapshot) {
        live = snapshot
        liveNames = NameBook(snapshot)
        hasSnapshot = true
        if wall < snapshot.at { wall = snapshot.at }
        guard snapshot.role != nil else { return forget() }
        if paused == nil { pinSelections() }
        if snapshot.vault.unlocked {
            offeredUnlock = false
        } else if !offeredUnlock, !snapshot.vault.slots.isEmpty, !isReadOnly, dialogs.isEmpty,
            missingRole(for: .vaultUnlock) == nil
        {
            offeredUnlock = true
            open(UnlockDialog(snapshot.vault))
        }
    }

    /// The operator's role was taken away: nothing that was on the screen stays.
    private mutating func forget() {
        while !dialogs.isEmpty { closeDialog() }
        paused = nil
        undo = nil
        calls = CallRing(capacity: Self.callsKept)
        tell("you have no role in this gateway any more; q leaves", .warning)
    }

    /// Events are for liveliness; after a gap a fresh snapshot tells the truth.
    private mutating func take(_ events: [NumberedEvent], lost: UInt64) -> [ConsoleEffect] {
        lostEvents += lost
        for numbered in events where live.role != nil {
            if case .callFinished(let call) = numbered.event { calls.append(call) }
        }
        return lost > 0 ? [.refreshSnapshot] : []
    }

    private mutating func take(_ input: Input) -> [ConsoleEffect] {
        switch input {
        case .resized(let width, let height):
            self.width = max(0, width)
            self.height = max(0, height)
            return []
        case .unknownSequence:
            restsUntil = now + Self.restAfterUnknown
            tell("an unknown terminal sequence was ignored", .warning)
            return []
        case .key(.control("l")): return [.redraw]
        case .key(.control("z")):
            // The engine lives in this process: stopping it would stop every call.
            tell("^Z would stop the engine and every call with it; q leaves", .warning)
            return []
        default: break
        }
        if !dialogs.isEmpty { return giveToDialog(input) }
        switch input {
        case .key(let key): return isFiltering ? takeFilter(key) : take(key)
        case .paste(let paste):
            takePaste(paste)
            return []
        case .wheel(let up):
            move(by: up ? -3 : 3)
            return []
        case .click(let column, let row): return click(column: column, row: row)
        case .resized, .unknownSequence: return []
        }
    }

    private mutating func takePaste(_ paste: Paste) {
        if isFiltering {
            var field = TextField(state.filter, limit: 80)
            field.insert(paste)
            state.filter = field.text
            pinSelections()
        } else {
            tell("pasted \(Figure.count(paste.count + paste.dropped, "character")), ignored", .warning)
        }
        paste.wipe()
    }

    /// The filter narrows as it is typed; enter keeps it, esc clears it.
    private mutating func takeFilter(_ key: Key) -> [ConsoleEffect] {
        switch key {
        case .enter: isFiltering = false
        case .escape:
            isFiltering = false
            state.filter = ""
            pinSelections()
        case .up: move(by: -1)
        case .down: move(by: 1)
        case .control("c"): return run(.quit)
        default:
            var field = TextField(state.filter, limit: 80)
            guard field.handle(key) else { return [] }
            state.filter = field.text
            pinSelections()
        }
        return []
    }

    private mutating func take(_ key: Key) -> [ConsoleEffect] {
        guard let binding = Keymap.binding(for: key, in: pane, region: regionKey) else { return [] }
        if binding.danger != .none, let restsUntil, now < restsUntil {
            tell(
                "\(binding.words): ignored right after an unknown terminal sequence; press it again", .warning
            )
            return []
        }
        if let reason = Keymap.reason(binding.command, danger: binding.danger, self) {
            tell("\(binding.words) - \(reason)", .warning)
            return []
        }
        return run(binding.command)
    }

    /// The key of the pane's table that has the cursor: what bindings are tied to.
    var regionKey: Int {
        let keys = PaneList.pane(pane).regionKeys(self)
        return keys.isEmpty ? 0 : keys[min(state.region, keys.count - 1)]
    }

    private mutating func click(column: Int, row: Int) -> [ConsoleEffect] {
        if row == 1, !isSmall, let pane = PaneBar(self).pane(at: column) {
            go(to: pane)
            return []
        }
        let hits = ConsoleView.hits(self)
        guard let hit = hits.first(where: { $0.row == row && $0.columns.contains(column) }) else { return [] }
        let listings = listings(of: pane)
        guard let index = listings.firstIndex(where: { $0.key == hit.region }) else { return [] }
        state.region = index
        select(hit.id, in: listings[index])
        return []
    }
}
