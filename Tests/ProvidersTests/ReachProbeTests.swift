import Domain
import Locking
import Testing

@testable import Providers

/// The free call that shows whether a provider can be reached, over loopback sockets.
@Suite struct ReachProbeTests {
    private func answer(
        _ reply: [ScriptedUpstream.Reply], kind: ProviderKind = .openai, seen: Locked<[String]> = Locked([])
    ) async throws -> ReachProbe.Answer {
        let upstream = try await ScriptedUpstream.start { request in
            seen.withLock { $0.append(request.head) }
            return reply
        }
        let probe = ReachProbe(pool: try await Caller().pool)
        let answer = await probe.ask(try definition(port: upstream.port, kind: kind))
        try await upstream.stop()
        return answer
    }

    @Test(arguments: ProviderKind.allCases.filter { $0 != .bedrock })
    func `it asks for the free path without any key, and any status is an answer`(
        kind: ProviderKind
    ) async throws {
        let seen = Locked<[String]>([])
        let answer = try await answer(
            [.send(counted("{}", status: "401 Unauthorized")), .close], kind: kind, seen: seen)
        #expect(answer == .status(401))
        let head = try #require(seen.withLock { $0 }.first).lowercased()
        #expect(head.hasPrefix("get /v1/models"))
        #expect(!head.contains("authorization") && !head.contains("api-key"))
    }

    @Test func `the head is enough: a long answer is not read to its end`() async throws {
        let large = "HTTP/1.1 200 OK\r\ncontent-length: 1000000000\r\n\r\n{"
        #expect(try await answer([.send(large)]) == .status(200))
    }

    @Test func `what does not answer is told apart`() async throws {
        #expect(try await answer([.close]) == .failure(.reset))
        #expect(try await answer([.send("no HTTP at all\r\n\r\n"), .close]) == .failure(.malformed))
        let closed = try ClosedPort()
        let probe = ReachProbe(pool: try await Caller().pool)
        #expect(await probe.ask(try definition(port: closed.port)) == .failure(.connectRefused))
    }

    @Test func `a kind without a free call is not asked`() async throws {
        guard case .nothing(let why) = try await answer([.close], kind: .bedrock) else {
            Issue.record("it was asked")
            return
        }
        #expect(why.contains("no free call"))
        #expect(!ReachProbe.canAsk(try definition(port: 1, kind: .bedrock)))
        #expect(ReachProbe.canAsk(try definition(port: 1)))
    }

    @Test func `a cancelled one is over though the provider never answers`() async throws {
        let begun = Locked(false)
        let upstream = try await ScriptedUpstream.start { _ in
            begun.withLock { $0 = true }
            return []
        }
        // Nothing but the cancelling ends it, however slow the machine.
        let patient = UpstreamTimeouts(
            connect: .seconds(600), firstByte: .seconds(600), idle: .seconds(600), total: .seconds(600))
        let probe = ReachProbe(pool: try await Caller().pool, timeouts: patient)
        let place = try definition(port: upstream.port)
        let task = Task { await probe.ask(place) }
        while !begun.withLock({ $0 }) { await Task.yield() }
        task.cancel()
        #expect(await task.value == .nothing("cancelled"))
        let early = Task {
            while !Task.isCancelled { await Task.yield() }
            return await probe.ask(place)
        }
        early.cancel()
        #expect(await early.value == .nothing("cancelled"))
        try await upstream.stop()
    }
}
