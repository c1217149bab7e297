import CLinux
import NIOCore
import NIOPosix

/// A provider for measuring: answers every request with bytes that were made beforehand, on loopback.
///
/// A request whose body has `"stream":true` gets 30 pieces in chunks of their own, one per millisecond, so that
/// all contestants meet each piece alone; any other gets one JSON answer of about 1 KB. Under `/v1/messages` it speaks
/// Anthropic's format, else OpenAI's.
final class LoopbackProvider: Sendable {
    static let chunks = 30

    let port: Int
    private let channel: any Channel

    /// - Parameter refused: calls under keys in which this text occurs are refused; the free check of a key is not.
    init(on group: any EventLoopGroup, refusing refused: StaticString? = nil) async throws {
        channel = try await ServerBootstrap(group: group)
            .serverChannelOption(.backlog, value: 256)
            .serverChannelOption(.socketOption(.so_reuseaddr), value: 1)
            .childChannelOption(.socketOption(.tcp_nodelay), value: 1)
            .childChannelInitializer { channel in
                channel.eventLoop.makeCompletedFuture {
                    try channel.pipeline.syncOperations.addHandler(AnswerHandler(refused))
                }
            }
            .bind(host: "127.0.0.1", port: 0).get()
        port = channel.localAddress?.port ?? 0
    }

    func stop() async throws { try await channel.close().get() }
}

/// Finds the end of each request by its content-length, and answers.
private final class AnswerHandler: ChannelInboundHandler {
    typealias InboundIn = ByteBuffer
    typealias OutboundOut = ByteBuffer

    private let refused: StaticString?
    private var taken = ByteBuffer()

    init(_ refused: StaticString?) { self.refused = refused }

    func channelRead(context: ChannelHandlerContext, data: NIOAny) {
        var data = unwrapInboundIn(data)
        taken.writeBuffer(&data)
        while let (answers, body) = nextRequest() {
            guard let answers else {
                context.writeAndFlush(wrapOutboundOut(ProviderAnswers.refusal), promise: nil)
                continue
            }
            if body.contains(#""stream":true"#) || body.contains(#""stream": true"#) {
                context.writeAndFlush(wrapOutboundOut(ProviderAnswers.streamHead), promise: nil)
                send(answers.events[...], on: context)
            } else {
                context.writeAndFlush(wrapOutboundOut(answers.json), promise: nil)
            }
        }
    }

    private func send(_ events: ArraySlice<ByteBuffer>, on context: ChannelHandlerContext) {
        guard let event = events.first, context.channel.isActive else { return }
        context.writeAndFlush(wrapOutboundOut(event), promise: nil)
        context.eventLoop.assumeIsolated().scheduleTask(in: .milliseconds(1)) { [self] in
            send(events.dropFirst(), on: context)
        }
    }

    /// The next whole request: how to answer it (nil = its key is refused), and its body.
    private func nextRequest() -> (ProviderAnswers?, Bytes)? {
        let bytes = Bytes(view: taken.readableBytesView)
        guard let head = bytes.end(of: "\r\n\r\n") else { return nil }
        let length = bytes.contentLength ?? 0
        guard taken.readableBytes >= head + length else { return nil }
        let isAnthropic = bytes.view.starts(with: "POST /v1/messages".utf8)
        let isCall = bytes.view.starts(with: "POST ".utf8)
        let isRefused =
            isCall && refused.map { Bytes(view: taken.readableBytesView.prefix(head)).contains($0) } ?? false
        taken.moveReaderIndex(forwardBy: head)
        let body = taken.readSlice(length: length) ?? ByteBuffer()
        if taken.readableBytes == 0 { taken.clear() }
        let answers: ProviderAnswers = isAnthropic ? .anthropic : .openAI
        return (isRefused ? nil : answers, Bytes(view: body.readableBytesView))
    }
}

/// The little searching that fixed answers need; fast, so that the load is not what is measured.
struct Bytes {
    let view: ByteBufferView

    private func start(of text: StaticString) -> Int? {
        view.withUnsafeBytes { bytes in
            guard let base = bytes.baseAddress,
                let found = memmem(base, bytes.count, text.utf8Start, text.utf8CodeUnitCount)
            else { return nil }
            return UnsafeRawPointer(found) - base
        }
    }

    func contains(_ text: StaticString) -> Bool { start(of: text) != nil }

    func end(of text: StaticString) -> Int? { start(of: text).map { $0 + text.utf8CodeUnitCount } }

    /// The first one, in either spelling that servers and clients use.
    var contentLength: Int? { number(after: "content-length: ") ?? number(after: "Content-Length: ") }

    /// The status of an answer that is here to its last byte; nil as long as a part of it is missing.
    var wholeAnswer: Int? {
        guard let end = end(of: "\r\n\r\n") else { return nil }
        let status = view.dropFirst(9).prefix(3).reduce(0) { $0 * 10 + Int($1 & 15) }
        if let length = Bytes(view: view.prefix(end)).contentLength {
            return view.count >= end + length ? status : nil
        }
        return view.suffix(7).elementsEqual("\r\n0\r\n\r\n".utf8) ? status : nil
    }

    private func number(after text: StaticString) -> Int? {
        guard let end = end(of: text) else { return nil }
        return view.dropFirst(end).prefix { (0x30...0x39).contains($0) }.reduce(0) { $0 * 10 + Int($1 & 15) }
    }
}
