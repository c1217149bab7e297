import Domain
import Foundation
import Glibc
import Locking
import TestKit

/// When an engine is to die.
enum CrashMoment {
    /// While it starts, so many microseconds after its beginning.
    case starting(UInt32)
    /// After the last change was sent.
    case soon(UInt32)
    /// When the databases' logs were written so many times since the last change was sent, and some microseconds.
    case writing(Int, UInt32)
    /// The same while it does what it does once a second: steps of rotations, ends of drains, signatures.
    case ticking(Int, UInt32)

    init(_ generator: inout SplitMix) {
        let pause = UInt32.random(in: 0..<3_000, using: &generator)
        switch Int.random(in: 0..<12, using: &generator) {
        case 0: self = .starting(.random(in: 0..<300_000, using: &generator))
        case 1...3: self = .soon(.random(in: 0..<60_000, using: &generator))
        case 4...7: self = .writing(.random(in: 1...5, using: &generator), pause)
        default: self = .ticking(.random(in: 1...9, using: &generator), pause)
        }
    }

    var name: String {
        switch self {
        case .starting: "starting"
        case .soon: "soon"
        case .writing: "writing"
        case .ticking: "ticking"
        }
    }

    var isTick: Bool { if case .ticking = self { true } else { false } }
}

/// Kills an engine at its moment, from a thread of its own.
final class CrashKill: Sendable {
    private let engine: Child
    private let logs: [String]
    private let started = Date()
    private let isArmed = Locked(false)
    private let killer = DispatchGroup()

    /// - Parameter logs: the write-ahead logs that are watched.
    init(_ engine: Child, at moment: CrashMoment, watching logs: [String]) {
        self.engine = engine
        self.logs = logs
        killer.enter()
        Thread { [self] in
            wait(for: moment)
            kill(engine.pid, SIGKILL)
            engine.end(SIGKILL)
            killer.leave()
        }.start()
    }

    /// The last change is being sent: the moment is counted from here.
    func arm() { isArmed.withLock { $0 = true } }

    func wait() { killer.wait() }

    private func wait(for moment: CrashMoment) {
        // Half a minute: a change that takes longer is interrupted like any other.
        until(seconds: 30) { isArmed.withLock { $0 } }
        switch moment {
        case .starting(let pause), .soon(let pause): usleep(pause)
        case .writing(let count, let pause): watch(count, pause, seconds: 1)
        case .ticking(let count, let pause):
            until(seconds: 3) { Date().timeIntervalSince(started) > 0.9 }
            watch(count, pause, seconds: 1)
        }
    }

    private func watch(_ count: Int, _ pause: UInt32, seconds: Double) {
        var last = stamp()
        var seen = 0
        until(seconds: seconds) {
            let now = stamp()
            if now != last { seen += 1 }
            last = now
            return seen >= count
        }
        usleep(pause)
    }

    private func until(seconds: Double, _ condition: () -> Bool) {
        let end = Date().addingTimeInterval(seconds)
        while !condition(), Date() < end, engine.status == nil { usleep(300) }
    }

    private func stamp() -> [Int] {
        logs.flatMap { path in
            var facts = Glibc.stat()
            guard stat(path, &facts) == 0 else { return [0, 0, 0] }
            return [Int(facts.st_size), facts.st_mtim.tv_sec, facts.st_mtim.tv_nsec]
        }
    }
}
