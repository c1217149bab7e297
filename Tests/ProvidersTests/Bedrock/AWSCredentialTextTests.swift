import Providers
import Testing

@Suite struct AWSCredentialTextTests {
    /// What a text says, with copies of its parts.
    private enum Reading: Hashable {
        case apiKey(String)
        case accessKey(String, String, String?)
        case fault(AWSCredentialFault)
    }

    private func read(_ text: String) -> Reading {
        Array(text.utf8).withUnsafeBytes { lent in
            do throws(AWSCredentialFault) {
                switch try AWSCredentialText(lent) {
                case .apiKey(let bytes): return .apiKey(String(decoding: bytes, as: UTF8.self))
                case .accessKey(let key):
                    return .accessKey(
                        key.id, String(decoding: key.secret, as: UTF8.self),
                        key.sessionToken.map { String(decoding: $0, as: UTF8.self) })
                }
            } catch {
                return .fault(error)
            }
        }
    }

    private let id = "AKIAIOSFODNN7EXAMPLE"
    private let secret = "wJalrXUtnFEMI/K7MDENG/bPxRfiCYEXAMPLEKEY"

    @Test func `a text without a colon is an API key`() {
        let key = "ABSKQmVkcm9ja0FQSUtleS1leGFtcGxlLWF0LTEyMzQ1Njc4OTAxMjpzZWNyZXQ="
        #expect(read(key) == .apiKey(key))
    }

    @Test func `an access key comes apart at its colons`() {
        #expect(read("\(id):\(secret)") == .accessKey(id, secret, nil))
        #expect(read("\(id):\(secret):FwoG//wE=") == .accessKey(id, secret, "FwoG//wE="))
    }

    @Test func `what is neither is refused with its reason`() {
        #expect(read("") == .fault(.empty))
        #expect(read(#"{"AccessKeyId": "x"}"#) == .fault(.json))
        #expect(read("\(id):") == .fault(.secretMissing))
        #expect(read("\(id)::token") == .fault(.secretMissing))
        #expect(read("\(id):\(secret):") == .fault(.tokenMissing))
        #expect(read("\(id):\(secret):token:more") == .fault(.tooManyParts))
        #expect(read("short:\(secret)") == .fault(.accessKeyID))
        #expect(read("AKIA/OSFODNN7EXAMPLE:\(secret)") == .fault(.accessKeyID))
        #expect(read("\(id):\(secret)\n") == .fault(.notPrintable(offset: 61)))
        #expect(read("ABSKé") == .fault(.notPrintable(offset: 4)))
        #expect(read(String(repeating: "a", count: 8_193)) == .fault(.tooLong))
    }

    @Test func `a fault names what to write and nothing of the secret`() {
        for text in [
            "\(secret):\(secret)", "\(id):\(secret):", "\(id):\(secret) ", "\(id):\(secret):t:\(secret)",
        ] {
            guard case .fault(let fault) = read(text) else {
                Issue.record("a wrong text was accepted")
                continue
            }
            #expect(!fault.description.contains("wJalr"))
            #expect(!fault.description.contains(id))
            #expect(fault.description.contains("ACCESS_KEY_ID:SECRET_ACCESS_KEY"))
        }
    }
}
