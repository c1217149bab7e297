import NIOCore
import NIOPosix

/// Calls that come when they are due, however long earlier ones take, and how long each took from when it was due.
struct SteadyLoad {
    let group: any EventLoopGroup
    /// One call at a time each; there have to be more than calls are ever under way.
    let connections: Int
    /// Calls a second over all connections.
    let rate: Int

    /// Runs until the last answer; the first answer that is not a 200 ends it.
    ///
    /// - Parameter request: the whole request, head and body, by its number.
    /// - Returns: milliseconds of each call.
    func run(
        port: Int, seconds: Int, request: @escaping @Sendable (Int) -> ByteBuffer
    ) async throws -> [Double] {
        let share = rate * seconds / connections
        let pause = TimeAmount.nanoseconds(1_000_000_000 * Int64(connections) / Int64(rate))
        let start = NIODeadline.now() + .milliseconds(200)
        return try await withThrowingTaskGroup(of: [Double].self) { tasks in
            for connection in 0..<connections {
                let loop = group.next()
                let done = loop.makePromise(of: [Double].self)
                // Spread over the pause, so that no two are due together.
                let first = start + .nanoseconds(pause.nanoseconds * Int64(connection) / Int64(connections))
                let all = connections
                tasks.addTask {
                    let channel = try await ClientBootstrap(group: loop)
                        .channelOption(.socketOption(.tcp_nodelay), value: 1)
                        .channelInitializer { channel in
                            channel.eventLoop.makeCompletedFuture {
                                try channel.pipeline.syncOperations.addHandler(
                                    SteadyCaller(
                                        calls: share, due: first, pause: pause,
                                        request: { request($0 * all + connection) }, done: done))
                            }
                        }
                        .connect(host: "127.0.0.1", port: port).get()
                    let latencies = try await done.futureResult.get()
                    try await channel.close().get()
                    return latencies
                }
            }
            return try await tasks.reduce(into: []) { $0 += $1 }
        }
    }
}

/// One connection: sends at each due time, or as soon as the answer before is there.
private final class SteadyCaller: ChannelInboundHandler {
    typealias InboundIn = ByteBuffer
    typealias OutboundOut = ByteBuffer

    private let calls: Int
    private let request: @Sendable (Int) -> ByteBuffer
    private let pause: TimeAmount
    private let done: EventLoopPromise<[Double]>
    private var due: NIODeadline
    private var latencies: [Double] = []
    private var answer = ByteBuffer()

    init(
        calls: Int, due: NIODeadline, pause: TimeAmount, request: @escaping @Sendable (Int) -> ByteBuffer,
        done: EventLoopPromise<[Double]>
    ) {
        self.calls = calls
        self.due = due
        self.pause = pause
        self.request = request
        self.done = done
        latencies.reserveCapacity(calls)
    }

    func channelActive(context: ChannelHandlerContext) { scheduleNext(context) }

    private func scheduleNext(_ context: ChannelHandlerContext) {
        context.eventLoop.assumeIsolated().scheduleTask(deadline: due) { [self] in
            context.writeAndFlush(wrapOutboundOut(request(latencies.count)), promise: nil)
        }
    }

    func channelRead(context: ChannelHandlerContext, data: NIOAny) {
        var data = unwrapInboundIn(data)
        answer.writeBuffer(&data)
        switch Bytes(view: answer.readableBytesView).wholeAnswer {
        case nil: return
        case 200: break
        default: return done.fail(LoadGenerator.Failure(description: String(buffer: answer)))
        }
        answer.clear()
        latencies.append(Double((NIODeadline.now() - due).nanoseconds) / 1e6)
        guard latencies.count < calls else { return done.succeed(latencies) }
        due = due + pause
        scheduleNext(context)
    }

    func channelInactive(context: ChannelHandlerContext) {
        guard latencies.count < calls else { return }
        done.fail(LoadGenerator.Failure(description: "closed after \(latencies.count) of \(calls) calls"))
    }

    func errorCaught(context: ChannelHandlerContext, error: any Error) {
        done.fail(error)
        context.close(promise: nil)
    }
}
