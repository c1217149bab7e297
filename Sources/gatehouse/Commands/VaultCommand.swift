import ArgumentParser
import Assembly
import Domain
import Operations

struct VaultCommand: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "vault",
        abstract: "The vault: unlock, lock, verify, accept, what opens it, rotation of its keys.",
        discussion: "Example:\n  gatehouse vault unlock",
        subcommands: [
            Status.self, Unlock.self, Lock.self, Verify.self, Accept.self, VaultSlotCommand.self,
            VaultPassphraseCommand.self, VaultRecoveryCommand.self, VaultRotateRootCommand.self,
            VaultRotateKeysCommand.self,
        ])

    struct Status: AsyncParsableCommand {
        static let configuration = CommandConfiguration(
            abstract: "Show whether the vault is open and what it holds.",
            discussion: "Example:\n  gatehouse vault status --json")
        @OptionGroup var global: GlobalOptions
        @OptionGroup var listing: ListingOptions

        func run() async throws {
            let session = try await OperatorSession.openSealed(try global.places)
            let vault = try await session.picture().vault
            guard !listing.json else { return try Output.json(vault) }
            Output.line("vault      \(vault.unlocked ? "unlocked" : "SEALED")")
            Output.line(
                "slots      \(vault.slots.joined(separator: ", "))   root version \(vault.rootVersion)")
            Output.line("keys       \(vault.sealedKeys) sealed, \(vault.damagedKeys) damaged")
            for line in vault.distrusted { Output.line("CHANGED    \(line)") }
        }
    }

    struct Unlock: AsyncParsableCommand {
        static let configuration = CommandConfiguration(
            abstract: "Unlock the vault of a running engine.",
            discussion: """
                With --pkcs11 or --kms by a key that is kept outside, as the configuration describes it there; a token's PIN is
                asked for unless the configuration says where it lies.

                Example:
                  gatehouse vault unlock
                  gatehouse vault unlock --pkcs11
                """)
        @OptionGroup var global: GlobalOptions
        @OptionGroup var source: SecretSource
        @Flag(help: "Ask for the recovery key instead of the passphrase.") var recovery = false
        @Flag(help: "By the key of a token.") var pkcs11 = false
        @Flag(help: "By the key of a key service.") var kms = false
        @Flag(help: "Ask for the token's PIN, also where the configuration says where it lies.")
        var askPin = false

        func validate() throws {
            guard [recovery, pkcs11, kms].count(where: { $0 }) < 2 else {
                throw ValidationError("--recovery, --pkcs11 or --kms: one of them")
            }
            guard pkcs11 || !askPin else { throw ValidationError("--ask-pin goes with --pkcs11") }
        }

        func run() async throws {
            let session = try OperatorSession.openRunning(try global.places)
            guard !pkcs11, !kms else {
                let kind = pkcs11 ? SlotKind.token : .keyService
                let pin = try VaultInput.outside(kind, try global.places, source, asking: askPin)
                return try await session.carryOut(.vaultUnlockOutside(kind: kind), secret: pin)
            }
            try await session.carryOut(
                .vaultUnlock, secret: try source.read(recovery ? "recovery key: " : "passphrase: "))
        }
    }

    struct Lock: AsyncParsableCommand {
        static let configuration = CommandConfiguration(
            abstract: "Forget every key of a running engine: calls get a 503 until it is unlocked again.",
            discussion: "Example:\n  gatehouse vault lock --reason 'laptop stolen'")
        @OptionGroup var global: GlobalOptions
        @OptionGroup var listing: ListingOptions
        @Option(help: "Goes to the audit.") var reason: String = ""

        func run() async throws {
            let session = try OperatorSession.openRunning(try global.places)
            try await session.carryOut(.vaultLock(reason: reason), json: listing.json)
        }
    }

    struct Verify: AsyncParsableCommand {
        static let configuration = CommandConfiguration(
            abstract:
                "Open every sealed record, check every coded row; exit 1 and a line for each that is bad.",
            discussion: """
                A line names the tenant, the table with its column, the row, and why. Nothing is changed; a provider key
                that does not open is not used any more, nor is a virtual key whose row was changed from outside.

                Example:
                  gatehouse vault verify --json
                """)
        @OptionGroup var global: GlobalOptions
        @OptionGroup var listing: ListingOptions

        func run() async throws {
            try await global.open().carryOut(.vaultVerify, json: listing.json)
        }
    }

    struct Accept: AsyncParsableCommand {
        static let configuration = CommandConfiguration(
            abstract:
                "Take tenants, virtual keys and limits as they stand, although something else changed them.",
            discussion: """
                Each of these rows carries a code that only the open vault can make; one that was changed from outside is
                not used. A backup is the way back. This is the other way: look at what vault verify says and at the
                rows, then give all of them new codes as they stand. What was found goes to the audit.

                Example:
                  gatehouse vault accept --reason 'row repaired by hand, ticket 17'
                """)
        @OptionGroup var global: GlobalOptions
        @OptionGroup var listing: ListingOptions
        @Option(help: "Goes to the audit.") var reason: String

        func run() async throws {
            try await global.open().carryOut(.vaultAccept(reason: reason), json: listing.json)
        }
    }
}
