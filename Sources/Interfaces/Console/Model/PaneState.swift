/// Where an operator stands in one pane.
struct PaneState: Sendable, Hashable {
    /// Where the cursor stands in one table, and in which order the table is.
    struct Region: Sendable, Hashable {
        /// The selected row's identity; nil follows the first row.
        var selected: RowID?
        /// Where it stood last: the place to stay at when it disappears.
        var position = 0
        var sort: Int?
        var descending = true
        var shift = 0
    }

    /// Which of the pane's tables has the cursor.
    var region = 0
    var regions: [Int: Region] = [:]
    var filter = ""
    /// The row whose own screen is open.
    var drilled: RowID?
    /// How the costs are grouped.
    var grouping = 0
}
