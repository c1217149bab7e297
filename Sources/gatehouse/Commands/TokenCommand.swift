import ArgumentParser
import Assembly
import Domain
import Operations

struct TokenCommand: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "token", abstract: "Virtual keys: issue, list, rotate, revoke.",
        discussion: "Example:\n  gatehouse token issue acme --name web-prod --rpm 300 --models 'gpt-*'",
        subcommands: [Issue.self, List.self, Rotate.self, Revoke.self])

    struct Issue: AsyncParsableCommand {
        static let configuration = CommandConfiguration(
            abstract: "Issue a virtual key; it is shown this once.",
            discussion: "Example:\n  gatehouse token issue acme --name web-prod --expires 90d")
        @OptionGroup var global: GlobalOptions
        @OptionGroup var limits: LimitOptions
        @Argument var tenant: TenantName
        @Option var name: Label?
        @Option var user: Label?
        @Option var team: Label?
        @Option(help: "Model names separated by commas; a trailing * stands for anything. None = all.")
        var models: String = ""
        @Option(help: "How long it lives: 12h, 90d. None = until revoked.") var expires: Seconds?
        @Flag(help: "Nobody waits for its answers: under overload they give way to the others'.") var batch =
            false

        func run() async throws {
            let names: [ModelName]
            do {
                names = try models.split(separator: ",").map { try ModelName(String($0)) }
            } catch {
                throw CommandFailure("--models: \(error)")
            }
            try await global.open().carryOut(
                .tokenIssue(
                    TokenOrder(
                        tenant: tenant, name: try name ?? Label("default"), user: user, team: team,
                        models: names,
                        limits: limits.set, expiresInSeconds: expires?.count,
                        callClass: batch ? .batch : .interactive)))
        }
    }

    struct List: AsyncParsableCommand {
        static let configuration = CommandConfiguration(
            abstract: "List virtual keys by fingerprint.", discussion: "Example:\n  gatehouse token list")
        @OptionGroup var global: GlobalOptions
        @OptionGroup var listing: ListingOptions

        func run() async throws {
            let picture = try await global.open().picture()
            try Output.listing(
                picture.virtualKeys, json: listing.json,
                columns: [
                    "TENANT", "NAME", "FINGERPRINT", "STATE", "CLASS", "USER", "TEAM", "RPM", "TPM",
                    "PARALLEL",
                    "MODELS", "EXPIRES", "ID",
                ]
            ) { key in
                [
                    key.tenant.text, key.name.text, key.fingerprint, key.word(at: picture.at),
                    key.callClass.rawValue,
                    key.user?.text ?? "-", key.team?.text ?? "-",
                    Output.limit(key.limits.requestsPerMinute), Output.limit(key.limits.tokensPerMinute),
                    Output.limit(key.limits.parallel),
                    key.models.isEmpty ? "all" : key.models.map(\.text).joined(separator: ","),
                    key.expires?.civil.date ?? "never", key.id.text,
                ]
            }
        }
    }

    struct Rotate: AsyncParsableCommand {
        static let configuration = CommandConfiguration(
            abstract: "Issue a successor; the old virtual key works until the overlap ends.",
            discussion: "Example:\n  gatehouse token rotate 7b20cc41 --overlap 24h")
        @OptionGroup var global: GlobalOptions
        @Argument var token: String
        @Option(help: "How long both work: 30m, 24h.") var overlap: Seconds = Seconds(86_400)

        func run() async throws {
            let session = try await global.open()
            try await session.carryOut(
                .tokenRotate(key: try await session.virtualKey(token), overlapSeconds: overlap.count))
        }
    }

    struct Revoke: AsyncParsableCommand {
        static let configuration = CommandConfiguration(
            abstract: "End a virtual key from the next call on.",
            discussion: "Example:\n  gatehouse token revoke 7b20cc41 --reason leaked")
        @OptionGroup var global: GlobalOptions
        @Argument var token: String
        @Option var reason: String

        func run() async throws {
            let session = try await global.open()
            try await session.carryOut(.tokenRevoke(key: try await session.virtualKey(token), reason: reason))
        }
    }
}
