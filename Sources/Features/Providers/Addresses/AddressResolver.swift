internal import Domain
internal import Glibc
internal import NIOCore
internal import NIOPosix

/// Turns an origin's host into addresses to dial, all of them checked.
///
/// Names go through `getaddrinfo` on NIO's thread pool for blocking calls; literal addresses and `localhost`
/// (RFC 6761 section 6.3) need no look-up. Nothing is cached: connections live long, look-ups are rare.
struct AddressResolver: Sendable {
    let rule: AddressRule

    /// Why there is nothing to dial.
    enum Refusal: Error {
        case unknownHost
        case addressRefused
    }

    /// Dialling more answers than this would outlast any connect timeout.
    static let addressesMax = 4

    func addresses(for origin: Origin, on loop: any EventLoop) -> EventLoopFuture<[SocketAddress]> {
        let host = origin.host
        let port = origin.port
        if let literals = Self.literals(of: host) {
            return loop.makeCompletedFuture { try permitted(literals, for: origin, port: port) }
        }
        return NIOSingletons.posixBlockingThreadPool.runIfActive(eventLoop: loop) {
            try permitted(Self.lookUp(host), for: origin, port: port)
        }
    }

    private static func literals(of host: String) -> [IPAddress]? {
        if host == "localhost" { return [IPAddress("127.0.0.1"), IPAddress("::1")].compactMap(\.self) }
        return IPAddress(host).map { [$0] }
    }

    private func permitted(_ found: [IPAddress], for origin: Origin, port: Int) throws -> [SocketAddress] {
        guard !found.isEmpty else { throw Refusal.unknownHost }
        let allowed = found.filter { rule.permits($0, for: origin) }
        guard !allowed.isEmpty else { throw Refusal.addressRefused }
        return try allowed.prefix(Self.addressesMax).map { try SocketAddress(ipAddress: $0.text, port: port) }
    }

    private static func lookUp(_ host: String) throws -> [IPAddress] {
        var hints = addrinfo()
        hints.ai_socktype = Int32(SOCK_STREAM.rawValue)
        hints.ai_flags = AI_ADDRCONFIG
        var head: UnsafeMutablePointer<addrinfo>?
        guard getaddrinfo(host, nil, &hints, &head) == 0 else { throw Refusal.unknownHost }
        defer { freeaddrinfo(head) }
        var found: [IPAddress] = []
        var next = head
        while let entry = next?.pointee {
            if let address = address(entry) { found.append(address) }
            next = entry.ai_next
        }
        return found
    }

    private static func address(_ entry: addrinfo) -> IPAddress? {
        var room = [CChar](repeating: 0, count: Int(NI_MAXHOST))
        let result = getnameinfo(
            entry.ai_addr, entry.ai_addrlen, &room, socklen_t(room.count), nil, 0, NI_NUMERICHOST)
        guard result == 0 else { return nil }
        return IPAddress(
            String(decoding: room.prefix { $0 != 0 }.map(UInt8.init(bitPattern:)), as: Unicode.ASCII.self))
    }
}
