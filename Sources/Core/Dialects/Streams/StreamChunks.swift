import Domain

/// What one chunk of an OpenAI chat stream says, read in full: done for few chunks of a stream.
///
/// Source: OpenAI API reference, "The chat completion chunk object".
struct OpenAIChunk {
    private(set) var usage: Usage?
    /// Whether it says that the answer broke off: an `error` of the chunk, of a choice (OpenRouter) or of `x_groq`
    /// (Groq), a `finish_reason` of that name (OpenRouter), or an `object` of that name (vLLM, Mistral).
    private(set) var hasError = false
    private(set) var choicesAreEmpty = false
    /// The bytes of content in the deltas: text, refusals, reasoning and tool calls.
    private(set) var contentBytes = 0
    /// Whether a choice has its `finish_reason`.
    private(set) var isFinished = false

    /// Nil if the data is not a JSON object.
    init?(_ data: UnsafeRawBufferPointer) {
        var scanner = JSONScanner(data)
        do throws(JSONFault) {
            try read(&scanner)
        } catch {
            return nil
        }
    }

    private mutating func read(_ scanner: inout JSONScanner) throws(JSONFault) {
        try scanner.enterObject()
        while let name = try scanner.nextMember() {
            if name.matches("choices"), scanner.peek() == UInt8(ascii: "[") {
                try readChoices(&scanner)
            } else if name.matches("usage") {
                usage = try OpenAIUsage.read(&scanner)
            } else if name.matches("error") {
                try readError(&scanner)
            } else if name.matches("object") {
                if try scanner.takeWord("error") { hasError = true }
            } else if name.matches("x_groq"), scanner.peek() == UInt8(ascii: "{") {
                try readGroq(&scanner)
            } else {
                try scanner.skipValue()
            }
        }
    }

    private mutating func readError(_ scanner: inout JSONScanner) throws(JSONFault) {
        if try scanner.takeNull() { return }
        hasError = true
        try scanner.skipValue()
    }

    /// Groq's own member (Groq API reference, "Chat completion chunk").
    private mutating func readGroq(_ scanner: inout JSONScanner) throws(JSONFault) {
        try scanner.enterObject()
        while let name = try scanner.nextMember() {
            if name.matches("usage") {
                let found = try OpenAIUsage.read(&scanner)
                usage = usage ?? found
            } else if name.matches("error") {
                try readError(&scanner)
            } else {
                try scanner.skipValue()
            }
        }
    }

    private mutating func readChoices(_ scanner: inout JSONScanner) throws(JSONFault) {
        choicesAreEmpty = true
        try scanner.enterArray()
        while try scanner.nextElement() {
            choicesAreEmpty = false
            try scanner.enterObject()
            while let name = try scanner.nextMember() {
                if name.matches("delta"), scanner.peek() == UInt8(ascii: "{") {
                    try readDelta(&scanner)
                } else if name.matches("finish_reason") {
                    try readFinish(&scanner)
                } else if name.matches("error") {
                    try readError(&scanner)
                } else {
                    try scanner.skipValue()
                }
            }
        }
    }

    private mutating func readFinish(_ scanner: inout JSONScanner) throws(JSONFault) {
        if try scanner.takeNull() { return }
        var word = scanner
        if try word.takeWord("error") { hasError = true }
        // An empty word is none (xAI).
        if try !scanner.takeWord("") { isFinished = true }
    }

    private mutating func readDelta(_ scanner: inout JSONScanner) throws(JSONFault) {
        try scanner.enterObject()
        while let name = try scanner.nextMember() {
            let isRole = name.matches("role")
            let bytes = try valueBytes(&scanner)
            if !isRole { contentBytes += bytes }
        }
    }
}

/// What the named events of an Anthropic stream say.
///
/// Source: Anthropic API reference, "Streaming messages".
enum AnthropicChunk {
    /// Lays the usage of a `message_start` or `message_delta` over what is known; true if there was one.
    static func overlayUsage(of data: UnsafeRawBufferPointer, on usage: inout AnthropicUsage) -> Bool {
        var scanner = JSONScanner(data)
        do throws(JSONFault) {
            var found = false
            try scanner.enterObject()
            while let name = try scanner.nextMember() {
                if name.matches("usage") {
                    if try usage.overlay(&scanner) { found = true }
                } else if name.matches("message"), scanner.peek() == UInt8(ascii: "{") {
                    try scanner.enterObject()
                    while let inner = try scanner.nextMember() {
                        guard inner.matches("usage") else {
                            try scanner.skipValue()
                            continue
                        }
                        if try usage.overlay(&scanner) { found = true }
                    }
                } else {
                    try scanner.skipValue()
                }
            }
            return found
        } catch {
            return false
        }
    }

    /// The bytes of a `content_block_delta` that are not content; nil if it cannot be read.
    static func envelope(of data: UnsafeRawBufferPointer) -> Int? {
        var scanner = JSONScanner(data)
        do throws(JSONFault) {
            var content = 0
            try scanner.enterObject()
            while let name = try scanner.nextMember() {
                guard name.matches("delta"), scanner.peek() == UInt8(ascii: "{") else {
                    try scanner.skipValue()
                    continue
                }
                try scanner.enterObject()
                while let inner = try scanner.nextMember() {
                    let isKind = inner.matches("type")
                    let bytes = try valueBytes(&scanner)
                    if !isKind { content += bytes }
                }
            }
            return data.count - content
        } catch {
            return nil
        }
    }
}

/// What the named events of an OpenAI responses stream say.
///
/// Source: OpenAI API reference, "Responses: streaming events".
enum ResponsesChunk {
    /// The usage of the response object in a last event; nil if there is none.
    static func usage(of data: UnsafeRawBufferPointer) -> Usage? {
        var found: Usage?
        read(data) { name, scanner throws(JSONFault) in
            guard name.matches("response"), scanner.peek() == UInt8(ascii: "{") else { return false }
            try scanner.enterObject()
            while let inner = try scanner.nextMember() {
                if inner.matches("usage") {
                    found = try OpenAIUsage.read(&scanner)
                } else {
                    try scanner.skipValue()
                }
            }
            return true
        }
        return found
    }

    /// The bytes of a delta event that are not content.
    static func envelope(of data: UnsafeRawBufferPointer) -> Int? {
        var content: Int?
        read(data) { name, scanner throws(JSONFault) in
            guard name.matches("delta") else { return false }
            content = try valueBytes(&scanner)
            return true
        }
        return content.map { data.count - $0 }
    }

    /// Goes through the members of an object; those that `take` does not read are passed.
    private static func read(
        _ data: UnsafeRawBufferPointer,
        _ take: (MemberName, inout JSONScanner) throws(JSONFault) -> Bool
    ) {
        var scanner = JSONScanner(data)
        do throws(JSONFault) {
            try scanner.enterObject()
            while let name = try scanner.nextMember() {
                if try !take(name, &scanner) { try scanner.skipValue() }
            }
        } catch {
            // What was found before the fault counts.
        }
    }
}

/// Passes a value; the bytes of content it holds: the inside of a string, a list or an object. Numbers and the like are
/// no content: providers count with them.
private func valueBytes(_ scanner: inout JSONScanner) throws(JSONFault) -> Int {
    if try scanner.takeNull() { return 0 }
    let start = scanner.position
    try scanner.skipValue()
    let count = scanner.position - start
    let isWrapped = [UInt8(ascii: "\""), UInt8(ascii: "["), UInt8(ascii: "{")].contains(scanner.bytes[start])
    return isWrapped ? count - 2 : 0
}
