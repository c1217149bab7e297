import Foundation
import Glibc
import Locking

/// The databases' write-ahead logs, by which it shows from outside how far an engine is.
struct CrashLogs: Sendable {
    /// To these a rotation writes and calls do not.
    let quiet: [String]
    let all: [String]

    /// Another one after each write.
    static func stamp(_ paths: [String]) -> [Int] {
        paths.flatMap { path in
            var facts = Glibc.stat()
            guard stat(path, &facts) == 0 else { return [0, 0, 0] }
            return [Int(facts.st_size), facts.st_mtim.tv_sec, facts.st_mtim.tv_nsec]
        }
    }
}

/// How long a rotation takes, as measured: kills are spread over that.
///
/// Counted in writes and not in seconds: most of its time a rotation waits for the next tick, and how long depends on
/// when it was begun.
struct CrashPace: Sendable {
    /// Writes of the quiet logs until the command is acknowledged.
    let begun: Int
    /// The same until the end.
    let writes: Int
    /// Seconds between two of them, but for the longest wait, which is the one for the tick.
    let gap: Double

    /// - Parameters:
    ///   - command: returns when it is acknowledged.
    ///   - end: returns when the rotation has ended.
    static func measure(
        _ logs: CrashLogs, _ command: () throws -> Void, toItsEnd end: () throws -> Void
    ) throws -> CrashPace {
        let watch = LogWatch(logs.quiet)
        defer { _ = watch.end() }
        try command()
        let begun = max(1, watch.times.count)
        try end()
        // The last ones are the signature of the audit, behind the rotation's end.
        let times = watch.end().dropLast(3)
        let gaps = zip(times.dropFirst(), times).map { $0.timeIntervalSince($1) }.sorted().dropLast()
        return CrashPace(
            begun: begun, writes: max(times.count, begun + 1),
            gap: gaps.isEmpty ? 0.003 : max(gaps.reduce(0, +) / Double(gaps.count), 0.001))
    }
}

/// Notes when logs are written.
private final class LogWatch: Sendable {
    private let seen = Locked<[Date]>([])
    private let isOver = Locked(false)
    private let watcher = DispatchGroup()

    init(_ paths: [String]) {
        watcher.enter()
        Thread { [self] in
            var last = CrashLogs.stamp(paths)
            while !isOver.withLock({ $0 }) {
                usleep(300)
                let now = CrashLogs.stamp(paths)
                if now != last { seen.withLock { $0.append(Date()) } }
                last = now
            }
            watcher.leave()
        }.start()
    }

    /// So far.
    var times: [Date] { seen.withLock { $0 } }

    func end() -> [Date] {
        isOver.withLock { $0 = true }
        watcher.wait()
        return times
    }
}
