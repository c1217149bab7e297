package import Glibc

/// A mutual-exclusion lock for state that is touched for nanoseconds at a time.
///
/// Built on `pthread_mutex_t` because ThreadSanitizer understands it, while it reports false races for
/// `Synchronization.Mutex` on Linux. Never call out (log, publish, wait) while holding one.
///
/// All of this file is inlinable: a call takes some twenty of these locks, and a generic `withLock` that the compiler
/// does not see through costs several times what the lock does (measured).
package final class Lock: @unchecked Sendable {
    // Safe because the only stored property is a pthread mutex at a fixed heap address, made before any other
    // thread can see the object and destroyed after the last one has let go of it.
    @usableFromInline let mutex: UnsafeMutablePointer<pthread_mutex_t>

    package init() {
        mutex = .allocate(capacity: 1)
        mutex.initialize(to: pthread_mutex_t())
        let result = pthread_mutex_init(mutex, nil)
        precondition(result == 0, "pthread_mutex_init failed with \(result)")
    }

    deinit {
        pthread_mutex_destroy(mutex)
        mutex.deallocate()
    }

    @inlinable @inline(__always) package func lock() { pthread_mutex_lock(mutex) }
    @inlinable @inline(__always) package func unlock() { pthread_mutex_unlock(mutex) }
}

/// A small mutable state behind a `Lock`; the state is meant to be a pure state machine.
///
/// Decide inside `withLock`, act outside.
package final class Locked<State>: @unchecked Sendable {
    // Safe because `state` is only reached between `lock` and `unlock` of the one lock beside it.
    @usableFromInline let guardLock = Lock()
    @usableFromInline var state: State

    @inlinable package init(_ initial: sending State) { state = initial }

    @inlinable @inline(__always)
    package func withLock<Result: ~Copyable, Failure: Error>(
        _ body: (inout State) throws(Failure) -> Result
    ) throws(Failure) -> Result {
        guardLock.lock()
        defer { guardLock.unlock() }
        return try body(&state)
    }
}

/// An immutable value that is read very often and replaced whole now and then.
package final class Published<Value: Sendable>: Sendable {
    @usableFromInline let current: Locked<Value>

    @inlinable package init(_ value: Value) { current = Locked(value) }

    /// The value in force now.
    @inlinable @inline(__always)
    package func load() -> Value { current.withLock { $0 } }

    /// Puts another value in force.
    @inlinable package func store(_ value: Value) { current.withLock { $0 = value } }

    /// Replaces the value by what `change` makes of it; changes made at the same time follow each other.
    @inlinable package func update(_ change: (Value) -> Value) { current.withLock { $0 = change($0) } }
}
