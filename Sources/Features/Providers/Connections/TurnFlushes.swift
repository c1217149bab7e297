public import NIOCore

/// The flushes of one turn of an event loop, done one after the other at the turn's end.
///
/// A busy turn serves several connections. A flush is a system call that wakes the peer, and a peer that is faster than
/// we are has answered and sleeps again before the next flush comes from the middle of the next call's work: waking it
/// then costs more than the write itself (measured). Flushes that follow each other find it awake. On a loop with one
/// call at a time nothing is put off but the rest of that call's own work.
///
/// Confined to its loop.
public final class TurnFlushes {
    private let loop: any EventLoop
    private var waiting: [ChannelHandlerContext] = []

    init(loop: any EventLoop) { self.loop = loop }

    /// Flushes what was written through the context, once everything else of this turn is done.
    public func flush(_ context: ChannelHandlerContext) {
        guard waiting.last !== context else { return }
        waiting.append(context)
        if waiting.count == 1 { loop.assumeIsolated().execute { self.run() } }
    }

    private func run() {
        // What a flush leads to may write again: that waits for the next turn's end.
        let due = waiting
        waiting.removeAll(keepingCapacity: true)
        for context in due { context.flush() }
    }
}
