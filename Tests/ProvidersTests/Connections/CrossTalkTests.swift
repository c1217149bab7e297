import Domain
import Locking
import NIOCore
import NIOHTTP1
import NIOPosix
import Testing

@testable import Providers

/// What one credential's calls leave behind must never reach another's (a cancelled call's answer read by the next).
@Suite struct CrossTalkTests {
    /// SplitMix64 (Steele, Lea, Flood 2014): small, seeded, good enough to choose faults.
    struct Seeded: RandomNumberGenerator {
        var state: UInt64
        mutating func next() -> UInt64 {
            state &+= 0x9e37_79b9_7f4a_7c15
            var mixed = state
            mixed = (mixed ^ mixed >> 30) &* 0xbf58_476d_1ce4_e5b9
            mixed = (mixed ^ mixed >> 27) &* 0x94d0_49bb_1331_11eb
            return mixed ^ mixed >> 31
        }
    }

    /// Answers with the caller's own words, in one of several ways, most of them wrong.
    private static func answer(_ seen: ScriptedUpstream.Seen) -> [ScriptedUpstream.Reply] {
        let body = seen.body
        let length = body.utf8.count
        let chunked = "HTTP/1.1 200 OK\r\ntransfer-encoding: chunked\r\n\r\n\(String(length, radix: 16))\r\n"
        switch body.utf8.reduce(0, { $0 &+ Int($1) }) % 8 {
        case 0: return [.send(counted(body)), .send(counted(body))]
        case 1: return [.send(counted(body) + counted(body))]
        case 2: return [.send(chunked + body), .send("\r\n0\r\n\r\n")]
        case 3:
            return [.send("HTTP/1.1 200 OK\r\ncontent-length: \(length)\r\n\r\n"), .send(body), .send(body)]
        case 4: return [.send(chunked + body), .close]
        case 5: return [.send(counted(body)), .close]
        default: return [.send(counted(body))]
        }
    }

    @Test(arguments: [1, 2, 3] as [UInt64])
    func `nothing of a cancelled call reaches another credential`(seed: UInt64) async throws {
        let owners = Locked<[Int: Set<String>]>([:])
        let upstream = try await ScriptedUpstream.start { seen in
            let line = seen.head.split(separator: "\r\n").first { $0.hasPrefix("authorization: ") } ?? ""
            owners.withLock { _ = $0[seen.connection, default: []].insert(String(line)) }
            return Self.answer(seen)
        }
        let caller = try await Caller()
        let endpoint = try chat(port: upstream.port)
        var random = Seeded(state: seed)
        var wrong: [String] = []
        var complete = 0
        for number in 0..<1_000 {
            let cancelAt = Int.random(in: 0..<4, using: &random)
            let who = Int.random(in: 0..<3, using: &random)
            let canary = "canary-of-\(who)-in-call-\(number)"
            let outcome = try await call(caller, endpoint, who: who, canary: canary, cancelAt: cancelAt)
            guard let outcome else { continue }
            complete += 1
            let others = (0..<3).filter { $0 != who }.map { "canary-of-\($0)" }
            if others.contains(where: outcome.body.contains) { wrong.append("\(canary): \(outcome.body)") }
        }
        #expect(wrong.isEmpty, "seed \(seed)")
        #expect(complete > 200, "seed \(seed): too few complete calls to prove anything")
        let mixed = owners.withLock { $0.values.filter { $0.count != 1 } }
        #expect(mixed.isEmpty, "seed \(seed): a connection carried the keys of two")
        #expect(try await caller.counts().reused > 50, "seed \(seed): no connection was used again")
        try await upstream.stop()
    }

    /// One call, cancelled at once (1), at its head (2), at its body (3) or not at all; nil where it was cancelled.
    private func call(
        _ caller: Caller, _ endpoint: UpstreamEndpoint, who: Int, canary: String, cancelAt: Int
    ) async throws -> Outcome? {
        try await caller.onLoop { pool, promise in
            let recorder = Recorder()
            let request = UpstreamRequest(
                endpoint: endpoint, tenant: TenantID(high: 0, low: UInt64(who)),
                key: ProviderKeyID(high: 0, low: UInt64(who)), body: ByteBuffer(string: canary))
            let exchange = try sendWith("sk-\(who)") { (secret) throws(ProviderRefusal) in
                try pool.send(request, secret: secret, delegate: recorder)
            }
            func cancel() {
                exchange.cancel()
                promise.succeed(nil)
            }
            recorder.onEnding = { promise.succeed($0) }
            switch cancelAt {
            case 1: cancel()
            case 2: recorder.onHead = cancel
            case 3: recorder.onBody = { _ in cancel() }
            default: break
            }
        }
    }
}
