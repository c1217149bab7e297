import Cipher
import Domain
import Testing

@Suite struct Ed25519Tests {
    init() throws { try SecureHeap.start() }

    struct Vector: Decodable {
        let tcId: Int
        let msg, sig: HexBytes
        let result: String
    }

    private func secret(_ bytes: [UInt8]) throws -> SecretBytes {
        try bytes.lent { (bytes) throws(CipherFailure) in try SecretBytes(copying: bytes) }
    }

    @Test func `verification agrees with Wycheproof`() throws {
        let file = try VectorFile<Vector>.read("ed25519")
        var seen = 0
        for group in file.testGroups {
            let key = try #require(group.publicKey).pk.bytes
            for vector in group.tests {
                seen += 1
                let good = Ed25519.verify(vector.sig.bytes, of: vector.msg.bytes, publicKey: key)
                #expect(good == (vector.result == "valid"), "case \(vector.tcId)")
            }
        }
        #expect(seen == 151)
    }

    /// RFC 8032 section 7.1, TEST 3.
    @Test func `signing gives the signature of the RFC`() throws {
        let seed = try HexBytes("c5aa8df43f9f837bedb7442f31dcb7b166d38535076f094b85ce3a2e0b4458f7").bytes
        let key = try HexBytes("fc51cd8e6218a1a38da47ed00230f0580816ed13ba3303ac5deb911548908025").bytes
        let secret = try secret(seed)
        #expect(try Ed25519.publicKey(of: secret) == key)
        let signature = try Ed25519.sign([0xaf, 0x82], secret: secret, publicKey: key)
        #expect(
            try signature
                == HexBytes(
                    "6291d657deec24024827e69c3abe01a30ce548a284743a445e3680d7db5ac3ac"
                        + "18ff9b538d16f290ae67f760984dc6594a7c15e9716ed28dc027beceea1ec40a"
                ).bytes)
        #expect(Ed25519.verify(signature, of: [0xaf, 0x82], publicKey: key))
        #expect(!Ed25519.verify(signature, of: [0xaf, 0x83], publicKey: key))
    }

    @Test func `a secret of another size or of another public key signs nothing`() throws {
        let other = try Ed25519.publicKey(of: try secret([UInt8](repeating: 1, count: 32)))
        let mine = try secret([UInt8](repeating: 2, count: 32))
        #expect(throws: CipherFailure.notAuthentic) { try Ed25519.sign([], secret: mine, publicKey: other) }
        let short = try secret([UInt8](repeating: 2, count: 31))
        #expect(throws: CipherFailure.self) { try Ed25519.publicKey(of: short) }
    }
}
