import Domain
import Operations

extension ConsoleModel {
    /// A pane's tables as they stand: filtered and sorted.
    func listings(of pane: PaneID) -> [Listing] {
        PaneList.pane(pane).listings(self).map { arranged($0, in: pane) }
    }

    /// Filters and sorts one listing as its pane's state says.
    func arranged(_ listing: Listing, in pane: PaneID) -> Listing {
        var listing = listing
        if let state = states[pane] {
            listing.keep(Filter(state.filter))
            if let region = state.regions[listing.key], let column = region.sort {
                listing.sort(by: column, descending: region.descending)
            }
        }
        return listing
    }

    /// The table that has the cursor.
    var focusedListing: Listing? {
        let key = regionKey
        return PaneList.pane(pane).listings(self).first { $0.key == key }.map { arranged($0, in: pane) }
    }

    /// The row under the cursor of the pane's focused table.
    var selected: RowID? { focusedListing.flatMap { selected(in: $0, of: pane) } }

    /// The selected row of a listing: by identity, else what stands where it stood.
    func selected(in listing: Listing, of pane: PaneID) -> RowID? {
        let region = region(listing.key, of: pane)
        if let row = region.selected, listing.position(of: row) != nil { return row }
        if region.selected == nil { return listing.id(at: 0) }
        return listing.id(at: min(region.position, listing.count - 1))
    }

    mutating func select(_ row: RowID?, in listing: Listing) {
        var region = state.regions[listing.key] ?? PaneState.Region()
        region.selected = row
        region.position = listing.position(of: row) ?? 0
        state.regions[listing.key] = region
    }

    /// Moves the cursor of the focused table by so many rows.
    mutating func move(by step: Int) {
        guard let listing = focusedListing, listing.count > 0 else { return }
        let here = listing.position(of: selected(in: listing, of: pane)) ?? 0
        let there = min(max(0, here + step), listing.count - 1)
        // At the top of the live tail the cursor lets go of its row and follows the newest.
        let follows = pane == .traffic && there == 0 && paused == nil
        select(follows ? nil : listing.id(at: there), in: listing)
    }

    /// Ties each cursor to the row it stands on, so that a new order cannot put another row under it.
    mutating func pinSelections() {
        for listing in listings(of: pane) {
            if pane == .traffic, region(listing.key, of: pane).selected == nil { continue }
            select(selected(in: listing, of: pane), in: listing)
        }
    }

    mutating func go(to pane: PaneID, remembering: Bool = true) {
        guard pane != self.pane else { return }
        if remembering {
            trail.append(self.pane)
            if trail.count > 16 { trail.removeFirst() }
        }
        self.pane = pane
        isFiltering = false
        pinSelections()
    }

    /// Goes to a row wherever it lives.
    mutating func open(_ row: RowID) {
        switch row {
        case .target: show(row, in: .providers, key: 0, region: 0)
        case .tenant:
            go(to: .tenants)
            state.drilled = row
            state.region = 0
            pinSelections()
        case .providerKey: show(row, in: .keys, key: 0, region: 0)
        case .virtualKey: show(row, in: .keys, key: 1, region: 1)
        case .call: show(row, in: .traffic, key: 0, region: 0)
        case .audit: show(row, in: .audit, key: 0, region: 0)
        case .alert, .group: break
        }
    }

    /// Whether a command would act on this row.
    func stands(on row: RowID) -> Bool { selected == row || state.drilled == row }

    private mutating func show(_ row: RowID, in pane: PaneID, key: Int, region: Int) {
        go(to: pane)
        state.filter = ""
        state.drilled = nil
        state.region = region
        var place = state.regions[key] ?? PaneState.Region()
        place.selected = row
        state.regions[key] = place
        pinSelections()
    }

    /// How many rows a page of the focused table has, about: what the screen leaves for it.
    var page: Int { max(1, height - 8) }
}
