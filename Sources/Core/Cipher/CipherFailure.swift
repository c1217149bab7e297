/// Why a cryptographic operation did not happen; never says anything about keys or plaintext.
public enum CipherFailure: Error, Hashable, Sendable, CustomStringConvertible {
    /// `SecureHeap.start` was not called, or failed.
    case secureHeapMissing
    /// The operating system did not let the secure heap be locked into memory.
    case secureHeapUnlocked
    /// No room on the secure heap: shed load, never fall back to ordinary memory.
    case secureHeapFull
    /// The tag does not fit: wrong key, wrong context or changed bytes.
    case notAuthentic
    /// A size or cost outside what the algorithm allows; the text names it.
    case parameter(String)
    /// The kernel or libcrypto gave no randomness.
    case randomness
    /// libcrypto refused an operation that should have worked; the text names it.
    case library(String)
    /// The kernel refused to harden the process; the text names the call.
    case hardening(String)

    public var description: String {
        switch self {
        case .secureHeapMissing: "the secure heap is not started"
        case .secureHeapUnlocked:
            "the secure heap cannot be locked into memory: raise the locked-memory limit (ulimit -l, LimitMEMLOCK)"
        case .secureHeapFull: "the secure heap is full"
        case .notAuthentic: "the sealed bytes are not authentic"
        case .parameter(let what): "out of range: \(what)"
        case .randomness: "no randomness is available"
        case .library(let what): "libcrypto refused: \(what)"
        case .hardening(let what): "the kernel refused: \(what)"
        }
    }
}
