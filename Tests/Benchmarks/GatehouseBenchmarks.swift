import ArgumentParser
import Foundation
import NIOCore
import NIOPosix
import TestKit

/// What a call costs here beside nginx, and what the console costs; ratios, as machines are shared.
@main
struct GatehouseBenchmarks: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        abstract: "CPU per call beside nginx, in turns; start, memory and idling of the console.",
        discussion: "Example: swift run -c release GatehouseBenchmarks --rounds 5")

    @Option(help: "Turns per contestant and kind of call.") var rounds = 5
    @Option(help: "JSON calls per turn.") var calls = 20_000
    @Option(help: "Streams per turn.") var streams = 1_500
    @Option(help: "Calls a second where the load is steady.") var rate = 2_000
    @Option(help: "Connections of the load.") var connections = 16
    @Option(help: "Only one kind of call: \(Kind.allCases.map(\.rawValue).joined(separator: ", ")).")
    var kind: Kind?
    @Option(help: "LiteLLM's program, ENVIRONMENT/bin/litellm, to be measured too.") var litellm: String?
    @Option(help: "Another build of gatehouse, to be measured in the same turns.") var beside: String?
    @Flag(help: "Only the console's figures.") var consoleOnly = false
    @Flag(help: "Only the calls' figures.") var callsOnly = false
    @Flag(help: "Only what a noisy tenant costs the others' calls.") var neighbour = false
    @Option(help: "Calls a second of the others beside a noisy tenant.") var neighbourRate = 500
    @Option(help: "Connections of the noisy tenant's calls.") var noiseConnections = 16
    @Option(
        parsing: .upToNextOption,
        help:
            "Only what a call costs with so many tenants, such as 10 1000 10000 (making those takes minutes)."
    )
    var tenants: [Int] = []

    /// Of the gateway's calls; LiteLLM takes about a hundred times as long for each.
    private static let litellmShare = 50

    func run() async throws {
        guard tenants.isEmpty else {
            return try await TenantMeasure(counts: tenants, rounds: rounds, connections: connections).run()
        }
        guard !neighbour else {
            return try await NeighbourMeasure(
                rounds: rounds, rate: neighbourRate, callers: noiseConnections
            ).run()
        }
        if !consoleOnly { try await measureCalls() }
        if !callsOnly { try ConsoleMeasure().run() }
    }

    private func measureCalls() async throws {
        let group = MultiThreadedEventLoopGroup(numberOfThreads: 1)
        let provider = try await LoopbackProvider(on: group)
        let folder = try TemporaryFolder()
        let nginx = try Contestant.nginx(in: folder, provider: provider.port)
        let gatehouse = try Contestant.gatehouse(in: folder, provider: provider.port)
        let other = try startLiteLLM(in: folder, provider: provider.port)
        let besideFolder = try TemporaryFolder()
        let beside = try beside.map {
            try Contestant.gatehouse("other", in: besideFolder, provider: provider.port, binary: $0)
        }
        print("gatehouse: \(try gatehouse.resident() / 1_024) MiB resident after start (aim: below 60)")
        print("CPU per call in microseconds, user and system, all threads; median of \(rounds) turns\n")
        for kind in Kind.allCases where self.kind == nil || self.kind == kind {
            let contestants = [
                kind.aim == nil ? nil : nginx, gatehouse, beside, kind.suitsLiteLLM ? other : nil,
            ]
            let figures = try await measure(kind, contestants.compactMap { $0 }, on: group)
            report(kind, figures)
        }
        print("\ngatehouse: \(try gatehouse.resident() / 1_024) MiB resident after the load")
        for contestant in [gatehouse, nginx, beside, other] { contestant?.child.end(SIGTERM) }
        try await provider.stop()
        try await group.shutdownGracefully()
    }

    private func startLiteLLM(in folder: TemporaryFolder, provider: Int) throws -> Contestant? {
        guard let litellm else {
            print("litellm: not measured; name its program with --litellm ENVIRONMENT/bin/litellm")
            return nil
        }
        let started = try Contestant.litellm(litellm, in: folder, provider: provider)
        print("litellm: \(Contestant.litellmVersion(litellm))")
        return started
    }

    /// The contestants in turns, so that what else the machine does falls on all of them.
    private func measure(
        _ kind: Kind, _ contestants: [Contestant], on group: MultiThreadedEventLoopGroup
    ) async throws -> [String: Double] {
        let most = kind.isStream ? streams : kind == .jsonPaced ? rate * 3 : calls
        var figures: [String: [Double]] = [:]
        for turn in 0...rounds {
            for contestant in contestants {
                let isSlow = contestant.name == "litellm"
                let count = isSlow ? max(connections, most / Self.litellmShare) : most
                let prepared = kind.parts(contestant.token)
                // No body comes twice: nothing is answered from the cache.
                let load = LoadGenerator(
                    group: group, connections: connections, rate: kind == .jsonPaced ? rate : nil
                ) { number in
                    prepared.numbered(turn * 1_000_000 + number)
                }
                let before = try contestant.cpu()
                let done = try await load.run(port: contestant.port, calls: count)
                let used = try contestant.cpu() - before
                // The first turn warms all up.
                guard turn > 0 else { continue }
                figures[contestant.name, default: []].append(Double(used) / 1_000 / Double(done))
            }
        }
        return figures.compactMapValues { $0.sorted().middle }
    }

    private func report(_ kind: Kind, _ figures: [String: Double]) {
        guard let ours = figures["gatehouse"] else { return }
        var line = kind.title.padding(toLength: 31, withPad: " ", startingAt: 0)
        if let nginx = figures["nginx"] { line += String(format: " nginx %6.1f", nginx) }
        line += String(format: "  gatehouse %6.1f", ours)
        if let nginx = figures["nginx"], let aim = kind.aim {
            line += String(format: "  ratio %.2f (aim: at most %.1f)", ours / nginx, aim)
        }
        if let other = figures["other"] {
            line += String(format: "  other %.1f, %.3f times", other, ours / other)
        }
        if let other = figures["litellm"] {
            line += String(format: "  litellm %.0f, %.0f times gatehouse", other, other / ours)
        }
        print(line)
    }
}

extension [Double] {
    /// Of a sorted list.
    var middle: Double? { isEmpty ? nil : self[count / 2] }
}
