internal import Glibc

/// An IPv4 or IPv6 address as one number, so that an IPv4 address and its IPv4-mapped form are the same thing.
public struct IPAddress: Hashable, Sendable, CustomStringConvertible {
    /// Network order read as a number; IPv4 stands in `::ffff:0:0/96` (RFC 4291 section 2.5.5.2).
    let number: UInt128

    private static let mapped = UInt128(0xffff) << 32

    init(number: UInt128) { self.number = number }

    /// Reads four full decimal numbers, or IPv6 without a zone; nil for anything else.
    public init?(_ text: String) {
        var bytes = [UInt8](repeating: 0, count: 16)
        // inet_pton takes dotted quads only: none of the short, octal and hexadecimal forms of inet_aton.
        if inet_pton(AF_INET, text, &bytes) == 1 {
            self.init(number: Self.mapped | bytes.prefix(4).reduce(0) { $0 << 8 | UInt128($1) })
        } else if inet_pton(AF_INET6, text, &bytes) == 1 {
            self.init(number: bytes.reduce(0) { $0 << 8 | UInt128($1) })
        } else {
            return nil
        }
    }

    public var isIPv4: Bool { number >> 32 == 0xffff }

    /// Dotted quad, or the form of RFC 5952.
    public var text: String {
        if isIPv4 {
            let four = UInt32(truncatingIfNeeded: number)
            return "\(four >> 24).\(four >> 16 & 255).\(four >> 8 & 255).\(four & 255)"
        }
        let bytes = (0..<16).map { UInt8(truncatingIfNeeded: number >> UInt128(8 * (15 - $0))) }
        var room = [CChar](repeating: 0, count: Int(INET6_ADDRSTRLEN))
        guard inet_ntop(AF_INET6, bytes, &room, socklen_t(room.count)) != nil else { return "" }
        return String(decoding: room.prefix { $0 != 0 }.map(UInt8.init(bitPattern:)), as: Unicode.ASCII.self)
    }

    public var description: String { text }
}

/// A block of addresses, `10.0.0.0/8` or `fd12::/16`.
public struct AddressRange: Hashable, Sendable, CustomStringConvertible {
    let base: UInt128
    /// Of 128; an IPv4 block counts the 96 bits of the mapped prefix.
    let prefix: Int

    /// Reads an address with an optional `/BITS`; says what is wrong otherwise.
    public init(_ text: String) throws(ProviderRefusal) {
        let parts = text.split(separator: "/", omittingEmptySubsequences: false)
        guard let address = parts.first.flatMap({ IPAddress(String($0)) }), parts.count <= 2 else {
            throw ProviderRefusal("an address range is written like 10.1.2.0/24 or fd12:3456::/32")
        }
        let short = address.isIPv4 && !text.utf8.contains(UInt8(ascii: ":"))
        let widest = short ? 32 : 128
        let bits = parts.count == 2 ? Int(parts[1]) : widest
        guard let bits, (0...widest).contains(bits) else {
            throw ProviderRefusal("the number after the slash of an address range must be 0 to \(widest)")
        }
        base = address.number
        prefix = short ? bits + 96 : bits
    }

    public func contains(_ address: IPAddress) -> Bool {
        prefix == 0 || (address.number ^ base) >> UInt128(128 - prefix) == 0
    }

    public var description: String {
        let address = IPAddress(number: base)
        return "\(address)/\(address.isIPv4 && prefix >= 96 ? prefix - 96 : prefix)"
    }
}
