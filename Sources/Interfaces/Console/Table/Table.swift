import Operations

/// Lays a listing out in an area and draws it: headings, marks, numbers to the right, the selected row marked.
enum Table {
    /// A column with the width it got.
    struct Placed: Hashable {
        let index: Int
        let width: Int
    }

    /// How a listing stands in its pane when it is drawn.
    struct Look {
        var selected: RowID?
        /// Whether keys go to it.
        var focused = true
        /// Columns scrolled away to the left; the first column stays.
        var shift = 0
        var showsHead = true
    }

    /// Draws head and rows; returns the count of rows shown.
    @discardableResult
    static func draw(
        _ listing: Listing, _ canvas: inout Canvas, in area: Area, _ look: Look, region: Int,
        empty: String = ""
    ) -> Int {
        var area = area
        let placed = place(
            listing.columns, width: area.width - 1, shift: look.shift, wish: { wish(listing, $0) })
        if look.showsHead, area.height > 1 { head(listing, placed, &canvas, area.takeTop(1)) }
        if listing.count == 0 {
            canvas.put(
                listing.total == 0 ? empty : "no row passes the filter; esc clears it", area.column + 1,
                area.row, Style(.textDim), width: area.width - 1)
            return 0
        }
        let chosen = listing.position(of: look.selected)
        let first = top(chosen ?? 0, count: listing.count, height: area.height)
        let last = min(listing.count, first + area.height)
        guard first < last else { return 0 }
        for position in first..<last {
            let line = Area(
                column: area.column, row: area.row + position - first, width: area.width, height: 1)
            let isChosen = position == chosen
            row(listing, position, placed, &canvas, line, chosen: isChosen, focused: look.focused)
            if let id = listing.id(at: position) {
                canvas.hit(id, region: region, row: line.row, columns: line.column..<line.right)
            }
        }
        return last - first
    }

    /// The first row shown, so that the selected one stands within the upper two thirds or the list is at its end.
    static func top(_ selected: Int, count: Int, height: Int) -> Int {
        max(0, min(selected - height * 2 / 3, count - height))
    }

    private static func head(
        _ listing: Listing, _ placed: [Placed], _ canvas: inout Canvas, _ area: Area
    ) {
        var column = area.column + 1
        for place in placed {
            let spec = listing.columns[place.index]
            let style = Style(listing.sorted?.column == place.index ? .textStrong : .textDim)
            write(spec.title, spec.side, &canvas, column, area.row, place.width, style)
            column += place.width + 1
        }
    }

    private static func row(
        _ listing: Listing, _ position: Int, _ placed: [Placed], _ canvas: inout Canvas, _ area: Area,
        chosen: Bool, focused: Bool
    ) {
        let item = listing.order[position]
        let ground: Style.Ground = chosen && focused ? .selected : .base
        if ground == .selected { canvas.fill(area, Style(.text, on: ground)) }
        let attention = listing.attention(item)
        if chosen, focused {
            canvas.put(">", area.column, area.row, Style(.mark, on: ground), width: 1)
        } else if attention {
            canvas.put("!", area.column, area.row, Style(.statusBad, on: ground), width: 1)
        }
        var column = area.column + 1
        for place in placed {
            let entry = listing.entry(item, place.index)
            let style = Style(entry.slot, on: ground)
            switch entry.shape {
            case .plain:
                write(
                    entry.text, listing.columns[place.index].side, &canvas, column, area.row, place.width,
                    style)
            case .spark(let series, let least):
                Graph.spark(
                    series, least: least, points: TrafficSeries.points, &canvas, column, area.row,
                    width: place.width, style
                )
            case .bar(let share):
                Graph.bar(share, &canvas, column, area.row, width: place.width, style)
            }
            column += place.width + 1
        }
    }

    private static func write(
        _ text: String, _ side: Listing.Column.Side, _ canvas: inout Canvas, _ column: Int, _ row: Int,
        _ width: Int, _ style: Style
    ) {
        switch side {
        case .left: canvas.put(text, column, row, style, width: width)
        case .right: canvas.putRight(text, endingAt: column + width, row, style, width: width)
        }
    }

    /// How wide a column would like to be: as its longest text where all rows can be looked at cheaply.
    private static func wish(_ listing: Listing, _ column: Int) -> Int {
        let spec = listing.columns[column]
        guard spec.widest > spec.width, !spec.holdsSentences, !listing.isTail, listing.count <= 200 else {
            return spec.widest
        }
        let longest = listing.order.reduce(0) { most, item in
            let entry = listing.entry(item, column)
            guard case .plain = entry.shape else { return spec.widest }
            return max(most, Canvas.cells(of: entry.text))
        }
        return min(spec.widest, longest)
    }

    /// Chooses the columns that fit, by rank, and shares what is left over among those that may grow.
    static func place(
        _ columns: [Listing.Column], width: Int, shift: Int, wish: (Int) -> Int
    ) -> [Placed] {
        let skipped = min(shift, max(0, columns.count - 2))
        let candidates = columns.indices.filter { $0 == 0 || $0 > skipped }
        var chosen: Set<Int> = []
        var room = width
        for index in candidates.sorted(by: { (columns[$0].rank, $0) < (columns[$1].rank, $1) }) {
            let needed = columns[index].width + (chosen.isEmpty ? 0 : 1)
            guard needed <= room || chosen.isEmpty else { break }
            chosen.insert(index)
            room -= needed
        }
        var widths = Dictionary(uniqueKeysWithValues: chosen.map { ($0, columns[$0].width) })
        // Names grow to what they hold; a column of sentences that is narrow keeps half of the room, and takes the rest.
        let sentences = candidates.last { chosen.contains($0) && columns[$0].holdsSentences }
        var forNames = sentences.map { columns[$0].width < 16 ? room / 2 : room } ?? room
        for index in candidates where chosen.contains(index) && index != sentences {
            let gain = max(0, min(forNames, wish(index) - columns[index].width))
            widths[index, default: 0] += gain
            forNames -= gain
            room -= gain
        }
        if let sentences { widths[sentences, default: 0] += min(room, columns[sentences].widest) }
        return candidates.compactMap { index in
            widths[index].map { Placed(index: index, width: min($0, max(1, width))) }
        }
    }
}
