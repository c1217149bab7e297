import ArgumentParser
import Assembly
import Domain
import Operations

struct AuditCommand: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "audit",
        abstract: "The audit: list, verify, export, its key, erasing who an operator was.",
        discussion: "Example:\n  gatehouse audit verify",
        subcommands: [List.self, Verify.self, Export.self, Key.self, NewLog.self, Erase.self])

    struct List: AsyncParsableCommand {
        static let configuration = CommandConfiguration(
            abstract: "List audit records, newest first.",
            discussion: "Example:\n  gatehouse audit list --limit 20")
        @OptionGroup var global: GlobalOptions
        @OptionGroup var listing: ListingOptions
        @Option(help: "At most this many.") var limit: Int = 50

        func run() async throws {
            let session = try await global.open()
            guard case .audit(let records) = try await session.question(.audit(before: nil, limit: limit))
            else { return }
            try Output.listing(
                records, json: listing.json,
                columns: [
                    "TIME", "#", "ACTOR", "VIA", "WHERE FROM", "ACTION", "TARGET", "BEFORE", "AFTER",
                    "RESULT", "REASON",
                ]
            ) { record in
                let draft = record.draft
                return [
                    draft.at.description, "\(record.sequence)", draft.actor, draft.via,
                    draft.origin.words, draft.action,
                    draft.target,
                    draft.before, draft.after, draft.result, draft.reason,
                ]
            }
        }
    }

    struct Verify: AsyncParsableCommand {
        static let configuration = CommandConfiguration(
            abstract:
                "Walk the whole chain, here or in an export; exit 1 and the first record that is wrong.",
            discussion: """
                With FILE nothing but the file is needed: no engine, no data folder, no passphrase. What was changed, removed,
                inserted or put in another order is found by the file alone; an end that was cut off, or a history that was
                written anew with the key, only by checkpoints that were kept elsewhere.

                Example:
                  gatehouse audit verify audit.jsonl --public-key FINGERPRINT --checkpoints /mnt/elsewhere/checkpoints
                """)
        @OptionGroup var global: GlobalOptions
        @Argument(help: "An export in JSON lines (default: the data folder itself).") var file: String?
        @Option(help: "The key, or its fingerprint, as `audit key` printed it when it was noted elsewhere.")
        var publicKey: String?
        @Option(help: "The file of checkpoints that was kept elsewhere.") var checkpoints: String?

        func validate() throws {
            guard file != nil || (publicKey == nil && checkpoints == nil) else {
                throw ValidationError("--public-key and --checkpoints go with the FILE of an export")
            }
        }

        func run() async throws {
            if let file { return try verify(file) }
            let session = try await global.openSealed()
            switch try await session.question(.verifyAudit) {
            case .auditIntact(let records, let head):
                Output.line("the chain is intact: \(records) records, head \(head)")
                guard case .auditLog(let log) = try await session.question(.auditLog) else { return }
                Output.line("tree root \(log.root)")
                Output.line("signed: \(log.signed) of \(records) records")
            case .auditBroken(let sequence, let what):
                throw CommandFailure("the chain is BROKEN at record \(sequence): \(what)")
            default: throw CommandFailure("the engine answered something else than was asked")
            }
        }

        private func verify(_ file: String) throws {
            let lines = try AuditFiles.verify(file, checkpoints: checkpoints, key: publicKey)
            for line in lines { Output.line(line) }
        }
    }

    struct Export: AsyncParsableCommand {
        static let configuration = CommandConfiguration(
            abstract: "Write the whole audit into a new file; the export is a record of it.",
            discussion: """
                JSON lines hold what `audit verify FILE` needs, checkpoints among them. CSV is for spreadsheets: cells that
                one would run begin with a quote, so it cannot be verified.

                Example:
                  gatehouse audit export audit.jsonl
                """)
        @OptionGroup var global: GlobalOptions
        @Argument(help: "The file to make.") var file: String
        @Option(help: "jsonl or csv.") var format: AuditForm = .jsonl

        func run() async throws {
            let session = try await global.open()
            let outcome: CommandOutcome
            do throws(CommandRefusal) {
                outcome = try await session.perform(
                    .auditExport(form: format.rawValue, file: nil), secret: nil)
            } catch {
                throw CommandFailure(error.message)
            }
            guard let records = outcome.receipt.details.first.flatMap({ Int64($0) }) else {
                throw CommandFailure("the engine answered something else than was asked")
            }
            do {
                try await AuditFiles.export(to: file, form: format.form, records: records) {
                    try await session.ask($0)
                }
            } catch let refusal as CommandRefusal {
                throw CommandFailure(refusal.message)
            }
            Output.line("\(records) records in \(file)")
        }
    }

    struct Key: AsyncParsableCommand {
        static let configuration = CommandConfiguration(
            abstract: "Print the key that checkpoints are signed with, and its fingerprint.",
            discussion: """
                Note the fingerprint where nobody who administers this machine can write: an export is only as good as the key
                it is verified with.

                Example:
                  gatehouse audit key
                """)
        @OptionGroup var global: GlobalOptions
        @OptionGroup var listing: ListingOptions

        func run() async throws {
            let session = try await global.openSealed()
            guard case .auditLog(let log) = try await session.question(.auditLog) else { return }
            if listing.json { return try Output.json(log) }
            guard !log.verifierKey.isEmpty else {
                throw CommandFailure("the audit has no key yet; it gets one when the vault is next open")
            }
            Output.line("fingerprint  \(log.fingerprint)")
            Output.line("key          \(log.verifierKey)")
            Output.line("signed       \(log.signed) of \(log.records) records")
            if !log.trouble.isEmpty { Output.line("TROUBLE      \(log.trouble)") }
        }
    }

    struct NewLog: AsyncParsableCommand {
        static let configuration = CommandConfiguration(
            commandName: "new-log",
            abstract: "Go on as a new log with a new key; for a data folder that was put back on purpose.",
            discussion: """
                A data folder that is older than its checkpoints outside is refused at start. This says that it is meant: the
                records stay, and the first record of the new log names the old one's origin, size and root. Checkpoints of the
                old log stay where they are and still show what is missing.

                Example:
                  gatehouse audit new-log --reason 'restored the backup of 3 May'
                """)
        @OptionGroup var global: GlobalOptions
        @OptionGroup var listing: ListingOptions
        @Option(help: "Goes to the audit.") var reason: String

        func run() async throws {
            let session: OperatorSession
            do { session = try await OperatorSession.openOlder(try global.places) } catch {
                throw CommandFailure(error)
            }
            try await session.carryOut(.auditNewLog(reason: reason), json: listing.json)
        }
    }
}

extension AuditCommand {
    struct Erase: AsyncParsableCommand {
        static let configuration = CommandConfiguration(
            abstract: "Erase from the audit who an operator was, for good; what he did stays.",
            discussion: """
                Erased from each record that names the operator: the name, the terminal, the user id, the session and the address
                he came from, and the random bytes of the record's commitment to them, without which nobody can find out by
                trying who it was. They stand beside the record and are no part of what is hashed: the chain, the tree, its
                checkpoints and later exports verify as before.

                What stays: the record itself (when, what, on what, the reason, the result), and the record of the erasing: who
                ordered it, why, and in how many records, but not of whom. Texts of records are hashed: a name that somebody
                wrote into a reason stays, and so do names of tenants and virtual keys. So does the operator's name in records
                from before the audit had a tree; they are counted. Exports, backups, copies of the data folder and the
                program's log from before still hold it: delete those too. What he does from now on has his name again.

                Example:
                  gatehouse audit erase alice --confirm alice --reason 'left; request 4711'
                """)
        @OptionGroup var global: GlobalOptions
        @OptionGroup var listing: ListingOptions
        @Argument(help: "The operator, as `audit list` shows the ACTOR.") var name: String
        @Option(help: "The operator's name once more.") var confirm: String
        @Option(help: "Goes to the audit, and stays: name nobody in it.") var reason: String

        func run() async throws {
            try await global.open().carryOut(
                .auditErase(operatorName: name, confirm: confirm, reason: reason), json: listing.json)
        }
    }
}

/// What an export is written as.
enum AuditForm: String, ExpressibleByArgument, CaseIterable {
    case jsonl, csv
    var form: AuditFiles.Form { self == .jsonl ? .jsonl : .csv }
}
