import Glibc
import NIOCore
import NIOPosix

/// One request to ourselves on one event loop, before anybody else can come.
///
/// The first use of a generic type makes its description in Swift's runtime. Where two loops do that in the same moment,
/// for the first two callers of a process, the runtime has been seen to crash (Swift 6.3.1, in its look-up of
/// conformances). So the first use happens here, alone.
enum Rehearsal {
    private static let request = "GET /health/live HTTP/1.1\r\nhost: rehearsal\r\nconnection: close\r\n\r\n"
    /// A start does not hang on this: far longer than an answer takes.
    private static let patience = TimeAmount.seconds(2)

    /// Returns when the answer is written and the connection closed; what does not work here shows with the first caller.
    static func run(
        on loop: any EventLoop, _ context: NIOLoopBound<LoopContext>, _ options: GatewayOptions
    ) async {
        var ends: [Int32] = [-1, -1]
        guard socketpair(AF_UNIX, Int32(SOCK_STREAM.rawValue), 0, &ends) == 0 else { return }
        defer { close(ends[1]) }
        _ = write(ends[1], request, request.utf8.count)
        // Nothing more will come: else the gateway, which closes after its answer, would wait a second for our end.
        shutdown(ends[1], Int32(SHUT_WR))
        let connecting = ClientBootstrap(group: loop)
            .channelInitializer { channel in
                channel.eventLoop.makeCompletedFuture {
                    try GatewayServer.addHandlers(
                        to: channel.pipeline.syncOperations, context.value, options)
                }
            }
            .withConnectedSocket(ends[0])
        guard let channel = try? await connecting.get() else { return }
        let end = loop.scheduleTask(in: patience) { channel.close(promise: nil) }
        try? await channel.closeFuture.get()
        end.cancel()
    }
}
