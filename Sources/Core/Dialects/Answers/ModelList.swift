public import Domain

/// The answer to `GET /v1/models` in OpenAI's shape (API reference, "List models") or Anthropic's (API reference, "List
/// Models", version of 2026-10-21), whose SDKs refuse the other.
public struct ModelList: Hashable, Sendable {
    /// One model as a caller may name it.
    public struct Entry: Hashable, Sendable {
        public let id: ModelName
        /// Who answers under this name: a provider, or the gateway for a route.
        public let owner: String
        /// When it came to be, where that is known; the shape wants a number, so unknown goes out as 0.
        public let created: WallTime?

        public init(id: ModelName, owner: String, created: WallTime? = nil) {
            self.id = id
            self.owner = owner
            self.created = created
        }
    }

    public let entries: [Entry]

    public init(_ entries: [Entry]) { self.entries = entries }

    /// - Parameter isAnthropic: whether in Anthropic's shape; all in one page either way.
    public func encoded(isAnthropic: Bool = false) -> [UInt8] {
        isAnthropic ? encodedForAnthropic() : encodedForOpenAI()
    }

    private func encodedForAnthropic() -> [UInt8] {
        var writer = JSONWriter(capacity: 96 + entries.count * 160)
        writer.raw("{\"data\":[")
        for (index, entry) in entries.enumerated() {
            if index > 0 { writer.raw(",") }
            writer.raw("{\"type\":\"model\",\"id\":")
            writer.text(entry.id.text)
            writer.raw(",\"display_name\":")
            writer.text(entry.id.text)
            writer.raw(",\"created_at\":")
            writer.text((entry.created ?? WallTime(milliseconds: 0)).description)
            writer.raw(",\"lifecycle\":\"active\"}")
        }
        writer.raw("],\"has_more\":false,\"first_id\":")
        writer.text(entries.first?.id.text)
        writer.raw(",\"last_id\":")
        writer.text(entries.last?.id.text)
        writer.raw("}")
        return writer.bytes
    }

    private func encodedForOpenAI() -> [UInt8] {
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
