import Domain
import Foundation
import TestKit
import Testing

@testable import Gateway

@Suite struct SecretEchoTests {
    private static let key = "sk-test-4pQ9mWz71LrTxB0vKd3sYe8Hn6"

    private func isEcho(_ text: String) -> Bool {
        Array(Self.key.utf8).withUnsafeBytes { SecretEcho.isIn(Array(text.utf8), $0) }
    }

    @Test func `a key is found in each form, whole and in part, wherever it stands in the words`() {
        let bytes = Array(Self.key.utf8)
        for form in SecretForm.allCases where ![.utf16, .json, .jsonUpper].contains(form) {
            for (start, length) in [(0, bytes.count), (8, 12), (11, 16), (20, 14)] {
                for pattern in form.patterns(of: bytes[start..<(start + length)]) {
                    let words = String(decoding: pattern, as: UTF8.self)
                    for text in [words, "Wrong: \(words).", "key=\(words)&x", "\"\(words)\" is no key"] {
                        #expect(isEcho(text), "\(form.rawValue) from \(start): \(text)")
                    }
                }
            }
        }
        for between in [" ", "-", ", ", "\u{2026}"] {
            #expect(isEcho("Wrong: " + Self.key.map { "\($0)" }.joined(separator: between)), "\(between)")
        }
        #expect(isEcho(bytes.map { String($0, radix: 16) }.joined(separator: ":")))
    }

    @Test func `what providers really say of a request is none`() {
        for text in [
            "", "short",
            "Incorrect API key provided: sk-te***********Hn6. You can find your key at the dashboard.",
            "This model's maximum context length is 128000 tokens. However, your messages resulted in 130011 tokens.",
            "Invalid value: 'x'. Supported values are: 'system', 'assistant', 'user', 'function', and 'tool'.",
            "req_0123456789abcdef0123456789abcdef: [1, 2, 3] is too long; 255, 254, 253, 252, 251, 250, 249, 248",
            "aHR0cHM6Ly9leGFtcGxlLmNvbS8/cT1hYmNkZWZnaGlqa2xtbm9wcXJzdHV2d3h5eg==",
        ] {
            #expect(!isEcho(text), "\(text)")
        }
    }
}
