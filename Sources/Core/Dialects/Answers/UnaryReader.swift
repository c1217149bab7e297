package import Domain

/// Reads the usage out of a whole answer.
package enum UnaryReader {
    /// The usage that the provider reported; nil if there is none, or the body is not the JSON it should be.
    ///
    /// An explicit zero is zero: it is never replaced by an estimate.
    package static func usage(in body: UnsafeRawBufferPointer, as dialect: Dialect) -> Usage? {
        switch dialect {
        case .openAIModels: return nil
        // Counting is free, and its answer's `input_tokens` were not used.
        case .anthropicCountTokens: return Usage()
        case .openAIChat, .openAIResponses, .openAIEmbeddings, .anthropicMessages: break
        }
        do throws(JSONFault) {
            var scanner = JSONScanner(body)
            return try read(&scanner, dialect)
        } catch {
            return nil
        }
    }

    private static func read(_ scanner: inout JSONScanner, _ dialect: Dialect) throws(JSONFault) -> Usage? {
        var usage: Usage?
        try scanner.enterObject()
        while let name = try scanner.nextMember() {
            guard name.matches("usage") else {
                try scanner.skipValue()
                continue
            }
            if dialect.isAnthropic {
                var figures = AnthropicUsage()
                if try figures.overlay(&scanner) { usage = figures.disjoint }
            } else if let found = try OpenAIUsage.read(&scanner) {
                usage = found
            }
        }
        return usage
    }
}
