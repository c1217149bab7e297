import Domain
import Events
import Testing

@Suite struct EventBusTests {
    private func event(_ number: Int64) -> GatewayEvent {
        .changed(.init(action: "test", what: "\(number)", at: WallTime(milliseconds: number)))
    }

    private func numbers(_ events: [NumberedEvent]) -> [Int64] {
        events.map {
            guard case .changed(let change) = $0.event else { return -1 }
            return change.at.milliseconds
        }
    }

    @Test func `a feed gets what was published, numbered from 1 without a gap`() {
        let bus = EventBus(lanes: 2)
        let feed = bus.feed(depth: 10)
        for number in 1...3 { bus.publish(event(Int64(number)), lane: 0) }
        bus.pump()
        bus.publish(event(4), lane: 1)
        bus.pump()
        let (events, lost) = feed.take()
        #expect(numbers(events) == [1, 2, 3, 4] && lost == 0)
        #expect(events.map(\.sequence) == [1, 2, 3, 4])
        #expect(bus.counts == (overwritten: 0, sequence: 4))
    }

    @Test func `events of one lane stay in order, whatever other lanes do`() {
        let bus = EventBus(lanes: 3)
        let feed = bus.feed(depth: 100)
        for number in 0..<30 { bus.publish(event(Int64(number)), lane: number % 3) }
        bus.pump()
        let got = numbers(feed.take().events)
        for lane in 0..<3 {
            let mine = got.filter { $0 % 3 == Int64(lane) }
            #expect(mine == mine.sorted() && mine.count == 10)
        }
    }

    @Test func `nothing arrives before the pump, and nothing arrives twice`() {
        let bus = EventBus(lanes: 1)
        let feed = bus.feed(depth: 10)
        bus.publish(event(1), lane: 0)
        #expect(feed.take().events.isEmpty)
        #expect(numbers(bus.pump()) == [1])
        #expect(feed.take().events.count == 1)
        #expect(feed.take().events.isEmpty && bus.pump().isEmpty)
    }

    @Test func `a full lane overwrites its oldest, counts them, and the numbers show the gap`() {
        let bus = EventBus(lanes: 1, capacity: 4)
        let feed = bus.feed(depth: 10)
        for number in 1...7 { bus.publish(event(Int64(number)), lane: 0) }
        bus.pump()
        let (events, lost) = feed.take()
        #expect(numbers(events) == [4, 5, 6, 7] && lost == 3)
        #expect(events.map(\.sequence) == [4, 5, 6, 7])
        #expect(bus.counts == (overwritten: 3, sequence: 7))
    }

    @Test func `a slow feed loses its oldest alone, and is told how many`() {
        let bus = EventBus(lanes: 1)
        let slow = bus.feed(depth: 2)
        let quick = bus.feed(depth: 100)
        for round in 0..<5 {
            bus.publish(event(Int64(round)), lane: 0)
            bus.pump()
            #expect(numbers(quick.take().events) == [Int64(round)])
        }
        let (events, lost) = slow.take()
        #expect(numbers(events) == [3, 4] && lost == 3)
        #expect(slow.take().lost == 0)
    }

    @Test func `what is lost in a lane and what is lost in a feed add up`() {
        let bus = EventBus(lanes: 1, capacity: 3)
        let feed = bus.feed(depth: 2)
        for number in 1...5 { bus.publish(event(Int64(number)), lane: 0) }
        bus.pump()
        let (events, lost) = feed.take()
        #expect(numbers(events) == [4, 5] && lost == 3)
    }

    @Test func `a feed sees nothing from before it was opened or after it was closed`() {
        let bus = EventBus(lanes: 1)
        bus.publish(event(1), lane: 0)
        bus.pump()
        let feed = bus.feed(depth: 10)
        bus.publish(event(2), lane: 0)
        bus.pump()
        #expect(numbers(feed.take().events) == [2])
        feed.close()
        bus.publish(event(3), lane: 0)
        bus.pump()
        #expect(feed.take().events.isEmpty)
    }

    @Test func `a lane that does not exist is the nearest that does`() {
        let bus = EventBus(lanes: 2)
        #expect(bus.commonLane == 1)
        bus.publish(event(1), lane: -5)
        bus.publish(event(2), lane: 99)
        #expect(numbers(bus.pump()) == [1, 2])
        #expect(EventBus(lanes: 0).commonLane == 0)
    }

    @Test func `each event that is published is read or counted as lost, over random runs`() {
        let seed = UInt64.random(in: 0 ... .max)
        var generator = SplitMix(seed: seed)
        for _ in 0..<50 {
            let bus = EventBus(lanes: Int.random(in: 1...4, using: &generator), capacity: 8)
            let feed = bus.feed(depth: Int.random(in: 1...16, using: &generator))
            var published: UInt64 = 0
            var read: UInt64 = 0
            var lastSequence: UInt64 = 0
            for _ in 0..<200 {
                switch Int.random(in: 0..<10, using: &generator) {
                case 0: bus.pump()
                case 1:
                    let (events, lost) = feed.take()
                    read += UInt64(events.count) + lost
                    for event in events {
                        #expect(event.sequence > lastSequence, "seed \(seed)")
                        lastSequence = event.sequence
                    }
                default:
                    published += 1
                    bus.publish(event(Int64(published)), lane: Int.random(in: 0..<4, using: &generator))
                }
            }
            bus.pump()
            let (events, lost) = feed.take()
            #expect(read + UInt64(events.count) + lost == published, "seed \(seed)")
            #expect(bus.counts.sequence == published, "seed \(seed)")
        }
    }

    @Test func `publishers on many threads lose nothing while the lanes are large enough`() async {
        let bus = EventBus(lanes: 4, capacity: 1_000)
        let feed = bus.feed(depth: 5_000)
        await withTaskGroup(of: Void.self) { group in
            for lane in 0..<4 {
                group.addTask {
                    for number in 0..<1_000 {
                        bus.publish(
                            .changed(
                                .init(action: "test", what: "", at: WallTime(milliseconds: Int64(number)))),
                            lane: lane)
                    }
                }
            }
            for _ in 0..<20 { bus.pump() }
        }
        bus.pump()
        let (events, lost) = feed.take()
        #expect(events.count == 4_000 && lost == 0)
        #expect(events.map(\.sequence) == (1...4_000).map(UInt64.init))
    }
}
