import ArgumentParser
import Assembly
import Domain
import Operations

struct ProviderCommand: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "provider", abstract: "Providers: list, test.",
        discussion: "Example:\n  gatehouse provider test openai --tenant acme",
        subcommands: [List.self, Test.self])

    struct List: AsyncParsableCommand {
        static let configuration = CommandConfiguration(
            abstract: "List the providers in force, with what probes show of them.",
            discussion: "Example:\n  gatehouse provider list")
        @OptionGroup var global: GlobalOptions
        @OptionGroup var listing: ListingOptions

        func run() async throws {
            let picture = try await global.open().picture()
            try Output.listing(
                picture.providers, json: listing.json,
                columns: ["PROVIDER", "KIND", "ORIGIN", "REGION", "RETENTION", "KEYS", "PROBE"]
            ) { provider in
                [
                    provider.name.text, provider.kind.rawValue, provider.origin, provider.region ?? "-",
                    provider.retention ?? "-", "\(provider.keys)",
                    provider.probe.map { Self.words($0, picture.at) } ?? "-",
                ]
            }
        }

        private static func words(_ probe: ProbeView, _ now: WallTime) -> String {
            let time = probe.milliseconds.map { " \(Int($0)) ms" } ?? ""
            let state = probe.reachable ? "ok\(time)" : "FAILS x\(probe.failures)"
            return "\(state), \(probe.words), \(KeyText.ago(probe.at, now)) ago"
        }
    }

    struct Test: AsyncParsableCommand {
        static let configuration = CommandConfiguration(
            abstract: "Make one free call to a provider, with a tenant's key if one is named.",
            discussion: "Example:\n  gatehouse provider test openai --tenant acme")
        @OptionGroup var global: GlobalOptions
        @Argument var name: ProviderName
        @Option var tenant: TenantName?

        func run() async throws {
            try await global.open().carryOut(.providerTest(provider: name, tenant: tenant))
        }
    }
}
