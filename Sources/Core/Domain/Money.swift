/// An amount in nano-US-dollars: integer, so that sums are exact.
public struct Money: Hashable, Sendable, Comparable, Codable, AdditiveArithmetic, CustomStringConvertible {
    public var nanoUSD: Int64

    public init(nanoUSD: Int64) { self.nanoUSD = nanoUSD }

    public static var zero: Self { Self(nanoUSD: 0) }
    public static func + (left: Self, right: Self) -> Self { Self(nanoUSD: left.nanoUSD + right.nanoUSD) }
    public static func - (left: Self, right: Self) -> Self { Self(nanoUSD: left.nanoUSD - right.nanoUSD) }
    public static func < (left: Self, right: Self) -> Bool { left.nanoUSD < right.nanoUSD }

    /// Dollars with a fixed number of decimals (0 to 9), rounded half away from zero.
    public func dollars(decimals: Int) -> String {
        let places = min(max(decimals, 0), 9)
        var unit: Int64 = 1
        for _ in places..<9 { unit *= 10 }
        let magnitude = nanoUSD.magnitude
        let rounded = (magnitude + UInt64(unit) / 2) / UInt64(unit)
        var scale: UInt64 = 1
        for _ in 0..<places { scale *= 10 }
        let sign = nanoUSD < 0 && rounded > 0 ? "-" : ""
        guard places > 0 else { return "\(sign)\(rounded)" }
        return "\(sign)\(rounded / scale).\(padded(Int(rounded % scale), to: places))"
    }

    /// Reads dollars with at most nine decimals: `12`, `0.05`; nil for anything else.
    public init?(dollars text: String) {
        let parts = text.utf8.split(separator: UInt8(ascii: "."), omittingEmptySubsequences: false)
        guard (1...2).contains(parts.count), parts.allSatisfy({ !$0.isEmpty && $0.allSatisfy(isDigit) }),
            let whole = Int64(Substring(parts[0])), whole <= 1_000_000_000
        else { return nil }
        let digits = parts.count == 2 ? parts[1].count : 0
        guard digits <= 9, var fraction = digits == 0 ? 0 : Int64(Substring(parts[1])) else { return nil }
        for _ in digits..<9 { fraction *= 10 }
        nanoUSD = whole * 1_000_000_000 + fraction
    }

    /// All nine decimals: `0.054399000`.
    public var description: String { dollars(decimals: 9) }
}

/// The price of one token in pico-US-dollars: a list price of 0.008 USD per million tokens is 8,000.
public struct TokenPrice: Hashable, Sendable, Codable {
    public var picoUSD: Int64
    public init(picoUSD: Int64) { self.picoUSD = picoUSD }
}

private func isDigit(_ byte: UInt8) -> Bool { (UInt8(ascii: "0")...UInt8(ascii: "9")).contains(byte) }
