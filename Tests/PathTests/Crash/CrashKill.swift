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
    /// At a point of its way through a rotation, which the last change begins; 0 is just before it is
    /// acknowledged, 1 its end.
    case rotating(Double)

    init(_ generator: inout SplitMix) {
        let pause = UInt32.random(in: 0..<3_000, using: &generator)
        switch Int.random(in: 0..<12, using: &generator) {
        case 0: self = .starting(.random(in: 0..<300_000, using: &generator))
        case 1: self = .soon(.random(in: 0..<60_000, using: &generator))
        case 2: self = .writing(.random(in: 1...5, using: &generator), pause)
        case 3: self = .ticking(.random(in: 1...9, using: &generator), pause)
        default: self = .rotating(.random(in: 0..<1, using: &generator))
        }
    }

    var name: String {
        switch self {
        case .starting: "starting"
        case .soon: "soon"
        case .writing: "writing"
        case .ticking: "ticking"
        case .rotating: "rotating"
        }
    }

    var isTick: Bool { if case .ticking = self { true } else { false } }
    var isRotation: Bool { if case .rotating = self { true } else { false } }
}

/// Kills an engine at its moment, from a thread of its own.
final class CrashKill: Sendable {
    private let engine: Child
    private let logs: CrashLogs
    private let paces: [CrashChange.Kind: CrashPace]
    private let started = Date()
    /// The last change, once it is being sent.
    private let armed = Locked<CrashChange.Kind?>(nil)
    private let killer = DispatchGroup()

    /// - Parameter paces: how long each kind of rotation takes.
    init(
        _ engine: Child, at moment: CrashMoment, watching logs: CrashLogs,
        _ paces: [CrashChange.Kind: CrashPace]
    ) {
        self.engine = engine
        self.logs = logs
        self.paces = paces
        killer.enter()
        Thread { [self] in
            wait(for: moment)
            kill(engine.pid, SIGKILL)
            engine.end(SIGKILL)
            killer.leave()
        }.start()
    }

    /// The last change is being sent: the moment is counted from here.
    func arm(_ change: CrashChange.Kind) { armed.withLock { $0 = change } }

    func wait() { killer.wait() }

    private func wait(for moment: CrashMoment) {
        // Half a minute: a change that takes longer is interrupted like any other.
        until(seconds: 30) { armed.withLock { $0 != nil } }
        switch moment {
        case .starting(let pause), .soon(let pause): usleep(pause)
        case .writing(let count, let pause): watch(count, pause, seconds: 1)
        case .ticking(let count, let pause):
            until(seconds: 3) { Date().timeIntervalSince(started) > 0.9 }
            watch(count, pause, seconds: 1)
        case .rotating(let share):
            // A rotation goes on with the next tick, which is a second away at most.
            guard let pace = armed.withLock({ $0.flatMap { paces[$0] } }) else { return }
            let point = Double(pace.begun - 1) + share * Double(pace.writes - pace.begun + 1)
            watch(
                Int(point), UInt32((point - point.rounded(.down)) * pace.gap * 1e6), of: logs.quiet,
                seconds: 2)
        }
    }

    private func watch(_ count: Int, _ pause: UInt32, of paths: [String]? = nil, seconds: Double) {
        let paths = paths ?? logs.all
        var last = CrashLogs.stamp(paths)
        var seen = 0
        until(seconds: seconds) {
            let now = CrashLogs.stamp(paths)
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
}
