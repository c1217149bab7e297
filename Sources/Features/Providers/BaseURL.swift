public import Domain

/// A provider's base address as it stands in the configuration, taken apart strictly.
///
/// Accepts `http` or `https`, a host (name, IPv4 or bracketed IPv6), a port and a path; nothing else of RFC 3986.
/// What is refused rather than repaired: user information, queries, fragments, percent-encoding, `.` and `..`,
/// hosts that end in a number without being a full IPv4 address (the resolver would read `127.1` as loopback).
public struct BaseURL: Hashable, Sendable {
    public let origin: Origin
    /// Begins with `/` and does not end with one; may be empty.
    public let pathPrefix: String

    /// Reads an address such as `https://api.openai.com/v1`.
    ///
    /// - Parameter plainHTTP: whether `http` to another machine was asked for by name. Loopback needs no asking.
    public static func parse(_ text: String, plainHTTP: Bool = false) throws(ProviderRefusal) -> BaseURL {
        let bytes = Array(text.utf8)
        // RFC 9110 section 4.1 asks for 8,000 bytes at least; a base address of 2,000 is a mistake.
        guard bytes.count <= 2_000 else {
            throw ProviderRefusal("the base address is longer than 2,000 bytes")
        }
        guard bytes.allSatisfy({ $0 > 0x20 && $0 < 0x7f }) else {
            throw ProviderRefusal(
                "the base address may hold visible ASCII only; write other names in their xn-- form")
        }
        let (secure, afterScheme) = try scheme(of: bytes)
        let slash = bytes[afterScheme...].firstIndex(of: UInt8(ascii: "/")) ?? bytes.endIndex
        let authority = bytes[afterScheme..<slash]
        guard !authority.contains(UInt8(ascii: "@")) else {
            throw ProviderRefusal(
                "the base address holds a user name or password; provider keys go into the vault")
        }
        let (host, port) = try hostAndPort(of: authority)
        let origin = Origin(secure: secure, host: host, port: port ?? (secure ? 443 : 80))
        guard secure || origin.isLoopback || plainHTTP else {
            throw ProviderRefusal(
                "\(origin) is plain HTTP, which would send keys and prompts readable: write https, or allow plain "
                    + "HTTP for this provider by name")
        }
        return BaseURL(origin: origin, pathPrefix: try path(of: bytes[slash...]))
    }

    private static func scheme(of bytes: [UInt8]) throws(ProviderRefusal) -> (secure: Bool, end: Int) {
        let lowered = bytes.prefix(8).map(lowerCase)
        if lowered.starts(with: "https://".utf8) { return (true, 8) }
        if lowered.starts(with: "http://".utf8) { return (false, 7) }
        throw ProviderRefusal("the base address must begin with https:// (or http:// for this machine)")
    }

    private static func hostAndPort(
        of authority: ArraySlice<UInt8>
    ) throws(ProviderRefusal) -> (host: String, port: Int?) {
        var host = authority
        var port: ArraySlice<UInt8>?
        if authority.first == UInt8(ascii: "[") {
            guard let bracket = authority.firstIndex(of: UInt8(ascii: "]")) else {
                throw ProviderRefusal("the base address opens a bracket before its host and never closes it")
            }
            host = authority[authority.startIndex...bracket]
            let rest = authority[(bracket + 1)...]
            guard rest.isEmpty || rest.first == UInt8(ascii: ":") else {
                throw ProviderRefusal("after the bracketed host only a port may follow")
            }
            port = rest.isEmpty ? nil : rest.dropFirst()
        } else if let colon = authority.firstIndex(of: UInt8(ascii: ":")) {
            host = authority[..<colon]
            port = authority[(colon + 1)...]
        }
        return (try hostText(host), try port.map { digits throws(ProviderRefusal) in try portNumber(digits) })
    }

    private static func hostText(_ bytes: ArraySlice<UInt8>) throws(ProviderRefusal) -> String {
        guard !bytes.isEmpty else { throw ProviderRefusal("the base address has no host") }
        let text = String(decoding: bytes.map(lowerCase), as: Unicode.ASCII.self)
        if bytes.first == UInt8(ascii: "[") {
            let inner = String(decoding: bytes.dropFirst().dropLast().map(lowerCase), as: Unicode.ASCII.self)
            guard let address = IPAddress(inner), inner.utf8.contains(UInt8(ascii: ":")) else {
                throw ProviderRefusal("\(text) is no IPv6 address")
            }
            return address.text
        }
        if IPAddress(text) != nil { return text }
        try checkName(bytes, text)
        return text
    }

    /// RFC 1123 section 2.1, and no last label that begins with a digit (WHATWG URL, "ends in a number").
    private static func checkName(_ bytes: ArraySlice<UInt8>, _ text: String) throws(ProviderRefusal) {
        guard bytes.count <= 253 else { throw ProviderRefusal("the host is longer than 253 bytes") }
        let labels = bytes.split(separator: UInt8(ascii: "."), omittingEmptySubsequences: false)
        let lettersDigitsHyphen = labels.allSatisfy { label in
            (1...63).contains(label.count) && label.first != UInt8(ascii: "-")
                && label.last != UInt8(ascii: "-")
                && label.allSatisfy { isLetter($0) || isDigit($0) || $0 == UInt8(ascii: "-") }
        }
        guard lettersDigitsHyphen else {
            throw ProviderRefusal(
                "\(text) is no host name: letters, digits and hyphens between single dots only")
        }
        guard let last = labels.last?.first, !isDigit(last) else {
            throw ProviderRefusal("\(text) is neither a host name nor a full IPv4 address of four numbers")
        }
    }

    private static func portNumber(_ digits: ArraySlice<UInt8>) throws(ProviderRefusal) -> Int {
        guard (1...5).contains(digits.count), digits.allSatisfy(isDigit),
            let port = Int(String(decoding: digits, as: Unicode.ASCII.self)), (1...65_535).contains(port)
        else { throw ProviderRefusal("the port of the base address must be a number from 1 to 65535") }
        return port
    }

    private static func path(of bytes: ArraySlice<UInt8>) throws(ProviderRefusal) -> String {
        let plain = bytes.allSatisfy { byte in
            isLetter(byte) || isDigit(byte) || "/-._~".utf8.contains(byte)
        }
        guard plain else {
            throw ProviderRefusal(
                "the path of the base address may hold letters, digits and / - . _ ~ only; no query, no fragment"
            )
        }
        var path = bytes
        while path.last == UInt8(ascii: "/") { path = path.dropLast() }
        let segments = path.split(separator: UInt8(ascii: "/"), omittingEmptySubsequences: false).dropFirst()
        guard
            segments.allSatisfy({ !$0.isEmpty && !$0.elementsEqual(".".utf8) && !$0.elementsEqual("..".utf8) }
            )
        else { throw ProviderRefusal("the path of the base address holds an empty part, '.' or '..'") }
        return String(decoding: path, as: Unicode.ASCII.self)
    }
}

private func lowerCase(_ byte: UInt8) -> UInt8 {
    (UInt8(ascii: "A")...UInt8(ascii: "Z")).contains(byte) ? byte | 0x20 : byte
}

private func isDigit(_ byte: UInt8) -> Bool { (UInt8(ascii: "0")...UInt8(ascii: "9")).contains(byte) }

private func isLetter(_ byte: UInt8) -> Bool {
    (UInt8(ascii: "a")...UInt8(ascii: "z")).contains(lowerCase(byte))
}
