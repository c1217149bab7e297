import ArgumentParser
import Assembly
import Domain
import Operations

struct RouteCommand: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "route", abstract: "Routes: list, explain, weight.",
        discussion: """
            A route stands in the configuration as [[route]]. PROVIDER/MODEL, and a bare model name that the price table
            knows, need none.

            Example:
              gatehouse route explain smart --tenant acme
            """,
        subcommands: [List.self, Explain.self, Weight.self])

    struct List: AsyncParsableCommand {
        static let configuration = CommandConfiguration(
            abstract: "List the routes in force: strategy, targets with weights, constraints, fallbacks.",
            discussion: "Example:\n  gatehouse route list --json")
        @OptionGroup var global: GlobalOptions
        @OptionGroup var listing: ListingOptions

        func run() async throws {
            let session = try await global.openSealed()
            guard case .routes(let routes) = try await session.question(.routes) else { return }
            try Output.listing(
                routes, json: listing.json,
                columns: ["MODEL", "STRATEGY", "TARGETS", "CONSTRAINTS", "OTHERWISE"]
            ) { route in
                [
                    route.model.text, route.strategy.rawValue, RouteText.targets(route),
                    route.conditions.isEmpty ? "-" : route.conditions.joined(separator: "; "),
                    route.otherwise.isEmpty ? "-" : route.otherwise.joined(separator: "; "),
                ]
            }
        }
    }

    struct Explain: AsyncParsableCommand {
        static let configuration = CommandConfiguration(
            abstract: "Say where a tenant's call for a model would go now, and why.",
            discussion: """
                Candidates stand in the order in which they would be tried; those without a number are left out. Exits
                with 1 when nothing would take the call.

                Example:
                  gatehouse route explain smart --tenant acme
                """)
        @OptionGroup var global: GlobalOptions
        @OptionGroup var listing: ListingOptions
        @Argument(help: "As callers name it.") var model: ModelName
        @Option var tenant: TenantName

        func run() async throws {
            let session = try await global.openSealed()
            let question = EngineQuery.route(model: model, tenant: tenant)
            guard case .route(let route) = try await session.question(question) else { return }
            if listing.json { try Output.json(route) } else { RouteText.tell(route) }
            if !route.candidates.contains(where: { $0.place != nil }) { throw ExitCode(1) }
        }
    }

    struct Weight: AsyncParsableCommand {
        static let configuration = CommandConfiguration(
            abstract: "Say what another weight of a target would do to the calls of the last minute.",
            discussion: """
                Changes nothing: weights stand in the configuration, [[route]] weights.

                Example:
                  gatehouse route weight smart openai/gpt-6-sol 0
                """)
        @OptionGroup var global: GlobalOptions
        @OptionGroup var listing: ListingOptions
        @Argument(help: "The route's model.") var model: ModelName
        @Argument(help: "PROVIDER/MODEL") var target: Target
        @Argument(help: "0 to 10000.") var weight: Int

        func validate() throws {
            guard (0...10_000).contains(weight) else {
                throw ValidationError("a weight is a whole number from 0 to 10000")
            }
        }

        func run() async throws {
            try await BlastText.tell(
                .weight(model: model, target, weight), json: listing.json,
                try OperatorSession.openRunning(try global.places))
        }
    }
}

/// What listings say of routes.
enum RouteText {
    /// Weights are told where they count.
    static func targets(_ route: RouteView) -> String {
        let counts = route.strategy == .weighted || route.strategy == .sticky
        return route.targets.map { counts ? "\($0.target) x\($0.weight)" : "\($0.target)" }
            .joined(separator: ", ")
    }

    static func tell(_ route: RouteExplanation) {
        Output.line("model      \(route.model) for tenant \(route.tenant), strategy \(route.strategy)")
        if !route.note.isEmpty { Output.line("note       \(route.note)") }
        Output.table(
            ["#", "TARGET", "KEY", "PAYS", "PRICE", "1ST TOKEN MS", "RUNNING", "WHY"],
            route.candidates.map { candidate in
                [
                    candidate.place.map(String.init) ?? "-", candidate.target, candidate.key ?? "-",
                    candidate.key == nil ? "-" : candidate.payer, candidate.price ?? "-",
                    candidate.firstToken.map { "\(Int($0))" } ?? "-", "\(candidate.running)",
                    (candidate.place == nil ? "left out: " : "") + candidate.reason,
                ]
            })
    }
}
