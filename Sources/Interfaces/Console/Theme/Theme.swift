/// A colour as three bytes.
public struct RGB: Sendable, Hashable {
    public let red: UInt8
    public let green: UInt8
    public let blue: UInt8

    public init(_ red: UInt8, _ green: UInt8, _ blue: UInt8) {
        self.red = red
        self.green = green
        self.blue = blue
    }

    /// Reads `#rrggbb`.
    init?(_ text: some StringProtocol) {
        let digits = Array(text.utf8)
        guard digits.count == 7, digits[0] == UInt8(ascii: "#"),
            digits[1] != UInt8(ascii: "+"), digits[1] != UInt8(ascii: "-"),
            let value = UInt32(String(text.dropFirst()), radix: 16)
        else { return nil }
        self.init(UInt8(value >> 16 & 255), UInt8(value >> 8 & 255), UInt8(value & 255))
    }

    /// WCAG 2.1, relative luminance.
    var luminance: Double {
        func linear(_ byte: UInt8) -> Double {
            let value = Double(byte) / 255
            return value <= 0.04045 ? value / 12.92 : Power.of((value + 0.055) / 1.055)
        }
        return 0.2126 * linear(red) + 0.7152 * linear(green) + 0.0722 * linear(blue)
    }

    /// WCAG 2.1, contrast ratio: 1 to 21.
    public func contrast(with other: RGB) -> Double {
        let (first, second) = (luminance, other.luminance)
        return (max(first, second) + 0.05) / (min(first, second) + 0.05)
    }

    /// The nearest of the 240 fixed colours of a 256-colour terminal (the first 16 are the user's own).
    public var nearest256: Int {
        let levels = [0, 95, 135, 175, 215, 255]
        func level(_ byte: UInt8) -> Int {
            levels.indices.min { abs(levels[$0] - Int(byte)) < abs(levels[$1] - Int(byte)) } ?? 0
        }
        let cube = (level(red), level(green), level(blue))
        let inCube = distance(to: levels[cube.0], levels[cube.1], levels[cube.2])
        let average = (Int(red) + Int(green) + Int(blue)) / 3
        let step = min(23, max(0, (average - 3) / 10))
        let grey = 8 + 10 * step
        return distance(to: grey, grey, grey) < inCube ? 232 + step : 16 + 36 * cube.0 + 6 * cube.1 + cube.2
    }

    private func distance(to red: Int, _ green: Int, _ blue: Int) -> Int {
        let (first, second, third) = (Int(self.red) - red, Int(self.green) - green, Int(self.blue) - blue)
        return first * first + second * second + third * third
    }
}

/// `x` to the power of 2.4 without a mathematics library: x² times the fifth root of x².
private enum Power {
    static func of(_ x: Double) -> Double {
        guard x > 0 else { return 0 }
        let square = x * x
        var root = square.squareRoot().squareRoot()
        // Newton's method for r^5 = x².
        for _ in 0..<24 {
            root -= (root * root * root * root * root - square) / (5 * root * root * root * root)
        }
        return square * root
    }
}

/// One slot's colour in the depths that terminals have.
public struct ThemeColour: Sendable, Hashable {
    public var rgb: RGB?
    /// 0 to 255; computed from `rgb` where the theme does not name one.
    public var index256: Int?
    /// 0 to 15.
    public var name16: Int?
    /// The terminal's own colour.
    public var isDefault: Bool

    public init(rgb: RGB? = nil, index256: Int? = nil, name16: Int? = nil, isDefault: Bool = false) {
        self.rgb = rgb
        self.index256 = index256
        self.name16 = name16
        self.isDefault = isDefault
    }
}

/// What a slot looks like without colours.
public struct MonoAttributes: OptionSet, Sendable, Hashable {
    public let rawValue: Int
    public init(rawValue: Int) { self.rawValue = rawValue }
    public static let bold = MonoAttributes(rawValue: 1)
    public static let dim = MonoAttributes(rawValue: 2)
    public static let reverse = MonoAttributes(rawValue: 4)
    public static let underline = MonoAttributes(rawValue: 8)
}

/// What each meaning on the screen looks like.
public struct Theme: Sendable, Hashable {
    public let name: String
    /// Where it was read; empty for the one compiled in.
    public let path: String
    var colours: [Slot: ThemeColour]
    var attributes: [Slot: MonoAttributes]

    public func colour(of slot: Slot) -> ThemeColour { colours[slot] ?? ThemeColour(isDefault: true) }
    public func mono(of slot: Slot) -> MonoAttributes { attributes[slot] ?? [] }

    /// No slot has a colour: attributes do all.
    public var isMono: Bool { colours.values.allSatisfy { $0.isDefault } }

    /// The lowest contrast of what must be read on the ground; nil where the ground is the terminal's own.
    public var lowestContrast: Double? {
        guard let ground = colour(of: .baseBackground).rgb else { return nil }
        let read: [Slot] = [.text, .statusOK, .statusWarn, .statusBad, .statusHeld, .key]
        return read.compactMap { colour(of: $0).rgb?.contrast(with: ground) }.min()
    }

    /// `7.3:1`, or `-`.
    public var contrastText: String {
        guard let lowestContrast else { return "-" }
        let tenths = Int((lowestContrast * 10).rounded(.down))
        return "\(tenths / 10).\(tenths % 10):1"
    }
}
