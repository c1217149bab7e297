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

    /// The system's words for the last error.
    static func reason() -> String { String(cString: strerror(errno)) }

    private static func checkRights(of path: String, _ status: stat, wanted: String) throws(StorageFailure) {
        guard status.st_uid == geteuid() else {
            throw .unavailable("\(path) belongs to user \(status.st_uid), not to \(geteuid()) who runs this")
        }
        guard status.st_mode & 0o077 == 0 else {
            throw .unavailable("others have rights to \(path); run: chmod \(wanted) '\(path)'")
        }
    }
}
