import Locking
import NIOCore

/// The callers' connections that are open, so that a shutdown can close them.
final class ConnectionSet: Sendable {
    private let channels = Locked<[ObjectIdentifier: any Channel]>([:])

    /// False, and nothing added, when there are `most` already.
    func add(_ channel: any Channel, most: Int) -> Bool {
        let id = ObjectIdentifier(channel)
        let fits = channels.withLock { channels in
            if channels.count < most { channels[id] = channel }
            return channels.count <= most && channels[id] != nil
        }
        guard fits else { return false }
        channel.closeFuture.whenComplete { [channels] _ in channels.withLock { $0[id] = nil } }
        return true
    }

    func all() -> [any Channel] { channels.withLock { Array($0.values) } }
}
