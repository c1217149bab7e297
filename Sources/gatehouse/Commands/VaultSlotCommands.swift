public import ArgumentParser
import Assembly
import Domain
import Operations

struct VaultSlotCommand: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "slot", abstract: "What opens the vault: list, add, remove.",
        discussion: "Example:\n  gatehouse vault slot add keyfile /etc/gatehouse/vault.key",
        subcommands: [List.self, Add.self, Remove.self])

    struct List: AsyncParsableCommand {
        static let configuration = CommandConfiguration(
            abstract: "List what opens the vault.", discussion: "Example:\n  gatehouse vault slot list --json"
        )
        @OptionGroup var global: GlobalOptions
        @OptionGroup var listing: ListingOptions

        func run() async throws {
            let session = try await OperatorSession.openSealed(try global.places)
            try Output.listing(
                try await session.picture().vault.slotList, json: listing.json,
                columns: ["KIND", "CREATED", "ID", "KEPT BY"]
            ) { [$0.kind.rawValue, $0.created.civil.date, $0.id.text, $0.keptBy ?? "-"] }
        }
    }

    struct Add: AsyncParsableCommand {
        static let configuration = CommandConfiguration(
            abstract:
                "Let the vault open with another key file, passphrase, token or key service too.",
            discussion: """
                A key file that is not there yet is made. Passphrases cost what a new vault's does, whatever the slots
                that are there cost. pkcs11 takes the AES key on the token that [vault.pkcs11] in the configuration
                describes, which never leaves it; its PIN is asked for, unless the configuration says where it lies.
                kms takes the key at the service that [vault.kms] describes.

                Example:
                  gatehouse vault slot add keyfile /etc/gatehouse/vault.key
                  gatehouse vault slot add passphrase
                  gatehouse vault slot add pkcs11
                  gatehouse vault slot add kms
                """)
        @OptionGroup var global: GlobalOptions
        @OptionGroup var listing: ListingOptions
        @OptionGroup var source: SecretSource
        @Argument(help: "keyfile, passphrase, pkcs11 or kms") var kind: SlotKind
        @Argument(help: "The key file: an absolute path outside the data folder.") var path: String?

        func validate() throws {
            guard kind != .recovery else { throw ValidationError("use: gatehouse vault recovery create") }
            guard (kind == .keyFile) == (path != nil) else {
                throw ValidationError("a path goes with keyfile, and only with it")
            }
        }

        func run() async throws {
            let session = try await global.open()
            let secret =
                if let path {
                    try VaultInput.keyFile(path, global.places)
                } else if kind.isKeptOutside {
                    try VaultInput.outside(kind, global.places, source)
                } else {
                    try VaultInput.newPassphrase(source)
                }
            try await session.carryOut(.vaultSlotAdd(kind: kind), secret: secret, json: listing.json)
        }
    }

    struct Remove: AsyncParsableCommand {
        static let configuration = CommandConfiguration(
            abstract: "Take away one way to open the vault; never the last one.",
            discussion: "Example:\n  gatehouse vault slot remove 3f9c2a17")
        @OptionGroup var global: GlobalOptions
        @OptionGroup var listing: ListingOptions
        @Argument(help: "The slot's id, or the beginning of it.") var slot: String

        func run() async throws {
            let session = try await global.open()
            let slots = try await session.picture().vault.slotList
            let matches = slots.filter { $0.id.text.utf8.starts(with: slot.lowercased().utf8) }
            guard !slot.isEmpty, matches.count == 1 else {
                throw CommandFailure(
                    matches.isEmpty
                        ? "there is no slot \(slot); see: gatehouse vault slot list"
                        : "\(matches.count) slots begin with \(slot); give more of the id")
            }
            try await session.carryOut(.vaultSlotRemove(slot: matches[0].id), json: listing.json)
        }
    }
}

struct VaultPassphraseCommand: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "passphrase", abstract: "The vault's passphrase: change.",
        discussion: "Example:\n  gatehouse vault passphrase change", subcommands: [Change.self])

    struct Change: AsyncParsableCommand {
        static let configuration = CommandConfiguration(
            abstract: "Put another passphrase in the place of the present one.",
            discussion: """
                The root key stays: who has an old copy of the data folder and the old passphrase reads what is written
                later too. --compromised is for a passphrase that leaked: it also puts a new root and new tenants' keys
                in force, seals everything anew, and lists the provider keys that their owners have to rotate, since
                whoever had the passphrase may have read them. Slots other than the passphrase need --keyfile or go
                with --drop-others. With --from-stdin the present passphrase and the new one are two lines.

                Example:
                  gatehouse vault passphrase change
                  gatehouse vault passphrase change --compromised --drop-others
                """)
        @OptionGroup var global: GlobalOptions
        @OptionGroup var listing: ListingOptions
        @OptionGroup var source: SecretSource
        @Flag(help: "The passphrase leaked: new root, new keys, everything sealed anew.") var compromised =
            false
        @Option(help: "With --compromised: the key file of a slot that stays.") var keyfile: [String] = []
        @Flag(help: "With --compromised: take the other slots away.") var dropOthers = false

        func run() async throws {
            let session = try await OperatorSession.openSealed(try global.places)
            let old = try source.read("present passphrase: ")
            try await session.unlockFolder(with: old, for: .passphrase)
            let new = try VaultInput.newPassphrase(source)
            var kept = [new]
            for path in keyfile { kept.append(try VaultInput.keyFile(path, global.places)) }
            if compromised { try await refuseLeftOver(session) }
            try await session.carryOut(
                .vaultPassphraseChange, secret: SecretBundle.pack([old, new]), json: listing.json)
            guard compromised else { return }
            let kinds = [SlotKind.passphrase] + keyfile.map { _ in .keyFile }
            try await session.carryOut(
                .vaultRotateRoot(kinds: kinds, dropOthers: dropOthers), secret: try KeptSlots.bundle(kept))
            try await session.follow(quiet: listing.json)
            try await session.carryOut(.vaultRotateKeys(tenant: nil))
            try await session.follow(quiet: listing.json)
            let keys = try await session.picture().providerKeys.filter { $0.state != .revoked }
            Output.line(
                "rotate these at their providers (gatehouse key rotate ID), then revoke the old ones there:")
            for key in keys { Output.line("  \(key.tenant) \(key.provider)/\(key.label)  \(key.id)") }
        }

        /// Before anything is changed: what the new root would have no slot for.
        private func refuseLeftOver(_ session: OperatorSession) async throws {
            let slots = try await session.picture().vault.slotList
            let files = slots.count { $0.kind == .keyFile }
            let others =
                slots.count { $0.kind == .recovery || $0.kind.isKeptOutside }
                + max(0, slots.count { $0.kind == .passphrase } - 1)
            guard dropOthers || (files <= keyfile.count && others == 0) else {
                throw CommandFailure(
                    "there are slots besides this passphrase: name key files with --keyfile, or say --drop-others; "
                        + "see: gatehouse vault slot list. Nothing was changed.")
            }
        }
    }
}

struct VaultRecoveryCommand: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "recovery", abstract: "The vault's recovery key: create.",
        discussion: "Example:\n  gatehouse vault recovery create", subcommands: [Create.self])

    struct Create: AsyncParsableCommand {
        static let configuration = CommandConfiguration(
            abstract: "Make a recovery key for paper; it is shown once and asked back.",
            discussion: """
                256 bits in four groups. It opens the vault when nothing else does: gatehouse vault unlock --recovery.
                It counts only once it was typed back. A script that keeps it safe itself says --no-confirm: then the
                key is printed, as the last line, after its slot is made.

                Example:
                  gatehouse vault recovery create
                """)
        @OptionGroup var global: GlobalOptions
        @Flag(help: "Do not ask the key back; print it as the last line.") var noConfirm = false

        func run() async throws {
            let session = try await global.open()
            let key = try RecoveryKit.make()
            if !noConfirm { try VaultInput.showAndAskBack(key) }
            try await session.carryOut(.vaultSlotAdd(kind: .recovery), secret: key)
            if noConfirm { Output.secret(key) }
        }
    }
}

/// Secrets of the vault from a prompt, standard input or a file.
enum VaultInput {
    static func keyFile(_ path: String, _ places: Places) throws -> SecretDraft {
        do {
            try SecretInput.makeKeyFile(path, outside: places.data)
            return try SecretInput.keyFile(path, outside: places.data)
        } catch {
            throw CommandFailure(error)
        }
    }

    /// What a key outside asks of a person: a token's PIN, or nothing.
    static func outside(
        _ kind: SlotKind, _ places: Places, _ source: SecretSource, asking: Bool = false
    ) throws -> SecretDraft {
        do {
            return try VaultSecret.outside(kind, places, asking: asking) { try source.read($0) }
        } catch {
            throw CommandFailure(error)
        }
    }

    /// Asks twice; a script gives one line.
    static func newPassphrase(_ source: SecretSource) throws -> SecretDraft {
        let first = try source.read("new passphrase (12 characters or more): ")
        guard !source.fromStdin else { return first }
        let second = try source.read("once more: ")
        let same = first.withBytes { left in second.withBytes { left.elementsEqual($0) } }
        guard same else { throw CommandFailure("the two passphrases differ; nothing was changed") }
        return first
    }

    static func showAndAskBack(_ key: SecretDraft) throws {
        Output.line("Write this on paper and keep it where neither this machine nor its backups are:")
        Output.secret(key)
        let typed: SecretDraft
        do {
            _ = try SecretInput.ask("type yes when it is written down; the screen is then cleared: ")
            Output.clearScreen()
            typed = try SecretInput.ask("the recovery key, from the paper: ")
            guard try RecoveryKit.matches(typed, key) else {
                throw CommandFailure("that is another key; nothing was changed, make a new one")
            }
        } catch {
            throw CommandFailure(error)
        }
        typed.wipe()
    }
}

extension SlotKind: ExpressibleByArgument {}
