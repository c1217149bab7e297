import NIOCore
import NIOPosix

/// A tenant that calls more often than it may, whatever it is answered, and has connections whose bodies come slowly.
final class NoisyTenant: Sendable {
    /// Between two bytes of a slow body.
    private static let drip = TimeAmount.milliseconds(500)

    private let channels: [any Channel]
    private let loop: any EventLoop
    private let counts: NIOLoopBoundBox<[Int: Int]>

    /// - Parameters:
    ///   - rate: calls a second that it wants to make.
    ///   - callers: connections for them.
    ///   - slow: connections with a slow body.
    init(
        port: Int, token: String, rate: Int, callers: Int, slow: Int, on group: MultiThreadedEventLoopGroup
    ) async throws {
        let loop = group.next()
        let counts = try await loop.submit { NIOLoopBoundBox([Int: Int](), eventLoop: loop) }.get()
        let prepared = Kind.json.parts(token)
        let pause = TimeAmount.nanoseconds(1_000_000_000 * Int64(callers) / Int64(rate))
        var channels: [any Channel] = []
        func connect(_ make: @escaping @Sendable () -> any ChannelHandler) async throws {
            channels.append(
                try await ClientBootstrap(group: loop)
                    .channelOption(.socketOption(.tcp_nodelay), value: 1)
                    .channelInitializer { channel in
                        channel.eventLoop.makeCompletedFuture {
                            try channel.pipeline.syncOperations.addHandler(make())
                        }
                    }
                    .connect(host: "127.0.0.1", port: port).get())
        }
        let start = NIODeadline.now() + .milliseconds(100)
        for number in 0..<callers {
            let due = start + .nanoseconds(pause.nanoseconds * Int64(number) / Int64(callers))
            try await connect {
                NoisyCaller(prepared, first: number * 10_000_000, due: due, pause: pause, counts)
            }
        }
        for number in 0..<slow {
            // Half of them so large that the gateway looks at the key before it takes any of it.
            let head = ByteBuffer(
                string: "POST /v1/chat/completions HTTP/1.1\r\nhost: 127.0.0.1\r\nauthorization: Bearer "
                    + "\(token)\r\ncontent-length: \(number % 2 == 0 ? 20_000 : 200_000)\r\n\r\n")
            let first = TimeAmount.nanoseconds(Self.drip.nanoseconds * Int64(number) / Int64(slow))
            try await connect { SlowBody(head, first: first, drip: Self.drip) }
        }
        self.channels = channels
        self.loop = loop
        self.counts = counts
    }

    /// How often each status was answered.
    func end() async throws -> [Int: Int] {
        for channel in channels { try? await channel.close().get() }
        let counts = counts
        return try await loop.submit { counts.value }.get()
    }
}

/// Calls in a steady rhythm, and counts what is answered.
private final class NoisyCaller: ChannelInboundHandler {
    typealias InboundIn = ByteBuffer
    typealias OutboundOut = ByteBuffer

    private let prepared: Prepared
    private let pause: TimeAmount
    private let counts: NIOLoopBoundBox<[Int: Int]>
    private var number: Int
    private var due: NIODeadline
    private var answer = ByteBuffer()

    init(
        _ prepared: Prepared, first: Int, due: NIODeadline, pause: TimeAmount,
        _ counts: NIOLoopBoundBox<[Int: Int]>
    ) {
        self.due = due
        self.prepared = prepared
        self.pause = pause
        self.counts = counts
        number = first
    }

    func channelActive(context: ChannelHandlerContext) { sendWhenDue(context) }

    private func sendWhenDue(_ context: ChannelHandlerContext) {
        number += 1
        context.eventLoop.assumeIsolated().scheduleTask(deadline: due) { [self] in
            guard context.channel.isActive else { return }
            context.writeAndFlush(wrapOutboundOut(prepared.numbered(number)), promise: nil)
        }
    }

    func channelRead(context: ChannelHandlerContext, data: NIOAny) {
        var data = unwrapInboundIn(data)
        answer.writeBuffer(&data)
        guard let status = Bytes(view: answer.readableBytesView).wholeAnswer else { return }
        answer.clear()
        counts.value[status, default: 0] += 1
        due = due + pause
        sendWhenDue(context)
    }
}

/// A request whose body comes a byte at a time.
private final class SlowBody: ChannelInboundHandler {
    typealias InboundIn = ByteBuffer
    typealias OutboundOut = ByteBuffer

    private let head: ByteBuffer
    private let first: TimeAmount
    private let drip: TimeAmount

    init(_ head: ByteBuffer, first: TimeAmount, drip: TimeAmount) {
        self.head = head
        self.first = first
        self.drip = drip
    }

    func channelActive(context: ChannelHandlerContext) {
        context.writeAndFlush(wrapOutboundOut(head), promise: nil)
        drip(in: first, context)
    }

    private func drip(in pause: TimeAmount, _ context: ChannelHandlerContext) {
        context.eventLoop.assumeIsolated().scheduleTask(in: pause) { [self] in
            guard context.channel.isActive else { return }
            context.writeAndFlush(wrapOutboundOut(ByteBuffer(string: " ")), promise: nil)
            drip(in: drip, context)
        }
    }
}
