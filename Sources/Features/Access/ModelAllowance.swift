import Domain

/// Which models a virtual key may use: exact names, and beginnings written with a trailing `*`.
struct ModelAllowance: Sendable {
    private let everything: Bool
    private let exact: Set<ModelName>
    private let beginnings: [[UInt8]]

    /// An empty list allows every model.
    init(_ names: [ModelName]) {
        let star = UInt8(ascii: "*")
        everything = names.isEmpty
        exact = Set(names.filter { $0.text.utf8.last != star })
        beginnings = names.compactMap { $0.text.utf8.last == star ? Array($0.text.utf8.dropLast()) : nil }
    }

    func allows(_ model: ModelName) -> Bool {
        everything || exact.contains(model) || beginnings.contains { model.text.utf8.starts(with: $0) }
    }
}
