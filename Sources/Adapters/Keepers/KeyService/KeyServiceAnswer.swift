import Cipher
import Dialects
import Domain
import NIOCore
import Vault

/// What a key service says, read from the bytes it came in: the secret among it never becomes a text of Swift's.
///
/// Members of the answers to `GenerateDataKey` and `Decrypt` (AWS KMS API reference).
struct KeyServiceAnswer: ~Copyable {
    private(set) var keyID: String?
    private(set) var ciphertext: [UInt8]?
    private(set) var plaintext: SecretBytes?
    /// The name of an error, without what may stand before a `#`.
    private(set) var errorName: String?

    init(_ body: inout ByteBuffer) throws(KeeperFailure) {
        let result: Result<Void, KeeperFailure> = body.withUnsafeReadableBytes { bytes in
            Result { () throws(KeeperFailure) in try read(bytes) }
        }
        // What came over the wire goes, as far as it is in reach.
        body.withUnsafeMutableReadableBytes { Eraser.erase($0) }
        try result.get()
    }

    private mutating func read(_ bytes: UnsafeRawBufferPointer) throws(KeeperFailure) {
        var scanner = JSONScanner(bytes)
        do throws(JSONFault) {
            try scanner.enterObject()
            while let name = try scanner.nextMember() {
                if name.matches("Plaintext") {
                    plaintext = try Self.secret(&scanner)
                } else if name.matches("CiphertextBlob") {
                    ciphertext = try scanner.takeText().flatMap { Base64.bytes(Array($0.utf8)) }
                } else if name.matches("KeyId") {
                    keyID = try scanner.takeText()
                } else if name.matches("__type") {
                    let text = try scanner.takeText() ?? ""
                    errorName = text.utf8.split(separator: UInt8(ascii: "#")).last.flatMap { String($0) }
                } else {
                    try scanner.skipValue()
                }
            }
        } catch {
            throw .refused("the key service answered with something that is no JSON object")
        }
    }

    /// A string of base64, from where it lies into locked memory.
    private static func secret(_ scanner: inout JSONScanner) throws(JSONFault) -> SecretBytes? {
        _ = scanner.peek()
        let start = scanner.position
        try scanner.skipValue()
        let text = UnsafeRawBufferPointer(rebasing: scanner.bytes[start..<scanner.position])
        guard text.count > 2, text.first == UInt8(ascii: "\"") else { return nil }
        return Base64.secret(UnsafeRawBufferPointer(rebasing: text[1..<(text.count - 1)]))
    }

    consuming func takePlaintext() -> SecretBytes? { plaintext }
}

/// Read straight into memory that is wiped, or as any bytes.
extension Base64 {
    static func bytes(_ text: [UInt8]) -> [UInt8]? {
        var out: [UInt8] = []
        let isWhole = text.withUnsafeBytes { decode($0) { out.append($0) } }
        return isWhole ? out : nil
    }

    static func secret(_ text: UnsafeRawBufferPointer) -> SecretBytes? {
        guard text.count <= 8_192 else { return nil }
        return try? SecretBytes(atMost: text.count / 4 * 3) { (room) throws(CipherFailure) in
            var count = 0
            let isWhole = decode(text) { byte in
                room[count] = byte
                count += 1
            }
            guard isWhole else { throw .parameter("base64") }
            return count
        }
    }

    private static func decode(_ text: UnsafeRawBufferPointer, _ put: (UInt8) -> Void) -> Bool {
        guard text.count.isMultiple(of: 4) else { return false }
        for start in stride(from: 0, to: text.count, by: 4) {
            let isLast = start + 4 == text.count
            let padding =
                isLast ? text[start..<(start + 4)].reversed().prefix { $0 == UInt8(ascii: "=") }.count : 0
            guard padding < 3 else { return false }
            var word: UInt32 = 0
            for byte in text[start..<(start + 4 - padding)] {
                guard let digit = value(of: byte) else { return false }
                word = word << 6 | digit
            }
            word <<= UInt32(6 * padding)
            for place in 0..<(3 - padding) { put(UInt8(truncatingIfNeeded: word >> UInt32(16 - 8 * place))) }
        }
        return true
    }

    private static func value(of byte: UInt8) -> UInt32? {
        switch byte {
        case UInt8(ascii: "A")...UInt8(ascii: "Z"): UInt32(byte) - 65
        case UInt8(ascii: "a")...UInt8(ascii: "z"): UInt32(byte) - 71
        case UInt8(ascii: "0")...UInt8(ascii: "9"): UInt32(byte) + 4
        case UInt8(ascii: "+"): 62
        case UInt8(ascii: "/"): 63
        default: nil
        }
    }
}
