import CLibCrypto
import Locking

/// The memory where plaintext keys live: locked against swapping, guarded by unmapped pages, left out of dumps.
///
/// It covers our own long-lived copies. libcrypto's contexts (key schedules, HKDF and HMAC states) lie on the
/// ordinary heap while a call runs (measured with `CRYPTO_secure_used`), which is why contexts are freed at once
/// and the process itself is hardened as well.
public enum SecureHeap {
    /// Whether the heap can be used, and how well it is protected.
    public enum State: String, Sendable {
        case notStarted = "not started"
        case locked
        /// In use although the kernel refused to lock it; only after an explicit override.
        case unlocked
    }

    /// Room for 65,536 blocks of 64 bytes: ten thousand tenants with several key versions each, and the bounded
    /// plaintext cache. Half of the 8 MiB that Debian 12 lets a process lock.
    public static let byteCount = 4 << 20
    /// The smallest block handed out: one AES-256 key and its derivation fit.
    private static let smallestBlock = 64

    private static let current = Locked(State.notStarted)

    /// What is in force, for `doctor`.
    public static var state: State { current.withLock { $0 } }

    /// Bytes handed out now.
    public static var usedByteCount: Int { Int(CRYPTO_secure_used()) }

    /// Reserves and locks the heap; the second call does nothing.
    ///
    /// `CRYPTO_secure_malloc_init` answers 2 where the memory could not be locked: that is a failure unless
    /// `allowUnlocked` says otherwise.
    public static func start(allowUnlocked: Bool = false) throws(CipherFailure) {
        try current.withLock { (state) throws(CipherFailure) in
            guard state == .notStarted else { return }
            switch CRYPTO_secure_malloc_init(byteCount, smallestBlock) {
            case 1:
                state = .locked
            case 2 where allowUnlocked:
                state = .unlocked
            case 2:
                // Given back, so that nothing can allocate from it after the refusal.
                CRYPTO_secure_malloc_done()
                throw .secureHeapUnlocked
            default:
                throw .secureHeapMissing
            }
        }
    }
}
