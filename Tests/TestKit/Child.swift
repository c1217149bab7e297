import CLinux
import Foundation
import Glibc
import Synchronization

/// A process that a test started, and ends.
///
/// Not Foundation's `Process`: that one takes a program for running as long as anything it started holds its
/// files, and a daemon holds them for ever.
package final class Child: Sendable {
    package let pid: Int32
    /// POSIX_SPAWN_SETSID of glibc's spawn.h, which Swift's module of it leaves out.
    private static let setSession: Int16 = 0x80
    private let ended = Mutex<Int32?>(nil)
    private let dumped = Mutex(false)

    /// Whether the system says that it left a core file, or gave one to a program (waitpid(2), WCOREDUMP).
    package var dumpedCore: Bool { dumped.withLock { $0 } }

    /// Starts a program with three files as its standard streams.
    /// - Parameters:
    ///   - input: a file to read; nothing stands on standard input without one.
    ///   - ownSession: leads a session of its own, whose terminal is the first one it opens.
    package init(
        _ path: String, _ arguments: [String], input: String = "/dev/null", output: String = "/dev/null",
        error: String? = nil, environment: [String: String] = [:], ownSession: Bool = false
    ) throws {
        var actions = posix_spawn_file_actions_t()
        posix_spawn_file_actions_init(&actions)
        defer { posix_spawn_file_actions_destroy(&actions) }
        // Worker threads of the test runner block signals; a child would inherit that and never hear of its end.
        var attributes = posix_spawnattr_t()
        posix_spawnattr_init(&attributes)
        defer { posix_spawnattr_destroy(&attributes) }
        var none = sigset_t()
        sigemptyset(&none)
        posix_spawnattr_setsigmask(&attributes, &none)
        posix_spawnattr_setflags(
            &attributes, Int16(POSIX_SPAWN_SETSIGMASK) | (ownSession ? Self.setSession : 0))
        let write = O_WRONLY | O_CREAT | O_APPEND
        posix_spawn_file_actions_addopen(&actions, 0, input, ownSession ? O_RDWR : O_RDONLY, 0)
        posix_spawn_file_actions_addopen(&actions, 1, output, write, 0o600)
        if let error {
            posix_spawn_file_actions_addopen(&actions, 2, error, write, 0o600)
        } else {
            posix_spawn_file_actions_adddup2(&actions, 1, 2)
        }
        // Sockets of other tests (SwiftNIO's are not close-on-exec) would stay open here after those closed them.
        posix_spawn_file_actions_addclosefrom_np(&actions, 3)
        let all = ProcessInfo.processInfo.environment.merging(environment) { _, new in new }
        var words = ([path] + arguments).map { strdup($0) } + [nil]
        var variables = all.map { strdup("\($0)=\($1)") } + [nil]
        defer { for text in words + variables { free(text) } }
        var started: pid_t = 0
        let fault = posix_spawn(&started, path, &actions, &attributes, &words, &variables)
        guard fault == 0 else {
            throw Tool.Failure(description: "\(path) does not start: \(String(cString: strerror(fault)))")
        }
        pid = started
    }

    /// The exit code, or the signal's number plus 128; nil while it runs.
    package var status: Int32? {
        ended.withLock { ended in
            if ended == nil {
                var word: Int32 = 0
                if waitpid(pid, &word, WNOHANG) == pid {
                    dumped.withLock { $0 = word & 0x80 != 0 }
                    ended = word & 0x7f == 0 ? (word >> 8) & 0xff : 128 + (word & 0x7f)
                }
            }
            return ended
        }
    }

    /// Signals it and waits until it is gone; a signal that is not obeyed in time is followed by SIGKILL.
    package func end(_ signal: Int32) {
        guard status == nil else { return }
        kill(pid, signal)
        do {
            try waitUntil("process \(pid) ends") { status != nil }
        } catch {
            kill(pid, SIGKILL)
            try? waitUntil("process \(pid) is killed", seconds: 30) { status != nil }
        }
    }
}
