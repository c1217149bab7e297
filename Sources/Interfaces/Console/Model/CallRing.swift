import Domain

/// The newest finished calls, bounded; the oldest makes room for the newest.
struct CallRing: Sendable {
    private var slots: [GatewayEvent.CallFinish] = []
    private var start = 0
    let capacity: Int
    /// All that ever came in.
    private(set) var seen: UInt64 = 0

    init(capacity: Int) { self.capacity = max(1, capacity) }

    var count: Int { slots.count }

    mutating func append(_ call: GatewayEvent.CallFinish) {
        seen += 1
        if slots.count < capacity {
            slots.append(call)
        } else {
            slots[start] = call
            start = start + 1 == capacity ? 0 : start + 1
        }
    }

    /// Newest first: 0 is the newest.
    subscript(age: Int) -> GatewayEvent.CallFinish {
        slots[(start + slots.count - 1 - age) % slots.count]
    }
}
