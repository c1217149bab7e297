import Cipher
import Testing

@Suite struct AESGCMTests {
    init() throws {
        HeapProbe.prepare()
        try SecureHeap.start()
    }

    struct Vector: Decodable {
        let tcId: Int
        let key, iv, aad, msg, ct, tag: HexBytes
        let result: String
    }

    /// The four inputs of one operation as arrays.
    struct Call {
        var text, key, nonce, aad: [UInt8]

        func seal() throws(CipherFailure) -> [UInt8] {
            try text.lent { (text) throws(CipherFailure) in
                try key.lent { (key) throws(CipherFailure) in
                    try nonce.lent { (nonce) throws(CipherFailure) in
                        try aad.lent { (aad) throws(CipherFailure) in
                            try AESGCM.seal(text, key: key, nonce: nonce, aad: aad)
                        }
                    }
                }
            }
        }

        func open() throws(CipherFailure) -> [UInt8] {
            try text.lent { (text) throws(CipherFailure) in
                try key.lent { (key) throws(CipherFailure) in
                    try nonce.lent { (nonce) throws(CipherFailure) in
                        try aad.lent { (aad) throws(CipherFailure) in
                            try AESGCM.open(text, key: key, nonce: nonce, aad: aad).copied()
                        }
                    }
                }
            }
        }
    }

    @Test func `sealing and opening agree with Wycheproof; other key and nonce sizes are refused`() throws {
        let file = try VectorFile<Vector>.read("aes_gcm")
        var valid = 0, invalid = 0, refused = 0
        for group in file.testGroups {
            let ours = group.keySize == 256 && group.ivSize == 96 && group.tagSize == 128
            for vector in group.tests {
                let name: Comment = "case \(vector.tcId)"
                let sealing = Call(
                    text: vector.msg.bytes, key: vector.key.bytes, nonce: vector.iv.bytes,
                    aad: vector.aad.bytes)
                var opening = sealing
                opening.text = vector.ct.bytes + vector.tag.bytes
                if !ours {
                    #expect(throws: CipherFailure.self, name) { try sealing.seal() }
                    #expect(throws: CipherFailure.self, name) { try opening.open() }
                    refused += 1
                } else if vector.result == "valid" {
                    #expect(try sealing.seal() == opening.text, name)
                    #expect(try opening.open() == vector.msg.bytes, name)
                    valid += 1
                } else {
                    #expect(throws: CipherFailure.notAuthentic, name) { try opening.open() }
                    invalid += 1
                }
            }
        }
        #expect(valid + invalid == 66)
        #expect(refused == 250)
        #expect(invalid > 0)
    }

    @Test func `a forged tag yields nothing and leaves no plaintext behind`() throws {
        let canary = Array("canary-plaintext-behind-a-forged-tag-90aa".utf8)
        let call = Call(
            text: canary, key: .init(repeating: 5, count: 32), nonce: .init(repeating: 6, count: 12), aad: [])
        var opening = call
        opening.text = try call.seal()
        #expect(try opening.open() == canary)
        opening.text[opening.text.count - 1] ^= 1
        #expect(throws: CipherFailure.notAuthentic) { try opening.open() }
        #expect(try HeapProbe.occurrences(of: canary) == 0)
    }

    @Test func `text shorter than a tag is not authentic`() {
        let call = Call(
            text: [1, 2, 3], key: .init(repeating: 5, count: 32), nonce: .init(repeating: 6, count: 12),
            aad: [])
        #expect(throws: CipherFailure.notAuthentic) { try call.open() }
    }
}
