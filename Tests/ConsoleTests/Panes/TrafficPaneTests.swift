import Testing

@testable import Console

@Suite struct TrafficPaneTests {
    @Test func `the frames are the ones that were looked at`() { GoldenFrame.check(.traffic) }
}
