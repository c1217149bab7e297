import Locking
import NIOCore

/// The callers' connections that are open, so that a shutdown can close them.
final class ConnectionSet: Sendable {
    private let channels = Locked<[ObjectIdentifier: any Channel]>([:])

    func add(_ channel: any Channel) {
        let id = ObjectIdentifier(channel)
        channels.withLock { $0[id] = channel }
        channel.closeFuture.whenComplete { [channels] _ in channels.withLock { $0[id] = nil } }
    }

    func all() -> [any Channel] { channels.withLock { Array($0.values) } }
}
