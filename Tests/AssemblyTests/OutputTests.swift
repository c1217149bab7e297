import Console
import Foundation
import Testing

@testable import Assembly

/// What commands print, and what they never let through to a terminal.
@Suite struct OutputTests {
    private struct Row: Codable, Equatable {
        let name: String
        let calls: Int
    }

    private static let hostile = [
        "\u{1b}[31mred", "\u{1b}]0;title\u{7}", "\u{9b}2J", "a\rb", "a\nb", "\u{202e}evil", "\u{7f}",
        "\u{2028}",
        "\u{0}", "\u{200f}",
    ]

    // MARK: JSON

    @Test func `a listing as JSON is valid and holds what the rows hold`() throws {
        let rows =
            Self.hostile.enumerated().map { Row(name: $1, calls: $0) } + [Row(name: "größe/日本", calls: -1)]
        let text = try Output.jsonText(rows)
        #expect(text.hasSuffix("]\n"))
        #expect(try JSONDecoder().decode([Row].self, from: Data(text.utf8)) == rows)
        #expect(text.contains("größe/日本"))
        #expect(try Output.jsonText([Row]()).filter { !$0.isWhitespace } == "[]")
    }

    @Test func `nothing that a terminal would act on stands raw in JSON`() throws {
        let text = try Output.jsonText(Self.hostile)
        for scalar in text.unicodeScalars where scalar != "\n" {
            #expect(
                ![.control, .format, .lineSeparator, .paragraphSeparator].contains(
                    scalar.properties.generalCategory), "U+\(String(scalar.value, radix: 16))")
        }
        #expect(text.contains(#"\u009b2J"#) && text.contains(#"\u202eevil"#))
        let tag = "\u{e0041}"
        #expect(try JSONDecoder().decode([String].self, from: Data(Output.jsonText([tag]).utf8)) == [tag])
    }

    // MARK: Tables

    @Test func `columns are aligned, numbers to the right, texts to the left`() {
        let text = Output.tableText(
            ["NAME", "RPS", "NOTE"], [["a", "1.5", "x"], ["longer", "120.25", "-"]])
        #expect(
            text == """
                NAME       RPS  NOTE
                a          1.5  x
                longer  120.25  -

                """)
    }

    @Test func `wide characters keep the columns aligned`() {
        let lines = Output.tableText(["NAME", "NOTE"], [["日本", "x"], ["e\u{301}", "y"], ["abcdef", "z"]])
            .split(separator: "\n").map(String.init)
        for (line, last) in zip(lines.dropFirst(), ["x", "y", "z"]) {
            #expect(line.hasSuffix(last))
            #expect(line.dropLast().reduce(0) { $0 + Width.cells(of: $1) } == 8, "\(line)")
        }
    }

    @Test func `a table without rows says so`() {
        #expect(Output.tableText(["A", "B"], []) == "A  B\n(none)\n")
    }

    @Test func `a row with too few or too many cells breaks nothing`() {
        #expect(Output.tableText(["A", "B"], [["1"], ["2", "3", "4"]]).contains("1"))
    }

    @Test(arguments: hostile)
    func `control characters are neutralised in tables, lines, complaints and CSV`(text: String) {
        for printed in [
            Output.tableText(["A"], [[text]]), Output.lineText(text), Output.csvText([[text]]),
            Output.complaintText(text),
        ] {
            #expect(printed.hasSuffix("\n"))
            for scalar in printed.unicodeScalars where scalar != "\n" {
                #expect(
                    ![.control, .format, .lineSeparator, .paragraphSeparator].contains(
                        scalar.properties.generalCategory), "U+\(String(scalar.value, radix: 16))")
            }
        }
        #expect(Output.tableText(["A"], [[text]]).split(separator: "\n").count == 2)
        #expect(Output.lineText(text).split(separator: "\n").count == 1)
    }

    // MARK: CSV

    @Test func `CSV quotes what holds commas and quotes, and disarms formulas`() {
        let text = Output.csvText([
            ["a,b", "say \"hi\"", "plain"], ["=1+1", "+x", "-x"], ["@x", "-5", "-"], ["=a,b", "-1.5", ""],
        ])
        #expect(
            text == #"""
                "a,b","say ""hi""",plain
                '=1+1,'+x,'-x
                '@x,-5,-
                "'=a,b",-1.5,

                """#)
    }

    // MARK: Figures

    @Test func `decimals have one place and keep their sign`() {
        #expect(
            Output.decimal(0) == "0.0" && Output.decimal(12.34) == "12.3" && Output.decimal(0.05) == "0.1")
        #expect(Output.decimal(-0.5) == "-0.5" && Output.decimal(-3.25) == "-3.3")
        #expect(Output.decimal(-0.01) == "0.0")
        #expect(
            Output.decimal(.infinity) == "-" && Output.decimal(.nan) == "-" && Output.decimal(1e300) == "-")
    }

    @Test func `a limit that is not set is a dash`() {
        #expect(Output.limit(nil) == "-" && Output.limit(0) == "0" && Output.limit(60) == "60")
    }
}
