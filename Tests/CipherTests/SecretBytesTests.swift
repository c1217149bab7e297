import Cipher
import Testing

@Suite struct SecretBytesTests {
    init() throws { try SecureHeap.start() }

    @Test func `the heap is locked, and starting it again changes nothing`() throws {
        try SecureHeap.start()
        #expect(SecureHeap.state == .locked)
    }

    @Test func `bytes are lent as they were written`() throws {
        let source: [UInt8] = [1, 2, 3, 250]
        let secret = try source.withUnsafeBytes { try SecretBytes(copying: $0) }
        #expect(secret.count == 4)
        #expect(secret.withBytes { Array($0) } == source)
    }
}
