import Domain
import Routing
import Testing

@Suite struct TargetGaugesTests {
    @Test func `times and rates are smoothed, and forgotten after two minutes`() throws {
        let gauges = TargetGauges()
        let one = target("p/one")
        gauges.began(one)
        #expect(gauges.readings(of: [one], at: .seconds(0))[0] == TargetReading(running: 1))
        gauges.ended(
            one, firstToken: .milliseconds(100), tokens: (count: 50, over: .seconds(1)), at: .seconds(1))
        gauges.began(one)
        gauges.ended(one, firstToken: .milliseconds(200), tokens: nil, at: .seconds(2))
        let reading = gauges.readings(of: [one], at: .seconds(3))[0]
        let first = try #require(reading.firstToken)
        #expect(abs(first.inSeconds - 0.12) < 0.001, "\(first)")
        #expect(reading.tokensPerSecond == 50 && reading.running == 0)
        #expect(gauges.readings(of: [one], at: .seconds(200))[0] == TargetReading())
        #expect(gauges.running == 0)
    }

    @Test func `a failed attempt changes nothing but what is under way`() {
        let gauges = TargetGauges()
        gauges.began(target("p/one"))
        gauges.ended(target("p/one"), firstToken: nil, tokens: nil, at: .seconds(1))
        gauges.ended(target("p/never"), firstToken: .seconds(1), tokens: nil, at: .seconds(1))
        #expect(
            gauges.readings(of: [target("p/one"), target("p/never")], at: .seconds(1)) == [.init(), .init()])
    }

    @Test func `targets beyond the capacity push out idle ones only`() {
        let gauges = TargetGauges(capacity: 2)
        gauges.began(target("p/busy"))
        for name in ["p/a", "p/b", "p/c"] {
            gauges.began(target(name))
            gauges.ended(target(name), firstToken: .seconds(1), tokens: nil, at: .seconds(1))
        }
        #expect(gauges.readings(of: [target("p/busy")], at: .seconds(1))[0].running == 1)
        #expect(gauges.readings(of: [target("p/a")], at: .seconds(1))[0].firstToken == nil)
    }
}
