import Cipher
import Domain
import Testing

@Suite struct VectorTests {
    init() throws { try SecureHeap.start() }

    struct HKDFVector: Decodable {
        let tcId: Int
        let ikm, salt, info, okm: HexBytes
        let size: Int
        let result: String
    }

    struct HMACVector: Decodable {
        let tcId: Int
        let key, msg, tag: HexBytes
        let result: String
    }

    @Test(arguments: [("hkdf_sha256", HKDF.Hash.sha256, 86), ("hkdf_sha512", .sha512, 83)])
    func `HKDF agrees with Wycheproof`(name: String, hash: HKDF.Hash, expected: Int) throws {
        let file = try VectorFile<HKDFVector>.read(name)
        var seen = 0
        for vector in file.testGroups.flatMap(\.tests) {
            seen += 1
            let derive = { () throws(CipherFailure) -> [UInt8] in
                try vector.ikm.bytes.lent { (key) throws(CipherFailure) in
                    try vector.salt.bytes.lent { (salt) throws(CipherFailure) in
                        try vector.info.bytes.lent { (info) throws(CipherFailure) in
                            try HKDF.derive(hash, key: key, salt: salt, info: info, count: vector.size)
                                .copied()
                        }
                    }
                }
            }
            if vector.result == "valid" {
                #expect(try derive() == vector.okm.bytes, "case \(vector.tcId)")
            } else {
                #expect(throws: CipherFailure.self, "case \(vector.tcId)") { try derive() }
            }
        }
        #expect(seen == expected)
    }

    @Test func `HMAC-SHA-256 agrees with Wycheproof`() throws {
        let file = try VectorFile<HMACVector>.read("hmac_sha256")
        var seen = 0
        for group in file.testGroups {
            let tagByteCount = try #require(group.tagSize) / 8
            for vector in group.tests {
                seen += 1
                let code = try vector.key.bytes.lent { (key) throws(CipherFailure) in
                    try vector.msg.bytes.lent { (message) throws(CipherFailure) in
                        try HMACSHA256.code(of: message, key: key)
                    }
                }
                let same = Array(code.bytes.prefix(tagByteCount)) == vector.tag.bytes
                #expect(same == (vector.result == "valid"), "case \(vector.tcId)")
            }
        }
        #expect(seen == 174)
    }

    @Test func `a prepared HMAC agrees with Wycheproof, and is that of a digest too`() throws {
        try SecureHeap.start()
        var seen = 0
        for group in try VectorFile<HMACVector>.read("hmac_sha256").testGroups {
            let tagByteCount = try #require(group.tagSize) / 8
            for vector in group.tests where (1...64).contains(vector.key.bytes.count) {
                seen += 1
                let prepared = try vector.key.bytes.withUnsafeBytes { try PreparedHMAC(key: $0) }
                let code = prepared.code(of: vector.msg.bytes)
                let same = Array(code.bytes.prefix(tagByteCount)) == vector.tag.bytes
                #expect(same == (vector.result == "valid"), "case \(vector.tcId)")
                let digest = SHA256.digest(vector.msg.bytes).bytes
                let ofDigest = vector.msg.bytes.withUnsafeBytes { prepared.code(ofDigestOf: $0) }
                #expect(ofDigest == prepared.code(of: digest))
            }
        }
        #expect(seen > 150)
        for count in [0, 65] {
            #expect(throws: CipherFailure.self) {
                try [UInt8](repeating: 1, count: count).withUnsafeBytes { try PreparedHMAC(key: $0) }
            }
        }
    }

    @Test func `an HMAC key without a byte is refused`() throws {
        #expect(throws: CipherFailure.self) {
            try [UInt8]().lent { (key) throws(CipherFailure) in try HMACSHA256.code(of: key, key: key) }
        }
    }

    struct ScryptVector: Sendable {
        let passphrase: String
        let salt: String
        let n: UInt64
        let r: UInt32
        let p: UInt32
        let key: String
    }

    // RFC 7914 section 12; its fourth case needs 1 GiB and is left out.
    static let scrypt = [
        ScryptVector(
            passphrase: "", salt: "", n: 16, r: 1, p: 1,
            key: "77d6576238657b203b19ca42c18a0497f16b4844e3074ae8dfdffa3fede21442"
                + "fcd0069ded0948f8326a753a0fc81f17e8d3e0fb2e0d3628cf35e20c38d18906"),
        ScryptVector(
            passphrase: "password", salt: "NaCl", n: 1_024, r: 8, p: 16,
            key: "fdbabe1c9d3472007856e7190d01e9fe7c6ad7cbc8237830e77376634b373162"
                + "2eaf30d92e22a3886ff109279d9830dac727afb94a83ee6d8360cbdfa2cc0640"),
        ScryptVector(
            passphrase: "pleaseletmein", salt: "SodiumChloride", n: 16_384, r: 8, p: 1,
            key: "7023bdcb3afd7348461c06cd81fd38ebfda8fbba904f8e3ea9b543f6545da1f2"
                + "d5432955613f0fcf62d49705242a9af9e61e85dc0d651e40dfcf017b45575887"),
    ]

    @Test(arguments: scrypt) func `scrypt agrees with RFC 7914`(vector: ScryptVector) throws {
        let key = try Array(vector.passphrase.utf8).lent { (passphrase) throws(CipherFailure) in
            try Array(vector.salt.utf8).lent { (salt) throws(CipherFailure) in
                try Scrypt.derive(
                    passphrase: passphrase, salt: salt, n: vector.n, r: vector.r, p: vector.p, count: 64
                ).copied()
            }
        }
        #expect(try key == HexBytes(vector.key).bytes)
    }

    @Test(arguments: [0, 1, 3, 1_000, 1 << 21] as [UInt64])
    func `scrypt refuses an N that is no power of two in range`(n: UInt64) {
        #expect(throws: CipherFailure.self) {
            try [UInt8]("salt".utf8).lent { (salt) throws(CipherFailure) in
                _ = try Scrypt.derive(passphrase: salt, salt: salt, n: n, r: 8, p: 1, count: 32)
            }
        }
    }

    // FIPS 180-4 examples: the empty message, "abc" and the two-block message.
    @Test(arguments: [
        ("", "e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855"),
        ("abc", "ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad"),
        (
            "abcdbcdecdefdefgefghfghighijhijkijkljklmklmnlmnomnopnopq",
            "248d6a61d20638b8e5c026930c3e6039a33ce45964ff2167f6ecedd419db06c1"
        ),
    ]) func `SHA-256 agrees with FIPS 180-4, whole and in two pieces`(message: String, digest: String) throws
    {
        let bytes = Array(message.utf8)
        let expected = try HexBytes(digest).bytes
        #expect(SHA256.digest(bytes).bytes == expected)
        for cut in 0...bytes.count {
            let pieces = bytes.withUnsafeBytes { whole in
                SHA256.digest(
                    prefix: .init(rebasing: whole[..<cut]), body: .init(rebasing: whole[cut...]))
            }
            #expect(pieces.bytes == expected)
        }
    }

    @Test func `comparison in constant time is equality`() {
        let digest = SHA256.digest([1])
        #expect(ConstantTime.equal(digest, SHA256.digest([1])))
        #expect(!ConstantTime.equal(digest, SHA256.digest([2])))
        let left: [UInt8] = [1, 2, 3], right: [UInt8] = [1, 2]
        left.withUnsafeBytes { left in
            right.withUnsafeBytes { right in
                #expect(!ConstantTime.equal(left, right))
                #expect(ConstantTime.equal(.init(rebasing: left[..<2]), right))
            }
        }
    }
}
