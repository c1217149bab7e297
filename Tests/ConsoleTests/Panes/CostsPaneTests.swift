import Testing

@testable import Console

@Suite struct CostsPaneTests {
    @Test func `the frames are the ones that were looked at`() { GoldenFrame.check(.costs) }
}
