public import Domain

/// Which addresses a provider's host may lead to, so that a name cannot be pointed at this network from outside.
///
/// Applied to every address a name resolves to, before dialling, and the address that passed is the one dialled:
/// there is no second look-up between check and connection. Three rules:
/// 1. A host that is this machine by name or number reaches loopback addresses and nothing else.
/// 2. Link-local, metadata, translated, reserved and multicast addresses are reached by nobody.
/// 3. Private and loopback addresses are reached only by a host the operator listed, and only inside the ranges
///    listed with it.
public struct AddressRule: Hashable, Sendable {
    /// Hosts (lower case) that may lead to private addresses, with the ranges they may lead to.
    public let allowances: [String: [AddressRange]]

    public init(allowances: [String: [AddressRange]] = [:]) { self.allowances = allowances }

    /// Whether a connection for the origin may go to the address.
    public func permits(_ address: IPAddress, for origin: Origin) -> Bool {
        let loopback = Self.loopback.contains { $0.contains(address) }
        if origin.isLoopback { return loopback }
        if Self.closed.contains(where: { $0.contains(address) }) { return false }
        guard loopback || Self.inside.contains(where: { $0.contains(address) }) else { return true }
        return allowances[origin.host]?.contains { $0.contains(address) } ?? false
    }

    private static let loopback = ranges("127.0.0.0/8", "::1/128")

    /// RFC 1918, RFC 6598 (carrier-grade NAT), RFC 4193 (unique local).
    private static let inside = ranges(
        "10.0.0.0/8", "172.16.0.0/12", "192.168.0.0/16", "100.64.0.0/10", "fc00::/7")

    /// IANA special-purpose registries (RFC 6890 and its updates), and the clouds' metadata services.
    private static let closed = ranges(
        "0.0.0.0/8", "169.254.0.0/16", "192.0.0.0/24", "192.0.2.0/24", "192.88.99.0/24", "198.18.0.0/15",
        "198.51.100.0/24", "203.0.113.0/24", "224.0.0.0/4", "240.0.0.0/4",
        // Metadata that is not link-local: Alibaba Cloud, Azure's wire server, Amazon over IPv6.
        "100.100.100.200/32", "168.63.129.16/32", "fd00:ec2::254/128",
        // The unspecified address; translated forms (RFC 6052, RFC 8215), discard, Teredo, documentation, 6to4.
        "::/128", "64:ff9b::/96", "64:ff9b:1::/48", "100::/64", "2001::/32", "2001:db8::/32", "2002::/16",
        // Link-local, the old site-local, multicast.
        "fe80::/10", "fec0::/10", "ff00::/8")

    /// Ranges known when the program is written; a test counts that none was dropped.
    static func ranges(_ texts: String...) -> [AddressRange] { texts.compactMap { try? AddressRange($0) } }

    static var countsForTests: [Int] { [loopback.count, inside.count, closed.count] }
}
