/// Collects the parts of an error from whichever envelope they come in; the innermost wins.
struct ErrorParts {
    var type: String?
    var code: String?
    var message: String?
    var reason: String?
    var retryDelay: String?

    mutating func readTop(_ scanner: inout JSONScanner) throws(JSONFault) {
        if scanner.peek() == UInt8(ascii: "[") {
            try scanner.enterArray()
            guard try scanner.nextElement() else { return }
        }
        try readObject(&scanner, isTop: true)
    }

    private mutating func readObject(_ scanner: inout JSONScanner, isTop: Bool) throws(JSONFault) {
        try scanner.enterObject()
        while let name = try scanner.nextMember() {
            if name.matches("error") {
                try readError(&scanner)
            } else if isTop, name.matches("x_groq"), scanner.peek() == UInt8(ascii: "{") {
                try readObject(&scanner, isTop: false)
            } else if isTop, name.matches("choices"), scanner.peek() == UInt8(ascii: "[") {
                try readChoices(&scanner)
            } else if isTop, name.matches("response"), scanner.peek() == UInt8(ascii: "{") {
                // OpenAI's `response.failed` holds the response, which holds the error.
                try readObject(&scanner, isTop: true)
            } else if name.matches("message") || name.matches("Message") || name.matches("detail") {
                message = try text(&scanner) ?? message
            } else if name.matches("type") || name.matches("status") || name.matches("__type") {
                // Anthropic's outer type says no more than "error".
                let found = try text(&scanner)
                if !isTop || type == nil { type = found ?? type }
            } else if name.matches("code") {
                let found = try text(&scanner)
                if !isTop || code == nil { code = found ?? code }
            } else if name.matches("details") || name.matches("metadata") {
                try readDetails(&scanner)
            } else {
                try scanner.skipValue()
            }
        }
    }

    /// The error of a choice; whatever else it holds is not one.
    private mutating func readChoices(_ scanner: inout JSONScanner) throws(JSONFault) {
        try scanner.enterArray()
        while try scanner.nextElement() {
            guard scanner.peek() == UInt8(ascii: "{") else {
                try scanner.skipValue()
                continue
            }
            try scanner.enterObject()
            while let name = try scanner.nextMember() {
                if name.matches("error") { try readError(&scanner) } else { try scanner.skipValue() }
            }
        }
    }

    private mutating func readError(_ scanner: inout JSONScanner) throws(JSONFault) {
        guard scanner.peek() == UInt8(ascii: "{") else {
            message = try text(&scanner) ?? message
            return
        }
        try readObject(&scanner, isTop: false)
    }

    private mutating func readDetails(_ scanner: inout JSONScanner) throws(JSONFault) {
        switch scanner.peek() {
        case UInt8(ascii: "{"): try readDetail(&scanner)
        case UInt8(ascii: "["):
            try scanner.enterArray()
            while try scanner.nextElement() {
                if scanner.peek() == UInt8(ascii: "{") {
                    try readDetail(&scanner)
                } else {
                    try scanner.skipValue()
                }
            }
        default: try scanner.skipValue()
        }
    }

    private mutating func readDetail(_ scanner: inout JSONScanner) throws(JSONFault) {
        try scanner.enterObject()
        while let name = try scanner.nextMember() {
            if name.matches("reason") || name.matches("error_code") {
                reason = try text(&scanner) ?? reason
            } else if name.matches("retryDelay") {
                retryDelay = try text(&scanner) ?? retryDelay
            } else if name.matches("flagged_input") {
                // What was flagged is the caller's own text.
                try scanner.skipValue()
                reason = "flagged_input"
            } else {
                try scanner.skipValue()
            }
        }
    }

    /// A string, or a whole number as text; nil for anything else, which is passed.
    private func text(_ scanner: inout JSONScanner) throws(JSONFault) -> String? {
        if scanner.peek() == UInt8(ascii: "\"") { return try scanner.takeText() }
        return try scanner.takeCount().map { String($0) }
    }
}
