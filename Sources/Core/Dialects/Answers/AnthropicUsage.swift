import Domain

/// The `usage` object of Anthropic's messages, laid over what earlier events of the same stream said.
///
/// Source: Anthropic API reference, "Messages" and "Streaming messages": every figure is cumulative, so a later one
/// replaces an earlier one and is never added. `input_tokens` holds neither cache reads nor cache writes.
struct AnthropicUsage: Hashable, Sendable {
    private var input: Int64?
    private var output: Int64?
    private var cacheRead: Int64?
    /// Both lifetimes of cache writes together.
    private var cacheCreation: Int64?
    private var fiveMinutes: Int64?
    private var oneHour: Int64?

    /// Reads a `usage` value; true if it held a token count. The scanner passes the value either way.
    mutating func overlay(_ scanner: inout JSONScanner) throws(JSONFault) -> Bool {
        guard scanner.peek() == UInt8(ascii: "{") else {
            try scanner.skipValue()
            return false
        }
        let before = self
        var found = false
        try scanner.enterObject()
        while let name = try scanner.nextMember() {
            if name.matches("input_tokens") {
                input = try scanner.takeTokens() ?? before.input
                found = true
            } else if name.matches("output_tokens") {
                output = try scanner.takeTokens() ?? before.output
                found = true
            } else if name.matches("cache_read_input_tokens") {
                cacheRead = try scanner.takeTokens() ?? before.cacheRead
            } else if name.matches("cache_creation_input_tokens") {
                cacheCreation = try scanner.takeTokens() ?? before.cacheCreation
            } else if name.matches("cache_creation") {
                try overlayLifetimes(&scanner)
            } else {
                try scanner.skipValue()
            }
        }
        return found
    }

    private mutating func overlayLifetimes(_ scanner: inout JSONScanner) throws(JSONFault) {
        guard scanner.peek() == UInt8(ascii: "{") else { return try scanner.skipValue() }
        try scanner.enterObject()
        while let name = try scanner.nextMember() {
            if name.matches("ephemeral_5m_input_tokens") {
                fiveMinutes = try scanner.takeTokens() ?? fiveMinutes
            } else if name.matches("ephemeral_1h_input_tokens") {
                oneHour = try scanner.takeTokens() ?? oneHour
            } else {
                try scanner.skipValue()
            }
        }
    }

    /// Anthropic does not tell thinking from other output: all of it is output here.
    var disjoint: Usage {
        let (sum, overflow) = (fiveMinutes ?? 0).addingReportingOverflow(oneHour ?? 0)
        let written = cacheCreation ?? (overflow ? .max : sum)
        let hour = min(oneHour ?? 0, written)
        return Usage(
            input: input ?? 0, cacheRead: cacheRead ?? 0, cacheWrite: written - hour, cacheWriteHour: hour,
            output: output ?? 0)
    }
}
