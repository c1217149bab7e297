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
            abstract: "List the providers in force.", discussion: "Example:\n  gatehouse provider list")
        @OptionGroup var global: GlobalOptions
        @OptionGroup var listing: ListingOptions

        func run() async throws {
            let picture = try await global.open().picture()
            try Output.listing(
                picture.providers, json: listing.json, columns: ["PROVIDER", "KIND", "ORIGIN", "KEYS"]
            ) { [$0.name.text, $0.kind.rawValue, $0.origin, "\($0.keys)"] }
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
