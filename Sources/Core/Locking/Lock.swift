public import Glibc

/// A mutual-exclusion lock for state that is touched for nanoseconds at a time.
///
/// Built on `pthread_mutex_t` because ThreadSanitizer understands it, while it reports false races for
/// `Synchronization.Mutex` on Linux. Never call out (log, publish, wait) while holding one.
///
/// All of this file is inlinable: a call takes some twenty of these locks, and a generic `withLock` that the compiler
/// does not see through costs several times what the lock does (measured).
public final class Lock: @unchecked Sendable {
    // Safe because the only stored property is a pthread mutex at a fixed heap address, made before any other
    // thread can see the object and destroyed after the last one has let go of it.
    @usableFromInline let mutex: UnsafeMutablePointer<pthread_mutex_t>

    public init() {
        mutex = .allocate(capacity: 1)
        mutex.initialize(to: pthread_mutex_t())
        let result = pthread_mutex_init(mutex, nil)
        precondition(result == 0, "pthread_mutex_init failed with \(result)")
    }

    deinit {
        pthread_mutex_destroy(mutex)
        mutex.deallocate()
    }

    @inlinable @inline(__always) public func lock() { pthread_mutex_lock(mutex) }
    @inlinable @inline(__always) public func unlock() { pthread_mutex_unlock(mutex) }
}

/// A small mutable state behind a `Lock`; the state is meant to be a pure state machine.
///
/// Decide inside `withLock`, act outside.
public final class Locked<State>: @unchecked Sendable {
    // Safe because `state` is only reached between `lock` and `unlock` of the one lock beside it.
    @usableFromInline let guardLock = Lock()
    @usableFromInline var state: State

    @inlinable public init(_ initial: sending State) { state = initial }

    @inlinable @inline(__always)
    public func withLock<Result: ~Copyable, Failure: Error>(
        _ body: (inout State) throws(Failure) -> Result
    ) throws(Failure) -> Result {
        guardLock.lock()
        defer { guardLock.unlock() }
        return try body(&state)
    }
}

/// An immutable value that is read very often and replaced whole now and then.
public final class Published<Value: Sendable>: Sendable {
    @usableFromInline let current: Locked<Value>

    @inlinable public init(_ value: Value) { current = Locked(value) }

    /// The value in force now.
    @inlinable @inline(__always)
    public func load() -> Value { current.withLock { $0 } }

    /// Puts another value in force.
    @inlinable public func store(_ value: Value) { current.withLock { $0 = value } }

    /// Replaces the value by what `change` makes of it; changes made at the same time follow each other.
    @inlinable public func update(_ change: (Value) -> Value) { current.withLock { $0 = change($0) } }
}
