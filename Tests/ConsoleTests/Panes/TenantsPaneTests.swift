import Testing

@testable import Console

@Suite struct TenantsPaneTests {
    @Test func `the frames are the ones that were looked at`() { GoldenFrame.check(.tenants) }
}
