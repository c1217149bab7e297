import Dispatch
import Locking
import Vault

/// Runs calls that may never come back on a thread of their own, one at a time.
///
/// What hangs costs one thread and this object, which then refuses further work until it has come back.
final class BoundedWork: Sendable {
    private let isBusy = Locked(false)
    private let queue = DispatchQueue(label: "gatehouse.keeper")
    private let what: String

    /// - Parameter what: who is being waited for, for people.
    init(of what: String) { self.what = what }

    func run<Output: Sendable>(
        within bound: Duration, _ body: @escaping @Sendable () throws(KeeperFailure) -> Output
    ) async throws(KeeperFailure) -> Output {
        let isFree = isBusy.withLock { busy in
            defer { busy = true }
            return !busy
        }
        guard isFree else { throw .refused("\(what) has not come back from the call before; try again") }
        let seconds = bound.components.seconds
        let result = await withCheckedContinuation { continuation in
            let waiting = Locked(
                CheckedContinuation<Result<Output, KeeperFailure>, Never>?.some(continuation))
            @Sendable func answer(_ result: Result<Output, KeeperFailure>) {
                waiting.withLock { waiting in
                    defer { waiting = nil }
                    return waiting
                }?.resume(returning: result)
            }
            queue.async { [isBusy] in
                let result = Result { () throws(KeeperFailure) in try body() }
                isBusy.withLock { $0 = false }
                answer(result)
            }
            DispatchQueue.global().asyncAfter(deadline: .now() + .seconds(Int(seconds))) { [what] in
                answer(.failure(.refused("\(what) did not answer within \(seconds) s")))
            }
        }
        return try result.get()
    }
}
