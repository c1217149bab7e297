import Locking
import NIOCore
import NIOPosix
import NIOSSL

/// A provider on loopback that answers each request as its script says.
struct ScriptedUpstream: Sendable {
    /// One request as the provider saw it.
    struct Seen: Sendable {
        /// Counted from 1, as connections were accepted.
        let connection: Int
        /// Counted from 1 on its connection.
        let request: Int
        let head: String
        let body: String
    }

    enum Reply: Sendable {
        case send(String)
        case sendBytes([UInt8])
        case close
        /// Succeeds the promise after what came before was handed to the socket.
        case tell(EventLoopPromise<Void>)
        /// Shows the connection's socket, for writing to it past the event loops.
        case show(Locked<CInt>)
    }

    let port: Int
    private let channel: any Channel

    static func start(
        tls: NIOSSLContext? = nil, script: @escaping @Sendable (Seen) -> [Reply]
    ) async throws -> ScriptedUpstream {
        let count = NIOLockedCounter()
        let channel = try await ServerBootstrap(group: MultiThreadedEventLoopGroup.singleton)
            .serverChannelOption(.socketOption(.so_reuseaddr), value: 1)
            .childChannelOption(.socketOption(.tcp_nodelay), value: 1)
            .childChannelInitializer { channel in
                channel.eventLoop.makeCompletedFuture {
                    if let tls {
                        try channel.pipeline.syncOperations.addHandler(NIOSSLServerHandler(context: tls))
                    }
                    try channel.pipeline.syncOperations.addHandler(
                        ScriptHandler(connection: count.next(), script: script))
                }
            }
            .bind(host: "127.0.0.1", port: 0).get()
        return ScriptedUpstream(port: channel.localAddress?.port ?? 0, channel: channel)
    }

    func stop() async throws { try await channel.close() }
}

/// Numbers accepted connections.
final class NIOLockedCounter: Sendable {
    private let channel = Locked(0)
    func next() -> Int {
        channel.withLock {
            $0 += 1
            return $0
        }
    }
}

/// Splits what comes into requests by content length, which is all our client writes.
private final class ScriptHandler: ChannelInboundHandler {
    typealias InboundIn = ByteBuffer

    private let connection: Int
    private let script: @Sendable (ScriptedUpstream.Seen) -> [ScriptedUpstream.Reply]
    private var received: [UInt8] = []
    private var requests = 0

    init(connection: Int, script: @escaping @Sendable (ScriptedUpstream.Seen) -> [ScriptedUpstream.Reply]) {
        self.connection = connection
        self.script = script
    }

    func channelRead(context: ChannelHandlerContext, data: NIOAny) {
        received += unwrapInboundIn(data).readableBytesView
        while let request = next() {
            for reply in script(request) { perform(reply, context) }
        }
    }

    private func next() -> ScriptedUpstream.Seen? {
        guard let end = received.firstRange(of: Array("\r\n\r\n".utf8)) else { return nil }
        let head = String(decoding: received[..<end.upperBound], as: UTF8.self)
        let line = head.split(separator: "\r\n").first { $0.hasPrefix("content-length: ") }
        let length = line.flatMap { Int($0.dropFirst("content-length: ".count)) } ?? 0
        guard received.count >= end.upperBound + length else { return nil }
        let body = String(decoding: received[end.upperBound..<(end.upperBound + length)], as: UTF8.self)
        received.removeFirst(end.upperBound + length)
        requests += 1
        return ScriptedUpstream.Seen(connection: connection, request: requests, head: head, body: body)
    }

    private func perform(_ reply: ScriptedUpstream.Reply, _ context: ChannelHandlerContext) {
        switch reply {
        case .send(let text): context.writeAndFlush(NIOAny(ByteBuffer(string: text)), promise: nil)
        case .sendBytes(let bytes): context.writeAndFlush(NIOAny(ByteBuffer(bytes: bytes)), promise: nil)
        case .close: context.close(promise: nil)
        case .show(let place):
            let descriptor = try? context.pipeline.syncOperations.withUnsafeTransportIfAvailable(
                of: NIOBSDSocket.Handle.self
            ) { $0 }
            place.withLock { $0 = descriptor ?? -1 }
        case .tell(let promise): context.writeAndFlush(NIOAny(ByteBuffer()), promise: promise)
        }
    }
}

/// A response with a counted body.
func counted(_ body: String, status: String = "200 OK", extra: String = "") -> String {
    "HTTP/1.1 \(status)\r\ncontent-length: \(body.utf8.count)\r\n\(extra)\r\n\(body)"
}
