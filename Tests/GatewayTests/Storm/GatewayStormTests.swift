import Domain
import Engine
import Events
import Foundation
import Gateway
import Limits
import Locking
import Metering
import Providers
import Routing
import Storage
import TestKit
import TestTraits
import Testing

/// A storm over real sockets and in real time: outages, cuts, stalls, rate limits, bad keys, and callers who leave.
@Suite(.ownThread) struct GatewayStormTests {
    private static let variable = "GATEHOUSE_STORM_SEED"
    private static var seed: UInt64? { ProcessInfo.processInfo.environment[variable].flatMap { UInt64($0) } }

    /// What is measured here, memory and open files, is of a whole process: so the storm has one of its own.
    @Test(.enabled(if: seed == nil, "this is that process"))
    func `every call ends in time, and memory and connections come back`() async throws {
        let seed = UInt64.random(in: 0 ... .max)
        let folder = try TemporaryFolder()
        let child = try Child(
            "/proc/self/exe",
            ["--testing-library", "swift-testing", "--filter", "GatewayStormTests.*the storm itself"],
            output: folder.path + "/out", environment: [Self.variable: "\(seed)"])
        defer { child.end(SIGKILL) }
        for _ in 0..<2_400 where child.status == nil { try await Task.sleep(for: .milliseconds(100)) }
        let told = try String(contentsOfFile: folder.path + "/out", encoding: .utf8)
        print(told.split(separator: "\n").filter { $0.hasPrefix("storm ") }.joined(separator: "\n"))
        #expect(child.status == 0, "seed \(seed): \(told)")
    }

    @Test(.enabled(if: seed != nil, "it runs in a process of its own"))
    func `the storm itself`() async throws {
        let seed = try #require(Self.seed)
        let storm = try await GatewayStorm(seed: seed)
        try await storm.run()
        await storm.house.close()
        for line in storm.complaints.prefix(40) { print(line) }
        #expect(storm.complaints.isEmpty, "seed \(seed)")
    }
}

/// The storm in its own process.
private final class GatewayStorm {
    let house: StormGateway
    private(set) var complaints: [String] = []
    private let seed: UInt64
    private let feed: EventFeed
    private var outcomes: [StormOutcome] = []
    /// Attempts of calls that failed, by the call's id.
    private var failures: [String: [AttemptOutcome]] = [:]
    private var rows: Set<CallID> = []
    private let pulse = Pulse()

    private static let blows = Duration.seconds(26)
    private static let calm = Duration.seconds(9)
    /// The last part of the calm, in which every call is answered.
    private static let settled = Duration.seconds(3)
    /// Tenants with a fault of their own.
    private static let troubled = StormGateway.keyTroubled.union([StormGateway.greedy])

    init(seed: UInt64) async throws {
        self.seed = seed
        house = try await StormGateway()
        feed = house.engine.feed(depth: 20_000)
    }

    private var tempo: StormTempo {
        var tempo = StormTempo()
        tempo.first = 10...120
        tempo.rest = 10...250
        tempo.late = 820...980
        tempo.soon = 1...20
        tempo.spells = 500...4_000
        tempo.gaps = 500...9_000
        tempo.keySpells = 1_000...5_000
        tempo.keyGaps = 1_000...6_000
        tempo.waits = 50...1_500
        return tempo
    }

    func run() async throws {
        // The first weather lets everything come into being that stays: pools, tables, threads' stacks.
        try await blow(0, .seconds(5), calm: .seconds(1))
        let before = (memory: try Machine.resident(), files: try Machine.descriptors())
        outcomes = []
        try await blow(1, Self.blows, calm: Self.calm)
        let after = (memory: try Machine.resident(), files: try Machine.descriptors())
        pulse.stop()
        report(before.memory, after.memory)
        judge()
        let growth = after.memory - before.memory
        if growth > max(before.memory / 4, 20 << 20) {
            complaints.append("memory grew by \(growth >> 10) KiB")
        }
        if after.files != before.files {
            complaints.append("\(after.files) files are open, \(before.files) were before")
        }
    }

    /// Weather for a while, calm, and then quiet: nobody calls any more.
    private func blow(_ number: UInt64, _ blows: Duration, calm: Duration) async throws {
        let weather = StormWeather(
            seed: seed &+ number, blows: blows, keyTroubled: StormGateway.keyTroubled, tempo: tempo)
        house.begin(weather)
        let callers = StormCallers(house, seed: seed &+ number)
        callers.start(5)
        let end = house.clock.now + (blows + calm)
        while house.clock.now < end { try await look(callers) }
        for status in house.engine.parts.breakers.states(at: house.clock.now)
        where status.position != .closed && number > 0 {
            complaints.append("not recovered: \(status.target): \(status.why)")
        }
        callers.stop()
        let last = house.clock.now + .seconds(30)
        while callers.running > 0 || !house.held().isEmpty, house.clock.now < last { try await look(callers) }
        complaints += house.held().map { "held when it was over: \($0)" }
        if callers.running > 0 { complaints.append("\(callers.running) callers hang") }
    }

    /// What the assembled program does all the time: events to their watchers, rows to the ledger.
    private func look(_ callers: StormCallers) async throws {
        try await Task.sleep(for: .milliseconds(50))
        house.engine.pump()
        await house.engine.tick()
        for event in feed.take().events {
            guard case .callFinished(let finish) = event.event, finish.row.end == .failed else { continue }
            failures[finish.row.call.text] = finish.attempts
        }
        let fresh = try house.journal.pending(limit: .max)
        for row in fresh where !rows.insert(row.call).inserted { complaints.append("two rows of one call") }
        try house.journal.confirm(fresh.map(\.call))
        outcomes += callers.take()
    }

    // MARK: Judgement

    private func judge() {
        var sheltered = 0
        let starved = outcomes.count(where: isOfMachine)
        for outcome in outcomes {
            if case .late(let bound) = outcome.end, !isOfMachine(outcome) {
                complaints.append("\(story(of: outcome)): it had \(bound)")
            }
            if case .broken(let why) = outcome.end { complaints.append("\(story(of: outcome)): \(why)") }
            let isFair = outcome.shelters.contains {
                house.isFair($0, from: outcome.began, to: outcome.ended)
            }
            guard isFair, !Self.troubled.contains(outcome.tenant) else { continue }
            sheltered += 1
            guard case .failed(let status, let code) = outcome.end else { continue }
            // Who does not wait until the gateway gives a silent target up cannot be sent elsewhere in his time.
            if outcome.isHurried, code == "deadline_exceeded" { continue }
            if isOfMachine(outcome) { continue }
            complaints.append("\(story(of: outcome)): \(status) \(code) beside a healthy target")
        }
        print("storm beside a healthy target: \(sheltered); not judged on a starved machine: \(starved)")
        if sheltered < 300, starved == 0 { complaints.append("only \(sheltered) calls had a healthy target") }
        let allowed: Set<String> = [
            "requests_per_minute", "parallel_calls", "no_target_available", "no_provider_key",
            "upstream_refused", "upstream_failed", "upstream_timeout", "deadline_exceeded",
        ]
        for outcome in outcomes {
            guard case .failed(let status, let code) = outcome.end else { continue }
            if !allowed.contains(code) { complaints.append("\(story(of: outcome)): \(status) \(code)") }
            let isSettled = house.since(outcome.began) > Self.blows + Self.calm - Self.settled
            if isSettled, outcome.tenant != StormGateway.greedy, !isOfMachine(outcome) {
                complaints.append("\(story(of: outcome)): \(status) \(code) in the calm")
            }
        }
    }

    /// Whether the machine had so little time for us that the call's own says nothing.
    private func isOfMachine(_ outcome: StormOutcome) -> Bool {
        pulse.worst(from: outcome.began, to: outcome.ended) > Pulse.slowest
    }

    private func story(of outcome: StormOutcome) -> String {
        let tries = (failures[outcome.id] ?? []).map { "\($0.target) \($0.failure?.rawValue ?? "ok")" }
        return "tenant \(outcome.tenant), \(outcome.model) at \(house.since(outcome.began)) for "
            + "\(outcome.ended - outcome.began) [\(tries.joined(separator: ", "))]"
    }

    private func report(_ before: Int, _ after: Int) {
        var ends: [String: Int] = [:]
        for outcome in outcomes {
            let name =
                switch outcome.end {
                case .answered: "answered"
                case .cut: "cut"
                case .failed(let status, let code): "\(status) \(code)"
                case .left: "left"
                case .late: "late"
                case .broken: "broken"
                }
            ends[name, default: 0] += 1
        }
        print("storm \(seed): \(outcomes.count) calls, \(ends.sorted { $0.key < $1.key })")
        print("storm memory: \(before >> 10) KiB before, \(after >> 10) KiB after")
    }
}
