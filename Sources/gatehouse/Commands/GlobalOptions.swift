public import ArgumentParser
import Assembly
public import Domain
import Operations

/// What every command takes.
struct GlobalOptions: ParsableArguments {
    @Option(
        name: .long,
        help: "The data folder (default: $GATEHOUSE_HOME, else the XDG data folder + /gatehouse).")
    var data: String?

    @Option(name: .long, help: "The configuration file (default: DATA/gatehouse.toml).")
    var config: String?

    @Option(
        name: .long,
        help: "The socket of an engine that another account runs (default: $GATEHOUSE_SOCKET).")
    var socket: String?

    /// Where the folder and its configuration are.
    var places: Places { get throws { try Places(data: data, config: config, socket: socket) } }

    /// The running engine, or the folder itself under its lock.
    func open() async throws -> OperatorSession {
        do {
            return try await OperatorSession.open(places)
        } catch {
            throw CommandFailure(error)
        }
    }
}

extension GlobalOptions {
    /// The running engine, or the folder as it lies: for what needs no key.
    func openSealed() async throws -> OperatorSession {
        do {
            return try await OperatorSession.openSealed(places)
        } catch {
            throw CommandFailure(error)
        }
    }
}

/// `--json` on listings.
struct ListingOptions: ParsableArguments {
    @Flag(name: .long, help: "Print JSON instead of a table.")
    var json = false
}

/// What the console takes besides.
struct ConsoleFlags: ParsableArguments {
    @Option(name: .long, help: "A theme's name, or a path to a .theme file.")
    var theme: String?

    @Flag(name: .long, help: "Draw with ASCII only.")
    var ascii = false

    @Flag(name: .customLong("read-only"), help: "Show everything, change nothing.")
    var readOnly = false

    @Option(help: "viewer or operator: lower your own role for this session (also $GATEHOUSE_ROLE).")
    var role: OperatorRole?

    @Option(name: .customLong("log-file"), help: "Where the log goes (default: DATA/gatehouse.log).")
    var logFile: String?

    var choices: ConsoleChoices {
        ConsoleChoices(theme: theme, ascii: ascii, readOnly: readOnly, logFile: logFile, role: role)
    }
}

extension OperatorSession {
    /// Carries out a command and prints its receipt.
    func carryOut(
        _ command: EngineCommand, secret: SecretDraft? = nil, json: Bool = false
    ) async throws {
        let outcome: CommandOutcome
        do throws(CommandRefusal) {
            outcome = try await perform(command, secret: secret)
        } catch {
            throw CommandFailure(error.message)
        }
        if json {
            try Output.json(outcome.receipt)
            if outcome.receipt.isBad { throw ExitCode(1) }
            return
        }
        Output.line(outcome.receipt.message)
        for detail in outcome.receipt.details where !detail.isEmpty { Output.line("  \(detail)") }
        if let issued = outcome.issued { Output.secret(issued) }
        if outcome.receipt.isBad { throw ExitCode(1) }
    }

    func question(_ query: EngineQuery) async throws -> EngineAnswer {
        do throws(CommandRefusal) { return try await ask(query) } catch {
            throw CommandFailure(error.message)
        }
    }

    func picture() async throws -> EngineSnapshot {
        do throws(CommandRefusal) { return try await snapshot() } catch {
            throw CommandFailure(error.message)
        }
    }
}

extension Name: ExpressibleByArgument {
    public init?(argument: String) {
        do throws(NameRefusal) { try self.init(argument) } catch { return nil }
    }
}

extension Target: ExpressibleByArgument {
    public init?(argument: String) {
        do throws(NameRefusal) { try self.init(argument) } catch { return nil }
    }
}

extension OperatorRole: ExpressibleByArgument {}
