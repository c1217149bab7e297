import Dialects
import Domain
import Locking
package import NIOCore
import NIOHTTP1
import NIOPosix

/// A loopback HTTP server that speaks OpenAI's and Anthropic's formats and misbehaves as a script says.
package final class SimulatedProvider: Sendable {
    /// What decides an answer: the script, the time and a source of chance.
    package struct Behaviour: Sendable {
        /// The mood at this moment.
        package var mood: @Sendable () -> DemoScript.Mood
        package var seed: UInt64
        package init(seed: UInt64, mood: @escaping @Sendable () -> DemoScript.Mood) {
            self.seed = seed
            self.mood = mood
        }
    }

    private let channel: any Channel
    package let port: Int

    private init(channel: any Channel, port: Int) {
        self.channel = channel
        self.port = port
    }

    /// Listens on a free port of 127.0.0.1.
    package static func start(
        on group: any EventLoopGroup, behaviour: Behaviour
    ) async throws -> SimulatedProvider {
        let connections = Locked<UInt64>(0)
        let channel = try await ServerBootstrap(group: group)
            .serverChannelOption(ChannelOptions.socketOption(.so_reuseaddr), value: 1)
            .childChannelOption(ChannelOptions.socketOption(.tcp_nodelay), value: 1)
            .childChannelInitializer { channel in
                channel.eventLoop.makeCompletedFuture {
                    try channel.pipeline.syncOperations.configureHTTPServerPipeline(withErrorHandling: true)
                    try channel.pipeline.syncOperations.addHandler(
                        SimulatedAnswers(
                            behaviour,
                            connection: connections.withLock { count in
                                count += 1
                                return count
                            }))
                }
            }
            .bind(host: "127.0.0.1", port: 0).get()
        return SimulatedProvider(channel: channel, port: channel.localAddress?.port ?? 0)
    }

    package func stop() async { try? await channel.close() }
}

/// Answers one connection's requests, one after the other.
private final class SimulatedAnswers: ChannelInboundHandler {
    typealias InboundIn = HTTPServerRequestPart
    typealias OutboundOut = HTTPServerResponsePart

    private let behaviour: SimulatedProvider.Behaviour
    private var random: SplitMix
    private var head: HTTPRequestHead?
    private var body = ByteBuffer()

    /// - Parameter connection: tells the connections of one provider apart, so that each has its own chance.
    init(_ behaviour: SimulatedProvider.Behaviour, connection: UInt64) {
        self.behaviour = behaviour
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
        let delay =
            head.method == .GET ? .zero : TimeAmount.microseconds(Int64(mood.latency * spread * 1_000))
        let draw = random.unit()
        let tokens = SimulatedTokens(
            input: 40 + Int(random.next() % 1_400), output: 12 + Int(random.next() % 380),
            cached: random.unit() < 0.3 ? 128 : 0)
        let cutAt = random.unit() < mood.cut ? 2 : Int.max
        let bound = NIOLoopBound((self, context), eventLoop: context.eventLoop)
        let request = body
        context.eventLoop.scheduleTask(in: delay) {
            let (handler, context) = bound.value
            guard context.channel.isActive else { return }
            if head.method == .GET {
                handler.send(200, #"{"object":"list","data":[]}"#, context)
            } else if draw < mood.overloaded {
                handler.send(529, Self.errorBody("overloaded_error", "Overloaded"), context)
            } else if draw < mood.overloaded + mood.failed {
                handler.send(500, Self.errorBody("server_error", "The server had an error"), context)
            } else if draw < mood.overloaded + mood.failed + mood.rateLimited {
                handler.send(
                    429, Self.errorBody("rate_limit_error", "Rate limit reached"), context, retryAfter: "4")
            } else {
                handler.speak(head, request, tokens, cutAt: cutAt, context)
            }
        }
    }

    private func speak(
        _ head: HTTPRequestHead, _ request: ByteBuffer, _ tokens: SimulatedTokens, cutAt: Int,
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
        let headers: HTTPHeaders = ["content-type": "text/event-stream", "cache-control": "no-cache"]
        context.writeAndFlush(
            wrapOutboundOut(.head(.init(version: .http1_1, status: .ok, headers: headers))), promise: nil)
        let events = words.events(dialect, pieces: 6 + Int(random.next() % 14))
        stream(events[...], sent: 0, cutAt: cutAt, context)
    }

    private func stream(_ events: ArraySlice<String>, sent: Int, cutAt: Int, _ context: ChannelHandlerContext)
    {
        guard context.channel.isActive else { return }
        guard sent < cutAt else { return context.close(promise: nil) }
        guard let event = events.first else {
            return context.writeAndFlush(wrapOutboundOut(.end(nil)), promise: nil)
        }
        context.writeAndFlush(wrapOutboundOut(.body(.byteBuffer(ByteBuffer(string: event)))), promise: nil)
        let bound = NIOLoopBound((self, context), eventLoop: context.eventLoop)
        context.eventLoop.scheduleTask(in: .milliseconds(Int64(15 + random.next() % 30))) {
            let (handler, context) = bound.value
            handler.stream(events.dropFirst(), sent: sent + 1, cutAt: cutAt, context)
        }
    }

    private func send(
        _ status: Int, _ text: String, _ context: ChannelHandlerContext, retryAfter: String? = nil
    ) {
        var headers: HTTPHeaders = [
            "content-type": "application/json", "content-length": "\(text.utf8.count)",
        ]
        if let retryAfter { headers.add(name: "retry-after", value: retryAfter) }
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

/// Token counts of a simulated answer.
struct SimulatedTokens: Sendable {
    var input: Int
    var output: Int
    var cached: Int
}

/// The texts of a simulated answer in each format; shapes from the providers' API references (seen 2026-11-23).
struct SimulatedWords: Sendable {
    let model: String
    let tokens: SimulatedTokens

    private var openAIUsage: String {
        """
        {"prompt_tokens":\(tokens.input),"completion_tokens":\(tokens.output),\
        "total_tokens":\(tokens.input + tokens.output),"prompt_tokens_details":{"cached_tokens":\(min(tokens.cached, tokens.input))}}
        """
    }

    private var anthropicInput: String {
        """
        "input_tokens":\(tokens.input),"cache_creation_input_tokens":0,"cache_read_input_tokens":\(tokens.cached)
        """
    }

    func whole(_ dialect: Dialect) -> String {
        switch dialect {
        case .anthropicMessages, .anthropicCountTokens:
            """
            {"id":"msg_sim","type":"message","role":"assistant","model":"\(model)","content":[{"type":"text",\
            "text":"A simulated answer."}],"stop_reason":"end_turn","stop_sequence":null,\
            "usage":{\(anthropicInput),"output_tokens":\(tokens.output)}}
            """
        case .openAIEmbeddings:
            """
            {"object":"list","data":[{"object":"embedding","index":0,"embedding":[0.1,0.2,0.3]}],"model":"\(model)",\
            "usage":{"prompt_tokens":\(tokens.input),"total_tokens":\(tokens.input)}}
            """
        case .openAIChat, .openAIResponses, .openAIModels:
            """
            {"id":"chatcmpl-sim","object":"chat.completion","created":1,"model":"\(model)","choices":[{"index":0,\
            "message":{"role":"assistant","content":"A simulated answer."},"finish_reason":"stop"}],"usage":\(openAIUsage)}
            """
        }
    }

    func events(_ dialect: Dialect, pieces: Int) -> [String] {
        dialect == .anthropicMessages ? anthropicEvents(pieces) : openAIEvents(pieces)
    }

    private func openAIEvents(_ pieces: Int) -> [String] {
        func chunk(_ delta: String, _ finish: String) -> String {
            """
            data: {"id":"chatcmpl-sim","object":"chat.completion.chunk","created":1,"model":"\(model)",\
            "choices":[{"index":0,"delta":\(delta),"finish_reason":\(finish)}],"usage":null}\n\n
            """
        }
        var events = [chunk(#"{"role":"assistant","content":""}"#, "null")]
        for piece in 0..<pieces { events.append(chunk(#"{"content":"word\#(piece) "}"#, "null")) }
        events.append(chunk("{}", #""stop""#))
        events.append(
            """
            data: {"id":"chatcmpl-sim","object":"chat.completion.chunk","created":1,"model":"\(model)","choices":[],\
            "usage":\(openAIUsage)}\n\n
            """)
        events.append("data: [DONE]\n\n")
        return events
    }

    private func anthropicEvents(_ pieces: Int) -> [String] {
        func event(_ name: String, _ data: String) -> String { "event: \(name)\ndata: \(data)\n\n" }
        var events = [
            event(
                "message_start",
                """
                {"type":"message_start","message":{"id":"msg_sim","type":"message","role":"assistant","content":[],\
                "model":"\(model)","stop_reason":null,"stop_sequence":null,"usage":{\(anthropicInput),"output_tokens":1}}}
                """),
            event(
                "content_block_start",
                #"{"type":"content_block_start","index":0,"content_block":{"type":"text","text":""}}"#),
        ]
        for piece in 0..<pieces {
            events.append(
                event(
                    "content_block_delta",
                    #"{"type":"content_block_delta","index":0,"delta":{"type":"text_delta","text":"word\#(piece) "}}"#
                ))
        }
        events.append(event("content_block_stop", #"{"type":"content_block_stop","index":0}"#))
        events.append(
            event(
                "message_delta",
                """
                {"type":"message_delta","delta":{"stop_reason":"end_turn","stop_sequence":null},\
                "usage":{"output_tokens":\(tokens.output)}}
                """))
        events.append(event("message_stop", #"{"type":"message_stop"}"#))
        return events
    }
}
