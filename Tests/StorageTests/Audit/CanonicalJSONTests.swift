import Storage
import Testing

@Suite struct CanonicalJSONTests {
    private func text(_ value: CanonicalJSON) -> String { String(decoding: value.bytes, as: UTF8.self) }

    @Test func `names are sorted and texts escaped as RFC 8785 says`() {
        // The strings of the RFC's own example in section 3.2.3, and every short escape.
        let value = CanonicalJSON.object([
            "b": .text("\u{20ac}$\u{f}\nA'B\"\\\\\"/"),
            "a": .object(["z": .text(""), "1": .text("\u{8}\t\u{c}\r")]),
            "B": .text("\u{7f}\u{80}\u{1f600}"),
        ])
        #expect(
            text(value)
                == #"{"B":""# + "\u{7f}\u{80}\u{1f600}"
                + #"","a":{"1":"\b\t\f\r","z":""},"b":"€$\u000f\nA'B\"\\\\\"/"}"#)
    }

    @Test func `what was written is read again, and gives the same bytes`() throws {
        for scalar in (0..<0x300).compactMap(Unicode.Scalar.init(_:)) {
            let value = CanonicalJSON.object([
                "a": .text("x\(scalar)y"), "b": .object(["c": .text("\(scalar)")]),
            ])
            let read = try #require(CanonicalJSON(canonical: value.bytes))
            #expect(read.bytes == value.bytes)
            #expect(read["a"].map { Array($0.utf8) } == Array("x\(scalar)y".utf8))
        }
    }

    @Test(arguments: [
        "", "{", "{}x", " {}", "{ }", #"{"a":"b" }"#, #"{"a":1}"#, #"{"a":"b","a":"c"}"#, #"{"b":"","a":""}"#,
        #"{"a":"\/"}"#, #"{"a":"\u0041"}"#, #"{"a":"\u001F"}"#, #"{"a":"\ud800"}"#, #"{"a":"b",}"#, #"["a"]"#,
        #"{"é":"a"}"#, #"{"a":"\u+01f"}"#, #"{"a":"\n"#, #""a"#, #"{"a":{"a":{"a":{"a":{"a":"b"}}}}}"#,
        "{\"a\":\"\n\"}", "{\"a\":\"\u{0}\"}",
    ])
    func `what is not in the canonical form is not read`(text: String) {
        #expect(CanonicalJSON(canonical: text.utf8) == nil)
    }

    @Test func `bytes that are no UTF-8 are not read`() {
        #expect(CanonicalJSON(canonical: Array(#"{"a":""#.utf8) + [0xff] + Array(#""}"#.utf8)) == nil)
    }
}
