/// What is wrong with a theme file: where, which slot, what to do.
public struct ThemeProblem: Error, Sendable, Equatable, CustomStringConvertible {
    public let file: String
    public let line: Int
    public let slot: String
    public let what: String
    public var description: String { "\(file):\(line): \(slot.isEmpty ? "" : "\(slot): ")\(what)" }
}

/// Reads theme files: a slot a line, `slot = rgb, 256, 16, mono`, any column left out, `#` at a line's start for
/// comments. What a file does not say comes from the theme that is compiled in.
public enum ThemeParser {
    private static let names16 = [
        "black", "red", "green", "yellow", "blue", "magenta", "cyan", "white", "bright-black", "bright-red",
        "bright-green", "bright-yellow", "bright-blue", "bright-magenta", "bright-cyan", "bright-white",
    ]

    public static func parse(_ text: String, path: String) throws(ThemeProblem) -> Theme {
        try parse(text, path: path, base: Theme.builtIn)
    }

    static func parse(_ text: String, path: String, base: Theme?) throws(ThemeProblem) -> Theme {
        var name = ""
        var colours = base?.colours ?? [:]
        var attributes = base?.attributes ?? [:]
        var seen: [String: Int] = [:]
        // CR LF is one character to Swift, and no "\n".
        for (index, raw) in text.split(omittingEmptySubsequences: false, whereSeparator: \.isNewline)
            .enumerated()
        {
            let line = trimmed(raw)
            guard !line.isEmpty, line.first != "#" else { continue }
            guard let equals = line.firstIndex(of: "=") else {
                throw ThemeProblem(
                    file: path, line: index + 1, slot: "", what: "a line is: slot = rgb, 256, 16, mono")
            }
            let key = String(trimmed(line[..<equals]))
            let value = trimmed(line[line.index(after: equals)...])
            if let first = seen.updateValue(index + 1, forKey: key) {
                throw ThemeProblem(
                    file: path, line: index + 1, slot: key,
                    what: "is given in line \(first) already; keep one")
            }
            if key == "name" {
                name = String(value)
                continue
            }
            guard let slot = Slot(rawValue: key) else {
                let nearest = Slot.allCases.min { distance($0.rawValue, key) < distance($1.rawValue, key) }
                throw ThemeProblem(
                    file: path, line: index + 1, slot: key,
                    what: "unknown slot; did you mean \"\(nearest?.rawValue ?? "text")\"?")
            }
            let place = (path: path, line: index + 1, slot: key)
            let columns = value.split(separator: ",", omittingEmptySubsequences: false).map { trimmed($0) }
            guard columns.count <= 4 else {
                throw ThemeProblem(
                    file: path, line: index + 1, slot: key, what: "more than the columns rgb, 256, 16, mono")
            }
            colours[slot] = try colour(columns, else: base?.colours[slot], at: place)
            if columns.count == 4 { attributes[slot] = try mono(columns[3], at: place) }
        }
        guard !name.isEmpty, name.utf8.count <= 40, name.utf8.allSatisfy({ $0 > 0x20 && $0 < 0x7f }) else {
            throw ThemeProblem(
                file: path, line: 1, slot: "name", what: "name = a word of up to 40 visible characters")
        }
        return Theme(name: name, path: path, colours: colours, attributes: attributes)
    }

    private typealias Place = (path: String, line: Int, slot: String)

    private static func colour(
        _ columns: [Substring], else base: ThemeColour?, at place: Place
    ) throws(ThemeProblem) -> ThemeColour {
        var colour = base ?? ThemeColour()
        let first = columns.first ?? ""
        if first == "default" {
            colour = ThemeColour(isDefault: true)
        } else if !first.isEmpty {
            guard let rgb = RGB(first) else {
                throw problem(place, "\"\(first)\" is no colour; write #rrggbb or default")
            }
            colour.rgb = rgb
            colour.index256 = rgb.nearest256
        }
        if columns.count > 1, !columns[1].isEmpty {
            guard let index = Int(columns[1]), (0...255).contains(index) else {
                throw problem(place, "\"\(columns[1])\" is no index from 0 to 255")
            }
            colour.index256 = index
        }
        if columns.count > 2, !columns[2].isEmpty {
            guard let index = names16.firstIndex(of: String(columns[2])) else {
                throw problem(place, "\"\(columns[2])\" is none of \(names16.joined(separator: " "))")
            }
            colour.name16 = index
        }
        if colour == ThemeColour() { colour.isDefault = true }
        return colour
    }

    private static func mono(_ column: Substring, at place: Place) throws(ThemeProblem) -> MonoAttributes {
        var out: MonoAttributes = []
        for word in column.split(separator: " ") {
            switch word {
            case "bold": out.insert(.bold)
            case "dim": out.insert(.dim)
            case "reverse": out.insert(.reverse)
            case "underline": out.insert(.underline)
            case "none": break
            default: throw problem(place, "\"\(word)\" is none of bold, dim, reverse, underline, none")
            }
        }
        return out
    }

    private static func problem(_ place: Place, _ what: String) -> ThemeProblem {
        ThemeProblem(file: place.path, line: place.line, slot: place.slot, what: what)
    }

    private static func trimmed(_ text: some StringProtocol) -> Substring {
        var rest = Substring(text)
        while let first = rest.first, first == " " || first == "\t" || first == "\r" { rest.removeFirst() }
        while let last = rest.last, last == " " || last == "\t" || last == "\r" { rest.removeLast() }
        return rest
    }

    /// How many positions differ, with the difference in length: near enough for a hint.
    private static func distance(_ left: String, _ right: String) -> Int {
        let common = zip(left.utf8, right.utf8).prefix { $0 == $1 }.count
        return max(left.utf8.count, right.utf8.count) - common
    }
}
