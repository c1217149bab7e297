import Domain
import NIOCore
import NIOEmbedded
import NIOHTTP1
import Testing

@testable import Providers

/// The connection alone, over a channel whose reads are cut wherever the test wants.
@Suite struct UpstreamConnectionTests {
    private struct Bench {
        let channel: EmbeddedChannel
        let connection: UpstreamConnection
        let exchange: UpstreamExchange
        let recorder: Recorder
    }

    private func bench(tls: UpstreamTLS) throws -> Bench {
        let channel = EmbeddedChannel()
        let pool = UpstreamPool(loop: channel.eventLoop, tls: tls)
        let endpoint = try chat(port: 80)
        let outgoing = try sendWith("sk-secret") { (secret) throws(ProviderRefusal) in
            try OutgoingRequest(to: endpoint, body: ByteBuffer(string: "{}"), secret: secret)
        }
        let recorder = Recorder()
        let exchange = UpstreamExchange(
            outgoing, timeouts: UpstreamTimeouts(), startedAt: 0, delegate: recorder, pool: pool)
        let shelf = ConnectionShelf(key: ConnectionKey(origin: endpoint.origin, tenant: nil, key: nil))
        let connection = UpstreamConnection(pool: pool, shelf: shelf, for: exchange)
        channel.connect(to: try SocketAddress(ipAddress: "127.0.0.1", port: 80), promise: nil)
        connection.opened(channel)
        channel.embeddedEventLoop.run()
        return Bench(channel: channel, connection: connection, exchange: exchange, recorder: recorder)
    }

    @Test(arguments: [
        "HTTP/1.1 200 OK\r\ncontent-length: 11\r\nx-request-id: a-long-enough-value\r\n\r\nhello world",
        "HTTP/1.1 200 OK\r\ntransfer-encoding: chunked\r\n\r\n6\r\nhello \r\n5\r\nworld\r\n0\r\n\r\n",
    ])
    func `a response cut anywhere is the same response, and the connection stays`(response: String) throws {
        let tls = try UpstreamTLS()
        let bytes = Array(response.utf8)
        for cut in 1..<bytes.count {
            for second in stride(from: cut, to: bytes.count, by: 7) {
                let bench = try bench(tls: tls)
                for piece in [bytes[..<cut], bytes[cut..<second], bytes[second...]] where !piece.isEmpty {
                    try bench.channel.writeInbound(ByteBuffer(bytes: piece))
                }
                #expect(bench.recorder.outcome.body == "hello world", "cut at \(cut) and \(second)")
                #expect(bench.recorder.outcome.endings == 1 && bench.recorder.outcome.failure == nil)
                #expect(bench.connection.isIdle, "cut at \(cut) and \(second)")
                _ = try bench.channel.finish(acceptAlreadyClosed: true)
            }
        }
    }

    @Test func `one byte behind a response, in the same read or a later one, closes the connection`() throws {
        let tls = try UpstreamTLS()
        let response = Array("HTTP/1.1 200 OK\r\ncontent-length: 2\r\n\r\nok".utf8)
        for byte in UInt8.min...UInt8.max {
            for together in [true, false] {
                let bench = try bench(tls: tls)
                if together {
                    try bench.channel.writeInbound(ByteBuffer(bytes: response + [byte]))
                } else {
                    try bench.channel.writeInbound(ByteBuffer(bytes: response))
                    #expect(bench.connection.isIdle)
                    try bench.channel.writeInbound(ByteBuffer(bytes: [byte]))
                }
                #expect(bench.connection.isClosed, "byte \(byte), together: \(together)")
                #expect(bench.recorder.outcome.body == "ok" && bench.recorder.outcome.failure == nil)
                _ = try bench.channel.finish(acceptAlreadyClosed: true)
            }
        }
    }

    @Test func `the key is overwritten in place once the request has been written`() throws {
        let bench = try bench(tls: UpstreamTLS())
        // The channel under test keeps what was written, and so shares the buffer until it is read here.
        let written = try #require(try bench.channel.readOutbound(as: ByteBuffer.self))
        #expect(String(buffer: written).contains("authorization: Bearer sk-secret\r\n"))
        #expect(bench.exchange.isSpent)
        #expect(!String(buffer: bench.exchange.outgoing.head).contains("secret"))
        #expect(
            String(buffer: bench.exchange.outgoing.head).contains(
                "authorization: Bearer \0\0\0\0\0\0\0\0\0\r\n"))
        _ = try bench.channel.finish(acceptAlreadyClosed: true)
    }

    @Test(arguments: ["", "HTTP/1.1 2", "HTTP/1.1 200 OK\r\ncontent-length: 9\r\n\r\nha"])
    func `after cancel the delegate hears nothing and the connection is closed`(sofar: String) throws {
        let bench = try bench(tls: UpstreamTLS())
        if !sofar.isEmpty { try bench.channel.writeInbound(ByteBuffer(string: sofar)) }
        bench.exchange.cancel()
        bench.exchange.cancel()
        #expect(bench.recorder.outcome.endings == 0)
        #expect(bench.connection.isClosed && bench.exchange.isOver)
        _ = try bench.channel.finish(acceptAlreadyClosed: true)
        #expect(bench.recorder.outcome.endings == 0)
    }

    @Test func `cancelling from inside a delegate call stops the rest of the same read`() throws {
        let bench = try bench(tls: UpstreamTLS())
        bench.recorder.onHead = { bench.exchange.cancel() }
        try bench.channel.writeInbound(ByteBuffer(string: counted("never seen")))
        #expect(bench.recorder.outcome.body == "" && bench.recorder.outcome.endings == 0)
        #expect(bench.connection.isClosed)
        _ = try bench.channel.finish(acceptAlreadyClosed: true)
    }
}
