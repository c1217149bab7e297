import Cipher
import Domain
import Glibc
import Locking
import NIOCore
import NIOHTTP1
import NIOPosix
import Testing

@testable import Providers

@Suite struct UpstreamPoolTests {
    @Test func `a request arrives with path, host, length and key, and its response comes back`() async throws
    {
        let upstream = try await ScriptedUpstream.start { seen in
            [.send(counted(seen.head + "|" + seen.body))]
        }
        let outcome = try await Caller().send(chat(port: upstream.port), secret: "sk-123", body: #"{"a":1}"#)
        #expect(outcome.status == 200)
        #expect(
            outcome.body.hasPrefix(
                "POST /v1/chat/completions HTTP/1.1\r\nhost: 127.0.0.1:\(upstream.port)\r\n"))
        #expect(
            outcome.body.contains("\r\ncontent-length: 7\r\nauthorization: Bearer sk-123\r\n\r\n|{\"a\":1}"))
        #expect(outcome.endings == 1)
        try await upstream.stop()
    }

    @Test func `one connection serves calls of one credential one after another`() async throws {
        let upstream = try await ScriptedUpstream.start { seen in [.send(counted("\(seen.connection)"))] }
        let caller = try await Caller()
        for _ in 0..<5 {
            let outcome = try await caller.send(chat(port: upstream.port))
            #expect(outcome.body == "1")
        }
        let counts = try await caller.counts()
        #expect(counts == .init(open: 1, idle: 1, dialled: 1, reused: 4))
        try await upstream.stop()
    }

    @Test func `another key and another tenant get connections of their own`() async throws {
        let upstream = try await ScriptedUpstream.start { seen in [.send(counted("\(seen.connection)"))] }
        let caller = try await Caller()
        let endpoint = try chat(port: upstream.port)
        let first = try await caller.send(endpoint, key: .init(high: 1, low: 1))
        let otherKey = try await caller.send(endpoint, key: .init(high: 1, low: 2))
        let otherTenant = try await caller.send(
            endpoint, tenant: .init(high: 9, low: 9), key: .init(high: 1, low: 1))
        let again = try await caller.send(endpoint, key: .init(high: 1, low: 1))
        #expect([first.body, otherKey.body, otherTenant.body, again.body] == ["1", "2", "3", "1"])
        try await upstream.stop()
    }

    @Test(arguments: [
        ("bytes behind the body", counted("x") + "y", "x"),
        ("a line end behind the body", counted("x") + "\r\n", "x"),
        ("the beginning of another response", counted("x") + "HTTP/1.1 20", "x"),
        ("a whole second response", counted("x") + counted("poison"), "x"),
        ("connection: close", counted("x", extra: "connection: close\r\n"), "x"),
        ("an HTTP/1.0 response", "HTTP/1.0 200 OK\r\ncontent-length: 1\r\n\r\nx", "x"),
        ("an unasked 100", "HTTP/1.1 100 Continue\r\n\r\n" + counted("x"), "x"),
        ("trailers", "HTTP/1.1 200 OK\r\ntransfer-encoding: chunked\r\n\r\n1\r\nx\r\n0\r\na: b\r\n\r\n", "x"),
        (
            "a line end behind chunks",
            "HTTP/1.1 200 OK\r\ntransfer-encoding: chunked\r\n\r\n1\r\nx\r\n0\r\n\r\n\r\n", "x"
        ),
        ("a line end behind nothing", "HTTP/1.1 204 No Content\r\n\r\n\r\n", ""),
    ])
    func `a connection is not used again after`(what: String, response: String, body: String) async throws {
        let upstream = try await ScriptedUpstream.start { seen in
            [.send(seen.connection == 1 ? response : counted("clean"))]
        }
        let caller = try await Caller()
        let first = try await caller.send(chat(port: upstream.port))
        #expect(first.failure == nil && first.body == body, "\(what)")
        let second = try await caller.send(chat(port: upstream.port))
        #expect(second.body == "clean", "\(what)")
        #expect(try await caller.counts().reused == 0, "\(what)")
        try await upstream.stop()
    }

    @Test(arguments: [
        ("chunks", "HTTP/1.1 200 OK\r\ntransfer-encoding: chunked\r\n\r\n1\r\nx\r\n0\r\n\r\n"),
        ("no body", "HTTP/1.1 204 No Content\r\n\r\n"),
        ("an empty body", counted("")),
        ("an error", counted("x", status: "500 Oh")),
        ("a redirect", counted("x", status: "302 Found", extra: "location: http://127.0.0.1:1/\r\n")),
    ])
    func `a connection is used again after`(what: String, response: String) async throws {
        let upstream = try await ScriptedUpstream.start { seen in
            [.send(seen.request == 1 ? response : counted("second"))]
        }
        let caller = try await Caller()
        let first = try await caller.send(chat(port: upstream.port))
        #expect(first.failure == nil, "\(what)")
        let second = try await caller.send(chat(port: upstream.port))
        #expect(second.body == "second", "\(what)")
        try await upstream.stop()
    }

    @Test func `bytes that come between two calls close the connection before the second`() async throws {
        let late = MultiThreadedEventLoopGroup.singleton.next().makePromise(of: Void.self)
        let upstream = try await ScriptedUpstream.start { seen in
            seen.connection == 1
                ? [.send(counted("x")), .send(counted("poison")), .tell(late)] : [.send(counted("clean"))]
        }
        let caller = try await Caller()
        _ = try await caller.send(chat(port: upstream.port))
        try await late.futureResult.get()
        #expect(try await caller.send(chat(port: upstream.port)).body == "clean")
        try await upstream.stop()
    }

    @Test func `bytes that no loop has read yet are found before the connection is used again`() async throws
    {
        let socket = Locked<CInt>(-1)
        let upstream = try await ScriptedUpstream.start { seen in
            [.show(socket), .send(counted(seen.connection == 1 ? "x" : "clean"))]
        }
        let caller = try await Caller()
        let endpoint = try chat(port: upstream.port)
        let second: Outcome = try await caller.onLoop { pool, promise in
            let request = UpstreamRequest(endpoint: endpoint, tenant: .init(high: 1, low: 1), key: nil)
            func start(_ recorder: Recorder) throws {
                _ = try sendWith("sk") { (secret) throws(ProviderRefusal) in
                    try pool.send(request, secret: secret, delegate: recorder)
                }
            }
            let (first, next) = (Recorder(), Recorder())
            next.onEnding = { promise.succeed($0) }
            first.onEnding = { _ in
                // On the pool's own thread, which can therefore not have read it when the next call begins.
                let poison = Array(counted("poison").utf8)
                guard Glibc.send(socket.withLock { $0 }, poison, poison.count, 0) == poison.count else {
                    return promise.succeed(Outcome())
                }
                do { try start(next) } catch { promise.fail(error) }
            }
            try start(first)
        }
        #expect(second.body == "clean")
        try await upstream.stop()
    }

    @Test func `a redirect is a response and is not followed`() async throws {
        let upstream = try await ScriptedUpstream.start { _ in
            [
                .send(
                    counted("", status: "307 Temporary Redirect", extra: "location: http://127.0.0.1:1/x\r\n")
                )
            ]
        }
        let caller = try await Caller()
        let outcome = try await caller.send(chat(port: upstream.port))
        #expect(outcome.status == 307 && outcome.endings == 1)
        #expect(try await caller.counts().dialled == 1)
        try await upstream.stop()
    }

    @Test func `a used connection that was closed before the request is replaced once, unseen`() async throws
    {
        let upstream = try await ScriptedUpstream.start { seen in
            seen.connection == 1 && seen.request == 2 ? [.close] : [.send(counted(seen.head))]
        }
        // Ticks far apart: on a busy machine two of them must not pass while the test goes on.
        var options = UpstreamOptions()
        options.tick = .seconds(60)
        let caller = try await Caller(options)
        _ = try await caller.send(chat(port: upstream.port), secret: "sk-first")
        let second = try await caller.send(chat(port: upstream.port), secret: "sk-second")
        #expect(second.failure == nil && second.body.contains("Bearer sk-second\r\n"))
        let counts = try await caller.counts()
        #expect(counts.sentAgain == 1 && counts.dialled == 2 && counts.copiesLeft == 0)
        try await upstream.stop()
    }

    @Test func `a fresh connection that is closed without an answer is a reset, and not tried again`()
        async throws
    {
        let upstream = try await ScriptedUpstream.start { _ in [.close] }
        let caller = try await Caller()
        let outcome = try await caller.send(chat(port: upstream.port))
        #expect(outcome.failure == .reset && outcome.endings == 1)
        #expect(try await caller.counts() == .init(dialled: 1))
        try await upstream.stop()
    }

    @Test(arguments: [
        ("mid-body", "HTTP/1.1 200 OK\r\ncontent-length: 9\r\n\r\nhalf", 200),
        ("mid-chunk", "HTTP/1.1 200 OK\r\ntransfer-encoding: chunked\r\n\r\n9\r\nhalf", 200),
        ("mid-head", "HTTP/1.1 200 OK\r\ncontent-le", 0),
    ])
    func `a connection that closes is a reset`(
        where place: String, response: String, status: Int
    ) async throws {
        let upstream = try await ScriptedUpstream.start { _ in [.send(response), .close] }
        let outcome = try await Caller().send(chat(port: upstream.port))
        #expect(outcome.failure == .reset && outcome.status == status && outcome.endings == 1, "\(place)")
        try await upstream.stop()
    }

    @Test func `a body without a length ends with its connection`() async throws {
        let upstream = try await ScriptedUpstream.start { _ in
            [.send("HTTP/1.1 200 OK\r\n\r\nall of it"), .close]
        }
        let outcome = try await Caller().send(chat(port: upstream.port))
        #expect(outcome.failure == nil && outcome.body == "all of it")
        try await upstream.stop()
    }

    @Test(arguments: [
        "nonsense\r\n\r\n", "HTTP/2.0 200 OK\r\n\r\n",
        "HTTP/1.1 101 Switching Protocols\r\nupgrade: x\r\n\r\n",
        "HTTP/1.1 200 OK\r\ncontent-length: 1\r\ntransfer-encoding: chunked\r\n\r\n",
        "HTTP/1.1 200 OK\r\ncontent-length: -1\r\n\r\n",
        "HTTP/1.1 200 OK\r\ncontent-length: 1\r\ncontent-length: 2\r\n\r\n",
        "HTTP/1.1 200 OK\r\nx: \(String(repeating: "y", count: 20_000))\r\n\r\n",
        "HTTP/1.1 200 OK\r\n\(String(repeating: "a: b\r\n", count: 300))\r\n",
        String(repeating: "HTTP/1.1 102 Processing\r\n\r\n", count: 9),
    ])
    func `what is not a well-formed response is malformed`(response: String) async throws {
        let upstream = try await ScriptedUpstream.start { _ in [.send(response)] }
        let caller = try await Caller()
        let outcome = try await caller.send(chat(port: upstream.port))
        #expect(outcome.failure == .malformed && outcome.endings == 1)
        #expect(try await caller.counts().open == 0)
        try await upstream.stop()
    }

    @Test func `an answer before the whole request was taken is delivered, and the connection closed`()
        async throws
    {
        let listener = try await ServerBootstrap(group: MultiThreadedEventLoopGroup.singleton)
            .childChannelOption(.autoRead, value: false)
            .childChannelInitializer { channel in
                channel.eventLoop.makeCompletedFuture {
                    try channel.pipeline.syncOperations.addHandler(AnswersUnread())
                }
            }
            .bind(host: "127.0.0.1", port: 0).get()
        let caller = try await Caller()
        let outcome = try await caller.send(
            chat(port: listener.localAddress?.port ?? 0), body: String(repeating: "x", count: 32 << 20))
        #expect(outcome.status == 413 && outcome.failure == nil)
        #expect(try await caller.counts().open == 0)
        try await listener.close()
    }

    @Test func `revoking a key closes its connections and no others`() async throws {
        let upstream = try await ScriptedUpstream.start { seen in [.send(counted("\(seen.connection)"))] }
        let caller = try await Caller()
        let endpoint = try chat(port: upstream.port)
        let (revoked, kept) = (ProviderKeyID(high: 1, low: 1), ProviderKeyID(high: 1, low: 2))
        _ = try await caller.send(endpoint, key: revoked)
        _ = try await caller.send(endpoint, key: kept)
        let counts: UpstreamPool.Counts = try await caller.onLoop { pool, promise in
            pool.closeConnections(for: revoked)
            promise.succeed(pool.counts)
        }
        #expect(counts.open == 1 && counts.idle == 1)
        #expect(try await caller.send(endpoint, key: kept).body == "2")
        #expect(try await caller.send(endpoint, key: revoked).body == "3")
        try await upstream.stop()
    }

    @Test func `after shutdown nothing is idle and nothing is sent`() async throws {
        let upstream = try await ScriptedUpstream.start { _ in [.send(counted("x"))] }
        let caller = try await Caller()
        _ = try await caller.send(chat(port: upstream.port))
        let counts: UpstreamPool.Counts = try await caller.onLoop { pool, promise in
            pool.shutdown()
            promise.succeed(pool.counts)
        }
        #expect(counts.open == 0 && counts.idle == 0)
        #expect(try await caller.send(chat(port: upstream.port)).failure == .shuttingDown)
        try await upstream.stop()
    }
}

/// Answers at once and reads nothing.
private final class AnswersUnread: ChannelInboundHandler {
    typealias InboundIn = ByteBuffer

    func channelActive(context: ChannelHandlerContext) {
        context.writeAndFlush(
            NIOAny(ByteBuffer(string: counted("too large", status: "413 Content Too Large"))), promise: nil)
    }
}
