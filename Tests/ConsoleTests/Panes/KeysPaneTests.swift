import Testing

@testable import Console

@Suite struct KeysPaneTests {
    @Test func `the frames are the ones that were looked at`() { GoldenFrame.check(.keys) }
}
