import Foundation
import Storage

/// The one opener's hold on a data folder: an exclusive `flock` on its file `lock`, which holds the process id.
///
/// The system lets go of it when the process ends, however it ends; a leftover file means nothing. Kept as long as
/// the object lives.
public final class FolderLock: Sendable {
    private let descriptor: Int32

    /// Takes the lock without waiting.
    public init(_ folder: DataFolder) throws {
        let path = folder.lockFile
        _ = try PrivateFile.make(path)
        descriptor = open(path, O_RDWR | O_NOFOLLOW | O_CLOEXEC)
        guard descriptor >= 0 else {
            throw StorageFailure.unavailable("cannot open \(path): \(PrivateFile.reason())")
        }
        // From here on the object is whole: its deinit closes the descriptor, also when this throws.
        guard flock(descriptor, LOCK_EX | LOCK_NB) == 0 else {
            guard errno == EWOULDBLOCK else {
                throw StorageFailure.unavailable("cannot lock \(path): \(PrivateFile.reason())")
            }
            throw FolderInUse(folder: folder.path, process: Self.process(in: descriptor))
        }
        let text = Array("\(getpid())\n".utf8)
        guard ftruncate(descriptor, 0) == 0, pwrite(descriptor, text, text.count, 0) == text.count else {
            throw StorageFailure.unavailable("cannot write \(path): \(PrivateFile.reason())")
        }
    }

    deinit {
        // Closing alone would leave the lock to a program that is just being started, which holds a copy of the
        // descriptor until it runs.
        flock(descriptor, LOCK_UN)
        close(descriptor)
    }

    private static func process(in descriptor: Int32) -> Int32? {
        var bytes = [UInt8](repeating: 0, count: 16)
        let count = pread(descriptor, &bytes, bytes.count, 0)
        guard count > 0 else { return nil }
        let digits = bytes[..<count].prefix { (UInt8(ascii: "0")...UInt8(ascii: "9")).contains($0) }
        return Int32(String(decoding: digits, as: UTF8.self))
    }
}

/// Another process has the data folder open.
public struct FolderInUse: Error, Equatable, CustomStringConvertible {
    public let folder: String
    /// Its process id; nil in the moment between its taking the lock and writing the number.
    public let process: Int32?

    public var description: String {
        let who = process.map { "process \($0)" } ?? "another process"
        return "the data folder \(folder) is in use by \(who); use that one, or stop it first"
    }
}
