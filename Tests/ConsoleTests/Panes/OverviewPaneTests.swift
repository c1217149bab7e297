import Testing

@testable import Console

@Suite struct OverviewPaneTests {
    @Test func `the frames are the ones that were looked at`() { GoldenFrame.check(.overview) }
}
