import ArgumentParser
import Assembly
import Domain
import Operations

struct KeyCommand: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "key", abstract: "Provider keys: add, list, verify, rotate, undo, drain, revoke.",
        discussion: """
            A secret comes from a prompt without echo or, with --from-stdin, from standard input; never from an argument.
            A key is named by its id, or by the beginning of it, from: gatehouse key list

            Example:
              gatehouse key add acme openai
            """,
        subcommands: [
            Add.self, List.self, Verify.self, Rotate.self, Undo.self, Drain.self, Revoke.self,
        ])

    struct Add: AsyncParsableCommand {
        static let configuration = CommandConfiguration(
            abstract: "Seal a tenant's provider key, after a free call to the provider with it.",
            discussion: "Example:\n  gatehouse key add acme openai --label main")
        @OptionGroup var global: GlobalOptions
        @OptionGroup var source: SecretSource
        @Argument var tenant: TenantName
        @Argument var provider: ProviderName
        @Option(help: "Tells keys of one provider apart.") var label: Label?
        @Flag(help: "Go on when the provider cannot be asked.") var acceptUnverified = false

        func run() async throws {
            let session = try await global.open()
            let secret = try source.read("\(provider) key of \(tenant): ")
            try await session.carryOut(
                .keyAdd(
                    tenant: tenant, provider: provider, label: try label ?? Label("main"),
                    acceptUnverified: acceptUnverified), secret: secret)
        }
    }

    struct List: AsyncParsableCommand {
        static let configuration = CommandConfiguration(
            abstract: "List provider keys by fingerprint.",
            discussion: "Example:\n  gatehouse key list --json")
        @OptionGroup var global: GlobalOptions
        @OptionGroup var listing: ListingOptions

        func run() async throws {
            let picture = try await global.open().picture()
            try Output.listing(
                picture.providerKeys, json: listing.json,
                columns: ["TENANT", "KEY", "FINGERPRINT", "STATE", "VERIFIED", "CREATED", "ID"]
            ) { key in
                [
                    key.tenant.text, "\(key.provider)/\(key.label)", key.fingerprint,
                    key.state == .active ? "active" : key.state.rawValue.uppercased(), key.verdict.rawValue,
                    key.created.civil.date, key.id.text,
                ]
            }
        }
    }

    struct Verify: AsyncParsableCommand {
        static let configuration = CommandConfiguration(
            abstract: "Ask the provider whether a key works (a free call).",
            discussion: "Example:\n  gatehouse key verify 3f9c2a17")
        @OptionGroup var global: GlobalOptions
        @Argument var key: String

        func run() async throws {
            let session = try await global.open()
            try await session.carryOut(.keyVerify(key: try await session.providerKey(key)))
        }
    }

    struct Rotate: AsyncParsableCommand {
        static let configuration = CommandConfiguration(
            abstract: "Verify a successor, switch to it, let the old key drain, then revoke it.",
            discussion: "Example:\n  gatehouse key rotate 3f9c2a17 --drain 10m --from-stdin < new-key")
        @OptionGroup var global: GlobalOptions
        @OptionGroup var source: SecretSource
        @Argument var key: String
        @Option(help: "How long the old key stays usable for undo: 30s, 10m, 2h.") var drain: Seconds =
            Seconds(600)
        @Flag(help: "Go on when the provider cannot be asked.") var acceptUnverified = false

        func run() async throws {
            let session = try await global.open()
            let id = try await session.providerKey(key)
            let secret = try source.read("successor of \(id.short): ")
            try await session.carryOut(
                .keyRotate(key: id, drainSeconds: drain.count, acceptUnverified: acceptUnverified),
                secret: secret)
        }
    }

    struct Undo: AsyncParsableCommand {
        static let configuration = CommandConfiguration(
            abstract: "Put traffic back on a draining key.",
            discussion: "Example:\n  gatehouse key undo 3f9c2a17")
        @OptionGroup var global: GlobalOptions
        @Argument var key: String

        func run() async throws {
            let session = try await global.open()
            try await session.carryOut(.keyUndo(key: try await session.providerKey(key)))
        }
    }

    struct Drain: AsyncParsableCommand {
        static let configuration = CommandConfiguration(
            abstract: "Use a key only as a reserve, then revoke it.",
            discussion: "Example:\n  gatehouse key drain 3f9c2a17 --for 10m --reason 'left the company'")
        @OptionGroup var global: GlobalOptions
        @Argument var key: String
        @Option(name: .customLong("for")) var duration: Seconds = Seconds(600)
        @Option var reason: String = ""

        func run() async throws {
            let session = try await global.open()
            try await session.carryOut(
                .keyDrain(key: try await session.providerKey(key), seconds: duration.count, reason: reason))
        }
    }

    struct Revoke: AsyncParsableCommand {
        static let configuration = CommandConfiguration(
            abstract: "Erase a key's sealed record; no call uses it again.",
            discussion: "Example:\n  gatehouse key revoke 3f9c2a17 --reason leaked")
        @OptionGroup var global: GlobalOptions
        @Argument var key: String
        @Option var reason: String

        func run() async throws {
            let session = try await global.open()
            try await session.carryOut(.keyRevoke(key: try await session.providerKey(key), reason: reason))
        }
    }
}

/// Where a secret comes from.
struct SecretSource: ParsableArguments {
    @Flag(name: .customLong("from-stdin"), help: "Read the secret from standard input instead of asking.")
    var fromStdin = false

    func read(_ prompt: String) throws -> SecretDraft {
        do {
            return fromStdin ? try SecretInput.fromStandardInput() : try SecretInput.ask(prompt)
        } catch {
            throw CommandFailure(error)
        }
    }
}

/// A duration such as `30s`, `10m`, `2h`, `7d`; a plain number is seconds.
struct Seconds: ExpressibleByArgument {
    let count: Int

    init(_ count: Int) { self.count = count }

    init?(argument: String) {
        let units: [Character: Int] = ["s": 1, "m": 60, "h": 3_600, "d": 86_400]
        let unit = argument.last.flatMap { units[$0] }
        let digits = unit == nil ? argument[...] : argument.dropLast()
        guard let number = Int(digits), number >= 0, number <= 366 * 86_400 else { return nil }
        count = number * (unit ?? 1)
    }

    var defaultValueDescription: String { "\(count)s" }
}

extension OperatorSession {
    /// Finds a provider key by its id or by an unambiguous beginning of it.
    func providerKey(_ text: String) async throws -> ProviderKeyID {
        try Self.find(text, among: try await picture().providerKeys.map(\.id), what: "key")
    }

    /// Finds a virtual key by its id or by an unambiguous beginning of it.
    func virtualKey(_ text: String) async throws -> VirtualKeyID {
        try Self.find(text, among: try await picture().virtualKeys.map(\.id), what: "token")
    }

    private static func find<Kind>(
        _ text: String, among ids: [Identifier<Kind>], what: String
    ) throws -> Identifier<Kind> {
        guard text.utf8.count >= 4 else {
            throw CommandFailure("name the \(what) by at least 4 digits of its id")
        }
        let found = ids.filter { $0.text.hasPrefix(text) }
        guard let first = found.first else {
            throw CommandFailure("there is no \(what) \(text); see: gatehouse \(what) list")
        }
        guard found.count == 1 else {
            throw CommandFailure("\(found.count) \(what)s begin with \(text); give more digits")
        }
        return first
    }
}
