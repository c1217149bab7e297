/// Makes any text fit to be shown: nothing in it can steer a terminal, hide, or reorder what stands around it.
public enum SafeText {
    /// More marks than two on one base are a flood, not a script.
    private static let marksMost = 2
    /// Some scripts join several letters into one character; a screen's cell shows four scalars.
    private static let scalarsMost = 8

    /// At most `limit` characters; what must not be shown becomes `?`.
    public static func clean(_ text: String, limit: Int) -> String {
        if text.utf8.count <= limit, text.utf8.allSatisfy({ $0 >= 0x20 && $0 < 0x7f }) { return text }
        var out = ""
        var count = 0
        for character in text {
            guard count < limit else { break }
            // What was one character to Swift may be many once its joiners are shown.
            let shown = clean(character).prefix(limit - count)
            out.append(contentsOf: shown)
            count += max(1, shown.count)
        }
        return out
    }

    /// CR LF is one character to Swift, and so are emoji sequences: each is looked at scalar by scalar.
    private static func clean(_ character: Character) -> String {
        var out = String.UnicodeScalarView()
        var marks = 0
        for scalar in character.unicodeScalars {
            guard out.count < scalarsMost else { break }
            switch scalar.properties.generalCategory {
            case .nonspacingMark, .enclosingMark, .spacingMark:
                // Variation selectors are marks as well; terminals differ on them, so they go.
                guard !scalar.properties.isDefaultIgnorableCodePoint, !out.isEmpty, marks < marksMost else {
                    continue
                }
                marks += 1
                out.append(scalar)
            case .control, .format, .surrogate, .privateUse, .unassigned, .lineSeparator, .paragraphSeparator:
                // Joiners inside an emoji sequence end it: its plain base stands for all of it.
                if scalar.value == 0x200d, !out.isEmpty { return String(out) }
                out.append("?")
            case .spaceSeparator: out.append(" ")
            default:
                // Regional indicators and skin tones join with what stands before them.
                if !out.isEmpty,
                    (0x1f1e6...0x1f1ff).contains(scalar.value) || (0x1f3fb...0x1f3ff).contains(scalar.value)
                {
                    continue
                }
                // Fillers are letters by category, but nobody sees them.
                out.append(scalar.properties.isDefaultIgnorableCodePoint ? "?" : scalar)
            }
        }
        return String(out)
    }
}
