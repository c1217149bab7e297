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
    @Option(help: "Only one kind of call: jsonPaced, json, jsonCached, stream.") var kind: Kind?
    @Flag(help: "Only the console's figures.") var consoleOnly = false
    @Flag(help: "Only the calls' figures.") var callsOnly = false

    func run() async throws {
        if !consoleOnly { try await measureCalls() }
        if !callsOnly { try ConsoleMeasure().run() }
    }

    private func measureCalls() async throws {
        let group = MultiThreadedEventLoopGroup(numberOfThreads: 1)
        let provider = try await LoopbackProvider(on: group)
        let folder = try TemporaryFolder()
        let nginx = try Contestant.nginx(in: folder, provider: provider.port)
        let (gatehouse, token) = try Contestant.gatehouse(in: folder, provider: provider.port)
        print("gatehouse: \(try gatehouse.resident() / 1_024) MiB resident after start (aim: below 60)")
        print("CPU per call in microseconds, user and system, all threads; median of \(rounds) turns\n")
        for kind in Kind.allCases where self.kind == nil || self.kind == kind {
            let count = kind == .stream ? streams : kind == .jsonPaced ? rate * 3 : calls
            let prepared = kind.parts(token)
            var figures: [String: [Double]] = [:]
            for turn in 0...rounds {
                for contestant in [nginx, gatehouse] {
                    // No body comes twice: nothing is answered from the cache.
                    let load = LoadGenerator(
                        group: group, connections: connections, rate: kind == .jsonPaced ? rate : nil
                    ) { number in
                        prepared.numbered(turn * 1_000_000 + number)
                    }
                    let before = try contestant.cpu()
                    try await load.run(port: contestant.port, calls: count)
                    let used = try contestant.cpu() - before
                    // The first turn warms both up.
                    guard turn > 0 else { continue }
                    figures[contestant.name, default: []].append(Double(used) / 1_000 / Double(count))
                }
            }
            report(kind, figures)
        }
        print("\ngatehouse: \(try gatehouse.resident() / 1_024) MiB resident after the load")
        gatehouse.child.end(SIGTERM)
        nginx.child.end(SIGTERM)
        try await provider.stop()
        try await group.shutdownGracefully()
    }

    private func report(_ kind: Kind, _ figures: [String: [Double]]) {
        let nginx = (figures["nginx"] ?? []).sorted(), gatehouse = (figures["gatehouse"] ?? []).sorted()
        guard let base = nginx.middle, let ours = gatehouse.middle else { return }
        print(
            kind.title.padding(toLength: 34, withPad: " ", startingAt: 0),
            String(
                format: "nginx %6.1f  gatehouse %6.1f  ratio %.2f (aim: at most %.1f)", base, ours,
                ours / base, kind.aim))
    }
}

/// The kinds of call that are measured.
enum Kind: String, CaseIterable, ExpressibleByArgument {
    case jsonPaced, json, jsonCached, stream

    var title: String {
        switch self {
        case .jsonPaced: "1 KB JSON, steady rate"
        case .json: "1 KB JSON, as fast as it goes"
        case .jsonCached: "the same, cache on, all misses"
        case .stream: "stream of \(LoopbackProvider.chunks) chunks"
        }
    }

    /// The project's promise, times nginx.
    var aim: Double { self == .stream ? 2.5 : 2.0 }

    /// A request that is whole but for the number in its text.
    func parts(_ token: String) -> Prepared {
        let words = String(repeating: "lorem ipsum dolor sit amet ", count: 32)
        let stream = self == .stream ? #""stream":true,"stream_options":{"include_usage":true},"# : ""
        let start =
            #"{"model":"gpt-6-sol",\#(stream)"temperature":0,"messages":[{"role":"user","content":""#
        let end = #" \#(words)"}]}"#
        let length = start.utf8.count + Prepared.digits + end.utf8.count
        let head =
            "POST /v1/chat/completions HTTP/1.1\r\nhost: 127.0.0.1\r\nauthorization: Bearer \(token)\r\n"
            + "content-type: application/json\r\naccept: */*\r\n"
            + (self == .jsonCached ? "" : "x-gatehouse-cache: off\r\n") + "content-length: \(length)\r\n\r\n"
        return Prepared(
            bytes: ByteBuffer(string: head + start + "000000000" + end), place: (head + start).utf8.count)
    }
}

/// A request with room for a number, so that every body is its own.
struct Prepared {
    static let digits = 9
    let bytes: ByteBuffer
    let place: Int

    func numbered(_ number: Int) -> ByteBuffer {
        var request = bytes
        var rest = number
        for digit in (0..<Self.digits).reversed() {
            request.setInteger(UInt8(48 + rest % 10), at: place + digit)
            rest /= 10
        }
        return request
    }
}

extension [Double] {
    /// Of a sorted list.
    var middle: Double? { isEmpty ? nil : self[count / 2] }
}
