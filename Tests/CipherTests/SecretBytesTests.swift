import Cipher
import Testing

@Suite struct SecretBytesTests {
    init() throws {
        HeapProbe.prepare()
        try SecureHeap.start()
    }

    @Test func `the heap is locked, and starting it again changes nothing`() throws {
        try SecureHeap.start()
        #expect(SecureHeap.state == .locked)
    }

    @Test func `bytes are lent as they were written`() throws {
        let source: [UInt8] = [1, 2, 3, 250]
        let secret = try source.lent { (bytes) throws(CipherFailure) in try SecretBytes(copying: bytes) }
        #expect(secret.count == 4)
        #expect(secret.copied() == source)
    }

    @Test func `a secret may be shorter than the room kept for it`() throws {
        let secret = try SecretBytes(atMost: 1_000) { buffer in
            buffer[0] = 7
            return 1
        }
        #expect(secret.copied() == [7])
    }

    @Test func `a secret larger than the heap is refused, never put elsewhere`() {
        #expect(throws: CipherFailure.secureHeapFull) {
            _ = try SecretBytes(count: SecureHeap.byteCount + 1) { _ in }
        }
    }

    @Test func `no trace is left once the owner is gone, or when filling fails`() throws {
        let canary = Array("canary-secret-bytes-4f1d77".utf8)
        do {
            let secret = try canary.lent { (bytes) throws(CipherFailure) in try SecretBytes(copying: bytes) }
            #expect(try HeapProbe.occurrences(of: canary) == 1)
            #expect(secret.count == canary.count)
        }
        #expect(try HeapProbe.occurrences(of: canary) == 0)
        #expect(throws: CipherFailure.notAuthentic) {
            _ = try SecretBytes(count: canary.count) { (buffer) throws(CipherFailure) in
                buffer.copyBytes(from: canary)
                throw .notAuthentic
            }
        }
        #expect(try HeapProbe.occurrences(of: canary) == 0)
    }

    @Test func `an erased array holds zeros`() {
        var bytes: [UInt8] = [1, 2, 3]
        Eraser.erase(&bytes)
        #expect(bytes == [0, 0, 0])
    }

    @Test func `random bytes differ from draw to draw`() throws {
        let salts = try (0..<100).map { _ in try RandomBytes.salt(count: 32) }
        #expect(Set(salts).count == 100)
        let one = try RandomBytes.secret(count: 32)
        let other = try RandomBytes.secret(count: 32)
        #expect(one.copied() != other.copied())
    }
}
