import Cipher
import Domain
import Foundation
import NIOCore
import TestTraits
import Testing

@testable import Keepers
@testable import Vault

/// What a key service says, read without one.
@Suite(.ownThread) struct KeyServiceAnswerTests {
    init() throws { try SecureHeap.start() }

    @Test(arguments: [
        ("DisabledException", 400, KeeperFailure.unusable("the key k is disabled at the key service"), false),
        ("IncorrectKeyException", 400, .otherKey, false),
        ("ThrottlingException", 400, .refused("the key service answered with 400 ThrottlingException"), true),
        (
            "KMSInternalException", 500, .refused("the key service answered with 500 KMSInternalException"),
            true
        ),
        ("\u{1b}[2J", 400, .refused("the key service answered with 400"), false),
    ])
    func `errors of the service are told apart`(
        name: String, status: Int, failure: KeeperFailure, mayPass: Bool
    ) {
        // moto does not refuse disabled keys, so this is by AWS's own names.
        let trouble = KeyServiceTrouble(status: status, name: name, key: "k")
        #expect(trouble.failure == failure && trouble.mayPass == mayPass)
    }

    @Test func `base64 is read strictly and written as RFC 4648 has it`() throws {
        let samples = [
            "": "", "f": "Zg==", "fo": "Zm8=", "foo": "Zm9v", "foob": "Zm9vYg==", "fooba": "Zm9vYmE=",
        ]
        for (plain, text) in samples {
            #expect(Base64.text(of: Array(plain.utf8)) == text)
            #expect(Base64.bytes(Array(text.utf8)) == Array(plain.utf8))
        }
        for wrong in ["Zg", "Zg=", "Z===", "Zg==Zg==", "Zm9 ", "Zm9\n", "Zm-_"] {
            #expect(Base64.bytes(Array(wrong.utf8)) == nil, "\(wrong)")
        }
        var generator = SystemRandomNumberGenerator()
        for count in 0..<64 {
            let bytes = (0..<count).map { _ in UInt8.random(in: 0...255, using: &generator) }
            #expect(Data(bytes).base64EncodedString() == Base64.text(of: bytes))
            #expect(Base64.bytes(Array(Base64.text(of: bytes).utf8)) == bytes)
        }
    }

    @Test func `an answer's secret is read from its bytes, which are gone afterwards`() throws {
        var body = ByteBuffer(
            string: #"{"CiphertextBlob":"Zm9v","Plaintext":"Zm9vYmE=","KeyId":"arn","x":[1]}"#)
        let answer = try KeyServiceAnswer(&body)
        #expect(answer.keyID == "arn" && answer.ciphertext == Array("foo".utf8))
        #expect(body.readableBytesView.allSatisfy { $0 == 0 })
        let plain = try #require(answer.takePlaintext()?.withBytes { Array($0) })
        #expect(plain == Array("fooba".utf8))
        var broken = ByteBuffer(string: #"["Plaintext"]"#)
        #expect(throws: KeeperFailure.self) { _ = try KeyServiceAnswer(&broken) }
    }
}
