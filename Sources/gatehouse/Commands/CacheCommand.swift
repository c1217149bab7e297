import ArgumentParser
import Assembly
import Domain
import Operations

struct CacheCommand: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "cache", abstract: "The exact cache: stats, purge.",
        discussion: "Example:\n  gatehouse cache purge --tenant acme", subcommands: [Stats.self, Purge.self])

    struct Stats: AsyncParsableCommand {
        static let configuration = CommandConfiguration(
            abstract: "Show the cache's size and use by tenant.",
            discussion: "Example:\n  gatehouse cache stats")
        @OptionGroup var global: GlobalOptions
        @OptionGroup var listing: ListingOptions

        func run() async throws {
            let cache = try await global.open().picture().cache
            guard !listing.json else { return try Output.json(cache) }
            try Output.listing(
                cache.tenants, json: false,
                columns: ["TENANT", "CACHE", "ENTRIES", "BYTES", "HITS", "MISSES", "SAVED $"]
            ) { tenant in
                [
                    tenant.tenant.text, tenant.enabled ? "on" : "OFF", "\(tenant.entries)", "\(tenant.bytes)",
                    "\(tenant.hits)", "\(tenant.misses)", tenant.saved.dollars(decimals: 4),
                ]
            }
            Output.line(
                "all        \(cache.entries) entries, \(cache.bytes) of \(cache.bytesMax) bytes, evicted \(cache.evicted)"
            )
        }
    }

    struct Purge: AsyncParsableCommand {
        static let configuration = CommandConfiguration(
            abstract: "Forget cached answers, of one tenant or of all.",
            discussion: "Example:\n  gatehouse cache purge --tenant acme")
        @OptionGroup var global: GlobalOptions
        @Option var tenant: TenantName?
        @Flag(help: "Every tenant's.") var all = false

        func validate() throws {
            guard (tenant == nil) == all else { throw ValidationError("say --tenant NAME or --all") }
        }

        func run() async throws { try await global.open().carryOut(.cachePurge(tenant: tenant)) }
    }
}
