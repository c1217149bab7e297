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
    private static let seconds = 5

    let rounds: Int
    /// Of the others, in calls a second.
    let rate: Int

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

    func run() async throws {
        let group = MultiThreadedEventLoopGroup(numberOfThreads: 1)
        let noiseGroup = MultiThreadedEventLoopGroup(numberOfThreads: 1)
        let provider = try await LoopbackProvider(on: group, refusing: "sk-bench-refused")
        let folder = try TemporaryFolder()
        let house = try start("gatehouse", in: folder.path + "/a", provider: provider.port)
        let other = try start("other", in: folder.path + "/b", provider: provider.port)
        var figures: [Arm: [(p50: Double, p99: Double)]] = [:]
        var heard: [Int: Int] = [:]
        var costs: [Double] = []
        for turn in 0...rounds {
            for arm in Arm.allCases {
                let target = arm == .here ? house : other
                let noise =
                    arm == .quiet
                    ? nil
                    : try await NoisyTenant(
                        port: target.gateway.port, token: target.noisy, rate: Self.limit * 10 / 60,
                        slow: Self.slowConnections, on: noiseGroup)
                let before = try other.gateway.cpu()
                let load = SteadyLoad(group: group, connections: Self.connections, rate: rate)
                let prepared = house.tokens.map { Kind.json.parts($0) }
                let latencies = try await load.run(port: house.gateway.port, seconds: Self.seconds) {
                    number in
                    prepared[number % prepared.count].numbered(turn * 1_000_000 + number)
                }.sorted()
                let answers = try await noise?.end() ?? [:]
                // The first turn warms all up, and uses up what the noisy one's limit holds.
                guard turn > 0 else { continue }
                if arm == .elsewhere {
                    // All that gateway does is the noise.
                    let used = try other.gateway.cpu() - before
                    costs.append(Double(used) / 1_000 / Double(answers.values.reduce(0, +)))
                }
                if arm == .here { heard.merge(answers, uniquingKeysWith: +) }
                figures[arm, default: []].append((latencies.share(0.5), latencies.share(0.99)))
            }
        }
        report(figures, heard, cost: costs.sorted().middle ?? 0)
        for one in [house, other] { one.gateway.child.end(SIGTERM) }
        try await provider.stop()
        try await group.shutdownGracefully()
        try await noiseGroup.shutdownGracefully()
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

    private func report(_ figures: [Arm: [(p50: Double, p99: Double)]], _ heard: [Int: Int], cost: Double) {
        print(
            "\(Self.others.count) tenants, \(rate) calls/s in all, milliseconds from when a call was due to its "
                + "answer; median of \(rounds) turns of \(Self.seconds) s")
        func middle(_ arm: Arm, _ value: KeyPath<(p50: Double, p99: Double), Double>) -> Double {
            figures[arm, default: []].map { $0[keyPath: value] }.sorted().middle ?? 0
        }
        let base = (middle(.quiet, \.p50), middle(.quiet, \.p99))
        for arm in Arm.allCases {
            let (half, most) = (middle(arm, \.p50), middle(arm, \.p99))
            print(
                arm.rawValue.padding(toLength: 26, withPad: " ", startingAt: 0)
                    + String(
                        format: "p50 %.3f (%.2f)  p99 %.3f (%.2f)", half, half / base.0, most, most / base.1))
        }
        let answers = heard.sorted { $0.key < $1.key }.map { "\($0.key): \($0.value)" }
        print(
            "the noisy tenant here: \(Self.limit * 10 / 60) calls/s, ten times its limit, key refused, "
                + "\(Self.slowConnections) slow bodies; answers \(answers.joined(separator: ", "))")
        print(
            String(format: "the noise by itself: %.1f us of processor time a call, slow bodies with it", cost)
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
