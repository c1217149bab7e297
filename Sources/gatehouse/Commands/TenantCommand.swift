import ArgumentParser
import Assembly
import Domain
import Operations

struct TenantCommand: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "tenant", abstract: "Tenants: add, list, show, suspend, resume, delete, platform-keys.",
        discussion: "Example:\n  gatehouse tenant add acme --rpm 600 --parallel 20",
        subcommands: [
            Add.self, List.self, Show.self, Suspend.self, Resume.self, Delete.self, PlatformKeys.self,
        ])

    struct Add: AsyncParsableCommand {
        static let configuration = CommandConfiguration(
            abstract: "Add a tenant with a schema and a data-encryption key of its own.",
            discussion: "Example:\n  gatehouse tenant add acme --rpm 600")
        @OptionGroup var global: GlobalOptions
        @Argument(help: "1 to 48 of a-z, 0-9, '.', '_', '-'.") var name: TenantName
        @OptionGroup var limits: LimitOptions

        func run() async throws {
            try await global.open().carryOut(.tenantAdd(name: name, limits: limits.set))
        }
    }

    struct List: AsyncParsableCommand {
        static let configuration = CommandConfiguration(
            abstract: "List tenants.", discussion: "Example:\n  gatehouse tenant list --json")
        @OptionGroup var global: GlobalOptions
        @OptionGroup var listing: ListingOptions

        func run() async throws {
            let tenants = try await global.open().picture().tenants
            try Output.listing(
                tenants, json: listing.json,
                columns: [
                    "NAME", "STATUS", "RPM", "TPM", "PARALLEL", "PLATFORM KEYS", "COST TODAY $", "ID",
                ]
            ) { tenant in
                [
                    tenant.name.text, tenant.status.rawValue, Output.limit(tenant.limits.requestsPerMinute),
                    Output.limit(tenant.limits.tokensPerMinute), Output.limit(tenant.limits.parallel),
                    tenant.usesPlatformKeys ? "on" : "off", tenant.costToday.dollars(decimals: 4),
                    tenant.id.text,
                ]
            }
        }
    }

    struct Show: AsyncParsableCommand {
        static let configuration = CommandConfiguration(
            abstract: "Show one tenant with its keys.", discussion: "Example:\n  gatehouse tenant show acme")
        @OptionGroup var global: GlobalOptions
        @OptionGroup var listing: ListingOptions
        @Argument var name: TenantName

        func run() async throws {
            let picture = try await global.open().picture()
            guard let tenant = picture.tenants.first(where: { $0.name == name }) else {
                throw CommandFailure("there is no tenant \(name); see: gatehouse tenant list")
            }
            guard !listing.json else { return try Output.json(tenant) }
            Output.line(
                "tenant     \(tenant.name)  \(tenant.status.rawValue)  since \(tenant.created.civil.date)")
            Output.line(
                "limits     rpm \(Output.limit(tenant.limits.requestsPerMinute))  tpm "
                    + "\(Output.limit(tenant.limits.tokensPerMinute))  parallel \(Output.limit(tenant.limits.parallel))"
            )
            Output.line(
                "cost today $\(tenant.costToday.dollars(decimals: 6))  unpriced calls \(tenant.unpricedToday)"
            )
            Output.line("platform   keys \(tenant.usesPlatformKeys ? "on" : "off")")
            for drill in picture.drills where drill.tenant == name {
                Output.line(
                    "DRILL      \(drill.fault.rawValue) on \(drill.percent)% of its calls until "
                        + "\(drill.until.civil.clock)Z, by \(drill.owner): \(drill.reason)")
            }
            for key in picture.providerKeys where key.tenant == name {
                Output.line(
                    "key        \(key.provider)/\(key.label)  \(key.fingerprint)  \(key.state.rawValue)  "
                        + "\(KeyText.health(key))  \(key.id)")
            }
            for key in picture.virtualKeys where key.tenant == name {
                Output.line(
                    "token      \(key.name)  \(key.fingerprint)  \(key.word(at: picture.at))  \(key.id)")
            }
        }
    }

    struct Suspend: AsyncParsableCommand {
        static let configuration = CommandConfiguration(
            abstract: "Refuse a tenant's calls from the next one on.",
            discussion: "Example:\n  gatehouse tenant suspend acme --reason 'unpaid'")
        @OptionGroup var global: GlobalOptions
        @Argument var name: TenantName
        @Option(help: "Goes to the audit.") var reason: String

        func run() async throws {
            try await global.open().carryOut(.tenantSuspend(name: name, reason: reason))
        }
    }

    struct Resume: AsyncParsableCommand {
        static let configuration = CommandConfiguration(
            abstract: "Serve a suspended tenant's calls again.",
            discussion: "Example:\n  gatehouse tenant resume acme")
        @OptionGroup var global: GlobalOptions
        @Argument var name: TenantName

        func run() async throws { try await global.open().carryOut(.tenantResume(name: name)) }
    }

    struct Delete: AsyncParsableCommand {
        static let configuration = CommandConfiguration(
            abstract: "Destroy a tenant's keys and remove it, its tokens and its ledger, for good.",
            discussion: """
                Its data key is destroyed first, so that nothing sealed for it opens any more; then its file is removed.
                There is no undo. Older backups and copies of the data folder still hold its keys, for whoever has what
                opened the vault then: delete those too. The audit stays.

                Example:
                  gatehouse tenant delete acme --confirm acme --reason 'contract ended'
                """)
        @OptionGroup var global: GlobalOptions
        @OptionGroup var listing: ListingOptions
        @Argument var name: TenantName
        @Option(help: "The tenant's name once more.") var confirm: String
        @Option(help: "Goes to the audit.") var reason: String

        func run() async throws {
            try await global.open().carryOut(
                .tenantDelete(name: name, confirm: confirm, reason: reason), json: listing.json)
        }
    }

    struct PlatformKeys: AsyncParsableCommand {
        static let configuration = CommandConfiguration(
            commandName: "platform-keys",
            abstract: "Let a tenant's calls go out with the platform's keys where its own do not serve.",
            discussion: """
                The platform's keys are those of the tenant that the configuration names: [platform] tenant = "NAME".
                Calls served by them are marked in the ledger and in the answer's headers.

                Example:
                  gatehouse tenant platform-keys acme on
                """)
        @OptionGroup var global: GlobalOptions
        @Argument var name: TenantName
        @Argument var use: Switch

        func run() async throws {
            try await global.open().carryOut(.tenantPlatformKeys(name: name, used: use == .on))
        }
    }
}

/// `on` or `off`.
enum Switch: String, ExpressibleByArgument, CaseIterable { case on, off }

/// Limits as options.
struct LimitOptions: ParsableArguments {
    @Option(help: "Requests per minute.") var rpm: Int?
    @Option(help: "Tokens per minute.") var tpm: Int?
    @Option(help: "Calls at the same time.") var parallel: Int?

    var set: LimitSet { LimitSet(requestsPerMinute: rpm, tokensPerMinute: tpm, parallel: parallel) }

    func validate() throws {
        for (name, value) in [("rpm", rpm), ("tpm", tpm), ("parallel", parallel)] {
            guard let value else { continue }
            guard (1...1_000_000_000).contains(value) else {
                throw ValidationError("--\(name) takes a whole number from 1 to 1000000000")
            }
        }
    }
}
