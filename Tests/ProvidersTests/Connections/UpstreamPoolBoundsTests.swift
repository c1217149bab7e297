import Cipher
import Domain
import NIOCore
import NIOHTTP1
import NIOPosix
import Testing

@testable import Providers

@Suite struct UpstreamPoolBoundsTests {
    private static func quick(_ change: (inout UpstreamOptions) -> Void) -> UpstreamOptions {
        var options = UpstreamOptions()
        options.tick = .milliseconds(5)
        change(&options)
        return options
    }

    @Test func `no head in time is a first byte timeout, also when the head drips`() async throws {
        let upstream = try await ScriptedUpstream.start { _ in [.send("HTTP/1.1 200 OK\r\nx: ")] }
        let options = Self.quick { $0.timeouts.firstByte = .milliseconds(20) }
        let outcome = try await Caller(options).send(chat(port: upstream.port))
        #expect(outcome.failure == .timeout(.firstByte) && outcome.endings == 1)
        try await upstream.stop()
    }

    @Test func `a body that stalls is an idle timeout`() async throws {
        let upstream = try await ScriptedUpstream.start { _ in
            [.send("HTTP/1.1 200 OK\r\ncontent-length: 9\r\n\r\nhalf")]
        }
        let options = Self.quick { $0.timeouts.idle = .milliseconds(20) }
        let outcome = try await Caller(options).send(chat(port: upstream.port))
        #expect(outcome.failure == .timeout(.idle) && outcome.body == "half")
        try await upstream.stop()
    }

    @Test func `the total bound ends an exchange that is otherwise well`() async throws {
        let upstream = try await ScriptedUpstream.start { _ in [] }
        let outcome = try await Caller(Self.quick { _ in }).send(
            chat(port: upstream.port), timeouts: UpstreamTimeouts(total: .milliseconds(20)))
        #expect(outcome.failure == .timeout(.total))
        try await upstream.stop()
    }

    @Test func `an idle connection is closed after its time`() async throws {
        let gone = MultiThreadedEventLoopGroup.singleton.next().makePromise(of: Void.self)
        let listener = try await ServerBootstrap(group: MultiThreadedEventLoopGroup.singleton)
            .childChannelInitializer { channel in
                channel.closeFuture.cascade(to: gone)
                return channel.eventLoop.makeCompletedFuture {
                    try channel.pipeline.syncOperations.addHandler(AnswersOnce())
                }
            }
            .bind(host: "127.0.0.1", port: 0).get()
        let caller = try await Caller(Self.quick { $0.keepIdle = .milliseconds(10) })
        _ = try await caller.send(chat(port: listener.localAddress?.port ?? 0))
        try await gone.futureResult.get()
        #expect(try await caller.counts().open == 0)
        try await listener.close()
    }

    @Test func `a port where nobody listens refuses the connection`() async throws {
        let closed = try ClosedPort()
        let outcome = try await Caller().send(chat(port: closed.port))
        #expect(outcome.failure == .connectRefused)
        #expect(outcome.failure?.failureClass(at: .beforeHead) == .transport)
    }

    @Test func `an address that is closed to the host is never dialled`() async throws {
        var made = try definition(port: 80, secure: true, host: "169.254.169.254")
        #expect(
            try await Caller().send(UpstreamEndpoint(made, dialect: .openAIChat)).failure == .addressRefused)
        made = try definition(port: 80, secure: true, host: "10.0.0.1")
        #expect(
            try await Caller().send(UpstreamEndpoint(made, dialect: .openAIChat)).failure == .addressRefused)
    }

    @Test func `a failure that is known at once is told after send has returned`() async throws {
        let endpoint = try UpstreamEndpoint(
            definition(port: 80, secure: true, host: "10.0.0.1"), dialect: .openAIChat)
        let told: Int = try await Caller().onLoop { pool, promise in
            let recorder = Recorder()
            let request = UpstreamRequest(endpoint: endpoint, tenant: .init(high: 1, low: 1), key: nil)
            _ = try sendWith("sk") { (secret) throws(ProviderRefusal) in
                try pool.send(request, secret: secret, delegate: recorder)
            }
            let early = recorder.outcome.endings
            recorder.onEnding = { promise.succeed(early * 10 + $0.endings) }
        }
        #expect(told == 1)
    }

    @Test func `at the bound the longest idle connection makes room, and without one the call fails`()
        async throws
    {
        let upstream = try await ScriptedUpstream.start { seen in
            seen.body == "hang" ? [] : [.send(counted("\(seen.connection)"))]
        }
        let options = Self.quick {
            $0.openMax = 2
            // A loaded machine may take its time between two calls.
            $0.keepIdle = .seconds(3_600)
        }
        let caller = try await Caller(options)
        let endpoint = try chat(port: upstream.port)
        _ = try await caller.send(endpoint, key: .init(high: 0, low: 1))
        _ = try await caller.send(endpoint, key: .init(high: 0, low: 2))
        #expect(try await caller.send(endpoint, key: .init(high: 0, low: 3)).body == "3")
        var counts = try await caller.counts()
        // The one that made room is closed a turn of the loop later.
        for _ in 0..<1_000 where counts.open > 2 { counts = try await caller.counts() }
        #expect(counts.open == 2 && counts.evicted == 1)
        let failure: UpstreamFailure? = try await caller.onLoop { pool, promise in
            let recorder = Recorder()
            recorder.onEnding = { promise.succeed($0.failure) }
            for _ in 0..<3 {
                let request = UpstreamRequest(
                    endpoint: endpoint, tenant: .init(high: 7, low: 7), key: nil,
                    body: ByteBuffer(string: "hang"))
                _ = try sendWith("sk") { (secret: borrowing SecretBytes?) throws(ProviderRefusal) in
                    try pool.send(request, secret: secret, delegate: recorder)
                }
            }
        }
        #expect(failure == .overloaded && failure?.failureClass(at: .beforeHead) == nil)
        counts = try await caller.counts()
        #expect(counts.open == 2 && counts.idle == 0)
        try await upstream.stop()
    }

    @Test func `no more idle connections are kept than allowed`() async throws {
        let upstream = try await ScriptedUpstream.start { _ in [.send(counted("x"))] }
        let caller = try await Caller(Self.quick { $0.idlePerKeyMax = 2 })
        let endpoint = try chat(port: upstream.port)
        try await withThrowingTaskGroup(of: Void.self) { group in
            for _ in 0..<8 { group.addTask { _ = try await caller.send(endpoint) } }
            try await group.waitForAll()
        }
        let counts = try await caller.counts()
        #expect(counts.open <= 2 && counts.open == counts.idle)
        try await upstream.stop()
    }

    @Test func `while paused the provider's bytes stay in the provider, and all come after resuming`()
        async throws
    {
        let size = 8 << 20
        let upstream = try await ScriptedUpstream.start { _ in
            [.send(counted(String(repeating: "x", count: size)))]
        }
        let caller = try await Caller(Self.quick { $0.timeouts.idle = .seconds(1) })
        let endpoint = try chat(port: upstream.port)
        let atPause: (Int, Int) = try await caller.onLoop { pool, promise in
            let recorder = Recorder()
            let request = UpstreamRequest(endpoint: endpoint, tenant: .init(high: 1, low: 1), key: nil)
            let exchange = try sendWith("sk") { (secret: borrowing SecretBytes?) throws(ProviderRefusal) in
                try pool.send(request, secret: secret, delegate: recorder)
            }
            var seen = 0
            var seenWhenPaused = 0
            recorder.onHead = {
                exchange.pauseReading()
                // Long enough for the idle timeout to have run out, and for megabytes to come, were they read.
                pool.loop.assumeIsolated().scheduleTask(in: .seconds(2)) {
                    seenWhenPaused = seen
                    exchange.resumeReading()
                }
            }
            recorder.onBody = { seen += $0.readableBytes }
            recorder.onEnding = { outcome in
                outcome.failure.map { promise.fail($0) } ?? promise.succeed((seenWhenPaused, seen))
            }
        }
        #expect(atPause.0 <= 64 << 10)
        #expect(atPause.1 == size)
        try await upstream.stop()
    }
}

/// Answers every piece it reads.
private final class AnswersOnce: ChannelInboundHandler {
    typealias InboundIn = ByteBuffer

    func channelRead(context: ChannelHandlerContext, data: NIOAny) {
        context.writeAndFlush(NIOAny(ByteBuffer(string: counted("x"))), promise: nil)
    }
}
