import ArgumentParser
import Assembly
import Domain
import Operations

struct BreakerCommand: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "breaker", abstract: "Breakers: list, show, trip, close, hold, release.",
        discussion: """
            A target is written PROVIDER/MODEL. Every override has a reason and an end. With --dry-run the last minute's
            calls are routed again with the change, which is not made: where they would go, who would fail.

            Example:
              gatehouse breaker trip openai/gpt-6-sol --dry-run
              gatehouse breaker trip openai/gpt-6-sol --for 15m --reason 'status page: elevated errors'
            """,
        subcommands: [List.self, Show.self, Trip.self, Close.self, Hold.self, Release.self])

    struct List: AsyncParsableCommand {
        static let configuration = CommandConfiguration(
            abstract: "List targets with their breakers.",
            discussion: "Example:\n  gatehouse breaker list --json")
        @OptionGroup var global: GlobalOptions
        @OptionGroup var listing: ListingOptions

        func run() async throws {
            let picture = try await global.open().picture()
            try Output.listing(
                picture.targets, json: listing.json,
                columns: [
                    "TARGET", "BREAKER", "SINCE", "HELD", "KEYS", "RQ/S", "ERR%", "P95 MS", "RUNNING", "WHY",
                ]
            ) { target in
                [
                    target.target.description, target.position.word, "\(target.since.civil.clock)Z",
                    target.hold.map { "by \($0.owner) until \($0.ends.civil.clock)Z" } ?? "-",
                    "\(target.keysUsable)/\(target.keysTotal)",
                    Output.decimal(target.figures.requestsPerSecond),
                    Output.decimal(target.figures.errorPercent),
                    target.figures.p95Milliseconds.map { "\(Int($0))" } ?? "-", "\(target.figures.inFlight)",
                    (target.drilled ? "DRILL; " : "") + target.why,
                ]
            }
        }
    }

    struct Show: AsyncParsableCommand {
        static let configuration = CommandConfiguration(
            abstract: "Show one target: why, its keys' health, where its traffic went, what happened.",
            discussion: "Example:\n  gatehouse breaker show openai/gpt-6-sol")
        @OptionGroup var global: GlobalOptions
        @OptionGroup var listing: ListingOptions
        @Argument(help: "PROVIDER/MODEL") var target: Target

        func run() async throws {
            let picture = try await global.open().picture()
            guard let view = picture.targets.first(where: { $0.target == target }) else {
                throw CommandFailure("nothing is known of \(target); see: gatehouse breaker list")
            }
            guard !listing.json else { return try Output.json(view) }
            for line in BreakerText.lines(view) { Output.line(line) }
        }
    }

    struct Trip: AsyncParsableCommand {
        static let configuration = CommandConfiguration(
            abstract: "Force a breaker open: no call goes to the target.",
            discussion: "Example:\n  gatehouse breaker trip openai/gpt-6-sol --for 15m --reason outage")
        @OptionGroup var global: GlobalOptions
        @OptionGroup var hold: HoldOptions
        @OptionGroup var trial: TrialOptions

        func validate() throws { try trial.check(hold.reason) }

        func run() async throws {
            try await trial.carryOut(
                .breakerTrip(target: hold.target, seconds: hold.duration.count, reason: hold.reason),
                .breaker(hold.target, .open), global)
        }
    }

    struct Close: AsyncParsableCommand {
        static let configuration = CommandConfiguration(
            abstract: "Force a breaker closed: calls pass, failures do not trip it.",
            discussion:
                "Example:\n  gatehouse breaker close openai/gpt-6-sol --for 15m --reason 'false alarm'")
        @OptionGroup var global: GlobalOptions
        @OptionGroup var hold: HoldOptions
        @OptionGroup var trial: TrialOptions

        func validate() throws { try trial.check(hold.reason) }

        func run() async throws {
            try await trial.carryOut(
                .breakerClose(target: hold.target, seconds: hold.duration.count, reason: hold.reason),
                .breaker(hold.target, .closed), global)
        }
    }

    struct Hold: AsyncParsableCommand {
        static let configuration = CommandConfiguration(
            abstract: "Keep a breaker as it is.",
            discussion: "Example:\n  gatehouse breaker hold openai/gpt-6-sol --for 1h --reason maintenance")
        @OptionGroup var global: GlobalOptions
        @OptionGroup var hold: HoldOptions
        @OptionGroup var trial: TrialOptions

        func validate() throws { try trial.check(hold.reason) }

        func run() async throws {
            try await trial.carryOut(
                .breakerHold(target: hold.target, seconds: hold.duration.count, reason: hold.reason),
                .breaker(hold.target, .asIs), global)
        }
    }

    struct Release: AsyncParsableCommand {
        static let configuration = CommandConfiguration(
            abstract: "End an override: the breaker works by itself again.",
            discussion: "Example:\n  gatehouse breaker release openai/gpt-6-sol")
        @OptionGroup var global: GlobalOptions
        @Argument(help: "PROVIDER/MODEL") var target: Target
        @Option(help: "Goes to the audit.") var reason: String = ""
        func run() async throws {
            try await global.open().carryOut(.breakerRelease(target: target, reason: reason))
        }
    }
}

/// Target, duration and reason of an override.
struct HoldOptions: ParsableArguments {
    @Argument(help: "PROVIDER/MODEL") var target: Target
    @Option(name: .customLong("for"), help: "How long: 15m, 1h.") var duration: Seconds = Seconds(900)
    @Option(help: "Goes to the audit; not needed with --dry-run.") var reason: String = ""
}

/// What one target's screen says, as lines.
enum BreakerText {
    static func lines(_ view: TargetView) -> [String] {
        let figures = view.figures
        var out = [
            "target     \(view.target)\(view.drilled ? "  DRILL" : "")",
            "breaker    \(view.position.word) since \(view.since.civil.clock)Z  \(view.why)",
        ]
        if let hold = view.hold {
            out.append("held       by \(hold.owner) until \(hold.ends.civil.clock)Z: \(hold.reason)")
        }
        out.append(
            "traffic    \(Output.decimal(figures.requestsPerSecond)) rq/s, err "
                + "\(Output.decimal(figures.errorPercent))%, p95 "
                + (figures.p95Milliseconds.map { "\(Int($0)) ms" } ?? "not known")
                + ", \(figures.inFlight) running")
        out.append("keys       \(view.keysUsable) of \(view.keysTotal) usable: \(words(view.credentials))")
        if !view.dependents.isEmpty {
            out.append("used by    \(view.dependents.joined(separator: ", "))")
        }
        out += view.wentTo.map { share in
            let place = share.target.isEmpty ? "nowhere: they failed" : share.target
            return "went to    \(place)  \(share.calls) calls of the last minute"
        }
        out += view.history.map { moment in
            "history    \(moment.at)  \(moment.held ? "HELD " : "")\(moment.position.word)  \(moment.why)"
        }
        out += view.lastErrors.map { error in
            let status = error.status.map { "\($0) " } ?? ""
            return "error      \(error.at)  \(error.tenant)  \(status)\(error.failure)  \(error.then)"
        }
        return out
    }

    private static func words(_ tally: CredentialTally) -> String {
        let parts = CredentialMark.allCases.compactMap { mark in
            tally[mark] > 0 ? "\(tally[mark]) \(mark.word)" : nil
        }
        return parts.isEmpty ? "none" : parts.joined(separator: ", ")
    }
}
