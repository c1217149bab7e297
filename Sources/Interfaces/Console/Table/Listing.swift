/// A table of a pane: which rows it has and in which order, and how to write any one of them.
///
/// Only the rows that are shown are written; a listing of thousands costs what its visible part costs.
struct Listing {
    /// One column: its heading, its width and how gladly it is left out when room is short.
    struct Column: Sendable {
        enum Side: Sendable { case left, right }
        let title: String
        let width: Int
        /// How wide it may grow when there is room; the last growing column takes all that is left over.
        let widest: Int
        let side: Side
        /// 0 is never left out; higher goes first.
        let rank: Int
        /// Whether `s` offers it.
        let sorts: Bool

        var holdsSentences: Bool { widest >= 200 }

        init(
            _ title: String, _ width: Int, widest: Int? = nil, _ side: Side = .left, rank: Int = 0,
            sorts: Bool = true
        ) {
            self.title = title
            self.width = width
            self.widest = max(width, widest ?? width)
            self.side = side
            self.rank = rank
            self.sorts = sorts
        }
    }

    /// What stands in one place of the table.
    struct Entry: Sendable {
        enum Shape: Sendable {
            case plain
            /// Columns over the last 15 minutes.
            /// - Parameter least: the height of a full column at least, so that noise does not look like a peak.
            case spark([Double], least: Double)
            /// A bar, 0 to 1.
            case bar(Double)
        }
        var text: String
        var slot: Slot
        /// What it sorts by; nil sorts by its text.
        var order: Double?
        var shape: Shape

        init(_ text: String, _ slot: Slot = .text, order: Double? = nil, shape: Shape = .plain) {
            self.text = text
            self.slot = slot
            self.order = order
            self.shape = shape
        }
    }

    /// Names the table within its pane: its selection and order are kept under this.
    let key: Int
    let columns: [Column]
    /// Whether its columns keep their widths whatever the rows hold: a live tail must not jump.
    let isTail: Bool
    /// How many items there are before the filter.
    let total: Int
    /// The items that are shown, in order.
    private(set) var order: [Int]
    let id: (Int) -> RowID
    /// Whether a row asks for attention.
    let attention: (Int) -> Bool
    let entry: (Int, Int) -> Entry
    private(set) var sorted: (column: Int, descending: Bool)?

    init(
        key: Int, columns: [Column], total: Int, isTail: Bool = false, id: @escaping (Int) -> RowID,
        attention: @escaping (Int) -> Bool = { _ in false }, entry: @escaping (Int, Int) -> Entry
    ) {
        self.key = key
        self.isTail = isTail
        self.columns = columns
        self.total = total
        order = Array(0..<total)
        self.id = id
        self.attention = attention
        self.entry = entry
    }

    var count: Int { order.count }

    func id(at position: Int) -> RowID? {
        position >= 0 && position < order.count ? id(order[position]) : nil
    }

    func position(of row: RowID?) -> Int? {
        guard let row else { return nil }
        return order.firstIndex { id($0) == row }
    }

    /// Keeps the items that a filter lets through.
    mutating func keep(_ filter: Filter) {
        guard !filter.isEmpty else { return }
        order = order.filter { item in
            filter.accepts(columns: columns) { entry(item, $0).text }
        }
    }

    /// Puts the items in the order of a column; equal ones keep their order.
    mutating func sort(by column: Int, descending: Bool) {
        guard columns.indices.contains(column) else { return }
        sorted = (column, descending)
        let keys = order.map { (item: $0, entry: entry($0, column)) }
        func isLess(_ one: Entry, _ two: Entry) -> Bool {
            if let first = one.order, let second = two.order { return first < second }
            if (one.order == nil) != (two.order == nil) { return one.order == nil }
            return one.text < two.text
        }
        let ranked = keys.enumerated().sorted { one, two in
            if isLess(one.element.entry, two.element.entry) { return !descending }
            if isLess(two.element.entry, one.element.entry) { return descending }
            return one.offset < two.offset
        }
        order = ranked.map(\.element.item)
    }

    /// `sort ERR% down`, for a rule.
    var sortWords: String {
        guard let sorted else { return "" }
        return "sort \(columns[sorted.column].title) \(sorted.descending ? "down" : "up")"
    }
}
