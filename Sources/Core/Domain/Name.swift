/// What a kind of name may be made of.
public protocol NameRule: Sendable {
    /// What to call it in an error, such as "tenant name".
    static var what: String { get }
    /// What is allowed, as a phrase for an error.
    static var allowed: String { get }
    static var longest: Int { get }
    static func accepts(_ byte: UInt8, first: Bool) -> Bool
    /// Whether each byte is visible ASCII or a blank, and accepted in its place. A requirement although no rule has one
    /// of its own: so each has the loop made for it, and a name costs one call instead of one for each byte.
    static func accepts(all bytes: UnsafeBufferPointer<UInt8>) -> Bool
}

extension NameRule {
    public static func accepts(all bytes: UnsafeBufferPointer<UInt8>) -> Bool {
        var first = true
        for byte in bytes {
            guard byte > 0x1f, byte < 0x7f, accepts(byte, first: first) else { return false }
            first = false
        }
        return true
    }
}

/// A name that was checked on entry: ASCII bytes of a stated set, so that equality of text is equality of bytes.
///
/// Swift compares strings by canonical equivalence and treats CR LF as one character; a value that decides access
/// must not be compared that way. Restricting names to ASCII without control bytes makes the two the same.
public struct Name<Rule: NameRule>: Hashable, Sendable, Comparable, CustomStringConvertible {
    public let text: String

    /// Refuses with a sentence that names the kind, what is allowed and what was wrong.
    public init(_ text: String) throws(NameRefusal) {
        let bytes = text.utf8
        guard !bytes.isEmpty else { throw NameRefusal(sentence: "the \(Rule.what) is empty") }
        guard bytes.count <= Rule.longest else {
            throw NameRefusal(
                sentence: "the \(Rule.what) has \(bytes.count) bytes; \(Rule.longest) is the most")
        }
        // A native text has its bytes in one piece; another kind is copied.
        let isAccepted =
            bytes.withContiguousStorageIfAvailable { Rule.accepts(all: $0) }
            ?? Array(bytes).withUnsafeBufferPointer { Rule.accepts(all: $0) }
        guard isAccepted else {
            throw NameRefusal(sentence: "the \(Rule.what) may hold \(Rule.allowed) only")
        }
        self.text = text
    }

    // Written out to be inlinable: names are keys of tables that every call looks into.
    @inlinable public static func == (left: Self, right: Self) -> Bool { left.text == right.text }

    @inlinable public func hash(into hasher: inout Hasher) { hasher.combine(text) }

    public var description: String { text }

    public static func < (left: Self, right: Self) -> Bool { left.text < right.text }
}

extension Name: Codable {
    public init(from decoder: any Decoder) throws {
        let text = try decoder.singleValueContainer().decode(String.self)
        do throws(NameRefusal) {
            self = try Self(text)
        } catch {
            throw DecodingError.dataCorrupted(
                .init(codingPath: decoder.codingPath, debugDescription: error.sentence))
        }
    }

    public func encode(to encoder: any Encoder) throws {
        var container = encoder.singleValueContainer()
        try container.encode(text)
    }
}

/// Why a text is not a name.
public struct NameRefusal: Error, Equatable, CustomStringConvertible {
    public let sentence: String
    public var description: String { sentence }
}

private func isLowerOrDigit(_ byte: UInt8) -> Bool {
    (UInt8(ascii: "a")...UInt8(ascii: "z")).contains(byte)
        || (UInt8(ascii: "0")...UInt8(ascii: "9")).contains(byte)
}

/// Tenants: 1 to 48 of `a-z 0-9 . _ -`, beginning with a letter or digit.
public enum TenantNameRule: NameRule {
    public static var what: String { "tenant name" }
    public static var allowed: String { "a-z, 0-9, '.', '_' and '-' (beginning with a letter or a digit)" }
    public static var longest: Int { 48 }
    public static func accepts(_ byte: UInt8, first: Bool) -> Bool {
        isLowerOrDigit(byte)
            || (!first
                && (byte == UInt8(ascii: ".") || byte == UInt8(ascii: "_") || byte == UInt8(ascii: "-")))
    }
}

/// Providers: as tenants.
public enum ProviderNameRule: NameRule {
    public static var what: String { "provider name" }
    public static var allowed: String { TenantNameRule.allowed }
    public static var longest: Int { 48 }
    public static func accepts(_ byte: UInt8, first: Bool) -> Bool {
        TenantNameRule.accepts(byte, first: first)
    }
}

/// Models: 1 to 200 printable ASCII bytes without blank, quote or backslash (providers use `/ : . - _ @`).
public enum ModelNameRule: NameRule {
    public static var what: String { "model name" }
    public static var allowed: String { "printable ASCII without blank, quote and backslash" }
    public static var longest: Int { 200 }
    public static func accepts(_ byte: UInt8, first: Bool) -> Bool {
        byte != UInt8(ascii: " ") && byte != UInt8(ascii: "\"") && byte != UInt8(ascii: "\\")
    }
}

/// Labels of keys, users, teams and tags: 1 to 64 printable ASCII bytes.
public enum LabelRule: NameRule {
    public static var what: String { "label" }
    public static var allowed: String { "printable ASCII" }
    public static var longest: Int { 64 }
    public static func accepts(_ byte: UInt8, first: Bool) -> Bool { true }
}

public typealias TenantName = Name<TenantNameRule>
public typealias ProviderName = Name<ProviderNameRule>
public typealias ModelName = Name<ModelNameRule>
public typealias Label = Name<LabelRule>

/// One place a call can be sent: a model at a provider's endpoint.
public struct Target: Hashable, Sendable, Codable, Comparable, CustomStringConvertible {
    public let provider: ProviderName
    public let model: ModelName
    /// The hash of both names, made once: a target is the key of a dozen look-ups in every call.
    @usableFromInline let mark: Int

    private enum CodingKeys: CodingKey { case provider, model }

    public init(provider: ProviderName, model: ModelName) {
        self.provider = provider
        self.model = model
        // Seeded anew in each process, as callers choose models' names.
        var hasher = Hasher()
        hasher.combine(provider)
        hasher.combine(model)
        mark = hasher.finalize()
    }

    public init(from decoder: any Decoder) throws {
        let values = try decoder.container(keyedBy: CodingKeys.self)
        self.init(
            provider: try values.decode(ProviderName.self, forKey: .provider),
            model: try values.decode(ModelName.self, forKey: .model))
    }

    /// Reads `PROVIDER/MODEL`; the model may hold further slashes.
    public init(_ text: String) throws(NameRefusal) {
        guard let slash = text.utf8.firstIndex(of: UInt8(ascii: "/")) else {
            throw NameRefusal(sentence: "a target is written PROVIDER/MODEL")
        }
        self.init(
            provider: try ProviderName(String(text[..<slash])),
            model: try ModelName(String(text[text.utf8.index(after: slash)...])))
    }

    @inlinable public static func == (left: Self, right: Self) -> Bool {
        left.mark == right.mark && left.model == right.model && left.provider == right.provider
    }

    @inlinable public func hash(into hasher: inout Hasher) { hasher.combine(mark) }

    public var description: String { "\(provider)/\(model)" }

    public static func < (left: Self, right: Self) -> Bool {
        (left.provider, left.model) < (right.provider, right.model)
    }
}
