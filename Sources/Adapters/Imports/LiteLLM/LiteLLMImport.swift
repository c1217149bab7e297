import Domain

/// Reads the `config.yaml` of a LiteLLM proxy (docs.litellm.ai, "Config.yaml" and "All settings") and says it in our words.
///
/// Keys are neither read nor copied: `os.environ/NAME` stays a name, and a key that stands in the file is not looked at.
/// Every setting that is not taken over has a note with its line.
public struct LiteLLMImport {
    var result = ImportedConfiguration()
    var deployments: [LiteLLMDeployment] = []
    /// Values for `os.environ/NAME` where no key is meant: addresses, versions, regions.
    let values: [String: String]
    /// Which key reference belongs to which provider, each once, in the order of the file.
    var keys: [(provider: ProviderName, reference: String)] = []

    private init(values: [String: String]) { self.values = values }

    /// - Parameter values: what `os.environ/NAME` stands for in addresses, versions and regions.
    public static func read(
        _ text: String, values: [String: String] = [:]
    ) throws(ImportFailure) -> ImportedConfiguration {
        guard let top = try YAMLTree.read(text), !top.members.isEmpty else {
            throw ImportFailure("the file holds no settings")
        }
        var reader = LiteLLMImport(values: values)
        guard let list = top["model_list"], !list.elements.isEmpty else {
            throw ImportFailure("the file has no model_list: is it the config.yaml of a LiteLLM proxy?")
        }
        for entry in list.elements { reader.readModel(entry) }
        reader.makeRoutes(top)
        reader.addCommands()
        for member in top.members { reader.readSection(member.key, member.value) }
        reader.result.notes.sort { ($0.line, $0.place) < ($1.line, $1.place) }
        return reader.result
    }

    private mutating func readSection(_ name: String, _ tree: YAMLTree) {
        switch name {
        case "model_list": break
        case "router_settings", "litellm_settings", "general_settings":
            for member in tree.members { readSetting(name, member.key, member.value) }
        case "environment_variables":
            note(tree, "variables are not set from a configuration here; keys go into the vault")
        case "include": note(tree, "other files are not followed: import each by itself")
        case "credential_list": note(tree, "credentials are not copied: gatehouse key add TENANT PROVIDER")
        case "guardrails", "mcp_servers", "vector_store_registry", "search_tools", "callback_settings",
            "files_settings", "finetune_settings", "assistant_settings", "prompts", "policies":
            note(tree, "there is nothing like \(name) here")
        default: note(tree, "is not known to this import")
        }
    }

    mutating func note(_ tree: YAMLTree, _ what: String) {
        result.notes.append(.init(line: tree.line, place: tree.place, what: what))
    }

    /// A text of the file, or what its variable stands for; a note says which variable is not known.
    mutating func resolved(_ tree: YAMLTree?) -> String? {
        guard let tree, let text = tree.text else { return nil }
        guard let name = Self.variable(in: text) else { return text }
        if let value = values[name] { return value }
        note(tree, "stands in the variable \(name), which is not read: give --value \(name)=...")
        return nil
    }

    static func variable(in text: String) -> String? {
        let mark = "os.environ/"
        return text.utf8.starts(with: mark.utf8) ? String(text.dropFirst(mark.count)) : nil
    }

    /// One key for each reference; a key itself is never shown.
    private mutating func addCommands() {
        var labels: Set<String> = []
        for key in keys {
            let variable = Self.variable(in: key.reference)
            let plain = key.reference.isEmpty ? "main" : variable ?? "imported"
            var label = plain.lowercased().replacing("_", with: "-")
            var count = 2
            while !labels.insert("\(key.provider) \(label)").inserted {
                label = "\(label)-\(count)"
                count += 1
            }
            let source =
                key.reference.isEmpty
                ? "its key"
                : variable.map { "the key in \(Self.safe($0))" } ?? "a key that stands in the file"
            result.commands.append(
                "gatehouse key add TENANT \(key.provider) --label \(Self.safe(label))    # \(source)")
        }
    }

    /// What may stand in a command line as it is.
    static func safe(_ text: String) -> String {
        String(
            decoding: text.utf8.map { byte -> UInt8 in
                switch byte {
                case UInt8(ascii: "a")...UInt8(ascii: "z"), UInt8(ascii: "A")...UInt8(ascii: "Z"),
                    UInt8(ascii: "0")...UInt8(ascii: "9"), UInt8(ascii: "-"), UInt8(ascii: "."),
                    UInt8(ascii: "_"):
                    byte
                default: UInt8(ascii: "-")
                }
            }, as: UTF8.self)
    }
}

/// One entry of the model list that can be taken over.
struct LiteLLMDeployment {
    let group: String
    let line: Int
    let target: Target
    /// `weight`, else `rpm`, as LiteLLM's shuffle has it; nil = none is said.
    let weight: Int?
    /// `order`: 1 is tried before 2.
    let order: Int
}
