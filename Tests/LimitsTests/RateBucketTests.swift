import Domain
import Limits
import Testing

@Suite struct RateBucketTests {
    private func at(_ nanoseconds: Int64) -> Instant { Instant(nanoseconds: nanoseconds) }

    @Test func `the burst is one minute's number, then one comes each sixtieth of a minute`() {
        var bucket = RateBucket(perMinute: 60, at: at(0))
        for _ in 1...60 {
            #expect(bucket.admits(1))
            bucket.take(1)
        }
        #expect(!bucket.admits(1))
        #expect(bucket.wait(for: 1) == .seconds(1))
        bucket.refill(to: at(999_999_999))
        #expect(bucket.wait(for: 1) == .nanoseconds(1))
        bucket.refill(to: at(1_000_000_000))
        #expect(bucket.admits(1))
        #expect(bucket.remaining == 1)
    }

    @Test func `a rate that does not divide a minute does not drift`() {
        var bucket = RateBucket(perMinute: 7, at: at(0))
        bucket.take(7)
        var taken = 0
        var now: Int64 = 0
        // Asks at odd moments for a week; the exact number is 7 a minute.
        let week: Int64 = 7 * 86_400 * 1_000_000_000
        while now < week {
            now += 777_777_777
            bucket.refill(to: at(now))
            if bucket.admits(1) {
                bucket.take(1)
                taken += 1
            }
        }
        #expect(taken == 7 * 7 * 1_440)
    }

    @Test func `more than the whole bucket passes when it is full, and must be worked off`() {
        var bucket = RateBucket(perMinute: 1_000, at: at(0))
        #expect(bucket.admits(3_000))
        bucket.take(3_000)
        #expect(bucket.remaining == 0)
        #expect(bucket.wait(for: 1) == .nanoseconds(2_001 * 60_000_000))
        #expect(bucket.wait(for: 3_000) == .seconds(180))
        #expect(bucket.untilFull == .seconds(180))
    }

    @Test func `giving back never fills above the ceiling`() {
        var bucket = RateBucket(perMinute: 10, at: at(0))
        bucket.take(-5)
        #expect(bucket.remaining == 10)
        #expect(bucket.isFull)
    }

    @Test func `an absurd use owes an hour, not a lifetime`() {
        var bucket = RateBucket(perMinute: 10, at: at(0))
        bucket.take(.max)
        #expect(bucket.untilFull == .seconds(61 * 60))
        bucket.take(.max)
        #expect(bucket.untilFull == .seconds(61 * 60))
    }

    @Test func `a ceiling of zero or less never admits anything and knows no wait`() {
        for ceiling in [0, -1, Int.min] {
            let bucket = RateBucket(perMinute: ceiling, at: at(0))
            #expect(!bucket.admits(1))
            #expect(bucket.wait(for: 1) == nil)
            #expect(bucket.admits(0))
        }
    }

    @Test func `another ceiling keeps what is there, up to the new one`() {
        var bucket = RateBucket(perMinute: 100, at: at(0))
        bucket.take(40)
        bucket.refill(to: at(0), perMinute: 1_000)
        #expect(bucket.remaining == 60)
        bucket.refill(to: at(0), perMinute: 20)
        #expect(bucket.remaining == 20)
    }

    @Test func `time that goes backwards or to its ends breaks nothing`() {
        var bucket = RateBucket(perMinute: .max, at: at(.min))
        bucket.take(.max)
        bucket.refill(to: at(.max))
        bucket.refill(to: at(0))
        bucket.refill(to: at(.min))
        #expect(bucket.remaining == 0)
    }
}
