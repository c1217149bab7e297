import CLinux
import NIOCore
import NIOPosix

/// A provider for measuring: answers every request with bytes that were made beforehand, on loopback.
///
/// A request whose body has `"stream":true` gets 30 events in chunks of their own, one per millisecond, so that
/// both contestants meet each piece alone; any other gets one JSON answer of about 1 KB.
final class LoopbackProvider: Sendable {
    static let chunks = 30
    /// The last bytes of the JSON answer.
    static let mark: StaticString = #""fingerprint":"the end"}"#

    let port: Int
    private let channel: any Channel

    init(on group: any EventLoopGroup) async throws {
        channel = try await ServerBootstrap(group: group)
            .serverChannelOption(.backlog, value: 256)
            .serverChannelOption(.socketOption(.so_reuseaddr), value: 1)
            .childChannelOption(.socketOption(.tcp_nodelay), value: 1)
            .childChannelInitializer { channel in
                channel.eventLoop.makeCompletedFuture {
                    try channel.pipeline.syncOperations.addHandler(AnswerHandler())
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

    private static let json: ByteBuffer = {
        let words = String(repeating: "lorem ipsum dolor sit amet ", count: 26)
        let body =
            #"{"id":"chatcmpl-1","object":"chat.completion","created":1780000000,"model":"gpt-6-sol","choices":"#
            + #"[{"index":0,"message":{"role":"assistant","content":"\#(words)"},"finish_reason":"stop"}],"#
            + #""usage":{"prompt_tokens":210,"completion_tokens":190,"total_tokens":400},"#
            + "\(LoopbackProvider.mark)"
        return ByteBuffer(
            string: "HTTP/1.1 200 OK\r\ncontent-type: application/json\r\ncontent-length: "
                + "\(body.utf8.count)\r\n\r\n\(body)")
    }()

    private static let streamHead = ByteBuffer(
        string: "HTTP/1.1 200 OK\r\ncontent-type: text/event-stream\r\ntransfer-encoding: chunked\r\n\r\n")

    private static let events: [ByteBuffer] = (0..<LoopbackProvider.chunks).map { index in
        let last = index == LoopbackProvider.chunks - 1
        let start =
            #"{"id":"chatcmpl-1","object":"chat.completion.chunk","created":1780000000,"model":"gpt-6-sol","#
        let usage = #""choices":[],"usage":{"prompt_tokens":210,"completion_tokens":29,"total_tokens":239}}"#
        let piece = #""choices":[{"index":0,"delta":{"content":"lorem ipsum "},"finish_reason":null}]}"#
        var text = "data: \(start)\(last ? usage : piece)\n\n"
        if last { text += "data: [DONE]\n\n" }
        return ByteBuffer(
            string: String(text.utf8.count, radix: 16) + "\r\n\(text)\r\n" + (last ? "0\r\n\r\n" : ""))
    }

    private var taken = ByteBuffer()

    func channelRead(context: ChannelHandlerContext, data: NIOAny) {
        var data = unwrapInboundIn(data)
        taken.writeBuffer(&data)
        while let request = nextRequest() {
            if request.contains(#""stream":true"#) {
                context.writeAndFlush(wrapOutboundOut(Self.streamHead), promise: nil)
                send(0, on: context)
            } else {
                context.writeAndFlush(wrapOutboundOut(Self.json), promise: nil)
            }
        }
    }

    private func send(_ index: Int, on context: ChannelHandlerContext) {
        guard index < Self.events.count, context.channel.isActive else { return }
        context.writeAndFlush(wrapOutboundOut(Self.events[index]), promise: nil)
        context.eventLoop.assumeIsolated().scheduleTask(in: .milliseconds(1)) { [self] in
            send(index + 1, on: context)
        }
    }

    /// The body of the next whole request.
    private func nextRequest() -> Bytes? {
        let bytes = Bytes(view: taken.readableBytesView)
        guard let head = bytes.end(of: "\r\n\r\n") else { return nil }
        let length = bytes.number(after: "content-length: ") ?? bytes.number(after: "Content-Length: ") ?? 0
        guard taken.readableBytes >= head + length else { return nil }
        taken.moveReaderIndex(forwardBy: head)
        let body = taken.readSlice(length: length) ?? ByteBuffer()
        if taken.readableBytes == 0 { taken.clear() }
        return Bytes(view: body.readableBytesView)
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

    func number(after text: StaticString) -> Int? {
        guard let end = end(of: text) else { return nil }
        return view.dropFirst(end).prefix { (0x30...0x39).contains($0) }.reduce(0) { $0 * 10 + Int($1 & 15) }
    }
}
