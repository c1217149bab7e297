import Dialects
public import Domain
public import Engine
import Logging
import NIOCore
import NIOHTTP1
public import NIOPosix
import NIOSSL
public import Providers

/// The HTTP server: one accept loop, one `LoopContext` per event loop, one `CallHandler` per connection.
public final class GatewayServer: Sendable {
    private let channel: any Channel
    private let contexts: [(loop: any EventLoop, context: NIOLoopBound<LoopContext>)]
    private let children: ConnectionSet

    private init(
        channel: any Channel, contexts: [(loop: any EventLoop, context: NIOLoopBound<LoopContext>)],
        children: ConnectionSet
    ) {
        self.channel = channel
        self.contexts = contexts
        self.children = children
    }

    /// Binds and serves.
    public static func start(
        _ options: GatewayOptions, path: RequestPath, parts: PathParts, group: MultiThreadedEventLoopGroup,
        upstream: UpstreamOptions, tls: UpstreamTLS, health: @escaping @Sendable () -> HealthState
    ) async throws -> GatewayServer {
        var contexts: [(loop: any EventLoop, context: NIOLoopBound<LoopContext>)] = []
        let bodies = BodyRoom(most: options.bodiesBytesMax, share: options.tenantBodiesBytesMax)
        for (lane, loop) in group.makeIterator().enumerated() {
            let context = try await loop.submit {
                NIOLoopBound(
                    LoopContext(
                        lane: lane, path: path, parts: parts,
                        pool: UpstreamPool(loop: loop, options: upstream, tls: tls), bodies: bodies,
                        health: health),
                    eventLoop: loop)
            }.get()
            contexts.append((loop, context))
        }
        if let first = contexts.first { await Rehearsal.run(on: first.loop, first.context, options) }
        let served = try serverTLS(options)
        let table = contexts
        let children = ConnectionSet()
        let channel = try await ServerBootstrap(group: group)
            .serverChannelOption(ChannelOptions.backlog, value: 1_024)
            .serverChannelOption(ChannelOptions.socketOption(.so_reuseaddr), value: 1)
            .childChannelOption(ChannelOptions.socketOption(.tcp_nodelay), value: 1)
            .childChannelOption(
                ChannelOptions.recvAllocator, value: FixedSizeRecvByteBufferAllocator(capacity: 16 << 10)
            )
            .childChannelInitializer { channel in
                guard let own = table.first(where: { $0.loop === channel.eventLoop }) else {
                    return channel.eventLoop.makeFailedFuture(ChannelError.inappropriateOperationForState)
                }
                guard children.add(channel, most: options.connectionsMax) else {
                    return channel.eventLoop.makeFailedFuture(ChannelError.inappropriateOperationForState)
                }
                return channel.eventLoop.makeCompletedFuture {
                    let pipeline = channel.pipeline.syncOperations
                    if let served { try pipeline.addHandler(NIOSSLServerHandler(context: served)) }
                    try addHandlers(to: pipeline, own.context.value, options)
                }
            }
            .bind(host: options.host, port: options.port).get()
        return GatewayServer(channel: channel, contexts: contexts, children: children)
    }

    /// What every connection of a caller has, above TLS.
    static func addHandlers(
        to pipeline: ChannelPipeline.SynchronousOperations, _ context: LoopContext, _ options: GatewayOptions
    ) throws {
        try pipeline.addHandler(
            ByteToMessageHandler(
                HTTPRequestDecoder(leftOverBytesStrategy: .dropBytes, limitConfiguration: headLimits)))
        try pipeline.addHandler(CallHandler(context, options))
    }

    private static var headLimits: NIOHTTPDecoderLimitConfiguration {
        var limits = NIOHTTPDecoderLimitConfiguration()
        limits.maxHeaderFieldSize = GatewayOptions.fieldBytesMax
        limits.maxHeaderListSize = GatewayOptions.headBytesMax
        limits.maxHeaderFieldCount = GatewayOptions.fieldsMax
        return limits
    }

    private static func serverTLS(_ options: GatewayOptions) throws -> NIOSSLContext? {
        guard let certificate = options.certificatePath, let key = options.certificateKeyPath else {
            return nil
        }
        var configuration = TLSConfiguration.makeServerConfiguration(
            certificateChain: try NIOSSLCertificate.fromPEMFile(certificate).map { .certificate($0) },
            privateKey: .privateKey(try NIOSSLPrivateKey(file: key, format: .pem)))
        configuration.minimumTLSVersion = .tlsv12
        configuration.applicationProtocols = ["http/1.1"]
        return try NIOSSLContext(configuration: configuration)
    }

    /// Where it listens, `127.0.0.1:8080`.
    public var address: String {
        guard let address = channel.localAddress, let port = address.port else { return "" }
        let host = address.ipAddress ?? ""
        return host.utf8.contains(UInt8(ascii: ":")) ? "[\(host)]:\(port)" : "\(host):\(port)"
    }

    public var port: Int { channel.localAddress?.port ?? 0 }

    /// Closes upstream connections that carry this key, once what runs over them is done.
    public func closeConnections(for key: ProviderKeyID) {
        for (loop, context) in contexts {
            loop.execute { context.value.pool.closeConnections(for: key) }
        }
    }

    /// Stops accepting; connections go on until their calls end.
    public func stopAccepting() async { try? await channel.close() }

    /// Closes every connection that is left, and the upstream pools.
    public func close() async {
        await stopAccepting()
        for child in children.all() { child.close(promise: nil) }
        for (loop, context) in contexts {
            _ = try? await loop.submit { context.value.pool.shutdown() }.get()
        }
    }
}
