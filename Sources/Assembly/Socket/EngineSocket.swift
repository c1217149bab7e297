import CLinux
import FoundationEssentials
import Glibc
package import Logging
package import NIOCore
import NIOPosix
package import Operations

/// The Unix-domain socket of a running engine: commands come in here and go through the same port as the console.
///
/// The socket lies in the data folder with mode 0600; a peer of another user is turned away by its credentials.
package struct EngineSocket: Sendable {
    private let channel: any Channel
    private let path: String

    /// Binds the socket; a file left behind by a dead engine is replaced (the folder's lock says that it is dead).
    package static func open(
        path: String, port: any EnginePort, group: any EventLoopGroup, log: Logger
    ) async throws -> EngineSocket {
        unlink(path)
        let before = umask(0o177)
        defer { umask(before) }
        let channel = try await ServerBootstrap(group: group)
            .serverChannelOption(ChannelOptions.backlog, value: 16)
            .childChannelInitializer { channel in
                channel.eventLoop.makeCompletedFuture {
                    try channel.pipeline.syncOperations.addHandler(SocketPeer(port: port, log: log))
                }
            }
            .bind(unixDomainSocketPath: path).get()
        return EngineSocket(channel: channel, path: path)
    }

    package func close() async {
        try? await channel.close()
        unlink(path)
    }
}

/// One peer of the engine's socket: reads a line, answers with a line, closes.
private final class SocketPeer: ChannelInboundHandler {
    typealias InboundIn = ByteBuffer
    typealias OutboundOut = ByteBuffer

    private let port: any EnginePort
    private let log: Logger
    private var received = ByteBuffer()
    private var answered = false
    private var trusted = false

    init(port: any EnginePort, log: Logger) {
        self.port = port
        self.log = log
    }

    func channelActive(context: ChannelHandlerContext) {
        let bound = NIOLoopBound(context, eventLoop: context.eventLoop)
        let own = NIOLoopBound(self, eventLoop: context.eventLoop)
        guard let options = context.channel as? any SocketOptionProvider else {
            return context.close(promise: nil)
        }
        let credentials: EventLoopFuture<gh_peer> = options.unsafeGetSocketOption(
            level: .init(rawValue: SOL_SOCKET), name: .init(rawValue: SO_PEERCRED))
        credentials.hop(to: context.eventLoop).whenComplete { result in
            guard case .success(let peer) = result, peer.uid == geteuid() || peer.uid == 0 else {
                return bound.value.close(promise: nil)
            }
            own.value.trusted = true
            own.value.tryAnswer(bound.value)
        }
        context.eventLoop.scheduleTask(in: .seconds(SocketLimits.requestSeconds)) {
            if !own.value.answered { bound.value.close(promise: nil) }
        }
    }

    func channelRead(context: ChannelHandlerContext, data: NIOAny) {
        var chunk = unwrapInboundIn(data)
        guard received.readableBytes + chunk.readableBytes <= SocketLimits.requestBytes else {
            return context.close(promise: nil)
        }
        received.writeBuffer(&chunk)
        tryAnswer(context)
    }

    private func tryAnswer(_ context: ChannelHandlerContext) {
        guard trusted, !answered, received.readableBytesView.last == UInt8(ascii: "\n") else { return }
        answered = true
        let bytes = received.readableBytesView
        let request = try? JSONDecoder().decode(SocketRequest.self, from: Data(bytes))
        received.clear()
        let channel = context.channel
        guard let request else {
            return Self.send(
                .refused(.init(.invalid, "the request is not one this engine knows")), on: channel)
        }
        let port = port
        Self.leaveLoop(request, port: port, channel: channel)
    }

    /// Commands wait for storage and providers, so they leave the loop. Calls never come this way.
    private static func leaveLoop(_ request: SocketRequest, port: any EnginePort, channel: any Channel) {
        Task { @Sendable in
            let reply = await carryOut(request, port: port)
            send(reply, on: channel)
        }
    }

    private static func carryOut(_ request: SocketRequest, port: any EnginePort) async -> SocketReply {
        do throws(CommandRefusal) {
            switch request.body {
            case .snapshot: return .snapshot(port.snapshot())
            case .query(let query): return .answer(try await port.ask(query))
            case .command(let command, let secret):
                let draft = secret.map { bytes in bytes.withUnsafeBytes { SecretDraft(copying: $0) } }
                let outcome = try await port.perform(
                    command, secret: draft, by: OperatorID(name: request.operatorName, via: "command"))
                let issued = outcome.issued?.withBytes { Array($0) }
                return .done(outcome.receipt, issued: issued)
            }
        } catch {
            return .refused(error)
        }
    }

    private static func send(_ reply: SocketReply, on channel: any Channel) {
        guard var bytes = try? JSONEncoder().encode(reply) else { return channel.close(promise: nil) }
        bytes.append(UInt8(ascii: "\n"))
        channel.writeAndFlush(ByteBuffer(bytes: bytes)).whenComplete { _ in channel.close(promise: nil) }
    }

    func errorCaught(context: ChannelHandlerContext, error: any Error) { context.close(promise: nil) }
}
