public import ArgumentParser
import Assembly
import Domain
import Operations

struct DrillCommand: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "drill", abstract: "Fault drills for one tenant: start, stop, list.",
        discussion: """
            A drill makes some of one tenant's calls meet a fault as if its provider had made it. No breaker, no key and
            no other tenant feels it; what it touches is marked DRILL. The tenant must stand in the configuration:
            [drill] tenants = ["acme"].

            Example:
              gatehouse drill start acme --fault 529 --percent 25 --for 15m --reason 'game day'
            """,
        subcommands: [Start.self, Stop.self, List.self])

    struct Start: AsyncParsableCommand {
        static let configuration = CommandConfiguration(
            abstract: "Make some of a tenant's calls meet a fault for a while.",
            discussion: """
                Example:
                  gatehouse drill start acme --fault 529 --percent 25 --for 15m --reason 'game day'
                """)
        @OptionGroup var global: GlobalOptions
        @Argument var tenant: TenantName
        @Option(help: "What the calls meet.") var fault: DrillFault
        @Option(help: "How many of a hundred calls meet it.") var percent: Int = 100
        @Option(name: .customLong("for"), help: "How long, in whole minutes up to a day: 15m, 1h.")
        var duration: Seconds = Seconds(900)
        @Option(help: "Goes to the audit.") var reason: String

        func validate() throws {
            guard (1...100).contains(percent) else {
                throw ValidationError("--percent takes a whole number from 1 to 100")
            }
            guard (60...86_400).contains(duration.count), duration.count.isMultiple(of: 60) else {
                throw ValidationError("--for takes whole minutes from 1m to 24h")
            }
        }

        func run() async throws {
            try await Self.session(global).carryOut(
                .drillStart(
                    tenant: tenant, fault: fault, percent: percent, minutes: duration.count / 60,
                    reason: reason))
        }

        /// Drills are made for calls, so there must be an engine that takes them.
        static func session(_ global: GlobalOptions) throws -> OperatorSession {
            try OperatorSession.openRunning(try global.places)
        }
    }

    struct Stop: AsyncParsableCommand {
        static let configuration = CommandConfiguration(
            abstract: "End a tenant's drill before its time.",
            discussion: "Example:\n  gatehouse drill stop acme")
        @OptionGroup var global: GlobalOptions
        @Argument var tenant: TenantName
        @Option(help: "Goes to the audit.") var reason: String = ""

        func run() async throws {
            try await Start.session(global).carryOut(.drillStop(tenant: tenant, reason: reason))
        }
    }

    struct List: AsyncParsableCommand {
        static let configuration = CommandConfiguration(
            abstract: "List the drills that are on.", discussion: "Example:\n  gatehouse drill list --json")
        @OptionGroup var global: GlobalOptions
        @OptionGroup var listing: ListingOptions

        func run() async throws {
            let drills = try await Start.session(global).picture().drills
            try Output.listing(
                drills, json: listing.json,
                columns: ["TENANT", "FAULT", "PERCENT", "CALLS", "SINCE", "UNTIL", "BY", "REASON"]
            ) { drill in
                [
                    drill.tenant.text, drill.fault.rawValue, "\(drill.percent)", "\(drill.calls)",
                    "\(drill.since.civil.clock)Z", "\(drill.until.civil.clock)Z", drill.owner, drill.reason,
                ]
            }
        }
    }
}

extension DrillFault: ExpressibleByArgument {}
