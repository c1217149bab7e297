import Domain
import Glibc
import Locking
public import NIOCore
import NIOHTTP1
import NIOPosix

/// One simulated application: whose virtual key it uses and what it asks for.
public struct DemoApplication: Sendable {
    public let token: String
    /// Models with their share.
    public let models: [(name: String, weight: Int, anthropic: Bool, embeddings: Bool)]
    public let streams: Double
    public let tags: String

    public init(
        token: String, models: [(name: String, weight: Int, anthropic: Bool, embeddings: Bool)],
        streams: Double,
        tags: String
    ) {
        self.token = token
        self.models = models
        self.streams = streams
        self.tags = tags
    }
}

/// Simulated callers: a bounded number of connections to the gateway's own listener, each asking one thing after
/// another at a rate that the script sets.
public final class DemoTraffic: Sendable {
    private static let callers = 24
    private let stopped = Published(false)

    public init() {}

    /// - Parameters:
    ///   - rate: calls a second of all callers together, now.
    public func start(
        on group: any EventLoopGroup, port: Int, applications: [DemoApplication], seed: UInt64,
        rate: @escaping @Sendable () -> Double
    ) {
        for index in 0..<Self.callers {
            let application = applications[index % applications.count]
            let plan = CallerPlan(
                port: port, application: application, seed: seed &+ UInt64(index) &* 7_919, stopped: stopped,
                pause: { Double(Self.callers) / max(0.1, rate()) })
            plan.connect(on: group.next(), after: .milliseconds(Int64(index) * 40))
        }
    }

    public func stop() { stopped.store(true) }
}

/// What one caller does; reconnects when its connection was closed.
private struct CallerPlan: Sendable {
    let port: Int
    let application: DemoApplication
    let seed: UInt64
    let stopped: Published<Bool>
    /// Average seconds between two calls.
    let pause: @Sendable () -> Double

    func connect(on loop: any EventLoop, after delay: TimeAmount) {
        loop.scheduleTask(in: delay) {
            guard !stopped.load() else { return }
            ClientBootstrap(group: loop)
                .connectTimeout(.seconds(2))
                .channelInitializer { channel in
                    channel.eventLoop.makeCompletedFuture {
                        try channel.pipeline.syncOperations.addHTTPClientHandlers()
                        try channel.pipeline.syncOperations.addHandler(DemoCaller(self))
                    }
                }
                .connect(host: "127.0.0.1", port: port)
                .whenFailure { _ in connect(on: loop, after: .seconds(1)) }
        }
    }
}

/// One caller's connection.
private final class DemoCaller: ChannelInboundHandler {
    typealias InboundIn = HTTPClientResponsePart
    typealias OutboundOut = HTTPClientRequestPart

    private let plan: CallerPlan
    private var random: SplitMix
    private var asked = 0

    init(_ plan: CallerPlan) {
        self.plan = plan
        random = SplitMix(seed: plan.seed)
    }

    func channelActive(context: ChannelHandlerContext) { schedule(context) }

    func channelRead(context: ChannelHandlerContext, data: NIOAny) {
        if case .end = unwrapInboundIn(data) { schedule(context) }
    }

    func channelInactive(context: ChannelHandlerContext) {
        plan.connect(on: context.eventLoop, after: .milliseconds(500))
    }

    func errorCaught(context: ChannelHandlerContext, error: any Error) { context.close(promise: nil) }

    private func schedule(_ context: ChannelHandlerContext) {
        guard !plan.stopped.load() else { return context.close(promise: nil) }
        // Exponentially distributed pauses, as independent people make them; at most 30 s.
        var pause = plan.pause()
        pause *= -log(1 - random.unit())
        let bound = NIOLoopBound((self, context), eventLoop: context.eventLoop)
        context.eventLoop.scheduleTask(in: .milliseconds(Int64(min(pause, 30) * 1_000))) {
            let (caller, context) = bound.value
            if context.channel.isActive { caller.ask(context) }
        }
    }

    private func ask(_ context: ChannelHandlerContext) {
        asked += 1
        let total = plan.application.models.reduce(0) { $0 + $1.weight }
        var draw = Int(random.next() % UInt64(max(1, total)))
        guard var choice = plan.application.models.first else { return }
        for model in plan.application.models {
            choice = model
            if draw < model.weight { break }
            draw -= model.weight
        }
        let stream = !choice.embeddings && random.unit() < plan.application.streams
        // A fifth of the questions are asked again and again: those the cache answers.
        let question =
            random.unit() < 0.2 ? "common question \(random.next() % 5)" : "question \(random.next())"
        let body =
            choice.embeddings
            ? #"{"model":"\#(choice.name)","input":"\#(question)"}"#
            : #"{"model":"\#(choice.name)","stream":\#(stream),"max_tokens":400,"messages":[{"role":"user","content":"\#(question)"}]}"#
        var headers: HTTPHeaders = [
            "host": "127.0.0.1", "content-type": "application/json", "content-length": "\(body.utf8.count)",
            "x-gatehouse-tags": plan.application.tags,
        ]
        headers.add(
            name: choice.anthropic ? "x-api-key" : "authorization",
            value: choice.anthropic ? plan.application.token : "Bearer \(plan.application.token)")
        let path =
            choice.anthropic ? "/v1/messages" : choice.embeddings ? "/v1/embeddings" : "/v1/chat/completions"
        let head = HTTPRequestHead(version: .http1_1, method: .POST, uri: path, headers: headers)
        context.write(wrapOutboundOut(.head(head)), promise: nil)
        context.write(wrapOutboundOut(.body(.byteBuffer(ByteBuffer(string: body)))), promise: nil)
        context.writeAndFlush(wrapOutboundOut(.end(nil)), promise: nil)
    }
}
