import ArgumentParser
import Assembly

/// The command line: arguments in, exit code out. Everything else is in Assembly.
@main
struct Gatehouse: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "gatehouse",
        abstract: "A gateway for LLM providers that keeps tenants' own keys, with an operations console.",
        discussion: """
            Without a subcommand: the console together with its engine. The first run asks for a passphrase and makes
            the data folder.

            Example:
              gatehouse demo                    look around with simulated providers; needs no key
              gatehouse                         your own gateway

            Without a terminal the vault's passphrase comes by the file descriptor that GATEHOUSE_PASSPHRASE_FD names.

            Exit codes: 0 done, 1 refused or failed, 2 wrong usage, 3 no terminal, 4 terminal unusable.
            """,
        version: GatehouseVersion.text,
        subcommands: [
            ConsoleCommand.self, DemoCommand.self, ServeCommand.self, InitCommand.self, TenantCommand.self,
            KeyCommand.self, TokenCommand.self, LimitCommand.self, ProviderCommand.self, RouteCommand.self,
            BreakerCommand.self, DrillCommand.self, CacheCommand.self, UsageCommand.self, AuditCommand.self,
            VaultCommand.self, BackupCommand.self, RestoreCommand.self, ImportCommand.self, ThemeCommand.self,
            DoctorCommand.self, VersionCommand.self,
        ], defaultSubcommand: ConsoleCommand.self)

    static func main() async {
        await Launch.run(Gatehouse.self)
    }
}

/// Runs the command line with our exit codes.
enum Launch {
    static func run(_ type: (some AsyncParsableCommand).Type) async {
        ProcessSetUp.harden()
        do {
            var command = try type.parseAsRoot()
            if var asynchronous = command as? any AsyncParsableCommand {
                try await asynchronous.run()
            } else {
                try command.run()
            }
        } catch let failure as CommandFailure {
            ProcessSetUp.complain(failure.message)
            ProcessSetUp.leave(failure.code)
        } catch {
            let code = type.exitCode(for: error)
            if code == .validationFailure {
                ProcessSetUp.complain(type.fullMessage(for: error))
                ProcessSetUp.leave(2)
            }
            guard code == .failure, !(error is CleanExit), !(error is ExitCode) else {
                type.exit(withError: error)
            }
            ProcessSetUp.complain("\(error)")
            ProcessSetUp.leave(1)
        }
    }
}
