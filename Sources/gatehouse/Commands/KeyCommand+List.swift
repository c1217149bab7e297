import ArgumentParser
import Assembly
import Domain
import Operations

extension KeyCommand {
    struct List: AsyncParsableCommand {
        static let configuration = CommandConfiguration(
            abstract: "List provider keys by fingerprint, with what their providers say of them.",
            discussion: """
                HEALTH is of the key: what its provider last said of it, and until when it rests; "with MODEL" where it
                rests for one model. HEADROOM is what the provider's rate-limit headers left.

                Example:
                  gatehouse key list --tenant acme
                  gatehouse key list --json
                """)
        @OptionGroup var global: GlobalOptions
        @OptionGroup var listing: ListingOptions
        @Option(help: "Only this tenant's.") var tenant: TenantName?

        func run() async throws {
            let picture = try await global.open().picture()
            let keys = picture.providerKeys.filter { tenant == nil || $0.tenant == tenant }
            try Output.listing(
                keys, json: listing.json,
                columns: [
                    "TENANT", "KEY", "FINGERPRINT", "STATE", "HEALTH", "LAST OK", "LAST 401", "LAST 429",
                    "HEADROOM", "WEIGHT", "MODELS", "VERIFIED", "CREATED", "ID",
                ]
            ) { key in
                [
                    key.tenant.text, "\(key.provider)/\(key.label)", key.fingerprint,
                    KeyText.state(key), KeyText.health(key),
                    KeyText.ago(key.lastSuccess, picture.at), KeyText.ago(key.lastRejected, picture.at),
                    KeyText.ago(key.lastRateLimited, picture.at), key.headroom.isEmpty ? "-" : key.headroom,
                    key.weight.map(String.init) ?? "-", KeyText.models(key.models), key.verdict.rawValue,
                    key.created.civil.date, key.id.text,
                ]
            }
        }
    }

    struct Set: AsyncParsableCommand {
        static let configuration = CommandConfiguration(
            abstract: "Put a key's share of the calls and the models it is for.",
            discussion: """
                The weight is its share among the tenant's active keys for the provider, 0 to 10000; models are in the
                provider's words, a * at the end stands for anything. What is not given stays as it is.

                Example:
                  gatehouse key set 3f9c2a17 --weight 3 --models 'gpt-6-sol,gpt-6-luna*'
                  gatehouse key set 3f9c2a17 --no-weight --all-models
                """)
        @OptionGroup var global: GlobalOptions
        @Argument var key: String
        @Option(help: "0 to 10000.") var weight: Int?
        @Flag(help: "State no weight: the newest key goes first.") var noWeight = false
        @Option(help: "Model names separated by commas.") var models: ModelList?
        @Flag(help: "For every model.") var allModels = false

        func validate() throws {
            guard weight == nil || !noWeight, models == nil || !allModels else {
                throw ValidationError("give --weight or --no-weight, --models or --all-models")
            }
            guard weight != nil || noWeight || models != nil || allModels else {
                throw ValidationError("give --weight, --no-weight, --models or --all-models")
            }
            guard weight.map({ (0...10_000).contains($0) }) ?? true else {
                throw ValidationError("--weight takes a whole number from 0 to 10000")
            }
        }

        func run() async throws {
            let session = try await global.open()
            let id = try await session.providerKey(key)
            guard let now = try await session.picture().providerKeys.first(where: { $0.id == id }) else {
                throw CommandFailure("there is no key \(key); see: gatehouse key list")
            }
            try await session.carryOut(
                .keySet(
                    key: id, weight: noWeight ? nil : weight ?? now.weight,
                    models: allModels ? [] : models?.names ?? now.models))
        }
    }
}

/// Model names separated by commas; none is not a list.
struct ModelList: ExpressibleByArgument {
    let names: [ModelName]

    init?(argument: String) {
        let parts = argument.split(separator: ",")
        let names = parts.compactMap { ModelName(argument: String($0)) }
        guard !names.isEmpty, names.count == parts.count else { return nil }
        self.names = names
    }
}

/// What listings say of provider keys.
enum KeyText {
    static func state(_ key: ProviderKeyView) -> String {
        if let canary = key.canary { return "CANARY \(canary.percent)% until \(canary.ends.civil.clock)Z" }
        return key.state == .active ? "active" : key.state.rawValue.uppercased()
    }

    static func health(_ key: ProviderKeyView) -> String {
        guard key.isUsable else { return "-" }
        // Marks of single models are told with their model, so they do not count for the key as a whole.
        let ofModel = key.modelMarks.contains { $0.mark == key.health }
        let whole = ofModel ? [] : [word(key.health, key.healthUntil)]
        return (whole + key.modelMarks.map { "\(word($0.mark, $0.until)) with \($0.model)" })
            .joined(separator: "; ")
    }

    private static func word(_ mark: CredentialMark, _ until: WallTime?) -> String {
        mark == .ok ? mark.word : mark.word + (until.map { " until \($0.civil.clock)Z" } ?? ", tried next")
    }

    static func ago(_ moment: WallTime?, _ now: WallTime) -> String {
        guard let moment else { return "-" }
        let seconds = max(0, (now - moment).wholeMilliseconds / 1_000)
        switch seconds {
        case ..<120: return "\(seconds)s"
        case ..<7_200: return "\(seconds / 60)m"
        case ..<172_800: return "\(seconds / 3_600)h"
        default: return "\(seconds / 86_400)d"
        }
    }

    static func models(_ models: [ModelName]) -> String {
        models.isEmpty ? "all" : models.map(\.text).joined(separator: ",")
    }
}

extension CredentialMark {
    /// Good states lower case, bad states upper case.
    var word: String {
        switch self {
        case .ok: "ok"
        case .deniedForModel: "DENIED"
        case .cooling, .exhausted, .suspect, .rejected: rawValue.uppercased()
        }
    }
}
