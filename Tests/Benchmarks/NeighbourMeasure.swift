import Foundation
import NIOCore
import NIOPosix
import TestKit

/// What a noisy tenant costs the others: their latency without it, beside it, and, since it also takes the machine,
/// beside one that makes the same noise at another gateway.
struct NeighbourMeasure {
    private static let others = ["blue", "green", "red"]
    /// Of the noisy tenant, in calls a minute; it makes ten times as many.
    private static let limit = 6_000
    private static let slowConnections = 200
    private static let connections = 50
    private static let seconds = 2
    /// On a shared host most slow calls are those during which it gave the processors to another machine. A turn in which
    /// it took more than this of any arm, in milliseconds, says nothing of the gateway: 1 % of what there is.
    private static let stolenMost = Double(seconds) * 10 * Double(sysconf(Int32(_SC_NPROCESSORS_ONLN)))
    /// So many turns are made at most for each that is wanted.
    private static let tries = 4

    let rounds: Int
    /// Of the others, in calls a second.
    let rate: Int
    /// Of the noisy tenant, for its calls.
    let callers: Int

    private enum Arm: String, CaseIterable {
        case quiet = "nobody else"
        case elsewhere = "noise at another gateway"
        case here = "noise at this gateway"
    }

    private struct House {
        let gateway: Contestant
        let tokens: [String]
        let noisy: String
    }

    private struct Turn {
        /// Of the others' calls, in milliseconds.
        var latencies: [Arm: [Double]] = [:]
        /// How often the noisy tenant was answered each status at this gateway.
        var heard: [Int: Int] = [:]
        /// Microseconds of processor time for each of its calls at the other one.
        var cost = 0.0
        /// The most milliseconds that the host took in one arm.
        var stolen = 0.0
    }

    func run() async throws {
        let group = MultiThreadedEventLoopGroup(numberOfThreads: 1)
        let noiseGroup = MultiThreadedEventLoopGroup(numberOfThreads: 1)
        let provider = try await LoopbackProvider(on: group, refusing: "sk-bench-refused")
        let folder = try TemporaryFolder()
        let house = try start("gatehouse", in: folder.path + "/a", provider: provider.port)
        let other = try start("other", in: folder.path + "/b", provider: provider.port)
        for used in [house, other] {
            try await useUp(used, on: noiseGroup)
        }
        var (turns, leftOut): ([Turn], Int) = ([], 0)
        // The first turn warms all up.
        for number in 0...rounds * Self.tries where turns.count < rounds {
            let turn = try await take(number, house, beside: other, group, noiseGroup)
            if number == 0 { continue }
            if turn.stolen <= Self.stolenMost { turns.append(turn) } else { leftOut += 1 }
        }
        print(
            "\(turns.count) turns count; \(leftOut) do not, as the host took more than 1 % of the processors")
        report(turns)
        for one in [house, other] { one.gateway.child.end(SIGTERM) }
        try await provider.stop()
        try await group.shutdownGracefully()
        try await noiseGroup.shutdownGracefully()
    }

    /// All three arms once, each of them behind another one from turn to turn.
    private func take(
        _ number: Int, _ house: House, beside other: House, _ group: MultiThreadedEventLoopGroup,
        _ noiseGroup: MultiThreadedEventLoopGroup
    ) async throws -> Turn {
        var turn = Turn()
        let first = number % Arm.allCases.count
        for arm in Arm.allCases[first...] + Arm.allCases[..<first] {
            let target = arm == .here ? house : other
            let noise =
                arm == .quiet
                ? nil
                : try await NoisyTenant(
                    port: target.gateway.port, token: target.noisy, rate: Self.limit * 10 / 60,
                    callers: callers, slow: Self.slowConnections, on: noiseGroup)
            let before = (used: try other.gateway.cpu(), stolen: Self.stolen())
            let load = SteadyLoad(group: group, connections: Self.connections, rate: rate)
            let prepared = house.tokens.map { Kind.json.parts($0) }
            turn.latencies[arm] = try await load.run(port: house.gateway.port, seconds: Self.seconds) {
                prepared[$0 % prepared.count].numbered(number * 1_000_000 + $0)
            }
            let answers = try await noise?.end() ?? [:]
            turn.stolen = max(turn.stolen, Self.stolen() - before.stolen)
            if arm == .elsewhere {
                // All that gateway does is the noise.
                let used = try other.gateway.cpu() - before.used
                turn.cost = Double(used) / 1_000 / Double(answers.values.reduce(0, +))
            }
            if arm == .here { turn.heard = answers }
        }
        return turn
    }

    /// Calls until a minute's calls are used up, over so many connections that none has to wait for its refusal.
    private func useUp(_ house: House, on group: MultiThreadedEventLoopGroup) async throws {
        for _ in 0..<10 {
            let noise = try await NoisyTenant(
                port: house.gateway.port, token: house.noisy, rate: 3_000, callers: 300, slow: 0, on: group)
            try await Task.sleep(for: .seconds(3))
            if try await noise.end()[429] != nil { return }
        }
        throw LoadGenerator.Failure(description: "the noisy tenant's limit is never reached")
    }

    private func start(_ name: String, in folder: String, provider: Int) throws -> House {
        try FileManager.default.createDirectory(atPath: folder, withIntermediateDirectories: false)
        let data = folder + "/data"
        let keyFile = folder + "/vault.key"
        func run(_ arguments: [String], input: String = "") throws -> String {
            try Tool.run(try GatewayFolder.binary(), arguments + ["--data", data], input: input).out
        }
        func tenant(_ name: String, limit: Int, key: String) throws -> String {
            _ = try run(["tenant", "add", name, "--rpm", "\(limit)"])
            _ = try run(["key", "add", name, "openai", "--from-stdin", "--accept-unverified"], input: key)
            return try run(["token", "issue", name]).split(separator: "\n").last.map(String.init) ?? ""
        }
        _ = try run(["init", "--keyfile", keyFile])
        try GatewayFolder.configure(data, keyFile: keyFile, provider: provider)
        let tokens = try Self.others.map {
            try tenant($0, limit: 10_000_000, key: "sk-bench-\($0)-0123456789abcdef")
        }
        let noisy = try tenant("loud", limit: Self.limit, key: "sk-bench-refused-0123456789abcdef")
        let gateway = try Contestant.gatehouse(name, on: data, log: folder + "/log", token: "none")
        return House(gateway: gateway, tokens: tokens, noisy: noisy)
    }

    /// Milliseconds for which another machine on the same host had a processor that this one wanted (proc_stat(5), in
    /// ticks of 10 ms).
    private static func stolen() -> Double {
        let line = (try? String(contentsOfFile: "/proc/stat", encoding: .utf8))?.split(separator: "\n").first
        return line?.split(separator: " ").dropFirst(8).first.flatMap { Double($0) }.map { $0 * 10 } ?? 0
    }

    private func report(_ turns: [Turn]) {
        print(
            "\(Self.others.count) tenants, \(rate) calls/s in all, milliseconds from when a call was due to its "
                + "answer; over all calls of turns of \(Self.seconds) s")
        func sorted(_ arm: Arm) -> [Double] { turns.flatMap { $0.latencies[arm] ?? [] }.sorted() }
        let alone = sorted(.quiet)
        for arm in Arm.allCases {
            let latencies = sorted(arm)
            let shares = [0.5, 0.9, 0.99].map { share in
                let (value, base) = (latencies.share(share), alone.share(share))
                return String(format: "p%.0f %.3f (%.2f)", share * 100, value, value / base)
            }
            print(
                arm.rawValue.padding(toLength: 26, withPad: " ", startingAt: 0)
                    + shares.joined(separator: "  "))
        }
        let heard = turns.map(\.heard).reduce(into: [:]) { $0.merge($1, uniquingKeysWith: +) }
        let answers = heard.sorted { $0.key < $1.key }.map { "\($0.key): \($0.value)" }
        print(
            "the noisy tenant here: wants \(Self.limit * 10 / 60) calls/s, ten times its limit, over \(callers) "
                + "connections, key refused, \(Self.slowConnections) slow bodies; answers "
                + answers.joined(separator: ", "))
        print(
            String(
                format: "the noise by itself: %.1f us of processor time a call, slow bodies with it",
                turns.map(\.cost).sorted().middle ?? 0)
        )
        print("the others: every answer a 200; aim: p99 at most 1.2 times")
    }
}

extension [Double] {
    /// Of a sorted list: what that share of all is not above.
    func share(_ share: Double) -> Double {
        isEmpty ? 0 : self[Swift.min(count - 1, Int(Double(count) * share))]
    }
}
