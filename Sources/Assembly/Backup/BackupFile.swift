import Cipher
import Domain
import Glibc
import Vault

/// Seals a file into a backup and opens it again, piece by piece: nothing is in memory whole.
enum BackupFile {
    /// Seals `source` into a new file; gives its size and digest.
    static func seal(
        _ source: String, into target: String, name: String, with vault: KeyVault
    ) throws -> BackupManifest.File {
        let salt = try RandomBytes.salt(count: BackupCipher.saltByteCount)
        let cipher = try vault.backupCipher(salt: salt, name: name)
        let input = try PlainFile(reading: source)
        let output = try PlainFile(making: target)
        var digest = SHA256.Running()
        try output.write(salt)
        digest.add(salt)
        var (bytes, number) = (salt.count, UInt64(0))
        var piece = try input.read(BackupCipher.pieceByteCount)
        while true {
            let next = try input.read(BackupCipher.pieceByteCount)
            let sealed = try piece.withUnsafeBytes {
                try cipher.seal($0, number: number, isLast: next.isEmpty)
            }
            try output.write(sealed)
            digest.add(sealed)
            bytes += sealed.count
            number += 1
            guard !next.isEmpty else { break }
            piece = next
        }
        try output.flush()
        return .init(name: name, bytes: bytes, sha256: hexadecimalText(of: digest.finish().bytes))
    }

    /// Opens a sealed file into a new one. Refuses one that is not what the manifest says, before its last byte counts.
    static func open(
        _ source: String, into target: String, as entry: BackupManifest.File, with vault: KeyVault
    ) throws {
        let damaged = CommandFailure(
            "\(source) is not the file that the backup's manifest names: damaged or cut")
        let input = try PlainFile(reading: source)
        guard try input.size == entry.bytes else { throw damaged }
        let output = try PlainFile(making: target)
        var digest = SHA256.Running()
        let salt = try input.read(BackupCipher.saltByteCount)
        guard salt.count == BackupCipher.saltByteCount else { throw damaged }
        digest.add(salt)
        let cipher = try vault.backupCipher(salt: salt, name: entry.name)
        var number = UInt64(0)
        var piece = try input.read(BackupCipher.sealedByteCount)
        while true {
            let next = try input.read(BackupCipher.sealedByteCount)
            digest.add(piece)
            do {
                let opened = try piece.span.bytes.withUnsafeBytes { (piece) throws(SealFailure) in
                    try cipher.open(piece, number: number, isLast: next.isEmpty)
                }
                try opened.withBytes { try output.write(Array($0)) }
            } catch is SealFailure {
                throw damaged
            }
            number += 1
            guard !next.isEmpty else { break }
            piece = next
        }
        guard hexadecimalText(of: digest.finish().bytes) == entry.sha256 else { throw damaged }
        try output.flush()
    }
}

/// A file by its descriptor, with errors that name it.
final class PlainFile {
    private let path: String
    private let descriptor: Int32

    init(reading path: String) throws {
        self.path = path
        descriptor = Glibc.open(path, O_RDONLY | O_NOFOLLOW | O_CLOEXEC)
        guard descriptor >= 0 else { throw Self.failure("open", path) }
    }

    /// A new file, 0600; never one that is there.
    init(making path: String) throws {
        self.path = path
        descriptor = Glibc.open(path, O_WRONLY | O_CREAT | O_EXCL | O_NOFOLLOW | O_CLOEXEC, 0o600)
        guard descriptor >= 0 else { throw Self.failure("create", path) }
    }

    deinit { if descriptor >= 0 { close(descriptor) } }

    var size: Int {
        get throws {
            var facts = stat()
            guard fstat(descriptor, &facts) == 0 else { throw Self.failure("examine", path) }
            return Int(facts.st_size)
        }
    }

    /// As many bytes as asked for, fewer only at the end.
    func read(_ count: Int) throws -> [UInt8] {
        var bytes = [UInt8](repeating: 0, count: count)
        var filled = 0
        while filled < count {
            let got = bytes.withUnsafeMutableBytes {
                Glibc.read(descriptor, $0.baseAddress?.advanced(by: filled), count - filled)
            }
            if got < 0, errno == EINTR { continue }
            guard got >= 0 else { throw Self.failure("read", path) }
            guard got > 0 else { break }
            filled += got
        }
        bytes.removeLast(count - filled)
        return bytes
    }

    func write(_ bytes: [UInt8]) throws {
        var written = 0
        while written < bytes.count {
            let count = bytes[written...].withUnsafeBytes {
                Glibc.write(descriptor, $0.baseAddress, $0.count)
            }
            if count < 0, errno == EINTR { continue }
            guard count > 0 else { throw Self.failure("write", path) }
            written += count
        }
    }

    func flush() throws { guard fsync(descriptor) == 0 else { throw Self.failure("flush", path) } }

    /// The whole of a small file.
    static func content(of path: String, most: Int) throws -> [UInt8] {
        let file = try PlainFile(reading: path)
        guard try file.size <= most else { throw CommandFailure("\(path) is larger than \(most) bytes") }
        return try file.read(try file.size)
    }

    static func failure(_ verb: String, _ path: String) -> CommandFailure {
        CommandFailure("cannot \(verb) \(path): \(String(cString: strerror(errno)))")
    }
}
