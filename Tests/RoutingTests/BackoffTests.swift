import Domain
import Routing
import Testing

@Suite struct BackoffTests {
    @Test func `the ceiling doubles from fifty milliseconds to two seconds`() {
        let ceilings = (0...8).map { Backoff.pause(retry: $0, draw: .max, floor: nil).wholeMilliseconds }
        #expect(ceilings == [50, 100, 200, 400, 800, 1_600, 2_000, 2_000, 2_000])
        for retry in [-1, .min] {
            #expect(Backoff.pause(retry: retry, draw: .max, floor: nil) == .milliseconds(50))
        }
        #expect(Backoff.pause(retry: .max, draw: .max, floor: nil) == .seconds(2))
    }

    @Test func `the jitter is full: from nothing, and even`() {
        #expect(Backoff.pause(retry: 5, draw: 0, floor: nil) == .zero)
        let seed: UInt64 = 50
        var generator = SplitMix(seed: seed)
        var tenths = [Int](repeating: 0, count: 10)
        for _ in 0..<10_000 {
            let pause = Backoff.pause(retry: 5, draw: generator.next(), floor: nil)
            tenths[min(9, Int(pause.wholeNanoseconds / 160_000_000))] += 1
        }
        #expect(tenths.allSatisfy { (850...1_150).contains($0) }, "seed \(seed): \(tenths)")
    }

    @Test func `what the provider asked for is the floor, and the jitter comes on top`() {
        let floor = Duration.seconds(7)
        #expect(Backoff.pause(retry: 0, draw: 0, floor: floor) == floor)
        #expect(Backoff.pause(retry: 0, draw: .max, floor: floor) == floor + .milliseconds(50))
        #expect(Backoff.pause(retry: 0, draw: 0, floor: .seconds(-3)) == .zero)
    }
}
