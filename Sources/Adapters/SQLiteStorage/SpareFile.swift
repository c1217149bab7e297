import Dispatch
import Glibc
public import Storage

/// The file `spare` in the data folder: allocated blocks, and nothing in them.
public final class SpareFile: SpareRoom {
    /// More than what one change writes: some 20 pages of 4 KiB, in a database and in its write-ahead log.
    public static let sliceBytes = 256 << 10
    /// As many changes as may be owed besides.
    public static let bytes = 64 * sliceBytes
    /// It is allocated only where so much stays free for everyone else.
    static let plenty: UInt64 = 4 * UInt64(bytes)

    private let path: String

    /// Allocates the file where it is missing. A disk without room for it is no reason not to start.
    public init(in folder: DataFolder) throws(StorageFailure) {
        path = folder.spareFile
        _ = try PrivateFile.make(path)
        fill()
    }

    public func giveUp() async -> Bool {
        await onQueue { [self] in
            guard let size, size > 0, let free, free < UInt64(Self.sliceBytes) else { return false }
            return withFile { ftruncate($0, off_t(max(0, size - Self.sliceBytes))) == 0 } ?? false
        }
    }

    public func renew() async { await onQueue { [self] in fill() } }

    /// Bytes that are kept back now.
    public var size: Int? {
        var status = stat()
        return lstat(path, &status) == 0 ? Int(status.st_size) : nil
    }

    private var free: UInt64? {
        var status = statvfs()
        return statvfs(path, &status) == 0 ? UInt64(status.f_bavail) * UInt64(status.f_frsize) : nil
    }

    private func fill() {
        guard let size, size < Self.bytes, let free, free > Self.plenty else { return }
        withFile { descriptor in
            // What cannot be had whole is not kept: a file that is half there would look whole.
            if posix_fallocate(descriptor, 0, off_t(Self.bytes)) != 0 { ftruncate(descriptor, off_t(size)) }
        }
    }

    @discardableResult
    private func withFile<Value>(_ body: (Int32) -> Value) -> Value? {
        let descriptor = open(path, O_WRONLY | O_NOFOLLOW | O_CLOEXEC)
        guard descriptor >= 0 else { return nil }
        defer { close(descriptor) }
        return body(descriptor)
    }

    /// No cooperative thread waits for a disk.
    private func onQueue<Value: Sendable>(_ body: @escaping @Sendable () -> Value) async -> Value {
        await withCheckedContinuation { continuation in
            DispatchQueue.global().async { continuation.resume(returning: body()) }
        }
    }
}
