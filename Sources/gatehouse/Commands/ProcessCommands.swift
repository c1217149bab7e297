import ArgumentParser
import Assembly
import Domain
import Operations

struct ConsoleCommand: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "console", abstract: "The console with its engine (the default).",
        discussion: "Example:\n  gatehouse --theme north")
    @OptionGroup var global: GlobalOptions
    @OptionGroup var console: ConsoleFlags

    func run() async throws { try await Launcher.console(try global.places, console.choices) }
}

struct DemoCommand: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "demo",
        abstract: "The console on a throw-away folder with simulated providers and traffic.",
        discussion: """
            Everything goes through the real engine and the real path; only the providers and the callers are simulated,
            on loopback. Every screen says DEMO. Needs no key and no network, and removes its folder when it ends.

            Example:
              gatehouse demo --seed 7 --speed 2
            """)
    @OptionGroup var console: ConsoleFlags
    @Option(help: "The script of outages, errors and traffic follows this number.") var seed: UInt64 = 1
    @Option(help: "How much faster than real time the script runs: 0.1 to 20.") var speed: Double = 1
    @Flag(help: "Without the console: run until a signal or --seconds.") var headless = false
    @Option(help: "End after this many seconds.") var seconds: Int?

    func validate() throws {
        guard (0.1...20).contains(speed) else { throw ValidationError("--speed takes 0.1 to 20") }
        if let seconds, !(1...86_400).contains(seconds) {
            throw ValidationError("--seconds takes 1 to 86400")
        }
    }

    func run() async throws {
        try await Launcher.demo(
            console.choices, seed: seed, speed: speed, headless: headless, seconds: seconds)
    }
}

struct ServeCommand: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "serve", abstract: "The engine without the console, for a service manager.",
        discussion: """
            Logs to standard error. With unlock = "passphrase" the passphrase is read from the terminal or, with
            --passphrase-from-stdin, from standard input; without either the engine starts sealed and waits for
            gatehouse vault unlock.

            Example:
              gatehouse serve --data /var/lib/gatehouse
            """)
    @OptionGroup var global: GlobalOptions
    @Flag(help: "Read the passphrase's line from standard input.") var passphraseFromStdin = false

    func run() async throws {
        try await Launcher.serve(try global.places, passphraseFromStdin: passphraseFromStdin)
    }
}

struct InitCommand: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "init", abstract: "Make the data folder and choose how the vault is unlocked.",
        discussion: """
            Example:
              gatehouse init                                    asks for a passphrase, twice
              gatehouse init --keyfile /etc/gatehouse/vault.key  makes the key file if it is not there
            """)
    @OptionGroup var global: GlobalOptions
    @Option(help: "Unlock with this file (absolute path, outside the data folder) instead of a passphrase.")
    var keyfile: String?
    @Flag(help: "Read the passphrase's line from standard input.") var passphraseFromStdin = false

    func run() async throws {
        try await Launcher.initialize(
            try global.places, keyFile: keyfile, passphraseFromStdin: passphraseFromStdin)
    }
}

struct ThemeCommand: ParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "theme", abstract: "Themes: list.", discussion: "Example:\n  gatehouse theme list",
        subcommands: [List.self])

    struct List: ParsableCommand {
        static let configuration = CommandConfiguration(
            abstract: "List the themes that were found, and what is wrong with those that are bad.",
            discussion: "Example:\n  gatehouse theme list --json")
        @OptionGroup var listing: ListingOptions

        func run() throws {
            let shelf = ThemeShelf.find()
            try Output.listing(
                shelf.entries, json: listing.json, columns: ["THEME", "FROM", "CONTRAST", "PROBLEM"]
            ) {
                [$0.name, $0.path, $0.contrast, $0.problem]
            }
            if shelf.entries.contains(where: { !$0.problem.isEmpty }) {
                throw CommandFailure("a theme is bad; see above")
            }
        }
    }
}

struct DoctorCommand: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "doctor",
        abstract: "Check this machine, the data folder, the configuration and the themes.",
        discussion: "Example:\n  gatehouse doctor")
    @OptionGroup var global: GlobalOptions
    @OptionGroup var listing: ListingOptions

    func run() async throws {
        let findings = await Doctor.examine(try global.places)
        try Output.listing(findings, json: listing.json, columns: ["CHECK", "STATE", "WHAT"]) {
            [$0.check, $0.state.rawValue, $0.what]
        }
        if findings.contains(where: { $0.state == .bad }) {
            throw CommandFailure("something needs attention; see BAD above")
        }
    }
}

struct VersionCommand: ParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "version", abstract: "Print the version and what it was built with.",
        discussion: "Example:\n  gatehouse version")

    func run() { for line in GatehouseVersion.lines { Output.line(line) } }
}
