import Domain
import Operations

extension ConsoleModel {
    /// Does what a key or a palette line asks; whoever calls has checked that it may.
    mutating func run(_ command: CommandID) -> [ConsoleEffect] {
        switch command {
        case .up: move(by: -1)
        case .down: move(by: 1)
        case .halfUp: move(by: -page / 2)
        case .halfDown: move(by: page / 2)
        case .pageUp: move(by: -page)
        case .pageDown: move(by: page)
        case .top: move(by: -1_000_000)
        case .bottom: move(by: 1_000_000)
        case .left: shift(by: -1)
        case .right: shift(by: 1)
        case .enter: enter()
        case .back: back()
        case .nextRegion: nextRegion(1)
        case .previousRegion: nextRegion(-1)
        case .filter: isFiltering = true
        case .nextError: nextError(1)
        case .previousError: nextError(-1)
        case .sort: nextSort()
        case .reverse: reverseSort()
        case .pause: pause()
        case .go(let pane): go(to: pane)
        case .trafficThen: showTrafficThen()
        case .filterActor: filterByActor()
        case .help: open(HelpDialog(pane: pane, region: regionKey))
        case .palette: open(PaletteDialog(history: history))
        case .group: state.grouping = (state.grouping + 1) % CostsPane.groupings.count
        case .copy: return copy()
        case .theme: return [.nextTheme]
        case .redraw: return [.redraw]
        case .quit: return quit()
        case .mouse:
            mouseCaptured.toggle()
            tell(
                mouseCaptured ? "the mouse clicks and scrolls here" : "the mouse selects text in the terminal"
            )
            return [.mouseCapture(mouseCaptured)]
        default: return act(command)
        }
        return []
    }

    private mutating func act(_ command: CommandID) -> [ConsoleEffect] {
        if let dialog = dialog(for: command) {
            open(dialog)
            return []
        }
        switch command {
        case .testProvider:
            guard let target = selectedTarget?.target else { return [] }
            let order = EngineCommand.providerTest(provider: target.provider, tenant: nil)
            return [give(order, words: "testing \(target.provider)", byDialog: false)]
        case .verifyKey:
            guard let key = selectedProviderKey else { return [] }
            let words = "verifying \(key.provider)/\(key.label)"
            return [give(.keyVerify(key: key.id), words: words, byDialog: false)]
        default: return []
        }
    }

    /// The dialog a command goes through; nil for one that needs none.
    private func dialog(for command: CommandID) -> (any Dialog)? {
        switch command {
        case .trip: selectedTarget.map { BreakerDialog(.trip, $0, self) }
        case .close: selectedTarget.map { BreakerDialog(.close, $0, self) }
        case .hold: selectedTarget.map { BreakerDialog(.hold, $0, self) }
        case .release: selectedTarget.map { ReleaseDialog($0, self) }
        case .addKey: AddKeyDialog(self)
        case .rotateKey: selectedProviderKey.map { RotateKeyDialog($0, self) }
        case .drainKey: selectedProviderKey.map { DrainKeyDialog($0, self) }
        case .revokeKey: selectedProviderKey.map { RevokeKeyDialog($0, self) }
        case .issueToken: IssueTokenDialog(self)
        case .rotateToken: selectedVirtualKey.map { RotateTokenDialog($0) }
        case .revokeToken: selectedVirtualKey.map { RevokeTokenDialog($0, self) }
        case .addTenant: AddTenantDialog("")
        case .suspendTenant: selectedTenant.map { SuspendTenantDialog($0, self) }
        case .drill: selectedTenant.map { drillDialog($0) }
        case .route: selectedRoute.map { RouteDialog($0.model, $0.tenant) }
        case .purgeCache: purgeTenant.map { PurgeCacheDialog($0, self) }
        case .undo: undoCommand.map { UndoDialog($0.command, $0.words, self) }
        case .unlock: UnlockDialog(live.vault)
        case .verifyAudit: VerifyAuditDialog()
        case .exportAudit: ExportAuditDialog()
        default: nil
        }
    }

    /// Starts a drill, or ends the one that is on.
    private func drillDialog(_ tenant: TenantView) -> any Dialog {
        drill(of: tenant.name).map { StopDrillDialog($0, self) } ?? DrillDialog(tenant)
    }

    private var purgeTenant: TenantName? { selectedTenant?.name }

    private mutating func pause() {
        if paused != nil {
            resume()
        } else {
            paused = PausedView(snapshot: live, names: liveNames, calls: calls, at: wall)
        }
    }

    mutating func resume() {
        guard paused != nil else { return }
        paused = nil
        pinSelections()
    }

    private mutating func enter() {
        guard let row = selected else { return }
        PaneList.pane(pane).enter(row, &self)
    }

    /// Esc, in this order: (a dialog closes itself,) the filter goes, the pause ends, one level back.
    private mutating func back() {
        if !state.filter.isEmpty {
            state.filter = ""
            pinSelections()
        } else if paused != nil {
            pause()
        } else if state.drilled != nil {
            state.drilled = nil
            state.region = 0
            pinSelections()
        } else if let last = trail.popLast() {
            go(to: last, remembering: false)
        }
    }

    private mutating func nextRegion(_ step: Int) {
        let count = PaneList.pane(pane).regionKeys(self).count
        guard count > 1 else { return }
        state.region = (min(state.region, count - 1) + step + count) % count
    }

    private mutating func shift(by step: Int) {
        guard let listing = focusedListing else { return }
        var region = region(listing.key, of: pane)
        region.shift = min(max(0, region.shift + step), max(0, listing.columns.count - 2))
        state.regions[listing.key] = region
    }

    private mutating func nextSort() {
        guard let listing = focusedListing else { return }
        let able = listing.columns.indices.filter { listing.columns[$0].sorts }
        guard !able.isEmpty else { return }
        var region = region(listing.key, of: pane)
        let here = region.sort.flatMap { able.firstIndex(of: $0) }
        let next = here.map { $0 + 1 } ?? 0
        // After the last column comes the table's own order again.
        region.sort = next < able.count ? able[next] : nil
        region.descending = region.sort.map { listing.columns[$0].side == .right } ?? true
        state.regions[listing.key] = region
        let title = region.sort.map { listing.columns[$0].title } ?? "none"
        tell("sort \(title)")
    }

    private mutating func reverseSort() {
        guard let listing = focusedListing else { return }
        var region = region(listing.key, of: pane)
        region.descending.toggle()
        state.regions[listing.key] = region
        if region.sort == nil { tell("no sort column; s chooses one") }
    }

    private mutating func nextError(_ step: Int) {
        guard let listing = focusedListing, listing.count > 0 else { return }
        var place = (listing.position(of: selected(in: listing, of: pane)) ?? 0) + step
        while place >= 0, place < listing.count {
            if listing.attention(listing.order[place]) {
                select(listing.id(at: place), in: listing)
                return
            }
            place += step
        }
        tell(step > 0 ? "no error further down" : "no error further up")
    }

    private mutating func copy() -> [ConsoleEffect] {
        guard let row = selected else { return [] }
        let text =
            switch row {
            case .target(let target): target.description
            case .tenant(let id): id.text
            case .providerKey(let id): id.text
            case .virtualKey(let id): id.text
            case .call(let id): id.text
            case .audit(let number): "\(number)"
            case .alert(let text), .group(let text): text
            }
        return [.copy(text)]
    }

    private mutating func quit() -> [ConsoleEffect] {
        guard pending != nil || !dialogs.isEmpty else { return [.quit] }
        open(QuitDialog(self))
        return []
    }
}
