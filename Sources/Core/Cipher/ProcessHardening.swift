import CLinux
import Glibc

/// Keeps the process's memory out of core dumps and out of the reach of other processes of the same user.
///
/// The secure heap does not cover the copies libcrypto makes while it works; these settings do.
public enum ProcessHardening {
    /// What is in force now.
    public struct State: Hashable, Sendable {
        /// Whether the kernel may dump the process or let its user trace it; false is the hardened state.
        public let dumpable: Bool
        /// Bytes of core file allowed; 0 is the hardened state, nil no limit.
        public let coreByteLimit: UInt64?
        /// Bytes that may be locked into memory; nil no limit.
        public let lockedByteLimit: UInt64?
        /// Whether Swift's crash backtracer, a second process that reads this one, may start.
        public let backtracerMayRun: Bool
    }

    /// First thing in `main`: not dumpable, then no core files.
    ///
    /// In that order because a core limit of 0 does not stop a `core_pattern` that pipes to a program.
    public static func apply() throws(CipherFailure) {
        guard gh_set_not_dumpable() == 0 else { throw .hardening("prctl(PR_SET_DUMPABLE)") }
        var none = rlimit(rlim_cur: 0, rlim_max: 0)
        guard setrlimit(__rlimit_resource_t(RLIMIT_CORE.rawValue), &none) == 0 else {
            throw .hardening("setrlimit(RLIMIT_CORE)")
        }
    }

    public static var state: State {
        State(
            dumpable: gh_is_dumpable() != 0, coreByteLimit: limit(of: RLIMIT_CORE),
            lockedByteLimit: limit(of: __RLIMIT_MEMLOCK), backtracerMayRun: backtracerMayRun)
    }

    private static func limit(of resource: __rlimit_resource) -> UInt64? {
        var found = rlimit()
        guard getrlimit(__rlimit_resource_t(resource.rawValue), &found) == 0, found.rlim_cur != .max else {
            return nil
        }
        return UInt64(found.rlim_cur)
    }

    /// The runtime's switch: `SWIFT_BACKTRACE=enable=no`.
    private static var backtracerMayRun: Bool {
        guard let setting = getenv("SWIFT_BACKTRACE") else { return true }
        return strstr(setting, "enable=no") == nil && strstr(setting, "enable=off") == nil
    }
}
