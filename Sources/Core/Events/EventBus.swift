public import Domain
import Locking

/// An event with its place in the one order that all watchers see.
public struct NumberedEvent: Sendable, Hashable, Codable {
    /// 1, 2, 3 …; a gap means that events were overwritten before they could be read.
    public let sequence: UInt64
    public let event: GatewayEvent

    public init(sequence: UInt64, event: GatewayEvent) {
        self.sequence = sequence
        self.event = event
    }
}

/// Carries what happens on the event loops to those who watch, and never makes a loop wait.
///
/// Each loop publishes into a bounded ring of its own that overwrites its oldest entry; `pump` moves the rings'
/// contents, numbered, to every feed. A publisher's cost does not grow with the number of watchers. The usage
/// ledger and the audit are not watchers: they must not lose anything and have paths of their own.
public final class EventBus: Sendable {
    private struct Hub {
        var sequence: UInt64 = 0
        var feeds: [EventFeed] = []
        var overwritten: UInt64 = 0
    }

    private let rings: [Locked<Ring<GatewayEvent>>]
    private let hub = Locked(Hub())

    /// - Parameters:
    ///   - lanes: one per event loop, and one for everybody else (the last).
    ///   - capacity: events a lane holds between two pumps.
    public init(lanes: Int, capacity: Int = 8_192) {
        rings = (0..<max(1, lanes)).map { _ in Locked(Ring(capacity: capacity)) }
    }

    /// The lane for publishers that are on no event loop.
    public var commonLane: Int { rings.count - 1 }

    /// Publishes without waiting; when the lane is full the oldest unread event is overwritten and counted.
    public func publish(_ event: GatewayEvent, lane: Int) {
        rings[min(max(lane, 0), rings.count - 1)].withLock { $0.push(event) }
    }

    /// Moves what was published since the last call to all feeds; called by one thread, every 20 to 50 ms.
    ///
    /// Returns the events, in order, for the pump's owner.
    @discardableResult
    public func pump() -> [NumberedEvent] {
        var collected: [GatewayEvent] = []
        var lost: UInt64 = 0
        for ring in rings {
            let (events, overwritten) = ring.withLock { $0.takeAll() }
            collected.append(contentsOf: events)
            lost += overwritten
        }
        let (numbered, feeds) = hub.withLock { hub -> ([NumberedEvent], [EventFeed]) in
            hub.overwritten += lost
            hub.sequence += lost
            let numbered = collected.map { event in
                hub.sequence += 1
                return NumberedEvent(sequence: hub.sequence, event: event)
            }
            hub.feeds.removeAll { $0.isClosed }
            return (numbered, hub.feeds)
        }
        for feed in feeds { feed.deliver(numbered, lostBefore: lost) }
        return numbered
    }

    /// A new watcher that keeps at most `depth` unread events, the newest.
    public func feed(depth: Int) -> EventFeed {
        let feed = EventFeed(depth: depth)
        hub.withLock { $0.feeds.append(feed) }
        return feed
    }

    /// Events lost in the lanes since the start, and the number of the newest event.
    public var counts: (overwritten: UInt64, sequence: UInt64) {
        hub.withLock { ($0.overwritten, $0.sequence) }
    }
}

/// One watcher's bounded window on the event bus; read it when it suits, it holds the newest events.
public final class EventFeed: Sendable {
    private struct Window {
        var ring: Ring<NumberedEvent>
        var lost: UInt64 = 0
        var closed = false
    }
    private let window: Locked<Window>

    init(depth: Int) { window = Locked(Window(ring: Ring(capacity: depth))) }

    /// What came since the last call, oldest first, and how many were lost for this watcher.
    public func take() -> (events: [NumberedEvent], lost: UInt64) {
        window.withLock { window in
            let (events, overwritten) = window.ring.takeAll()
            let lost = window.lost + overwritten
            window.lost = 0
            return (events, lost)
        }
    }

    /// Ends the feed: the bus forgets it.
    public func close() {
        window.withLock { window in
            window.closed = true
            _ = window.ring.takeAll()
        }
    }

    var isClosed: Bool { window.withLock { $0.closed } }

    func deliver(_ events: [NumberedEvent], lostBefore: UInt64) {
        window.withLock { window in
            window.lost += lostBefore
            for event in events { window.ring.push(event) }
        }
    }
}

/// A bounded buffer that overwrites its oldest element and counts what it overwrote.
struct Ring<Element: Sendable>: Sendable {
    private var slots: [Element?]
    private var start = 0
    private var count = 0
    private var overwritten: UInt64 = 0

    init(capacity: Int) { slots = Array(repeating: nil, count: max(1, capacity)) }

    mutating func push(_ element: Element) {
        if count == slots.count {
            slots[start] = element
            start = start + 1 == slots.count ? 0 : start + 1
            overwritten += 1
        } else {
            var end = start + count
            if end >= slots.count { end -= slots.count }
            slots[end] = element
            count += 1
        }
    }

    mutating func takeAll() -> ([Element], UInt64) {
        guard count > 0 || overwritten > 0 else { return ([], 0) }
        var out: [Element] = []
        out.reserveCapacity(count)
        for offset in 0..<count {
            let index = (start + offset) % slots.count
            if let element = slots[index] { out.append(element) }
            slots[index] = nil
        }
        let lost = overwritten
        start = 0
        count = 0
        overwritten = 0
        return (out, lost)
    }
}
