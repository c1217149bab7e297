import Cipher
import Domain
import Glibc
import Storage

/// The file outside the data folder in which checkpoints of the audit are kept: opened for appending only, so that the
/// file system may forbid everything else (`chattr +a`), or another user own the folder.
struct CheckpointFile: Sendable {
    let path: String
    /// A note has some 300 bytes: the newest hundred.
    private static let tailBytes = 64 << 10
    /// A year of a note a minute.
    private static let bytesMost = 256 << 20

    /// Appends a note, flushed to the disk; one that is the newest there already is left alone.
    func append(_ note: String) throws {
        let descriptor = open(path, O_RDWR | O_APPEND | O_CREAT | O_CLOEXEC | O_NOFOLLOW, 0o600)
        guard descriptor >= 0 else {
            throw CommandFailure(
                "checkpoints cannot be written to \(path): \(String(cString: strerror(errno)))")
        }
        defer { close(descriptor) }
        let tail = try Self.read(descriptor, path, last: Self.tailBytes)
        if let newest = AuditNote.all(in: tail).notes.last, newest.text.utf8.elementsEqual(note.utf8) {
            return
        }
        // What an interrupted write left is ended, so that it spoils no more than itself.
        let isEnded = tail.isEmpty || tail.last == UInt8(ascii: "\n")
        let bytes = Array("\(isEnded ? "" : "\n")\(note)\n".utf8)
        guard write(descriptor, bytes, bytes.count) == bytes.count, fsync(descriptor) == 0 else {
            throw CommandFailure(
                "checkpoints cannot be written to \(path): \(String(cString: strerror(errno)))")
        }
    }

    /// All notes there are; none when there is no file.
    func notes() throws -> (notes: [AuditNote], skipped: [Int]) {
        AuditNote.all(in: try contents(last: Self.bytesMost))
    }

    /// Refuses a data folder that is older than what stands here, or another history.
    func check(_ record: VaultRecord, _ control: any ControlStore) async throws {
        let notes = AuditNote.all(in: try contents(last: Self.tailBytes)).notes
        guard let newest = notes.last(where: { AuditLogKey.vault(of: $0.origin) == record.id }) else {
            return
        }
        let advice =
            "; nothing was changed. If this is meant, after a restore: gatehouse audit new-log --reason TEXT"
        guard let key = record.auditLogKey, key.origin.utf8.elementsEqual(newest.origin.utf8) else {
            throw CommandFailure(
                "the data folder is older than its checkpoint: the newest one in \(path) is of the log "
                    + "\(newest.origin)\(advice)")
        }
        let verified = try? AuditCheckpoint(
            verifying: newest, key: key, hashing: { SHA256.digest($0) },
            verifying: { Ed25519.verify($0, of: $1, publicKey: $2) })
        guard let checkpoint = verified else {
            throw CommandFailure(
                "the newest checkpoint in \(path) is not signed by this data folder's key: one of them was "
                    + "changed\(advice)")
        }
        let head = try await control.auditHead()
        guard head.size >= checkpoint.size else {
            throw CommandFailure(
                "the data folder is older than its checkpoint: its audit has \(head.size) records, and \(path) "
                    + "has \(checkpoint.size) of \(WallTime(milliseconds: checkpoint.time * 1_000))\(advice)")
        }
        guard try await root(checkpoint.size, head, control) == checkpoint.root else {
            throw CommandFailure(
                "the data folder's audit is not the one that \(path) has a checkpoint of: the first "
                    + "\(checkpoint.size) records differ\(advice)")
        }
    }

    private func root(_ size: Int64, _ head: AuditHead, _ control: any ControlStore) async throws -> Digest256
    {
        if size == head.size { return head.root }
        var tree = MerkleFrontier()
        for leaf in try await control.auditLeaves(size: size) {
            tree.append(leaf, hashing: { SHA256.digest($0) })
        }
        return tree.root(hashing: { SHA256.digest($0) })
    }

    private func contents(last limit: Int) throws -> [UInt8] {
        let descriptor = open(path, O_RDONLY | O_CLOEXEC | O_NOFOLLOW)
        if descriptor < 0, errno == ENOENT { return [] }
        guard descriptor >= 0 else {
            throw CommandFailure(
                "checkpoints cannot be read from \(path): \(String(cString: strerror(errno)))")
        }
        defer { close(descriptor) }
        return try Self.read(descriptor, path, last: limit)
    }

    private static func read(_ descriptor: Int32, _ path: String, last limit: Int) throws -> [UInt8] {
        var facts = stat()
        guard fstat(descriptor, &facts) == 0, facts.st_mode & S_IFMT == S_IFREG else {
            throw CommandFailure("\(path) is no file: checkpoints need one")
        }
        let start = max(0, Int(facts.st_size) - limit)
        var bytes = [UInt8](repeating: 0, count: Int(facts.st_size) - start)
        var filled = 0
        while filled < bytes.count {
            let got = bytes.withUnsafeMutableBytes {
                pread(descriptor, $0.baseAddress?.advanced(by: filled), $0.count - filled, start + filled)
            }
            if got < 0, errno == EINTR { continue }
            guard got > 0 else { throw CommandFailure("checkpoints cannot be read from \(path)") }
            filled += got
        }
        return bytes
    }
}
