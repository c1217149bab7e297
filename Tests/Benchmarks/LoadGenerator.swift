import NIOCore
import NIOPosix

/// Keeps a number of connections busy, one call at a time on each, until a number of calls is answered.
struct LoadGenerator {
    struct Failure: Error, CustomStringConvertible {
        let description: String
    }

    let group: any EventLoopGroup
    let connections: Int
    /// Calls a second over all connections, as they come in a house that is not full; nil = as fast as it goes.
    let rate: Int?
    /// The whole request, head and body.
    let request: @Sendable (Int) -> ByteBuffer

    /// Runs until the last answer; the first answer that is not a 200 ends it.
    ///
    /// - Returns: how many calls were made: as many for each connection.
    func run(port: Int, calls: Int) async throws -> Int {
        let share = calls / connections
        try await withThrowingTaskGroup(of: Void.self) { tasks in
            for connection in 0..<connections {
                let loop = group.next()
                let done = loop.makePromise(of: Void.self)
                let request = request
                let pause = rate.map {
                    TimeAmount.nanoseconds(1_000_000_000 * Int64(connections) / Int64($0))
                }
                tasks.addTask {
                    let channel = try await ClientBootstrap(group: loop)
                        .channelOption(.socketOption(.tcp_nodelay), value: 1)
                        .channelInitializer { channel in
                            channel.eventLoop.makeCompletedFuture {
                                try channel.pipeline.syncOperations.addHandler(
                                    CallerHandler(
                                        first: connection * share, calls: share, request: request,
                                        pause: pause, done: done))
                            }
                        }
                        .connect(host: "127.0.0.1", port: port).get()
                    try await done.futureResult.get()
                    try await channel.close().get()
                }
            }
            try await tasks.waitForAll()
        }
        return share * connections
    }
}

/// One caller: sends, reads the answer to its end, sends the next.
private final class CallerHandler: ChannelInboundHandler {
    typealias InboundIn = ByteBuffer
    typealias OutboundOut = ByteBuffer

    private let first: Int
    private let calls: Int
    private let request: @Sendable (Int) -> ByteBuffer
    private let pause: TimeAmount?
    private let done: EventLoopPromise<Void>
    private var due = NIODeadline.now()
    private var answered = 0
    private var answer = ByteBuffer()

    init(
        first: Int, calls: Int, request: @escaping @Sendable (Int) -> ByteBuffer,
        pause: TimeAmount?, done: EventLoopPromise<Void>
    ) {
        self.first = first
        self.calls = calls
        self.request = request
        self.pause = pause
        self.done = done
    }

    func channelActive(context: ChannelHandlerContext) {
        context.writeAndFlush(wrapOutboundOut(request(first)), promise: nil)
    }

    func channelRead(context: ChannelHandlerContext, data: NIOAny) {
        var data = unwrapInboundIn(data)
        answer.writeBuffer(&data)
        guard isWhole() else { return }
        answer.clear()
        answered += 1
        guard answered < calls else { return done.succeed() }
        guard let pause else { return sendNext(context) }
        due = due + pause
        context.eventLoop.assumeIsolated().scheduleTask(deadline: due) { [self] in sendNext(context) }
    }

    private func sendNext(_ context: ChannelHandlerContext) {
        context.writeAndFlush(wrapOutboundOut(request(first + answered)), promise: nil)
    }

    func channelInactive(context: ChannelHandlerContext) {
        guard answered < calls else { return }
        done.fail(
            LoadGenerator.Failure(
                description: "closed after \(answered) of \(calls) calls: \(String(buffer: answer))"))
    }

    func errorCaught(context: ChannelHandlerContext, error: any Error) {
        done.fail(error)
        context.close(promise: nil)
    }

    /// Whether the answer is there to its last byte. A refusal ends the run.
    private func isWhole() -> Bool {
        switch Bytes(view: answer.readableBytesView).wholeAnswer {
        case nil: return false
        case 200: return true
        default:
            done.fail(LoadGenerator.Failure(description: String(buffer: answer)))
            return false
        }
    }
}
