package enum SafeText {
    package static func clean(_ text: String, limit: Int) -> String {
        String(
            String.UnicodeScalarView(
                text.unicodeScalars.prefix(limit).map { scalar in
                    switch scalar.properties.generalCategory {
                    case .control, .format, .surrogate, .privateUse, .unassigned, .lineSeparator,
                        .paragraphSeparator:
                        "?"
                    default: scalar
                    }
                }))
    }
}
package enum Width {
    package static func cells(of character: Character) -> Int {
        guard let scalar = character.unicodeScalars.first else { return 0 }
        switch scalar.value {
        case 0x1100...0x115f, 0x2e80...0xa4cf, 0xac00...0xd7a3, 0xf900...0xfaff, 0xfe30...0xfe6f,
            0xff00...0xff60,
            0x1f300...0x1faff, 0x20000...0x3fffd:
            return 2
        case 0x300...0x36f: return 0
        default: return 1
        }
    }
}
