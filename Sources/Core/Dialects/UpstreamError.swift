package import Domain

/// What an upstream's error body says, read without trusting it.
package struct UpstreamError: Sendable, Equatable {
    package let type: String
    package let code: String
    /// Control characters removed, at most 500 bytes.
    package let message: String

    package init(type: String, code: String, message: String) {
        self.type = type
        self.code = code
        self.message = message
    }

    /// Reads OpenAI's, Anthropic's and Google's envelopes; anything else gives empty fields.
    package init(body: UnsafeRawBufferPointer) {
        self = Self.inBand(body) ?? UpstreamError(type: "", code: "", message: "")
    }

    /// The `error` member of an object; nil when there is none or it is null.
    static func inBand(_ body: UnsafeRawBufferPointer) -> UpstreamError? {
        guard let error = UnaryReader.member("error", of: body), error.kind != .null else { return nil }
        guard error.kind == .object else {
            return UpstreamError(type: "", code: "", message: clean(JSONScanner.text(of: error, in: body) ?? ""))
        }
        var fields: [String: String] = [:]
        do throws(JSONScanner.Fault) {
            try JSONScanner.members(of: error, in: body) { (key, _, value) throws(JSONScanner.Fault) in
                guard fields.count < 32 else { return }
                let text = JSONScanner.text(of: value, in: body) ?? JSONScanner.integer(of: value, in: body).map { "\($0)" }
                if let text { fields[String(decoding: body[key], as: UTF8.self)] = text }
            }
        } catch { return nil }
        return UpstreamError(
            type: clean(fields["type"] ?? fields["status"] ?? ""), code: clean(fields["code"] ?? ""),
            message: clean(fields["message"] ?? ""))
    }

    /// Printable text only, bounded: this may be shown to callers and operators.
    private static func clean(_ text: String) -> String {
        var out = String.UnicodeScalarView()
        for scalar in text.unicodeScalars.prefix(500) {
            switch scalar.properties.generalCategory {
            case .control, .format, .surrogate, .privateUse, .unassigned, .lineSeparator, .paragraphSeparator:
                out.append(" ")
            default: out.append(scalar)
            }
        }
        return String(out)
    }

    private func says(_ words: String...) -> Bool {
        let text = Array("\(type) \(code) \(message)".utf8.map { (0x41...0x5a).contains($0) ? $0 | 0x20 : $0 })
        return words.contains { word in
            let needle = Array(word.utf8)
            guard text.count >= needle.count else { return false }
            return (0...(text.count - needle.count)).contains { text[$0..<($0 + needle.count)].elementsEqual(needle) }
        }
    }

    /// The failure table: which class an answer that is no success belongs to. First row that fits.
    package func classify(status: Int) -> FailureClass {
        switch status {
        case 401: .badKey
        case 402: .keyQuota
        case 400 where says("incorrect api key", "api_key_invalid", "invalid api key"): .badKey
        case 400 where says("credit balance", "spend limit"): .keyQuota
        case 400 where says("context_length_exceeded", "prompt is too long", "maximum context length"): .contextWindow
        case 400 where says("content_filter", "content_policy"): .contentPolicy
        case 403: .notPermitted
        case 404 where says("model_not_found"): .notPermitted
        case 429 where says("insufficient_quota", "enforced_spend_limit_reached"): .keyQuota
        case 429: .keyRateLimit
        case 408, 504: .timeoutBeforeFirstByte
        case 529: .overloaded
        case 503 where says("overloaded", "unavailable"): .overloaded
        case 424, 500...599: .providerFault
        case 400, 404, 405, 409, 413, 415, 422: .callerFault
        case 400...499: .unknownRefusal
        // Redirects are never followed, and a 1xx or 2xx never comes here: the upstream is not what it should be.
        default: .providerFault
        }
    }

    /// The class of an error that came inside a stream.
    package var classifiedInBand: FailureClass {
        if says("overloaded") { return .overloaded }
        if says("insufficient_quota", "credit balance") { return .keyQuota }
        if says("rate_limit") { return .keyRateLimit }
        if says("authentication", "invalid_api_key") { return .badKey }
        if says("invalid_request") { return .callerFault }
        return .providerFault
    }
}

/// How long an upstream wants to be left alone.
package enum RetryAfter {
    /// Longer demands than an hour are taken as an hour.
    private static let longest = Duration.seconds(3_600)

    /// Reads every header that may say it; the longest wins.
    ///
    /// - Parameter value: gives a header's value by its lower-case name.
    package static func read(at now: WallTime, _ value: (String) -> String?) -> Duration? {
        var waits: [Duration] = []
        if let text = value("retry-after-ms"), let number = Double(text) { waits.append(.milliseconds(Int64(clamp(number)))) }
        if let text = value("retry-after") {
            if let seconds = Double(text) {
                waits.append(.milliseconds(Int64(clamp(seconds * 1_000))))
            } else if let moment = HTTPDate.parse(text) {
                waits.append(moment - now)
            }
        }
        for name in ["x-ratelimit-reset-requests", "x-ratelimit-reset-tokens"] {
            // These stand on every answer; they are a demand only where no retry-after is.
            if waits.isEmpty, let wait = value(name).flatMap(duration) { waits.append(wait) }
        }
        return waits.max().map { min(max($0, .zero), longest) }
    }

    private static func clamp(_ number: Double) -> Double { number.isFinite ? min(max(number, 0), 1e9) : 0 }

    /// `2m30s`, `6ms`, `1h`, `0.5s`.
    static func duration(_ text: String) -> Duration? {
        var total = 0.0
        var number = ""
        var unit = ""
        func flush() -> Bool {
            guard !number.isEmpty else { return unit.isEmpty }
            let scale = ["ms": 1.0, "s": 1_000, "m": 60_000, "h": 3_600_000, "d": 86_400_000][unit]
            guard let value = Double(number), let scale else { return false }
            total += value * scale
            (number, unit) = ("", "")
            return true
        }
        for character in text.unicodeScalars {
            if ("0"..."9").contains(character) || character == "." {
                if !unit.isEmpty, !flush() { return nil }
                number.unicodeScalars.append(character)
            } else {
                unit.unicodeScalars.append(character)
            }
        }
        guard flush(), total > 0 else { return nil }
        return .milliseconds(Int64(clamp(total)))
    }
}

/// The date form of HTTP (RFC 9110 section 5.6.7, IMF-fixdate): `Sun, 06 Nov 1994 08:49:37 GMT`.
enum HTTPDate {
    static func parse(_ text: String) -> WallTime? {
        let parts = text.split(separator: " ")
        guard parts.count == 6, parts[5] == "GMT", let day = Int64(parts[1]), let year = Int64(parts[3]),
            let month = ["Jan", "Feb", "Mar", "Apr", "May", "Jun", "Jul", "Aug", "Sep", "Oct", "Nov", "Dec"]
                .firstIndex(of: String(parts[2]))
        else { return nil }
        let clock = parts[4].split(separator: ":").compactMap { Int64($0) }
        guard clock.count == 3, (1...31).contains(day), (1970...9999).contains(year) else { return nil }
        // Days from civil after H. Hinnant, "chrono-compatible low-level date algorithms".
        let shiftedYear = month < 2 ? year - 1 : year
        let era = shiftedYear / 400
        let yearOfEra = shiftedYear - era * 400
        let shiftedMonth = (Int64(month) + 10) % 12
        let dayOfYear = (153 * shiftedMonth + 2) / 5 + day - 1
        let days = era * 146_097 + yearOfEra * 365 + yearOfEra / 4 - yearOfEra / 100 + dayOfYear - 719_468
        return WallTime(milliseconds: (days * 86_400 + clock[0] * 3_600 + clock[1] * 60 + clock[2]) * 1_000)
    }
}
