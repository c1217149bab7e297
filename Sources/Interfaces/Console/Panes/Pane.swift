/// One screen of the console: its tables, its drawing, and what enter does on a row.
protocol Pane: Sendable {
    var id: PaneID { get }
    /// The keys of `listings`, in the same order: cheap, where a listing is not needed.
    func regionKeys(_ model: ConsoleModel) -> [Int]
    /// The tables the cursor can stand in, in the order of tab; before filter and sort.
    func listings(_ model: ConsoleModel) -> [Listing]
    func draw(_ model: ConsoleModel, _ canvas: inout Canvas, in area: Area)
    /// What follows the pane's title in the crumb row.
    func crumb(_ model: ConsoleModel) -> String
    func enter(_ row: RowID, _ model: inout ConsoleModel)
}

extension Pane {
    func regionKeys(_ model: ConsoleModel) -> [Int] { [0] }
    func crumb(_ model: ConsoleModel) -> String { "" }
    func enter(_ row: RowID, _ model: inout ConsoleModel) {}

    /// Draws one of the pane's tables with its rule above, as it stands in the model.
    func table(
        _ listing: Listing, title: String, words: String = "", _ model: ConsoleModel, _ canvas: inout Canvas,
        in area: Area, empty: String
    ) {
        var area = area
        let count =
            listing.count == listing.total
            ? Figure.grouped(listing.total)
            : "\(Figure.grouped(listing.count)) of \(Figure.grouped(listing.total))"
        let right = listing.sortWords.isEmpty ? words : listing.sortWords
        canvas.rule(area.takeTop(1), "\(title) \(count)", right)
        let look = Table.Look(
            selected: model.selected(in: listing, of: id), focused: model.regionKey == listing.key,
            shift: model.region(listing.key, of: id).shift, showsHead: !model.isSmall)
        Table.draw(listing, &canvas, in: area, look, region: listing.key, empty: empty)
    }
}
