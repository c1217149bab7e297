public import Domain

/// How many attempts run at one target at once: found out from how the target takes them.
///
/// The ceiling grows by one for each round of good answers while it is used, and shrinks by a share when the target
/// says, or shows, that it is overloaded (additive increase, multiplicative decrease: Chiu and Jain 1989). What finds
/// no room waits in a short queue, interactive calls before batch ones; when the queue is full, the newest call is
/// refused, for it has waited least. Pure: who calls brings the time.
public struct ConcurrencyGate: Sendable {
    /// Bounds of a gate.
    public struct Options: Sendable, Hashable {
        /// The ceiling before anything is known. Generous: it is there for a target that shows overload.
        public var first = 256
        public var least = 4
        public var most = 4_096
        /// Calls that wait for room.
        public var queueMost = 256
        /// The longest wait for room.
        public var waitMost = Duration.seconds(2)
        /// What is left of the ceiling after a sign of overload.
        public var shrink = 0.7
        /// Signs within this time are one: they come from attempts that ran together.
        public var shrinkEvery = Duration.seconds(1)
        /// A ceiling that was not reached for this long is supposed to be twice as high: what was learned in an overload
        /// must not hold up the calls that come, all at once, when another target fails.
        var forgetEvery = Duration.seconds(10)
        /// A waiter that has not asked for this long is gone.
        public var askEvery = Duration.seconds(1)

        public init() {}
    }

    /// A place in the queue.
    public struct Ticket: Sendable, Hashable {
        fileprivate let number: UInt64
    }

    /// What a waiter is told when it asks.
    public enum Turn: Sendable, Hashable {
        case pass
        case wait
        /// It waited too long, or gave way to an interactive call.
        case refused
    }

    /// What an attempt said of the target's load.
    public enum Sign: Sendable, Hashable {
        case good, overload, nothing
    }

    private struct Waiter {
        let ticket: Ticket
        let callClass: CallClass
        let since: Instant
        var asked: Instant
    }

    private let options: Options
    private var ceilingExact: Double
    private var lastShrink: Instant?
    /// When the ceiling last turned a call away, or shrank: what is known of it is as old as that.
    private var reached: Instant?
    public private(set) var running = 0
    /// Interactive ones first, within a class the oldest first.
    private var waiters: [Waiter] = []
    private var numbers: UInt64 = 0

    public init(options: Options = Options()) {
        self.options = options
        ceilingExact = Double(options.first)
    }

    public var ceiling: Int { Int(ceilingExact) }
    public var waiting: Int { waiters.count }
    /// Whether it is as new: nothing runs, waits or was learned.
    var isFresh: Bool { running == 0 && waiters.isEmpty && ceiling == options.first }

    /// Takes a place if there is room and nobody waits for one.
    public mutating func tryEnter(at now: Instant) -> Bool {
        if running >= ceiling || !waiters.isEmpty { forget(at: now) }
        guard waiters.isEmpty, running < ceiling else { return false }
        running += 1
        return true
    }

    /// Raises a ceiling that nobody has met for a while, up to where it began.
    private mutating func forget(at now: Instant) {
        if let reached, ceilingExact < Double(options.first) {
            let age = (now - reached).wholeNanoseconds / max(1, options.forgetEvery.wholeNanoseconds)
            ceilingExact = min(Double(options.first), ceilingExact * Double(1 << min(max(age, 0), 16)))
        }
        reached = now
    }

    /// Queues for a place; nil = the queue is full, and this call is the newest.
    public mutating func queue(_ callClass: CallClass, at now: Instant) -> Ticket? {
        forgetSilent(at: now)
        if waiters.count >= options.queueMost {
            // An interactive call takes the place of the newest batch call.
            guard callClass == .interactive, waiters.last?.callClass == .batch else { return nil }
            waiters.removeLast()
        }
        numbers += 1
        let waiter = Waiter(
            ticket: Ticket(number: numbers), callClass: callClass, since: now, asked: now)
        let place =
            callClass == .batch
            ? waiters.endIndex : waiters.firstIndex { $0.callClass == .batch } ?? waiters.endIndex
        waiters.insert(waiter, at: place)
        return waiter.ticket
    }

    /// Whether it is a waiter's turn; to be asked every few milliseconds. `pass` takes the place.
    public mutating func ask(_ ticket: Ticket, at now: Instant) -> Turn {
        forgetSilent(at: now)
        guard let place = waiters.firstIndex(where: { $0.ticket == ticket }) else { return .refused }
        if place < ceiling - running {
            waiters.remove(at: place)
            running += 1
            return .pass
        }
        guard now - waiters[place].since < options.waitMost else {
            waiters.remove(at: place)
            return .refused
        }
        waiters[place].asked = now
        return .wait
    }

    /// A waiter goes away.
    public mutating func abandon(_ ticket: Ticket) { waiters.removeAll { $0.ticket == ticket } }

    /// An attempt is over.
    public mutating func leave(_ sign: Sign, at now: Instant) {
        let wasUsed = running * 2 >= ceiling
        running = max(0, running - 1)
        switch sign {
        case .nothing: break
        case .good:
            if wasUsed { ceilingExact = min(Double(options.most), ceilingExact + 1 / ceilingExact) }
        case .overload:
            guard lastShrink.map({ now - $0 >= options.shrinkEvery }) ?? true else { return }
            lastShrink = now
            reached = now
            // What runs is what the target could not take: an unused ceiling would shrink without effect.
            ceilingExact = max(
                Double(options.least), min(ceilingExact, Double(running + 1)) * options.shrink)
        }
    }

    private mutating func forgetSilent(at now: Instant) {
        waiters.removeAll { now - $0.asked > options.askEvery }
    }
}
