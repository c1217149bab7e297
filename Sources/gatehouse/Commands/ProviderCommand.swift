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

struct BreakerCommand: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "breaker", abstract: "Breakers: list, trip, close, hold, release.",
        discussion: """
            A target is written PROVIDER/MODEL. Every override has a reason and an end.

            Example:
              gatehouse breaker trip openai/gpt-6-sol --for 15m --reason 'status page: elevated errors'
            """,
        subcommands: [List.self, Trip.self, Close.self, Hold.self, Release.self])

    struct List: AsyncParsableCommand {
        static let configuration = CommandConfiguration(
            abstract: "List targets with their breakers.",
            discussion: "Example:\n  gatehouse breaker list --json")
        @OptionGroup var global: GlobalOptions
        @OptionGroup var listing: ListingOptions

        func run() async throws {
            let picture = try await global.open().picture()
            try Output.listing(
                picture.targets, json: listing.json,
                columns: ["TARGET", "BREAKER", "HELD", "RQ/S", "ERR%", "WHY"]
            ) { target in
                [
                    target.target.description, target.position.word,
                    target.hold.map { "by \($0.owner) until \($0.ends.civil.clock)Z" } ?? "-",
                    Output.decimal(target.figures.requestsPerSecond),
                    Output.decimal(target.figures.errorPercent),
                    target.why,
                ]
            }
        }
    }

    struct Trip: AsyncParsableCommand {
        static let configuration = CommandConfiguration(
            abstract: "Force a breaker open: no call goes to the target.",
            discussion: "Example:\n  gatehouse breaker trip openai/gpt-6-sol --for 15m --reason outage")
        @OptionGroup var global: GlobalOptions
        @OptionGroup var hold: HoldOptions
        func run() async throws {
            try await global.open().carryOut(
                .breakerTrip(target: hold.target, seconds: hold.duration.count, reason: hold.reason))
        }
    }

    struct Close: AsyncParsableCommand {
        static let configuration = CommandConfiguration(
            abstract: "Force a breaker closed: calls pass, failures do not trip it.",
            discussion:
                "Example:\n  gatehouse breaker close openai/gpt-6-sol --for 15m --reason 'false alarm'")
        @OptionGroup var global: GlobalOptions
        @OptionGroup var hold: HoldOptions
        func run() async throws {
            try await global.open().carryOut(
                .breakerClose(target: hold.target, seconds: hold.duration.count, reason: hold.reason))
        }
    }

    struct Hold: AsyncParsableCommand {
        static let configuration = CommandConfiguration(
            abstract: "Keep a breaker as it is.",
            discussion: "Example:\n  gatehouse breaker hold openai/gpt-6-sol --for 1h --reason maintenance")
        @OptionGroup var global: GlobalOptions
        @OptionGroup var hold: HoldOptions
        func run() async throws {
            try await global.open().carryOut(
                .breakerHold(target: hold.target, seconds: hold.duration.count, reason: hold.reason))
        }
    }

    struct Release: AsyncParsableCommand {
        static let configuration = CommandConfiguration(
            abstract: "End an override: the breaker works by itself again.",
            discussion: "Example:\n  gatehouse breaker release openai/gpt-6-sol")
        @OptionGroup var global: GlobalOptions
        @Argument var target: Target
        @Option var reason: String = ""
        func run() async throws {
            try await global.open().carryOut(.breakerRelease(target: target, reason: reason))
        }
    }
}

/// Target, duration and reason of an override.
struct HoldOptions: ParsableArguments {
    @Argument(help: "PROVIDER/MODEL") var target: Target
    @Option(name: .customLong("for"), help: "How long: 15m, 1h.") var duration: Seconds = Seconds(900)
    @Option(help: "Goes to the audit.") var reason: String
}

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
