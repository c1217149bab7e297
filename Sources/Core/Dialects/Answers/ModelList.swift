package import Domain

/// The answer to `GET /v1/models` in OpenAI's shape (API reference, "List models").
package struct ModelList: Hashable, Sendable {
    /// One model as a caller may name it.
    package struct Entry: Hashable, Sendable {
        package let id: ModelName
        /// Who answers under this name: a provider, or the gateway for a route.
        package let owner: String
        /// When it came to be, where that is known; the shape wants a number, so unknown goes out as 0.
        package let created: WallTime?

        package init(id: ModelName, owner: String, created: WallTime? = nil) {
            self.id = id
            self.owner = owner
            self.created = created
        }
    }

    package let entries: [Entry]

    package init(_ entries: [Entry]) { self.entries = entries }

    package func encoded() -> [UInt8] {
        var writer = JSONWriter(capacity: 64 + entries.count * 96)
        writer.raw("{\"object\":\"list\",\"data\":[")
        for (index, entry) in entries.enumerated() {
            if index > 0 { writer.raw(",") }
            writer.raw("{\"id\":")
            writer.text(entry.id.text)
            writer.raw(",\"object\":\"model\",\"created\":")
            writer.number((entry.created?.milliseconds ?? 0) / 1_000)
            writer.raw(",\"owned_by\":")
            writer.text(entry.owner)
            writer.raw("}")
        }
        writer.raw("]}")
        return writer.bytes
    }
}
