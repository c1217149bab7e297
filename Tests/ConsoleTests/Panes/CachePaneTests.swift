import Testing

@testable import Console

@Suite struct CachePaneTests {
    @Test func `the frames are the ones that were looked at`() { GoldenFrame.check(.cache) }
}
