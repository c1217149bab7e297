import Foundation
import Locking
public import Testing

/// Runs the tests of a suite on threads that are not the concurrency runtime's.
///
/// The runtime has as many threads as the machine has cores: two tests that wait for a program, a terminal or a socket
/// would keep every other test from going on, and let its bounds pass meanwhile.
public struct OwnThread: SuiteTrait, TestTrait, TestScoping {
    public let isRecursive = true

    public func provideScope(
        for test: Test, testCase: Test.Case?,
        performing function: @concurrent @Sendable () async throws -> Void
    ) async throws {
        try await withTaskExecutorPreference(WaitingThreads.all) { try await function() }
    }
}

extension Trait where Self == OwnThread {
    /// For suites whose tests block: on processes, terminals, sockets.
    public static var ownThread: Self { OwnThread() }
}

/// Threads that may wait: as many as there are jobs that have not come back, kept for the next ones.
private final class WaitingThreads: TaskExecutor {
    static let all = WaitingThreads()
    private let state = Locked<(jobs: [UnownedJob], free: Int)>(([], 0))
    private let bell = DispatchSemaphore(value: 0)

    func enqueue(_ job: consuming ExecutorJob) {
        let job = UnownedJob(job)
        let isShort = state.withLock { state in
            state.jobs.append(job)
            if state.free < state.jobs.count {
                state.free += 1
                return true
            }
            return false
        }
        if isShort {
            let thread = Thread { [self] in work() }
            // What a main thread has; Foundation's default is 512 KiB on some platforms.
            thread.stackSize = 8 << 20
            thread.start()
        }
        bell.signal()
    }

    private func work() {
        while true {
            bell.wait()
            let job = state.withLock { state in
                state.free -= 1
                return state.jobs.removeFirst()
            }
            job.runSynchronously(on: asUnownedTaskExecutor())
            state.withLock { $0.free += 1 }
        }
    }
}
