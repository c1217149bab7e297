import Domain

/// What a provider said was wrong, as far as its body could be read; never fails.
///
/// Understands OpenAI's envelope, Anthropic's, Google's (also as an array of one), OpenRouter's inside a choice, and the
/// flat ones of vLLM, Mistral, xAI and Ollama. The texts are bounded and hold no control characters. They are the provider's words: it may repeat
/// there what the caller or the gateway sent, masked or not, so they are for the caller and his tenant only.
public struct UpstreamError: Hashable, Sendable {
    /// The longest message kept, in bytes; the longest documented one has about 300.
    public static var messageBytesMost: Int { 1_000 }
    /// The longest type or code kept, in bytes.
    public static var labelBytesMost: Int { 100 }

    /// The kind of error in the provider's words, such as `rate_limit_error`, or Google's `status`.
    public let type: String?
    /// The code in the provider's words, such as `insufficient_quota`, or a number as text.
    public let code: String?
    public let message: String?
    /// The finer reason some providers give: Anthropic's `details.error_code`, Google's `details[].reason`. OpenRouter's
    /// `metadata.flagged_input` counts as one by its name.
    public let reason: String?
    /// How long to wait, where the body says so: Google's `RetryInfo.retryDelay`, at most ``RetryAfter/most``.
    public let retryDelay: Duration?

    public init(
        type: String? = nil, code: String? = nil, message: String? = nil, reason: String? = nil,
        retryDelay: Duration? = nil
    ) {
        self.type = type
        self.code = code
        self.message = message
        self.reason = reason
        self.retryDelay = retryDelay
    }

    /// Reads an error body or the data of an in-band error event.
    public static func read(_ body: UnsafeRawBufferPointer) -> UpstreamError {
        var parts = ErrorParts()
        var scanner = JSONScanner(body)
        // What was found before the garbage is still worth having.
        try? parts.readTop(&scanner)
        return UpstreamError(
            type: parts.type.map { shown($0, most: labelBytesMost) },
            code: parts.code.map { shown($0, most: labelBytesMost) },
            message: parts.message.map { shown($0, most: messageBytesMost) },
            reason: parts.reason.map { shown($0, most: labelBytesMost) },
            retryDelay: parts.retryDelay.flatMap { RetryAfter.duration($0) })
    }

    /// With the type that AWS puts into the head (`x-amzn-errortype: ThrottlingException:http://…`), where one is there
    /// and the body names none.
    public func labelled(_ header: String?) -> UpstreamError {
        guard let header, type == nil else { return self }
        let label = header.utf8.prefix { $0 != UInt8(ascii: ":") }
        return UpstreamError(
            type: Self.shown(String(decoding: label, as: UTF8.self), most: Self.labelBytesMost), code: code,
            message: message, reason: reason, retryDelay: retryDelay)
    }

    /// The HTTP status that an error inside a 200 stream stands for: its numeric code, else by its type (Anthropic
    /// API reference, "Errors"), else 500.
    public var impliedStatus: Int {
        if let code, let number = Int(code), (400...599).contains(number) { return number }
        for (label, status) in Self.statuses where has(label) { return status }
        return 500
    }

    private static let statuses: [(StaticString, Int)] = [
        ("insufficient_quota", 429), ("rate_limit_exceeded", 429), ("rate_limit_error", 429),
        ("authentication_error", 401), ("invalid_api_key", 401), ("billing_error", 402),
        ("permission_error", 403),
        ("not_found_error", 404), ("model_not_found", 404), ("request_too_large", 413),
        ("invalid_request_error", 400), ("context_length_exceeded", 400), ("content_filter", 400),
        ("content_policy_violation", 400), ("overloaded_error", 529), ("timeout_error", 504),
        ("billing_not_active", 429), ("slow_down", 503), ("server_overloaded", 503),
    ]

    /// Whether type, code or reason is this lower-case ASCII label, whatever the case.
    func has(_ label: StaticString) -> Bool {
        [type, code, reason].contains { text in
            guard let text, text.utf8.count == label.utf8CodeUnitCount else { return false }
            return Self.begins(text, with: label)
        }
    }

    /// Whether the message begins with this lower-case ASCII text, whatever the case. Only the beginning counts: what
    /// follows may repeat the caller's own words, and must not decide what becomes of a provider key.
    func opens(with text: StaticString) -> Bool {
        message.map { Self.begins($0, with: text) } ?? false
    }

    /// Whether the message begins with one text and goes on with another within the next 200 bytes; for sentences of a
    /// provider's own with a name or a number inside. Lower-case ASCII, whatever the case.
    func opens(with text: StaticString, then other: StaticString) -> Bool {
        guard opens(with: text), let message else { return false }
        let rest = message.utf8.dropFirst(text.utf8CodeUnitCount).prefix(200).map(lowered)
        return other.withUTF8Buffer { wanted in
            rest.indices.contains { rest[$0...].starts(with: wanted) }
        }
    }

    private static func begins(_ text: String, with literal: StaticString) -> Bool {
        guard text.utf8.count >= literal.utf8CodeUnitCount else { return false }
        for (index, byte) in text.utf8.prefix(literal.utf8CodeUnitCount).enumerated()
        where lowered(byte) != literal.utf8Start[index] {
            return false
        }
        return true
    }

    /// A text without control, line-breaking or direction-changing characters, cut to a length in bytes.
    private static func shown(_ text: String, most: Int) -> String {
        var out = String.UnicodeScalarView()
        var bytes = 0
        for scalar in text.unicodeScalars {
            switch scalar.value {
            case 0..<0x20, 0x7f...0x9f, 0x200e...0x200f, 0x2028...0x202e, 0x2066...0x2069, 0xfeff: continue
            default: break
            }
            bytes += UTF8.width(scalar)
            guard bytes <= most else { break }
            out.append(scalar)
        }
        return String(out)
    }
}
