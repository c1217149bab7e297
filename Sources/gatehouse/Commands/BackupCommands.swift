import ArgumentParser
import Assembly
import Domain
import Operations

struct BackupCommand: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "backup",
        abstract: "Copy the data folder, sealed, into a new folder; also while calls run.",
        discussion: """
            All files are of one cut: commands wait until the copies are made, calls do not. The backup opens with what
            opens the vault at that time. It does not hold the configuration file.

            Example:
              gatehouse backup /backups/gatehouse-monday
              gatehouse backup /backups/acme --tenant acme
            """)
    @OptionGroup var global: GlobalOptions
    @OptionGroup var listing: ListingOptions
    @Argument(help: "A folder that is not there yet.") var folder: String
    @Option(help: "Only this tenant's keys and ledger.") var tenant: TenantName?

    func run() async throws {
        let path = try Places.absolutePath(folder)
        try await global.open().carryOut(.backup(folder: path, tenant: tenant), json: listing.json)
    }
}

struct RestoreCommand: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "restore", abstract: "Restore a backup, or one tenant of it; no engine may run.",
        discussion: """
            Everything is checked before live files are touched, and those are moved aside, never deleted. The secret that
            is asked for is the one that opened the vault when the backup was made. Restored tenants are suspended: what
            was revoked after the backup may be good again; look, then resume them.

            Example:
              gatehouse restore /backups/gatehouse-monday --verify
              gatehouse restore /backups/gatehouse-monday --data /var/lib/gatehouse
              gatehouse restore /backups/gatehouse-monday --tenant acme --replace
            """)
    @OptionGroup var global: GlobalOptions
    @Argument(help: "The backup's folder.") var folder: String
    @Option(help: "Only this tenant's keys and ledger, into the vault they came from.") var tenant:
        TenantName?
    @Flag(help: "Check everything and change nothing.") var verify = false
    @Flag(help: "Move what is there aside.") var replace = false
    @Flag(name: .customLong("from-stdin"), help: "Read the secret from standard input.") var fromStdin = false

    func run() async throws {
        let restorer = BackupRestorer(
            folder: try Places.absolutePath(folder), tenant: tenant, verifies: verify, replaces: replace)
        do {
            let lines = try await restorer.run(try global.places, fromStandardInput: fromStdin)
            for line in lines { Output.line(line) }
        } catch {
            throw CommandFailure(error)
        }
    }
}
