import ArgumentParser
import Assembly
import Domain
import Operations

struct LimitCommand: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "limit",
        abstract: "Limits of a tenant, and of users, teams and keys in it: set, list, clear.",
        discussion: "Example:\n  gatehouse limit set acme --team search --rpm 300 --parallel 10",
        subcommands: [Set.self, List.self, Clear.self])

    struct Set: AsyncParsableCommand {
        static let configuration = CommandConfiguration(
            abstract: "Put the limits of a tenant or of someone in it; what is not given has no limit.",
            discussion: "Example:\n  gatehouse limit set acme --user mira --tpm 50000")
        @OptionGroup var global: GlobalOptions
        @OptionGroup var owner: OwnerOptions
        @OptionGroup var limits: LimitOptions

        func validate() throws {
            guard !limits.set.isEmpty else {
                throw ValidationError(
                    "give --rpm, --tpm or --parallel; gatehouse limit clear takes limits away")
            }
        }

        func run() async throws {
            let session = try await global.open()
            try await session.carryOut(
                .limitSet(tenant: owner.tenant, owner: try await owner.found(by: session), limits: limits.set)
            )
        }
    }

    struct Clear: AsyncParsableCommand {
        static let configuration = CommandConfiguration(
            abstract: "Take away the limits of a tenant or of someone in it.",
            discussion: "Example:\n  gatehouse limit clear acme --team search")
        @OptionGroup var global: GlobalOptions
        @OptionGroup var owner: OwnerOptions

        func run() async throws {
            let session = try await global.open()
            try await session.carryOut(
                .limitSet(tenant: owner.tenant, owner: try await owner.found(by: session), limits: LimitSet())
            )
        }
    }

    struct List: AsyncParsableCommand {
        static let configuration = CommandConfiguration(
            abstract: "List a tenant's limits and what is left of them now.",
            discussion: "Example:\n  gatehouse limit list acme --json")
        @OptionGroup var global: GlobalOptions
        @OptionGroup var listing: ListingOptions
        @Argument var tenant: TenantName

        func run() async throws {
            let session = try await global.open()
            guard case .limits(let views) = try await session.question(.limits(tenant: tenant)) else {
                return
            }
            try Output.listing(
                views, json: listing.json,
                columns: ["OF", "NAME", "RPM", "LEFT", "TPM", "LEFT", "PARALLEL", "RUNNING"]
            ) { view in
                [
                    view.kind, view.name, Output.limit(view.limits.requestsPerMinute),
                    Output.limit(view.requestsLeft), Output.limit(view.limits.tokensPerMinute),
                    Output.limit(view.tokensLeft), Output.limit(view.limits.parallel), String(view.inFlight),
                ]
            }
        }
    }
}

/// Whom a limit is for, as options; none of them = the tenant as a whole.
struct OwnerOptions: ParsableArguments {
    @Argument var tenant: TenantName
    @Option(help: "The calls of all virtual keys issued to this user.") var user: Label?
    @Option(help: "The calls of all virtual keys issued to this team.") var team: Label?
    @Option(help: "A virtual key, by the beginning of its id.") var token: String?
    @Option(
        help: "What is sent with a provider key (the beginning of its id); above it, another key is tried.")
    var providerKey: String?

    func validate() throws {
        guard [user?.text, team?.text, token, providerKey].compactMap({ $0 }).count <= 1 else {
            throw ValidationError("give one of --user, --team, --token, --provider-key")
        }
    }

    func found(by session: OperatorSession) async throws -> LimitOwner {
        if let user { return .user(user) }
        if let team { return .team(team) }
        if let token { return .virtualKey(try await session.virtualKey(token)) }
        if let providerKey { return .providerKey(try await session.providerKey(providerKey)) }
        return .tenant
    }
}
