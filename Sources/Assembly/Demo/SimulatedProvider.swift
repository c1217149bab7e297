import Dialects
import Domain
import Locking
public import NIOCore
import NIOHTTP1
import NIOPosix

/// A loopback HTTP server that speaks OpenAI's and Anthropic's formats and misbehaves as a script says.
public final class SimulatedProvider: Sendable {
    /// What decides an answer: the script, the time and a source of chance.
    public struct Behaviour: Sendable {
        /// The mood at this moment.
        public var mood: @Sendable () -> DemoScript.Mood
        public var seed: UInt64
        /// The key that is refused while the mood says so, by its end; nil = none is.
        public var doomedKey: String?
        public init(
            seed: UInt64, doomedKey: String? = nil, mood: @escaping @Sendable () -> DemoScript.Mood
        ) {
            self.seed = seed
            self.doomedKey = doomedKey
            self.mood = mood
        }
    }

    private let channel: any Channel
    public let port: Int

    private init(channel: any Channel, port: Int) {
        self.channel = channel
        self.port = port
    }

    /// Listens on a free port of 127.0.0.1.
    public static func start(
        on group: any EventLoopGroup, behaviour: Behaviour
    ) async throws -> SimulatedProvider {
        let connections = Locked<UInt64>(0)
        let limits = Locked(SimulatedLimits())
        let channel = try await ServerBootstrap(group: group)
            .serverChannelOption(ChannelOptions.socketOption(.so_reuseaddr), value: 1)
            .childChannelOption(ChannelOptions.socketOption(.tcp_nodelay), value: 1)
            .childChannelInitializer { channel in
                channel.eventLoop.makeCompletedFuture {
                    try channel.pipeline.syncOperations.configureHTTPServerPipeline(withErrorHandling: true)
                    try channel.pipeline.syncOperations.addHandler(
                        SimulatedAnswers(
                            behaviour, limits,
                            connection: connections.withLock { count in
                                count += 1
                                return count
                            }))
                }
            }
            .bind(host: "127.0.0.1", port: 0).get()
        return SimulatedProvider(channel: channel, port: channel.localAddress?.port ?? 0)
    }

    public func stop() async { try? await channel.close() }
}

/// Answers one connection's requests, one after the other.
private final class SimulatedAnswers: ChannelInboundHandler {
    typealias InboundIn = HTTPServerRequestPart
    typealias OutboundOut = HTTPServerResponsePart

    private let behaviour: SimulatedProvider.Behaviour
    private let limits: Locked<SimulatedLimits>
    /// What the answer under way says of its key's limits.
    private var left: [(name: String, value: String)] = []
    private var random: SplitMix
    private var head: HTTPRequestHead?
    private var body = ByteBuffer()

    /// - Parameter connection: tells the connections of one provider apart, so that each has its own chance.
    init(
        _ behaviour: SimulatedProvider.Behaviour, _ limits: Locked<SimulatedLimits>, connection: UInt64
    ) {
        self.behaviour = behaviour
        self.limits = limits
        random = SplitMix(seed: behaviour.seed &+ connection)
    }

    func channelRead(context: ChannelHandlerContext, data: NIOAny) {
        switch unwrapInboundIn(data) {
        case .head(let head):
            self.head = head
            body.clear()
        case .body(var chunk): if body.readableBytes < 4 << 20 { body.writeBuffer(&chunk) }
        case .end:
            guard let head else { return }
            answer(head, context)
        }
    }

    private func answer(_ head: HTTPRequestHead, _ context: ChannelHandlerContext) {
        let mood = behaviour.mood()
        let spread = 0.6 + random.unit() * 0.9
        // Listing models costs a provider nothing, and the demo's set-up asks sixteen times.
        let late = random.unit() < mood.slow ? 12.0 : 1
        let delay =
            head.method == .GET ? .zero : TimeAmount.microseconds(Int64(mood.latency * late * spread * 1_000))
        let draw = random.unit()
        let tokens = SimulatedTokens(
            input: 40 + Int(random.next() % 1_400), output: 12 + Int(random.next() % 380),
            cached: random.unit() < 0.3 ? 128 : 0)
        let fate = random.unit()
        let end: StreamEnd =
            fate < mood.cut ? .cut : fate < mood.cut + mood.stalled ? .stall : .whole
        let key = head.headers.first(name: "authorization") ?? head.headers.first(name: "x-api-key") ?? ""
        let isRefused = mood.refusesKey && behaviour.doomedKey.map(key.hasSuffix) ?? false
        left =
            head.method == .GET
            ? [] : limits.withLock { $0.spend(tokens.input + tokens.output, of: key, at: .now()) }
        let bound = NIOLoopBound((self, context), eventLoop: context.eventLoop)
        let request = body
        context.eventLoop.scheduleTask(in: delay) {
            let (handler, context) = bound.value
            guard context.channel.isActive else { return }
            if isRefused {
                handler.send(401, Self.errorBody("authentication_error", "Incorrect API key"), context)
            } else if head.method == .GET {
                handler.send(200, #"{"object":"list","data":[]}"#, context)
            } else if draw < mood.overloaded {
                handler.send(529, Self.errorBody("overloaded_error", "Overloaded"), context)
            } else if draw < mood.overloaded + mood.failed {
                handler.send(500, Self.errorBody("server_error", "The server had an error"), context)
            } else if draw < mood.overloaded + mood.failed + mood.rateLimited {
                handler.send(
                    429, Self.errorBody("rate_limit_error", "Rate limit reached"), context, retryAfter: "4")
            } else {
                handler.speak(head, request, tokens, end, context)
            }
        }
    }

    private func speak(
        _ head: HTTPRequestHead, _ request: ByteBuffer, _ tokens: SimulatedTokens, _ end: StreamEnd,
        _ context: ChannelHandlerContext
    ) {
        let path = head.uri.utf8
        let dialect: Dialect =
            path.elementsEqual("/v1/messages".utf8)
            ? .anthropicMessages : path.elementsEqual("/v1/embeddings".utf8) ? .openAIEmbeddings : .openAIChat
        let fields = request.withUnsafeReadableBytes { try? RequestFields.scan($0, as: dialect) }
        guard let fields else {
            return send(400, Self.errorBody("invalid_request_error", "cannot be read"), context)
        }
        let words = SimulatedWords(model: fields.model.text, tokens: tokens)
        guard fields.stream else { return send(200, words.whole(dialect), context) }
        var headers: HTTPHeaders = ["content-type": "text/event-stream", "cache-control": "no-cache"]
        for header in left { headers.add(name: header.name, value: header.value) }
        context.writeAndFlush(
            wrapOutboundOut(.head(.init(version: .http1_1, status: .ok, headers: headers))), promise: nil)
        let events = words.events(dialect, pieces: 6 + Int(random.next() % 14))
        stream(events[...], sent: 0, end, context)
    }

    /// How a stream goes on behind its second event.
    private enum StreamEnd: Sendable { case whole, cut, stall }

    private func stream(
        _ events: ArraySlice<String>, sent: Int, _ end: StreamEnd, _ context: ChannelHandlerContext
    ) {
        guard context.channel.isActive else { return }
        switch end {
        case .cut where sent >= 2: return context.close(promise: nil)
        // The gateway gives up on it, and closes the connection.
        case .stall where sent >= 2: return
        default: break
        }
        guard let event = events.first else {
            return context.writeAndFlush(wrapOutboundOut(.end(nil)), promise: nil)
        }
        context.writeAndFlush(wrapOutboundOut(.body(.byteBuffer(ByteBuffer(string: event)))), promise: nil)
        let bound = NIOLoopBound((self, context), eventLoop: context.eventLoop)
        context.eventLoop.scheduleTask(in: .milliseconds(Int64(15 + random.next() % 30))) {
            let (handler, context) = bound.value
            handler.stream(events.dropFirst(), sent: sent + 1, end, context)
        }
    }

    private func send(
        _ status: Int, _ text: String, _ context: ChannelHandlerContext, retryAfter: String? = nil
    ) {
        var headers: HTTPHeaders = [
            "content-type": "application/json", "content-length": "\(text.utf8.count)",
        ]
        if let retryAfter { headers.add(name: "retry-after", value: retryAfter) }
        for header in left { headers.add(name: header.name, value: header.value) }
        context.write(
            wrapOutboundOut(
                .head(.init(version: .http1_1, status: .init(statusCode: status), headers: headers))),
            promise: nil)
        context.write(wrapOutboundOut(.body(.byteBuffer(ByteBuffer(string: text)))), promise: nil)
        context.writeAndFlush(wrapOutboundOut(.end(nil)), promise: nil)
    }

    private static func errorBody(_ type: String, _ message: String) -> String {
        #"{"type":"error","error":{"message":"\#(message)","type":"\#(type)","param":null,"code":null}}"#
    }

    func errorCaught(context: ChannelHandlerContext, error: any Error) { context.close(promise: nil) }
}
