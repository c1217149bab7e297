import CLinux
import Domain
import FoundationEssentials
import Glibc
import Locking
public import Logging
public import NIOCore
import NIOPosix
public import Operations

/// The Unix-domain socket of a running engine: commands come in here and go through the same port as the console.
///
/// The socket lies in the data folder with mode 0600; a peer of another user is turned away by its credentials. Where the
/// configuration says so there is a second one for a group's members, whom the engine knows by their credentials too.
public struct EngineSocket: Sendable {
    private let channel: any Channel
    private let path: String

    /// Binds the socket; a file left behind by a dead engine is replaced (the folder's lock says that it is dead).
    ///
    /// - Parameter patience: how long a peer may take to send its line, and again to read its answer.
    public static func open(
        path: String, sharedAs shared: SharedSocket? = nil, port: any EnginePort,
        group: any EventLoopGroup, log: Logger,
        patience: TimeAmount = .seconds(SocketLimits.peerSeconds)
    ) async throws -> EngineSocket {
        guard path.utf8.count <= SocketLimits.pathBytes else {
            throw CommandFailure(
                "the socket \(path) would have a longer path than the \(SocketLimits.pathBytes) bytes that the "
                    + "system allows; choose a data folder with a shorter path")
        }
        unlink(path)
        let crowd = Locked(0)
        let channel = try await ServerBootstrap(group: group)
            .serverChannelOption(ChannelOptions.backlog, value: 16)
            .childChannelInitializer { channel in
                channel.eventLoop.makeCompletedFuture {
                    try channel.pipeline.syncOperations.addHandler(
                        SocketPeer(port: port, isShared: shared != nil, crowd: crowd, patience: patience))
                }
            }
            .bind(unixDomainSocketPath: path).get()
        // Until here the folder's mode and the check of the peer keep others out. A umask would do it in one step,
        // but it is the whole process's: folders that other threads make meanwhile would have no way in.
        do {
            if let shared {
                try shared.share()
            } else if chmod(path, 0o600) != 0 {
                throw CommandFailure("cannot keep others out of the socket \(path)")
            }
        } catch {
            try? await channel.close()
            unlink(path)
            throw error
        }
        return EngineSocket(channel: channel, path: path)
    }

    public func close() async {
        try? await channel.close()
        unlink(path)
    }
}

/// One peer of the engine's socket: reads a line, answers with a line, closes.
private final class SocketPeer: ChannelInboundHandler {
    typealias InboundIn = ByteBuffer
    typealias OutboundOut = ByteBuffer

    private let port: any EnginePort
    private let isShared: Bool
    /// How many peers there are at this socket.
    private let crowd: Locked<Int>
    private let patience: TimeAmount
    private var received = ByteBuffer()
    private var answered = false
    private var trusted = false
    private var peer: UInt32 = 0

    init(port: any EnginePort, isShared: Bool, crowd: Locked<Int>, patience: TimeAmount) {
        self.port = port
        self.isShared = isShared
        self.crowd = crowd
        self.patience = patience
    }

    func channelInactive(context: ChannelHandlerContext) { crowd.withLock { $0 -= 1 } }

    func channelActive(context: ChannelHandlerContext) {
        let peers = crowd.withLock { crowd in
            crowd += 1
            return crowd
        }
        // Each holds a descriptor, and calls need those.
        guard peers <= SocketLimits.peersMost else { return context.close(promise: nil) }
        let bound = NIOLoopBound(context, eventLoop: context.eventLoop)
        let own = NIOLoopBound(self, eventLoop: context.eventLoop)
        guard let options = context.channel as? any SocketOptionProvider else {
            return context.close(promise: nil)
        }
        let credentials: EventLoopFuture<gh_peer> = options.unsafeGetSocketOption(
            level: .init(rawValue: SOL_SOCKET), name: .init(rawValue: SO_PEERCRED))
        credentials.hop(to: context.eventLoop).whenComplete { result in
            guard case .success(let peer) = result,
                own.value.isShared || peer.uid == geteuid() || peer.uid == 0
            else {
                return bound.value.close(promise: nil)
            }
            own.value.trusted = true
            own.value.peer = peer.uid
            own.value.tryAnswer(bound.value)
        }
        context.eventLoop.scheduleTask(in: patience) {
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
                .refused(.init(.invalid, "the request is not one this engine knows")), on: channel, patience)
        }
        Self.leaveLoop(request, from: peer, port: port, channel: channel, patience)
    }

    /// Commands wait for storage and providers, and the account's name may come from a directory service, so they leave
    /// the loop. Calls never come this way.
    private static func leaveLoop(
        _ request: SocketRequest, from peer: UInt32, port: any EnginePort, channel: any Channel,
        _ patience: TimeAmount
    ) {
        Task { @Sendable in
            let who = OperatorID(
                name: request.operatorName, via: "command",
                origin: (request.origin ?? .unknown).vouched(uid: peer), account: Account.name(of: peer),
                isForeign: peer != geteuid() && peer != 0, ceiling: request.ceiling)
            let reply = await carryOut(request, by: who, port: port)
            send(reply, on: channel, patience)
        }
    }

    private static func carryOut(
        _ request: SocketRequest, by who: OperatorID, port: any EnginePort
    ) async -> SocketReply {
        do throws(CommandRefusal) {
            switch request.body {
            case .snapshot:
                try await port.admit(.status, on: "", by: who)
                return .snapshot(port.snapshot(for: who))
            case .query(let query): return .answer(try await port.ask(query, by: who))
            case .admission(let operation, let target):
                try await port.admit(operation, on: target, by: who)
                return .admitted
            case .command(let command, let secret):
                let draft = secret.map { bytes in bytes.withUnsafeBytes { SecretDraft(copying: $0) } }
                let outcome = try await port.perform(
                    command, secret: draft, by: who)
                let issued = outcome.issued?.withBytes { Array($0) }
                return .done(outcome.receipt, issued: issued)
            }
        } catch {
            return .refused(error)
        }
    }

    /// Sends the line and closes; closes also when the peer does not read it in time.
    private static func send(_ reply: SocketReply, on channel: any Channel, _ patience: TimeAmount) {
        guard var bytes = try? JSONEncoder().encode(reply) else { return channel.close(promise: nil) }
        bytes.append(UInt8(ascii: "\n"))
        channel.eventLoop.scheduleTask(in: patience) { channel.close(promise: nil) }
        channel.writeAndFlush(ByteBuffer(bytes: bytes)).whenComplete { _ in channel.close(promise: nil) }
    }

    func errorCaught(context: ChannelHandlerContext, error: any Error) { context.close(promise: nil) }
}
