import ArgumentParser
import Assembly
import Domain
import Operations

struct VaultRotateRootCommand: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "rotate-kek", abstract: "Put a new root key in force, and destroy the old one.",
        discussion: """
            The new root goes into a new slot for each secret that is given: without options the one that the
            configuration names; a slot whose secret is not given goes, if --drop-others says so. Tenants' keys are
            then wrapped anew while calls go on; a rotation that is interrupted goes on by itself.

            Example:
              gatehouse vault rotate-kek --passphrase --recovery
            """)
    @OptionGroup var global: GlobalOptions
    @OptionGroup var listing: ListingOptions
    @OptionGroup var slots: KeptSlots

    func run() async throws {
        let session = try await OperatorSession.openSealed(try global.places)
        let (kinds, secrets) = try slots.read(try global.places)
        if let kind = kinds.first, let secret = secrets.first {
            try await session.unlockFolder(with: secret, for: kind)
        }
        try await session.carryOut(
            .vaultRotateRoot(kinds: kinds, dropOthers: slots.dropOthers),
            secret: try KeptSlots.bundle(secrets), json: listing.json)
        try await session.follow(quiet: listing.json)
    }
}

struct VaultRotateKeysCommand: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "rotate-dek", abstract: "Give tenants new data keys, and seal their provider keys anew.",
        discussion: """
            New records are sealed with the new key at once; the others follow while calls go on, and the old key is
            destroyed when none is left. Happens by itself after 365 days.

            Example:
              gatehouse vault rotate-dek --tenant acme
            """)
    @OptionGroup var global: GlobalOptions
    @OptionGroup var listing: ListingOptions
    @Option(help: "This tenant's key alone.") var tenant: TenantName?

    func run() async throws {
        let session = try await global.open()
        try await session.carryOut(.vaultRotateKeys(tenant: tenant), json: listing.json)
        try await session.follow(quiet: listing.json)
    }
}

/// The slots that are to hold a new root.
struct KeptSlots: ParsableArguments {
    @Flag(help: "Ask for the passphrase of a slot that stays.") var passphrase = false
    @Option(help: "The key file of a slot that stays; may be given several times.") var keyfile: [String] = []
    @Flag(help: "Ask for the recovery key, so that its slot stays.") var recovery = false
    @Flag(help: "The token's slot stays; asks for its PIN unless the configuration says where it lies.")
    var pkcs11 = false
    @Flag(help: "The key service's slot stays.") var kms = false
    @Flag(help: "Take the slots away whose secrets are not given.") var dropOthers = false
    @OptionGroup var source: SecretSource

    func read(_ places: Places) throws -> ([SlotKind], [SecretDraft]) {
        var found: [(SlotKind, SecretDraft)] = []
        do {
            for path in keyfile {
                found.append((.keyFile, try SecretInput.keyFile(path, outside: places.data)))
            }
            if passphrase { found.append((.passphrase, try source.read("passphrase: "))) }
            if recovery { found.append((.recovery, try source.read("recovery key: "))) }
            if pkcs11 { found.append((.token, try VaultInput.outside(.token, places, source))) }
            if kms { found.append((.keyService, try VaultInput.outside(.keyService, places, source))) }
            if found.isEmpty { found.append(try VaultSecret.configured(places)) }
        } catch {
            throw CommandFailure(error)
        }
        return (found.map(\.0), found.map(\.1))
    }

    static func bundle(_ secrets: [SecretDraft]) throws -> SecretDraft {
        guard let bundle = SecretBundle.pack(secrets) else {
            throw CommandFailure("these secrets are longer than \(SecretDraft.longest) bytes together")
        }
        return bundle
    }
}

extension OperatorSession {
    /// Shows how far a rotation is until it is done.
    func follow(quiet: Bool) async throws {
        let isDone: Bool
        do throws(CommandRefusal) {
            isDone = try await followVault { work in
                guard !quiet else { return }
                let cells = work.total > 0 ? 30 * work.done / work.total : 30
                let bar = String(repeating: "#", count: cells) + String(repeating: ".", count: 30 - cells)
                Output.progress("[\(bar)] \(work.done) of \(work.total)")
            }
        } catch {
            throw CommandFailure(error.message)
        }
        guard isDone else {
            throw CommandFailure(
                "the rotation stands still: the vault is locked, or something does not open; see: gatehouse vault verify"
            )
        }
        if !quiet { Output.line("done: nothing is left under the old key, and it is destroyed") }
    }
}
