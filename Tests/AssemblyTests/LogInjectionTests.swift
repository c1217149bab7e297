import Foundation
import Logging
import TestKit
import Testing

@testable import Assembly

/// What a caller or a provider says comes into the log as one value of one line.
@Suite struct LogInjectionTests {
    private func logged(_ value: String) throws -> String {
        let folder = try TemporaryFolder()
        let path = folder.path + "/log"
        let file = open(path, O_WRONLY | O_CREAT, 0o600)
        defer { close(file) }
        let log = Logger(label: "test") { LineLog(label: $0, descriptor: file) }
        log.notice("a call failed", metadata: ["model": "\(value)", "z": "end"])
        return try String(contentsOfFile: path, encoding: .utf8)
    }

    @Test(arguments: [
        "a\n2026-11-23T00:00:00Z notice gatehouse: forged", "a\r\nforged", "a\u{1b}[2K\rforged", "a\u{9b}31m",
        "a\u{2028}forged", "a\u{85}forged", "a\u{202e}b", "a\u{0}b", "\u{1b}]0;title\u{7}",
    ])
    func `a value makes no second line and moves no cursor`(value: String) throws {
        let text = try logged(value)
        #expect(text.hasSuffix(" z=end\n") && text.split(separator: "\n").count == 1)
        let scalars = text.dropLast().unicodeScalars
        #expect(!scalars.contains { $0.value < 0x20 || (0x7f...0x9f).contains($0.value) })
        #expect(!scalars.contains { [0x2028, 0x2029, 0x202e].contains($0.value) })
    }

    @Test func `a value with blanks in it cannot pass for other values`() throws {
        #expect(try logged("gpt-6").contains(" model=gpt-6 z=end"))
        #expect(try logged("x user=root result=ok").contains(#" model="x user=root result=ok" z=end"#))
        #expect(try logged(#"x" user="root"#).contains(#" model="x\" user=\"root" z=end"#))
        #expect(try logged(#"x\"#).contains(#" model="x\\" z=end"#))
        #expect(try logged("").contains(#" model="" z=end"#))
    }
}
