import Foundation
import Glibc
import TestKit

/// The console on a pseudo-terminal: time to its first screen, memory, and what it costs while nothing happens.
struct ConsoleMeasure {
    func run() throws {
        let folder = try TemporaryFolder()
        let house = try GatewayFolder(folder, provider: 9)
        var paints: [Double] = []
        var resident = 0
        var idle = 0.0
        for turn in 0..<8 {
            let terminal = try PseudoTerminal()
            let start = DispatchTime.now()
            let child = try Child(
                GatewayFolder.binary(), ["--data", house.data], input: terminal.path, output: terminal.path,
                environment: ["TERM": "xterm-256color", "LANG": "C.UTF-8"], ownSession: true)
            try terminal.read(until: "Overview")
            let paint = Double(DispatchTime.now().uptimeNanoseconds - start.uptimeNanoseconds) / 1e6
            if turn > 0 { paints.append(paint) }
            if turn == 7 { (resident, idle) = try watch(child, terminal) }
            child.end(SIGTERM)
        }
        paints.sort()
        print(
            String(
                format: "console: first paint %.0f ms from start, median of %d (aim: below 150)",
                paints.middle ?? 0, paints.count))
        print("console: \(resident / 1_024) MiB resident after start (aim: below 60)")
        print(String(format: "console: %.2f %% of a core while nothing happens (aim: below 1)", idle))
    }

    /// Memory in KiB, and the share of a core in percent over ten quiet seconds.
    private func watch(_ child: Child, _ terminal: PseudoTerminal) throws -> (Int, Double) {
        try terminal.drain(seconds: 3)
        let before = try Self.cpu(child.pid)
        try terminal.drain(seconds: 10)
        let used = try Self.cpu(child.pid) - before
        let status = try String(contentsOfFile: "/proc/\(child.pid)/status", encoding: .utf8)
        let line = status.split(separator: "\n").first { $0.hasPrefix("VmRSS:") } ?? ""
        return (Int(line.filter(\.isNumber)) ?? 0, used / 10 * 100)
    }

    private static func cpu(_ pid: pid_t) throws -> Double {
        var clock: clockid_t = 0
        var time = timespec()
        guard clock_getcpuclockid(pid, &clock) == 0, clock_gettime(clock, &time) == 0 else {
            throw Tool.Failure(description: "the console ended")
        }
        return Double(time.tv_sec) + Double(time.tv_nsec) / 1e9
    }
}

/// The outer end of a pseudo-terminal of 120 columns and 40 rows.
final class PseudoTerminal {
    let path: String
    private let descriptor: Int32

    init() throws {
        // TIOCSPTLCK and TIOCGPTN of Linux's asm-generic/ioctls.h: unlock the inner end, and ask its number.
        descriptor = open("/dev/ptmx", O_RDWR | O_NOCTTY)
        var locked: Int32 = 0
        var number: UInt32 = 0
        guard descriptor >= 0, ioctl(descriptor, 0x4004_5431, &locked) == 0,
            ioctl(descriptor, 0x8004_5430, &number) == 0
        else { throw Tool.Failure(description: "no pseudo-terminal") }
        path = "/dev/pts/\(number)"
        _ = fcntl(descriptor, F_SETFD, FD_CLOEXEC)
        var size = winsize(ws_row: 40, ws_col: 120, ws_xpixel: 0, ws_ypixel: 0)
        _ = ioctl(descriptor, UInt(TIOCSWINSZ), &size)
    }

    deinit { close(descriptor) }

    /// Reads what is drawn until a text is on it.
    func read(until text: String, seconds: Double = 20) throws {
        var all: [UInt8] = []
        let deadline = Date().addingTimeInterval(seconds)
        while Date() < deadline {
            all += take(milliseconds: 100)
            if String(decoding: all, as: UTF8.self).contains(text) { return }
        }
        throw Tool.Failure(
            description: "the console did not show \"\(text)\": \(String(decoding: all, as: UTF8.self))")
    }

    /// Reads and forgets for a while, as a terminal does.
    func drain(seconds: Double) throws {
        let deadline = Date().addingTimeInterval(seconds)
        while Date() < deadline { _ = take(milliseconds: 100) }
    }

    private func take(milliseconds: Int32) -> [UInt8] {
        var wait = pollfd(fd: descriptor, events: Int16(POLLIN), revents: 0)
        guard poll(&wait, 1, milliseconds) > 0 else { return [] }
        var bytes = [UInt8](repeating: 0, count: 65_536)
        let count = Glibc.read(descriptor, &bytes, bytes.count)
        return count > 0 ? Array(bytes.prefix(count)) : []
    }
}
