import Domain
import Foundation
import NIOCore
import NIOPosix
import TestKit

/// Whether a call costs more where there are more tenants: the same calls to gateways with few and with many of them.
struct TenantMeasure {
    /// Who calls. Ten tenants: what is measured is the path. All of them: then each call is another tenant's, whose
    /// ledger has to be opened for the one row.
    private static let spreads = [(callers: 10, rate: 2_000), (callers: Int.max, rate: 100)]
    private static let seconds = 5

    let counts: [Int]
    let rounds: Int
    let connections: Int

    private struct Entry {
        let count: Int
        let gateway: Contestant
        let tokens: [String]
        let start: Duration
    }

    func run() async throws {
        let group = MultiThreadedEventLoopGroup(numberOfThreads: 1)
        let provider = try await LoopbackProvider(on: group)
        let folder = try TemporaryFolder()
        var entries: [Entry] = []
        for count in counts {
            entries.append(try await entry(count, in: folder.path + "/\(count)", provider: provider.port))
        }
        print("CPU per call in microseconds, user and system, all threads; median of \(rounds) turns")
        for (callers, rate) in Self.spreads {
            let who = callers == Int.max ? "all tenants call" : "\(callers) tenants call"
            print("\n\(who), \(rate) calls/s")
            let figures = try await measure(entries, callers: callers, rate: rate, on: group)
            for (entry, figure) in zip(entries, figures) {
                print(
                    String(
                        format: "%6d tenants: %7.1f us a call, %4d MiB resident, %4d descriptors open",
                        entry.count, figure, try entry.gateway.resident() / 1_024,
                        try entry.gateway.descriptors()))
            }
        }
        for entry in entries { entry.gateway.child.end(SIGTERM) }
        try await provider.stop()
        try await group.shutdownGracefully()
    }

    private func entry(_ count: Int, in folder: String, provider: Int) async throws -> Entry {
        try FileManager.default.createDirectory(atPath: folder, withIntermediateDirectories: false)
        let crowd = try await TenantCrowd(
            in: folder, tenants: count, keys: 1, provider: try ProviderName("openai"),
            origin: Origin(secure: false, host: "127.0.0.1", port: provider))
        try GatewayFolder.configure(crowd.data, keyFile: crowd.keyFile, provider: provider)
        let began = ContinuousClock.now
        let gateway = try Contestant.gatehouse(
            "\(count)", on: crowd.data, log: folder + "/log", token: "none")
        let start = ContinuousClock.now - began
        print(
            "\(count) tenants: \(try gateway.resident() / 1_024) MiB resident and "
                + "\(try gateway.descriptors()) descriptors open after a start of \(start)")
        return Entry(count: count, gateway: gateway, tokens: crowd.members.map(\.token), start: start)
    }

    /// In turns, so that what else the machine does falls on all of them.
    private func measure(
        _ entries: [Entry], callers: Int, rate: Int, on group: MultiThreadedEventLoopGroup
    ) async throws -> [Double] {
        var figures = entries.map { _ in [Double]() }
        for turn in 0...rounds {
            for (place, entry) in entries.enumerated() {
                let prepared = entry.tokens.prefix(callers).map { Kind.json.parts($0) }
                let load = LoadGenerator(group: group, connections: connections, rate: rate) { number in
                    // A stride without a common factor with any of the counts: each tenant has its turn.
                    prepared[(number + turn) * 7_919 % prepared.count].numbered(turn * 1_000_000 + number)
                }
                let before = try entry.gateway.cpu()
                let done = try await load.run(port: entry.gateway.port, calls: rate * Self.seconds)
                let used = try entry.gateway.cpu() - before
                // The first turn warms all up.
                if turn > 0 { figures[place].append(Double(used) / 1_000 / Double(done)) }
            }
        }
        return figures.compactMap { $0.sorted().middle }
    }
}
