import CSQLite
import Foundation
import Synchronization

/// SQLite's way to its files (a VFS, sqlite.org/vfs.html) for folders that are watched: what it asks of the disk is
/// written down, and can be refused. Files elsewhere go the usual way.
package final class PowerFiles: Sendable {
    /// What a disk refuses, with SQLite's code for it.
    package enum Fault: Int32, CaseIterable, Sendable {
        case full = 13  // SQLITE_FULL
        case write = 778  // SQLITE_IOERR_WRITE
        case sync = 1_034  // SQLITE_IOERR_FSYNC
    }

    private struct State {
        var log = PowerLog()
        /// Refuses from so many more writes on, all of them.
        var fault: (kind: Fault, after: Int)?
        var refused = 0
    }

    private let state = Mutex(State())
    let folder: String

    private static let watched = Mutex<[PowerFiles]>([])

    /// - Parameter folder: as SQLite is given it, without links.
    package init(watching folder: String) {
        self.folder = folder + "/"
        PowerVFS.install()
        Self.watched.withLock { $0.append(self) }
    }

    /// To be called at the end: the list of the watched is the process's.
    package func release() { Self.watched.withLock { all in all.removeAll { $0 === self } } }

    static func watching(_ path: String) -> PowerFiles? {
        watched.withLock { all in all.first { path.hasPrefix($0.folder) } }
    }

    package var log: PowerLog { state.withLock { $0.log } }

    package func acknowledge(_ count: Int) { state.withLock { $0.log.add(.acknowledged(count)) } }

    /// From the given number of writes on every write (or flush) is refused; nil ends that.
    package func refuse(_ kind: Fault?, after writes: Int = 0) {
        state.withLock { $0.fault = kind.map { ($0, writes) } }
    }

    /// How often the disk refused.
    package var refused: Int { state.withLock { $0.refused } }

    /// Notes a step and lets it pass (`SQLITE_OK`) or refuses it.
    func note(_ step: PowerLog.Step) -> Int32 {
        state.withLock { state in
            if let fault = state.fault, Self.concerns(fault.kind, step) {
                guard fault.after > 0 else {
                    state.refused += 1
                    return fault.kind.rawValue
                }
                state.fault = (fault.kind, fault.after - 1)
            }
            state.log.add(step)
            return SQLITE_OK
        }
    }

    private static func concerns(_ fault: Fault, _ step: PowerLog.Step) -> Bool {
        switch step {
        case .write: fault != .sync
        case .sync: fault == .sync
        default: false
        }
    }
}
