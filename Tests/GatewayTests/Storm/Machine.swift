import Domain
import Foundation
import Locking

@_silgen_name("malloc_trim") private func mallocTrim(_ pad: Int) -> CInt

/// What this process takes of the machine.
enum Machine {
    /// Bytes of memory that are really there; what was freed is given back first.
    static func resident() throws -> Int {
        _ = mallocTrim(0)
        let text = try String(contentsOfFile: "/proc/self/statm", encoding: .utf8)
        return (Int(text.split(separator: " ").dropFirst().first ?? "") ?? 0) * Int(getpagesize())
    }

    /// Open files and sockets.
    static func descriptors() throws -> Int {
        try FileManager.default.contentsOfDirectory(atPath: "/proc/self/fd").count
    }
}

/// How much of a processor this process gets: a thread works a little, again and again, and sees how long that takes.
///
/// Where others take nearly all of the machine, nobody can keep a bound of a second, and a call's time says nothing.
final class Pulse: Sendable {
    /// Three times slower is what a test must bear.
    static let slowest = 25.0

    private let readings = Locked<[(at: Instant, factor: Double)]>([])
    private let goesOn = Locked(true)

    init() { Thread.detachNewThread { [self] in beat() } }

    func stop() { goesOn.withLock { $0 = false } }

    /// The highest factor by which work took longer than it should about a time.
    func worst(from start: Instant, to end: Instant) -> Double {
        let (start, end) = (start + .milliseconds(-1_000), end + .milliseconds(1_000))
        return readings.withLock { readings in
            readings.reduce(1) { $1.at >= start && $1.at <= end ? max($0, $1.factor) : $0 }
        }
    }

    private func beat() {
        let clock = RealClock()
        while goesOn.withLock({ $0 }) {
            usleep(300_000)
            let began = clock.now
            let end = Self.worked + .milliseconds(20)
            while Self.worked < end {}
            let took = clock.now
            let factor = Double((took - began).wholeNanoseconds) / 20e6
            readings.withLock { $0.append((took, factor)) }
        }
    }

    /// Of this thread.
    private static var worked: Duration {
        var time = timespec()
        clock_gettime(CLOCK_THREAD_CPUTIME_ID, &time)
        return .nanoseconds(Int64(time.tv_sec) * 1_000_000_000 + Int64(time.tv_nsec))
    }
}
