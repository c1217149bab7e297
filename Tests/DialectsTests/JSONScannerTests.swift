import Dialects
import Domain
import Foundation
import Testing

@Suite struct JSONScannerTests {
    /// N. Seriot's JSONTestSuite: `y_` must be accepted, `n_` refused, `i_` is the reader's choice.
    private static func vectors(_ prefix: String) throws -> [URL] {
        let folder = try #require(
            Bundle.module.url(forResource: "Fixtures", withExtension: nil)?.appending(path: "JSONTestSuite"))
        return try FileManager.default.contentsOfDirectory(at: folder, includingPropertiesForKeys: nil)
            .filter { $0.lastPathComponent.hasPrefix(prefix) }
            .sorted { $0.lastPathComponent < $1.lastPathComponent }
    }

    private func fault(_ bytes: [UInt8]) -> JSONFault? {
        do throws(JSONFault) {
            try lend(bytes) { (lent) throws(JSONFault) in try JSONScanner.validate(lent) }
            return nil
        } catch {
            return error
        }
    }

    @Test func `the vectors that must be accepted are accepted`() throws {
        let files = try Self.vectors("y_")
        #expect(files.count == 95)
        for file in files {
            let found = fault(Array(try Data(contentsOf: file)))
            #expect(found == nil, "\(file.lastPathComponent): \(String(describing: found))")
        }
    }

    @Test func `the vectors that must be refused are refused`() throws {
        let files = try Self.vectors("n_")
        #expect(files.count == 188)
        for file in files {
            #expect(fault(Array(try Data(contentsOf: file))) != nil, "\(file.lastPathComponent) was accepted")
        }
    }

    /// Where the standard leaves the choice: numbers of any size pass, since they are handed on as text, and so do
    /// escaped lone surrogates in texts that nobody decodes; all that is not UTF-8, a mark before the text and 500
    /// levels are refused.
    @Test func `the vectors of the reader's choice are decided as documented`() throws {
        let files = try Self.vectors("i_")
        #expect(files.count == 35)
        let accepted = files.filter { file in
            (try? Data(contentsOf: file)).map { fault(Array($0)) == nil } ?? false
        }
        #expect(
            Set(accepted.map { $0.deletingPathExtension().lastPathComponent }) == [
                "i_number_double_huge_neg_exp", "i_number_huge_exp", "i_number_neg_int_huge_exp",
                "i_number_pos_double_huge_exp", "i_number_real_neg_overflow", "i_number_real_pos_overflow",
                "i_number_real_underflow", "i_number_too_big_neg_int", "i_number_too_big_pos_int",
                "i_number_very_big_negative_int", "i_object_key_lone_2nd_surrogate",
                "i_string_1st_surrogate_but_2nd_missing", "i_string_1st_valid_surrogate_2nd_invalid",
                "i_string_incomplete_surrogate_and_escape_valid", "i_string_incomplete_surrogate_pair",
                "i_string_incomplete_surrogates_escape_valid", "i_string_invalid_lonely_surrogate",
                "i_string_invalid_surrogate", "i_string_inverted_surrogates_U+1D11E",
                "i_string_lone_second_surrogate",
            ])
    }

    @Test func `random rows of tokens are judged as by Foundation`() throws {
        let seed: UInt64 = 20_261_123
        var generator = SplitMix(seed: seed)
        let tokens = [
            "{", "}", "[", "]", ",", ":", "\"a\"", "\"b\"", "\"\\n\"", "\"\\x\"", "1", "-0", "01", "1.5",
            "0e1", "1.", "-",
            "true", "nul", "null", " ", "\n", "\"", "é", "\"é\"",
        ]
        var accepted = 0
        for _ in 0..<30_000 {
            let row = (0..<Int.random(in: 1...9, using: &generator)).compactMap { _ in
                tokens.randomElement(using: &generator)
            }.joined()
            let theirs =
                (try? JSONSerialization.jsonObject(with: Data(row.utf8), options: .fragmentsAllowed)) != nil
            let ours = fault(Array(row.utf8)) == nil
            #expect(ours == theirs, "seed \(seed): \(row)")
            if ours { accepted += 1 }
        }
        #expect(accepted > 500)
    }

    @Test func `a special byte is seen at every place of a string`() {
        for length in 0..<40 {
            for place in 0..<length {
                let plain = [UInt8](repeating: UInt8(ascii: "x"), count: length)
                func with(_ bytes: [UInt8]) -> [UInt8] {
                    [UInt8(ascii: "\"")] + plain[..<place] + bytes + plain[place...] + [UInt8(ascii: "\"")]
                }
                #expect(fault(with([])) == nil)
                #expect(fault(with(Array("\\\"".utf8))) == nil)
                #expect(fault(with(Array("é€𝄞".utf8))) == nil)
                #expect(fault(with([0x1f]))?.position == place + 1)
                #expect(fault(with([0xff]))?.position == place + 1)
                #expect(fault(with([0xc3]))?.position == place + 1)
                #expect(fault(with(Array("\\q".utf8)))?.position == place + 1)
                #expect(fault(with(Array("\"".utf8))) != nil)
                #expect(fault(with([0x7f])) == nil)
            }
        }
    }

    @Test func `UTF-8 is judged as by the standard library`() {
        for first in UInt8(0x80)...UInt8(0xff) {
            for second in stride(from: UInt8(0x70), through: 0xf0, by: 0x10) {
                for tail in [[], [0x80], [0xbf, 0xbf], [0x41], [0x80, 0x80, 0x80]] as [[UInt8]] {
                    let inner = [first, second] + tail
                    let isValid = String(validating: inner, as: UTF8.self) != nil
                    #expect((fault([0x22] + inner + [0x22]) == nil) == isValid, "\(inner)")
                }
            }
        }
    }

    @Test func `nesting is accepted up to the limit and refused beyond it`() {
        func nested(_ depth: Int) -> [UInt8] {
            [UInt8](repeating: UInt8(ascii: "["), count: depth)
                + [UInt8](repeating: UInt8(ascii: "]"), count: depth)
        }
        #expect(fault(nested(JSONScanner.depthMost)) == nil)
        #expect(fault(nested(JSONScanner.depthMost + 1))?.position == JSONScanner.depthMost)
    }

    @Test func `a decoded text has its escapes resolved and no lone surrogate`() throws {
        func decoded(_ json: String) throws(JSONFault) -> String? {
            try lend(json) { (lent) throws(JSONFault) in
                var scanner = JSONScanner(lent)
                return try scanner.takeText()
            }
        }
        #expect(try decoded(#""a\"\\\/\b\f\n\r\té\u0000""#) == "a\"\\/\u{8}\u{c}\n\r\té\u{0}")
        #expect(try decoded(#""\uD834\uDD1E\u00e9""#) == "𝄞é")
        #expect(try decoded("17") == nil)
        for lone in [#""\ud800""#, #""\udc00x""#, #""\ud800A""#, #""\ud834\ud834""#] {
            #expect(throws: JSONFault.self) { try decoded(lone) }
        }
    }

    @Test func `only whole numbers in range are counts`() throws {
        func count(_ json: String) throws(JSONFault) -> Int64? {
            try lend(json) { (lent) throws(JSONFault) in
                var scanner = JSONScanner(lent)
                return try scanner.takeCount()
            }
        }
        #expect(try count("0") == 0)
        #expect(try count(" 9223372036854775807") == .max)
        for other in ["9223372036854775808", "-1", "1.0", "1e3", "\"1\"", "null", "[1]"] {
            #expect(try count(other) == nil, "\(other)")
        }
    }
}
