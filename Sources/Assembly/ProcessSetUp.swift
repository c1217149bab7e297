import Cipher
import Glibc

/// What happens to the process before anything else, and how it ends.
public enum ProcessSetUp {
    /// No core dumps, no tracing by others of this user, no signal for a closed pipe.
    public static func harden() {
        // A kernel that refuses is reported by `doctor`; nothing secret has been read yet.
        try? ProcessHardening.apply()
        signal(SIGPIPE, SIG_IGN)
    }

    public static func complain(_ message: String) { Output.complain(message) }

    public static func leave(_ code: Int32) -> Never { exit(code) }
}
