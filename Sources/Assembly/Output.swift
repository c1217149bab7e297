import Console
import FoundationEssentials
import Glibc
public import Operations

/// What commands print: plain lines, tables, JSON and CSV, with every text made safe for a terminal.
public enum Output {
    public static func line(_ text: String) { write(lineText(text), to: 1) }

    static func lineText(_ text: String) -> String { SafeText.clean(text, limit: 4_096) + "\n" }

    /// A new virtual key: the one secret a command ever prints.
    public static func secret(_ secret: SecretDraft) {
        secret.withBytes { bytes in
            _ = Glibc.write(1, bytes.baseAddress, bytes.count)
            _ = Glibc.write(1, "\n", 1)
        }
    }

    /// Takes everything off the terminal, also what has scrolled out of sight (ECMA-48 ED, and xterm's 3).
    public static func clearScreen() { write("\u{1b}[H\u{1b}[2J\u{1b}[3J", to: 1) }

    /// A line that the next one writes over; nothing where nobody looks.
    public static func progress(_ text: String) {
        guard isatty(1) == 1 else { return }
        write("\r" + SafeText.clean(text, limit: 200) + (text.isEmpty ? "" : "\u{1b}[K"), to: 1)
    }

    public static func json(_ value: some Encodable) throws { write(try jsonText(value), to: 1) }

    static func jsonText(_ value: some Encodable) throws -> String {
        let encoder = JSONEncoder()
        encoder.outputFormatting = [.prettyPrinted, .sortedKeys, .withoutEscapingSlashes]
        return inert(String(decoding: try encoder.encode(value), as: UTF8.self)) + "\n"
    }

    /// JSON in which no character is left that a terminal obeys or that turns text around: such a one can stand
    /// inside a string only, and is written there as `\\u` and four digits (RFC 8259 section 7).
    static func inert(_ json: String) -> String {
        guard json.unicodeScalars.contains(where: isActive) else { return json }
        return json.unicodeScalars.reduce(into: "") { out, scalar in
            guard isActive(scalar) else { return out.unicodeScalars.append(scalar) }
            let digits = String(scalar.value, radix: 16)
            out += "\\u" + String(repeating: "0", count: 4 - digits.count) + digits
        }
    }

    /// C1 controls, DEL, line separators and bidirectional controls (Unicode standard annex 9).
    private static func isActive(_ scalar: Unicode.Scalar) -> Bool {
        switch scalar.value {
        case 0x7f...0x9f, 0x061c, 0x200e, 0x200f, 0x2028...0x202e, 0x2066...0x2069: true
        default: false
        }
    }

    public static func listing<Row: Encodable>(
        _ rows: [Row], json asJSON: Bool, columns: [String], _ cells: (Row) -> [String]
    ) throws {
        if asJSON { try json(rows) } else { table(columns, rows.map(cells)) }
    }

    /// Columns as wide as their widest cell; numbers to the right.
    public static func table(_ head: [String], _ rows: [[String]]) { write(tableText(head, rows), to: 1) }

    static func tableText(_ head: [String], _ rows: [[String]]) -> String {
        func cells(of text: String) -> Int { text.reduce(0) { $0 + Width.cells(of: $1) } }
        let clean = rows.map { $0.map { SafeText.clean($0, limit: 200) } }
        let widths = head.indices.map { column in
            max(
                cells(of: head[column]),
                clean.map { column < $0.count ? cells(of: $0[column]) : 0 }.max() ?? 0)
        }
        let numeric = head.indices.map { column in
            !clean.isEmpty && clean.allSatisfy { column < $0.count && isNumber($0[column]) }
        }
        var out = ""
        for row in [head] + clean {
            let padded = zip(row, head.indices).map { cell, column in
                let fill = String(repeating: " ", count: max(0, widths[column] - cells(of: cell)))
                return numeric[column] ? fill + cell : cell + fill
            }
            var text = padded.joined(separator: "  ")
            while text.last == " " { text.removeLast() }
            out += text + "\n"
        }
        return rows.isEmpty ? out + "(none)\n" : out
    }

    /// RFC 4180, with cells that a spreadsheet would take for a formula made harmless by a leading quote.
    public static func csv(_ rows: [[String]]) { write(csvText(rows), to: 1) }

    static func csvText(_ rows: [[String]]) -> String {
        var out = ""
        for row in rows {
            let cells = row.map { cell -> String in
                let clean = SafeText.clean(cell, limit: 200)
                let risky = clean.utf8.first.map { [0x3d, 0x2b, 0x2d, 0x40].contains($0) } ?? false
                let text = risky && !isNumber(clean) && clean != "-" ? "'" + clean : clean
                return text.utf8.contains(where: { $0 == 0x2c || $0 == 0x22 })
                    ? "\""
                        + text.split(separator: "\"", omittingEmptySubsequences: false).joined(
                            separator: "\"\"") + "\""
                    : text
            }
            out += cells.joined(separator: ",") + "\n"
        }
        return out
    }

    public static func limit(_ value: Int?) -> String { value.map(String.init) ?? "-" }

    /// One place behind the point; `-` for what is no figure.
    public static func decimal(_ value: Double) -> String {
        guard abs(value) < 1e15 else { return "-" }
        let tenths = Int64((value * 10).rounded())
        return "\(tenths < 0 ? "-" : "")\(abs(tenths) / 10).\(abs(tenths) % 10)"
    }

    private static func isNumber(_ text: String) -> Bool {
        !text.isEmpty
            && (text == "-"
                || text.utf8.allSatisfy { ($0 >= 0x30 && $0 <= 0x39) || $0 == 0x2e || $0 == 0x2d })
    }

    public static func complain(_ text: String) { write(complaintText(text), to: 2) }

    /// Line by line: a complaint may have several.
    static func complaintText(_ text: String) -> String {
        let lines = text.split(separator: "\n", omittingEmptySubsequences: false)
        return lines.map { SafeText.clean(String($0), limit: 4_096) }.joined(separator: "\n") + "\n"
    }

    private static func write(_ text: String, to descriptor: Int32) {
        var rest = Array(text.utf8)[...]
        while !rest.isEmpty {
            let count = rest.withUnsafeBytes { Glibc.write(descriptor, $0.baseAddress, $0.count) }
            if count < 0, errno == EINTR { continue }
            guard count > 0 else { return }
            rest = rest.dropFirst(count)
        }
    }
}
