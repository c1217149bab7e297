public import Domain

/// What an import gives: text for our configuration, what is to be done by hand, and what was left out.
public struct ImportedConfiguration: Sendable {
    /// One thing that was not taken over, or not as it stood there.
    public struct Note: Sendable, Hashable, Codable {
        /// Of the file that was read; 1-based.
        public let line: Int
        /// Such as `model_list[2].litellm_params.rpm`.
        public let place: String
        public let what: String
    }

    public var providers: [ImportedProvider] = []
    public var routes: [ImportedRoute] = []
    public var models: [ImportedModel] = []
    /// Tables of settings with their keys, already in our words.
    public var settings: [(table: String, keys: [(key: String, value: Int)])] = []
    public var notes: [Note] = []
    /// Commands to give afterwards, TENANT standing for a tenant's name.
    public var commands: [String] = []

    public init() {}

    /// The configuration's text, to stand behind what is in the file already.
    public func toml(from source: String) -> String {
        var out = "\n# Imported from \(TOMLText.comment(source)).\n"
        for provider in providers { out += provider.toml }
        for model in models { out += model.toml }
        for route in routes { out += route.toml }
        for table in settings where !table.keys.isEmpty {
            out += "\n[\(table.table)]\n"
            for pair in table.keys { out += "\(pair.key) = \(pair.value)\n" }
        }
        return out
    }

    mutating func set(_ table: String, _ key: String, _ value: Int) {
        if let place = settings.firstIndex(where: { $0.table.utf8.elementsEqual(table.utf8) }) {
            guard !settings[place].keys.contains(where: { $0.key.utf8.elementsEqual(key.utf8) }) else {
                return
            }
            settings[place].keys.append((key, value))
        } else {
            settings.append((table, [(key, value)]))
        }
    }
}

/// A provider that our configuration needs an entry for.
public struct ImportedProvider: Sendable, Hashable {
    public let name: ProviderName
    var like: String?
    var kind: String?
    var baseURL: String?
    var apiVersion: String?
    var region: String?
    var keyless = false
    var isPlainHTTP = false

    init(name: ProviderName) { self.name = name }

    var toml: String {
        var out = "\n[[provider]]\nname = \(TOMLText.quoted(name.text))\n"
        if let like { out += "like = \(TOMLText.quoted(like))\n" }
        if let kind { out += "kind = \(TOMLText.quoted(kind))\n" }
        if let baseURL { out += "base_url = \(TOMLText.quoted(baseURL))\n" }
        if let apiVersion { out += "api_version = \(TOMLText.quoted(apiVersion))\n" }
        if let region { out += "region = \(TOMLText.quoted(region))\n" }
        if keyless { out += "keyless = true\n" }
        if isPlainHTTP { out += "allow_plain_http = true\nallow_private = true\n" }
        return out
    }
}

/// A name for a group of targets.
public struct ImportedRoute: Sendable, Hashable {
    public let model: ModelName
    public var targets: [Target]
    /// As many as targets, or none.
    public var weights: [Int]
    public var strategy: RoutingStrategyName
    public var onContextOverflow: [Target] = []
    public var onContentPolicy: [Target] = []

    var toml: String {
        func list(_ targets: [Target]) -> String {
            "[" + targets.map { TOMLText.quoted($0.description) }.joined(separator: ", ") + "]"
        }
        var out = "\n[[route]]\nmodel = \(TOMLText.quoted(model.text))\ntargets = \(list(targets))\n"
        out += "strategy = \(TOMLText.quoted(strategy.rawValue))\n"
        if !weights.isEmpty { out += "weights = [\(weights.map(String.init).joined(separator: ", "))]\n" }
        if !onContextOverflow.isEmpty { out += "on_context_overflow = \(list(onContextOverflow))\n" }
        if !onContentPolicy.isEmpty { out += "on_content_policy = \(list(onContentPolicy))\n" }
        return out
    }
}

/// What is said of a model's abilities.
public struct ImportedModel: Sendable, Hashable {
    public let target: Target
    var lacks: [String]
    var context: Int

    var toml: String {
        var out = "\n[[model]]\ntarget = \(TOMLText.quoted(target.description))\n"
        if !lacks.isEmpty {
            out += "lacks = [\(lacks.map { TOMLText.quoted($0) }.joined(separator: ", "))]\n"
        }
        if context > 0 { out += "context = \(context)\n" }
        return out
    }
}

/// Texts in TOML 1.0.
public enum TOMLText {
    /// A basic string.
    public static func quoted(_ text: String) -> String {
        var out = "\""
        for scalar in text.unicodeScalars {
            switch scalar.value {
            case 0x22, 0x5c: out += "\\\(scalar)"
            case 0..<0x20, 0x7f:
                let digits = String(scalar.value, radix: 16)
                out += "\\u" + String(repeating: "0", count: 4 - digits.count) + digits
            default: out.unicodeScalars.append(scalar)
            }
        }
        return out + "\""
    }

    /// What may stand behind a #.
    static func comment(_ text: String) -> String {
        String(String.UnicodeScalarView(text.unicodeScalars.filter { $0.value >= 0x20 && $0.value != 0x7f }))
    }
}
