import Cipher
import Testing

@Suite struct ProcessHardeningTests {
    @Test func `the process becomes undumpable and writes no core`() throws {
        HeapProbe.prepare()
        try ProcessHardening.apply()
        #expect(!ProcessHardening.state.dumpable)
        #expect(ProcessHardening.state.coreByteLimit == 0)
    }
}
