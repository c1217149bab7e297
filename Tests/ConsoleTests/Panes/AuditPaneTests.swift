import Testing

@testable import Console

@Suite struct AuditPaneTests {
    @Test func `the frames are the ones that were looked at`() { GoldenFrame.check(.audit) }
}
