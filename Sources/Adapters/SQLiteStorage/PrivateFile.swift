import Foundation
import Storage

/// Checks that a file or folder is ours alone before anything is read from it or written to it.
///
/// SQLite opens by path and offers no opening relative to a held folder. So the promise is the weaker one: every
/// folder from the data folder down is a real folder of this user with no rights for others, every file is a
/// regular file of this user with no rights for others and one name, and a database's inode is the same after
/// opening as before. Within such a folder only this user and root can put something in a file's place between
/// check and opening, and those two can read the process's memory anyway.
enum PrivateFile {
    /// Which file a name stood for.
    struct Identity: Equatable {
        let device: UInt64
        let inode: UInt64
    }

    /// Makes a folder 0700 if it is missing, and checks it.
    static func makeFolder(_ path: String) throws(StorageFailure) {
        if mkdir(path, 0o700) != 0, errno != EEXIST {
            throw .unavailable(
                "cannot create the folder \(path): \(reason()); its parent must be writable by this user")
        }
        try checkFolder(path)
    }

    /// Writes a new file beside the old one and puts it in its place.
    static func replace(_ path: String, with bytes: [UInt8]) throws(StorageFailure) {
        let next = path + ".next"
        if unlink(next) != 0, errno != ENOENT { throw .unavailable("cannot replace \(next): \(reason())") }
        let descriptor = open(next, O_WRONLY | O_CREAT | O_EXCL | O_NOFOLLOW | O_CLOEXEC, 0o600)
        guard descriptor >= 0 else { throw .unavailable("cannot create \(next): \(reason())") }
        var written = 0
        while written < bytes.count {
            let count = bytes[written...].withUnsafeBytes { write(descriptor, $0.baseAddress, $0.count) }
            if count < 0, errno == EINTR { continue }
            guard count > 0 else {
                close(descriptor)
                throw .unavailable("cannot write \(next): \(reason())")
            }
            written += count
        }
        guard close(descriptor) == 0, rename(next, path) == 0 else {
            throw .unavailable("cannot put \(path) in its place: \(reason())")
        }
    }

    /// The content of a file of ours, which is never larger than `most` bytes; nil where there is none.
    static func content(of path: String, most: Int) throws(StorageFailure) -> [UInt8]? {
        guard try identity(of: path) != nil else { return nil }
        let descriptor = open(path, O_RDONLY | O_NOFOLLOW | O_CLOEXEC)
        guard descriptor >= 0 else { throw .unavailable("cannot open \(path): \(reason())") }
        defer { close(descriptor) }
        var bytes: [UInt8] = []
        while true {
            var piece = [UInt8](repeating: 0, count: 65_536)
            let count = read(descriptor, &piece, piece.count)
            if count < 0, errno == EINTR { continue }
            guard count >= 0 else { throw .unavailable("cannot read \(path): \(reason())") }
            guard count > 0 else { return bytes }
            bytes += piece[..<count]
            guard bytes.count <= most else { throw .corrupt("\(path) has more than \(most) bytes") }
        }
    }

    /// Refuses anything but a folder of this user that gives others no rights; symbolic links too.
    static func checkFolder(_ path: String) throws(StorageFailure) {
        let descriptor = open(path, O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC)
        guard descriptor >= 0 else {
            let isLink = errno == ELOOP || errno == ENOTDIR
            throw .unavailable(
                isLink
                    ? "\(path) is not a folder (symbolic links are not followed here)"
                    : "cannot open the folder \(path): \(reason())")
        }
        defer { close(descriptor) }
        var status = stat()
        guard fstat(descriptor, &status) == 0 else {
            throw .unavailable("cannot examine \(path): \(reason())")
        }
        try checkRights(of: path, status, wanted: "700")
    }

    /// Which file stands at a path; nil when there is none. Refuses what is not a private regular file.
    ///
    /// Does not open the file: closing a descriptor would drop the locks that SQLite holds on it in this process.
    static func identity(of path: String) throws(StorageFailure) -> Identity? {
        var status = stat()
        guard lstat(path, &status) == 0 else {
            if errno == ENOENT { return nil }
            throw .unavailable("cannot examine \(path): \(reason())")
        }
        guard status.st_mode & S_IFMT == S_IFREG else {
            throw .unavailable("\(path) is not a regular file (symbolic links are not followed here)")
        }
        guard status.st_nlink == 1 else {
            throw .unavailable("\(path) has \(status.st_nlink) names (hard links); it must have one")
        }
        try checkRights(of: path, status, wanted: "600")
        return Identity(device: UInt64(status.st_dev), inode: UInt64(status.st_ino))
    }

    /// Makes an empty file 0600 if there is none; in either case checks it and says which it is.
    static func make(_ path: String) throws(StorageFailure) -> Identity {
        if let existing = try identity(of: path) { return existing }
        let descriptor = open(path, O_RDWR | O_CREAT | O_EXCL | O_NOFOLLOW | O_CLOEXEC, 0o600)
        guard descriptor >= 0 else {
            throw .unavailable(
                "cannot create \(path): \(reason()); the data folder must be writable by this user")
        }
        close(descriptor)
        guard let made = try identity(of: path) else { throw .unavailable("\(path) vanished") }
        return made
    }

    /// Refuses a file that this user may not write, or whose folder takes no new ones.
    static func checkWritable(_ path: String) throws(StorageFailure) {
        let folder = URL(fileURLWithPath: path).deletingLastPathComponent().path
        for (place, rights) in [(folder, W_OK | X_OK), (path, R_OK | W_OK)] where access(place, rights) != 0 {
            throw .unavailable(
                "cannot write \(place): \(reason()); the data folder must be writable by this user")
        }
    }

    /// The system's words for the last error, and what to do about a disk that takes no writes.
    static func reason() -> String {
        let code = errno
        return String(cString: strerror(code)) + (code == EROFS ? "; \(mountAdvice)" : "")
    }

    /// What to do about a disk that takes no writes.
    static let mountAdvice =
        "look for the cause in the kernel's log (dmesg), then mount the data folder's disk for writing"

    /// Whether the disk that a file lies on takes no writes at all, as after `mount -o remount,ro` or when the kernel
    /// made it so because of a fault (ext4's `errors=remount-ro`): a file without a name is refused for that reason.
    static func isOnReadOnlyDisk(_ path: String) -> Bool {
        // O_TMPFILE of Linux's asm-generic/fcntl.h, which the module map does not bring.
        let unnamed: CInt = 0o20_000_000 | O_DIRECTORY
        let folder = URL(fileURLWithPath: path).deletingLastPathComponent().path
        let descriptor = open(folder, unnamed | O_WRONLY | O_CLOEXEC, 0o600)
        guard descriptor < 0 else {
            close(descriptor)
            return false
        }
        return errno == EROFS
    }

    private static func checkRights(of path: String, _ status: stat, wanted: String) throws(StorageFailure) {
        guard status.st_uid == geteuid() else {
            throw .unavailable("\(path) belongs to user \(status.st_uid), not to \(geteuid()) who runs this")
        }
        guard status.st_mode & 0o077 == 0 else {
            throw .unavailable("others have rights to \(path); run: chmod \(wanted) '\(path)'")
        }
    }
}
