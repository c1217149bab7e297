import ArgumentParser
import Assembly
import Domain
import Operations

struct KeyCommand: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "key", abstract: "Provider keys: add, list, set, verify, rotate, undo, drain, revoke.",
        discussion: """
            A secret comes from a prompt without echo or, with --from-stdin, from standard input; never from an argument.
            A key is named by its id, or by the beginning of it, from: gatehouse key list

            Example:
              gatehouse key add acme openai
            """,
        subcommands: [
            Add.self, List.self, Set.self, Verify.self, Rotate.self, Undo.self, Drain.self, Revoke.self,
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
            abstract: "Verify a successor, try it, switch to it, let the old key drain, then revoke it.",
            discussion: """
                At first the new key takes a share of the calls. If its provider refuses it meanwhile, the old key keeps
                the calls; if not, the new one takes all of them. Until the old key's drain ends, undo puts it back.

                Example:
                  gatehouse key rotate 3f9c2a17 --from-stdin < new-key
                  gatehouse key rotate 3f9c2a17 --canary 20 --for 10m --drain 1h
                  gatehouse key rotate 3f9c2a17 --now
                """)
        @OptionGroup var global: GlobalOptions
        @OptionGroup var source: SecretSource
        @Argument var key: String
        @Option(help: "Of a hundred calls, those that try the new key: 1 to 99, 0 for no trial.") var canary =
            CanaryOrder.usual.percent
        @Option(name: .customLong("for"), help: "How long it is tried: 30s, 2m, 1h.") var duration: Seconds =
            Seconds(CanaryOrder.usual.seconds)
        @Flag(help: "Switch at once, without a trial.") var now = false
        @Option(help: "How long the old key stays usable for undo after that: 30s, 10m, 2h.") var drain:
            Seconds =
                Seconds(600)
        @Flag(help: "Go on when the provider cannot be asked.") var acceptUnverified = false

        func validate() throws {
            guard (0...99).contains(canary) else {
                throw ValidationError("--canary takes a whole number from 0 to 99")
            }
        }

        func run() async throws {
            let session = try await global.open()
            let id = try await session.providerKey(key)
            let trial =
                now || canary == 0 ? nil : CanaryOrder(percent: canary, seconds: duration.count)
            let secret = try source.read("successor of \(id.short): ")
            try await session.carryOut(
                .keyRotate(
                    key: id, canary: trial, drainSeconds: drain.count, acceptUnverified: acceptUnverified),
                secret: secret)
        }
    }

    struct Undo: AsyncParsableCommand {
        static let configuration = CommandConfiguration(
            abstract: "Put traffic back on a draining key, or end the trial of its successor.",
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
            discussion: """
                Example:
                  gatehouse key drain 3f9c2a17 --dry-run
                  gatehouse key drain 3f9c2a17 --for 10m --reason 'left the company'
                """)
        @OptionGroup var global: GlobalOptions
        @OptionGroup var trial: TrialOptions
        @Argument var key: String
        @Option(name: .customLong("for"), help: "How long it stays in reserve: 10m, 2h.") var duration:
            Seconds =
                Seconds(600)
        @Option(help: "Goes to the audit.") var reason: String = ""

        func validate() throws { try trial.check() }

        func run() async throws {
            let session = try await trial.session(global)
            let id = try await session.providerKey(key)
            if trial.dryRun { return try await trial.show(.drainKey(id), session) }
            try await session.carryOut(.keyDrain(key: id, seconds: duration.count, reason: reason))
        }
    }

    struct Revoke: AsyncParsableCommand {
        static let configuration = CommandConfiguration(
            abstract: "Erase a key's sealed record; no call uses it again.",
            discussion: "Example:\n  gatehouse key revoke 3f9c2a17 --reason leaked")
        @OptionGroup var global: GlobalOptions
        @OptionGroup var trial: TrialOptions
        @Argument var key: String
        @Option(help: "Goes to the audit; not needed with --dry-run.") var reason: String = ""

        func validate() throws { try trial.check(reason) }

        func run() async throws {
            let session = try await trial.session(global)
            let id = try await session.providerKey(key)
            if trial.dryRun { return try await trial.show(.revokeKey(id), session) }
            try await session.carryOut(.keyRevoke(key: id, reason: reason))
        }
    }
}
