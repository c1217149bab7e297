public import Domain

/// Reads what the gateway has to know out of a whole answer.
public enum UnaryReader {
    /// What a whole answer says.
    public struct Facts: Hashable, Sendable {
        /// The usage that the provider reported; nil if there is none, or the body is not the JSON it should be.
        ///
        /// An explicit zero is zero: it is never replaced by an estimate.
        public fileprivate(set) var usage: Usage?
        /// Whether it holds an error in an answer's place: some providers are past their 200 when it comes.
        public fileprivate(set) var hasError = false
    }

    /// Source: OpenAI API reference, "The response object" (`error`); OpenRouter, "Errors and debugging" (`error` of the
    /// body or of a choice, and the `finish_reason` of that name).
    public static func read(_ body: UnsafeRawBufferPointer, as dialect: Dialect) -> Facts {
        switch dialect {
        case .openAIModels: return Facts()
        case .openAIChat, .openAIResponses, .openAIEmbeddings, .anthropicMessages, .anthropicCountTokens:
            break
        }
        var facts = Facts()
        var scanner = JSONScanner(body)
        do throws(JSONFault) {
            try read(&scanner, dialect, &facts)
        } catch {
            return Facts()
        }
        // Counting is free, and its answer's `input_tokens` were not used.
        if dialect == .anthropicCountTokens { facts.usage = Usage() }
        return facts
    }

    public static func usage(in body: UnsafeRawBufferPointer, as dialect: Dialect) -> Usage? {
        read(body, as: dialect).usage
    }

    private static func read(
        _ scanner: inout JSONScanner, _ dialect: Dialect, _ facts: inout Facts
    ) throws(JSONFault) {
        try scanner.enterObject()
        while let name = try scanner.nextMember() {
            if name.matches("usage") {
                if dialect.isAnthropic {
                    var figures = AnthropicUsage()
                    if try figures.overlay(&scanner) { facts.usage = figures.disjoint }
                } else if let found = try OpenAIUsage.read(&scanner) {
                    facts.usage = found
                }
            } else if name.matches("error") {
                try readError(&scanner, &facts)
            } else if name.matches("choices"), scanner.peek() == UInt8(ascii: "[") {
                try readChoices(&scanner, &facts)
            } else {
                try scanner.skipValue()
            }
        }
    }

    private static func readError(_ scanner: inout JSONScanner, _ facts: inout Facts) throws(JSONFault) {
        if try scanner.takeNull() { return }
        facts.hasError = true
        try scanner.skipValue()
    }

    private static func readChoices(_ scanner: inout JSONScanner, _ facts: inout Facts) throws(JSONFault) {
        try scanner.enterArray()
        while try scanner.nextElement() {
            guard scanner.peek() == UInt8(ascii: "{") else {
                try scanner.skipValue()
                continue
            }
            try scanner.enterObject()
            while let name = try scanner.nextMember() {
                if name.matches("error") {
                    try readError(&scanner, &facts)
                } else if name.matches("finish_reason") {
                    if try scanner.takeWord("error") { facts.hasError = true }
                } else {
                    try scanner.skipValue()
                }
            }
        }
    }
}

extension JSONScanner {
    /// Passes a value; whether it was this text, written without escapes.
    mutating func takeWord(_ word: StaticString) throws(JSONFault) -> Bool {
        _ = peek()
        let start = position
        try skipValue()
        return position - start == word.utf8CodeUnitCount + 2 && bytes[start] == UInt8(ascii: "\"")
            && bytesEqual(bytes, at: start + 1, word)
    }
}
