import Testing

@testable import Console

@Suite struct ProvidersPaneTests {
    @Test func `the frames are the ones that were looked at`() { GoldenFrame.check(.providers) }
}
