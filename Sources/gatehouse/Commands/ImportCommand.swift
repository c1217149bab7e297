import ArgumentParser
import Assembly
import Operations

struct ImportCommand: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "import", abstract: "Bring over another gateway's configuration.",
        discussion: "Example:\n  gatehouse import litellm config.yaml --dry-run", subcommands: [LiteLLM.self])

    struct LiteLLM: AsyncParsableCommand {
        static let configuration = CommandConfiguration(
            commandName: "litellm",
            abstract: "Read the config.yaml of a LiteLLM proxy: models, routes, fallbacks, settings.",
            discussion: """
                Adds providers, routes and settings behind what is in the configuration, if all of it together can be
                read; says line by line what was not taken over and why, and which commands are to follow. Keys are
                neither read nor copied: os.environ/NAME stays a name. A variable that holds an address, a version or
                a region can be given its value here.

                Example:
                  gatehouse import litellm config.yaml --dry-run
                  gatehouse import litellm config.yaml --value AZURE_API_BASE=https://my.openai.azure.com
                """)
        @OptionGroup var global: GlobalOptions
        @OptionGroup var listing: ListingOptions
        @Argument(help: "The file, such as config.yaml.", completion: .file()) var file: String
        @Flag(help: "Show what would be written, and write nothing.") var dryRun = false
        @Option(help: "NAME=VALUE: what os.environ/NAME stands for; never a key. May be given several times.")
        var value: [String] = []

        func run() async throws {
            let outcome = try await ConfigurationImport.liteLLM(
                file, values: value, into: try global.places, dryRun: dryRun)
            guard !listing.json else { return try Output.json(outcome) }
            if outcome.written == nil {
                for line in outcome.text.split(separator: "\n", omittingEmptySubsequences: false) {
                    Output.line(String(line))
                }
            }
            Output.line("not taken over, or not as it stood (\(outcome.notes.count)):")
            for sentence in outcome.sentences { Output.line("  \(sentence)") }
            if !outcome.commands.isEmpty { Output.line("to be done next:") }
            for command in outcome.commands { Output.line("  \(command)") }
            let what = "\(outcome.providers) providers and \(outcome.routes) routes"
            Output.line(
                outcome.written.map { "\(what) were added to \($0)" }
                    ?? "\(what); nothing was written (--dry-run)")
        }
    }
}
