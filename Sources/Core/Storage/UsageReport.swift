public import Domain

extension LedgerRow {
    /// The `name=value` pairs of `tags`, each once, in the caller's order.
    public var tagList: [String] {
        var seen: Set<[UInt8]> = []
        return tags.utf8.split(separator: UInt8(ascii: ",")).compactMap { piece in
            let blank = UInt8(ascii: " ")
            var pair = piece.drop { $0 == blank }
            while pair.last == blank { pair.removeLast() }
            guard !pair.isEmpty, seen.insert(Array(pair)).inserted else { return nil }
            return String(pair)
        }
    }

    /// Whether a report counts the call as failed: the answer did not come, or was cut. Calls that we refused and
    /// calls that the caller gave up are not failures.
    public var countsAsFailed: Bool { end == .failed || end == .cut }
}

extension UsageSum {
    /// Sums rows by the given keys, lines ordered by the bytes of their keys.
    ///
    /// A row with several tags counts once under each of them, and a row without any under the empty tag: with
    /// `.tag` among the keys the lines may add up to more than there was. What a row does not have (a provider,
    /// a key) is the empty text. No rows, no lines.
    public static func sums(of rows: some Sequence<LedgerRow>, by dimensions: [UsageDimension]) -> [UsageSum]
    {
        var lines: [[[UInt8]]: UsageSum] = [:]
        for row in rows {
            let tags = row.tagList
            for tag in dimensions.contains(.tag) && !tags.isEmpty ? tags : [""] {
                let keys = dimensions.map { row.key(for: $0, tag: tag) }
                lines[keys.map { Array($0.utf8) }, default: UsageSum(keys: keys)].add(row)
            }
        }
        return lines.sorted { left, right in
            for (a, b) in zip(left.key, right.key) where a != b { return a.lexicographicallyPrecedes(b) }
            return false
        }.map(\.value)
    }

    private init(keys: [String]) {
        self.init(keys: keys, calls: 0, failed: 0, usage: .init(), cost: .zero, unpriced: 0, saved: .zero)
    }

    private mutating func add(_ row: LedgerRow) {
        calls += 1
        failed += row.countsAsFailed ? 1 : 0
        usage = usage + row.usage
        cost += row.cost ?? .zero
        unpriced += row.cost == nil ? 1 : 0
        saved += row.saved ?? .zero
    }
}

extension LedgerRow {
    fileprivate func key(for dimension: UsageDimension, tag: String) -> String {
        switch dimension {
        case .user: user
        case .team: team
        case .model: model
        case .provider: target?.provider.text ?? ""
        case .key: providerKey?.text ?? ""
        case .virtualKey: virtualKey.text
        case .tag: tag
        }
    }
}
