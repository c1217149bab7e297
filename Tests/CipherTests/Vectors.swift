import Cipher
import Foundation

/// A file of Project Wycheproof's test vectors.
struct VectorFile<Vector: Decodable>: Decodable {
    struct PublicKey: Decodable { let pk: HexBytes }

    struct Group: Decodable {
        let keySize: Int?
        let ivSize: Int?
        let tagSize: Int?
        let publicKey: PublicKey?
        let tests: [Vector]
    }

    let numberOfTests: Int
    let testGroups: [Group]

    static func read(_ name: String) throws -> Self {
        let url = Bundle.module.bundleURL.appendingPathComponent("Fixtures/\(name)_test.json")
        return try JSONDecoder().decode(Self.self, from: Data(contentsOf: url))
    }
}

/// Bytes written as hexadecimal digits.
struct HexBytes: Decodable, Hashable {
    let bytes: [UInt8]

    init(_ digits: String) throws {
        let characters = Array(digits.utf8)
        guard characters.count.isMultiple(of: 2) else { throw VectorError.oddDigits }
        bytes = try stride(from: 0, to: characters.count, by: 2).map { index in
            let pair = String(decoding: characters[index...(index + 1)], as: UTF8.self)
            guard let byte = UInt8(pair, radix: 16) else { throw VectorError.notHexadecimal }
            return byte
        }
    }

    init(from decoder: any Decoder) throws {
        try self.init(decoder.singleValueContainer().decode(String.self))
    }
}

enum VectorError: Error { case oddDigits, notHexadecimal }

extension SecretBytes {
    /// A copy for comparing in tests; the program itself never copies a secret into an array.
    borrowing func copied() -> [UInt8] { withBytes { Array($0) } }
}

extension [UInt8] {
    func lent<Result: ~Copyable>(
        _ body: (UnsafeRawBufferPointer) throws(CipherFailure) -> Result
    ) throws(CipherFailure) -> Result {
        try span.bytes.withUnsafeBytes(body)
    }
}
