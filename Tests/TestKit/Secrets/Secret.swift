package import Domain

/// Something that may stand only where it belongs, and the part of it that nobody hits upon by chance.
package struct Secret: Sendable {
    /// What it is a secret of: `provider key`, `passphrase`; the columns of a sweep's table.
    package let kind: String
    package let name: String
    package let bytes: [UInt8]
    /// Any few bytes in a row of these give it away; the rest is what every such secret begins with.
    package let random: Range<Int>

    package init(_ kind: String, _ name: String, bytes: [UInt8], random: Range<Int>? = nil) {
        self.kind = kind
        self.name = name
        self.bytes = bytes
        self.random = random ?? 0..<bytes.count
    }

    /// Of a text whose beginning is no secret: all after its last dash, where that is long enough to be one.
    package init(_ kind: String, _ name: String, text: String) {
        let bytes = Array(text.utf8)
        let start = bytes.lastIndex(of: UInt8(ascii: "-")).map { $0 + 1 } ?? 0
        self.init(kind, name, bytes: bytes, random: bytes.count - start >= 12 ? start..<bytes.count : nil)
    }

    package var text: String { String(decoding: bytes, as: UTF8.self) }

    private static let letters = Array("0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz".utf8)

    /// A mark: a prefix, then as many random letters and digits as nobody writes by chance.
    package static func mark(
        _ kind: String, _ name: String, prefix: String, using generator: inout SplitMix
    ) -> Secret {
        let head = Array(prefix.utf8)
        let tail = (0..<32).map { _ in letters[Int.random(in: 0..<letters.count, using: &generator)] }
        return Secret(kind, name, bytes: head + tail, random: head.count..<(head.count + tail.count))
    }
}
