import Dispatch

/// Runs blocking work on a thread of its own: the pool's few threads have to answer it.
func awayFromPool<Result: Sendable>(_ work: @escaping @Sendable () throws -> Result) async throws -> Result {
    try await withCheckedThrowingContinuation { continuation in
        DispatchQueue.global().async { continuation.resume(with: .init(catching: work)) }
    }
}
