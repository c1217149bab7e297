import ArgumentParser
import Assembly
import Domain
import Operations

/// `--dry-run`: what a change would do to the calls of the last minute, instead of the change.
struct TrialOptions: ParsableArguments {
    @Flag(
        name: .customLong("dry-run"),
        help: "Change nothing; say what it would do to the calls of the last minute.")
    var dryRun = false

    @Flag(name: .long, help: "With --dry-run: print JSON.") var json = false

    /// - Parameter reason: nil = the change needs none.
    func check(_ reason: String? = nil) throws {
        guard dryRun || !json else { throw ValidationError("--json goes with --dry-run") }
        guard dryRun || reason != "" else {
            throw ValidationError("give --reason: it goes to the audit (or --dry-run to look first)")
        }
    }

    /// The last minute's calls are known to a running engine alone.
    func session(_ global: GlobalOptions) async throws -> OperatorSession {
        dryRun ? try OperatorSession.openRunning(try global.places) : try await global.open()
    }

    /// Carries a command out, or only says what its change would do.
    func carryOut(_ command: EngineCommand, _ change: BlastChange, _ global: GlobalOptions) async throws {
        let session = try await session(global)
        if dryRun { return try await show(change, session) }
        try await session.carryOut(command)
    }

    func show(_ change: BlastChange, _ session: OperatorSession) async throws {
        try await BlastText.tell(change, json: json, session)
    }
}

/// Prints what a change would do.
enum BlastText {
    static func tell(_ change: BlastChange, json: Bool, _ session: OperatorSession) async throws {
        guard case .blastRadius(let radius) = try await session.question(.blastRadius(change)) else {
            throw CommandFailure("the engine answered something else than was asked")
        }
        guard !json else { return try Output.json(radius) }
        for line in lines(radius) { Output.line(line) }
        guard !radius.targets.isEmpty else { return }
        Output.table(
            ["TARGET", "RQ/S BEFORE", "RQ/S AFTER"],
            radius.targets.map { [$0.target, Output.decimal($0.rateBefore), Output.decimal($0.rateAfter)] })
    }

    static func lines(_ radius: BlastRadius) -> [String] {
        guard radius.calls > 0 else {
            return ["nothing is changed; no call came in the last \(radius.seconds) s"]
                + (radius.note.isEmpty ? [] : ["note       \(radius.note)"])
        }
        let part = radius.sampled ? " (a part of them, scaled up)" : ""
        var out = [
            "nothing is changed; \(radius.calls) calls of the last \(radius.seconds) s were routed again\(part)",
            "cost       $\(radius.costPerHourBefore.dollars(decimals: 2))/h before, "
                + "$\(radius.costPerHourAfter.dollars(decimals: 2))/h after",
            "p95        \(milliseconds(radius.latencyBefore)) before, "
                + "\(milliseconds(radius.latencyAfter)) after",
        ]
        out += radius.failing.map { loss in
            "FAILS      \(loss.tenant): \(loss.calls) calls\(loss.why.isEmpty ? "" : ", \(loss.why)")"
        }
        if radius.failing.isEmpty { out.append("fails      no call of any tenant") }
        if !radius.note.isEmpty { out.append("note       \(radius.note)") }
        return out
    }

    private static func milliseconds(_ value: Double?) -> String {
        value.map { "\(Int($0)) ms" } ?? "not known"
    }
}
