import Cipher
import Glibc
import Operations

/// An access key for the key service that keeps a slot's key: from the environment variables or the file that AWS's own
/// tools take (AWS SDKs and Tools Reference Guide, "Static credentials"), as one line `ID:SECRET[:TOKEN]`.
enum AWSCredentials {
    static func environment() throws -> SecretBytes {
        let names = ["AWS_ACCESS_KEY_ID", "AWS_SECRET_ACCESS_KEY", "AWS_SESSION_TOKEN"]
        let values = names.map { name in
            getenv(name).map { UnsafeRawBufferPointer(start: $0, count: strlen($0)) }
        }
        guard let id = values[0], !id.isEmpty, let secret = values[1], !secret.isEmpty else {
            throw CommandFailure(
                "AWS_ACCESS_KEY_ID and AWS_SECRET_ACCESS_KEY are not set; set them, or name a file with "
                    + "credentials_file or credential in [vault.kms]")
        }
        return try joined([id, secret] + (values[2].map { $0.isEmpty ? [] : [$0] } ?? []))
    }

    /// One profile of a credentials file: `[name]`, then `key = value` lines.
    static func profile(_ name: String, of file: SecretDraft, called what: String) throws -> SecretBytes {
        try file.withBytes { bytes in
            var found: [String: UnsafeRawBufferPointer] = [:]
            var isInside = false
            for line in bytes.split(whereSeparator: { $0 == 0x0a || $0 == 0x0d }) {
                let text = trimmed(line)
                if text.first == UInt8(ascii: "[") {
                    isInside = text.elementsEqual("[\(name)]".utf8)
                    continue
                }
                guard isInside, let sign = text.firstIndex(of: UInt8(ascii: "=")) else { continue }
                let key = String(decoding: trimmed(text[text.startIndex..<sign]), as: UTF8.self)
                found[key] = UnsafeRawBufferPointer(rebasing: trimmed(text[(sign + 1)...]))
            }
            guard let id = found["aws_access_key_id"], let secret = found["aws_secret_access_key"] else {
                throw CommandFailure(
                    "\(what) has no profile [\(name)] with aws_access_key_id and aws_secret_access_key")
            }
            return try joined([id, secret] + (found["aws_session_token"].map { [$0] } ?? []))
        }
    }

    private static func trimmed(_ bytes: Slice<UnsafeRawBufferPointer>) -> Slice<UnsafeRawBufferPointer> {
        var rest = bytes
        while let first = rest.first, first == 0x20 || first == 0x09 { rest = rest.dropFirst() }
        while let last = rest.last, last == 0x20 || last == 0x09 { rest = rest.dropLast() }
        return rest
    }

    private static func joined(_ parts: [UnsafeRawBufferPointer]) throws -> SecretBytes {
        try SecretBytes(count: parts.reduce(parts.count - 1) { $0 + $1.count }) { out in
            var place = 0
            for (index, part) in parts.enumerated() {
                if index > 0 {
                    out[place] = UInt8(ascii: ":")
                    place += 1
                }
                UnsafeMutableRawBufferPointer(rebasing: out[place..<(place + part.count)]).copyMemory(
                    from: part)
                place += part.count
            }
        }
    }
}
