import CSQLite
import Foundation
import Synchronization

/// The C side of `PowerFiles`: a copy of the system's VFS whose `xOpen` puts a file of its own before the real one.
///
/// Layout of an open file, which SQLite allocates: the pointer to our methods, as every VFS has it first; a reference to
/// the `PowerFile`; then the real file.
enum PowerVFS {
    private static let head = 16
    private static let installed = Mutex(false)
    // Safe because both are made once, before anybody can open a file by them, and never changed.
    nonisolated(unsafe) private static let base = sqlite3_vfs_find("unix")
    nonisolated(unsafe) private static let methods = makeMethods()

    private typealias File = UnsafeMutablePointer<sqlite3_file>

    static func install() {
        installed.withLock { installed in
            guard !installed, let base else { return }
            let ours = UnsafeMutablePointer<sqlite3_vfs>.allocate(capacity: 1)
            ours.initialize(to: base.pointee)
            ours.pointee.pNext = nil
            ours.pointee.zName = UnsafePointer(strdup("gatehouse-power"))
            ours.pointee.szOsFile += Int32(head)
            ours.pointee.xOpen = { _, name, file, flags, out in PowerVFS.open(name, file, flags, out) }
            ours.pointee.xDelete = { _, name, sync in
                if let name, let files = PowerFiles.watching(String(cString: name)) {
                    _ = files.note(.removed(String(String(cString: name).dropFirst(files.folder.count))))
                }
                return PowerVFS.base?.pointee.xDelete(PowerVFS.base, name, sync) ?? SQLITE_MISUSE
            }
            installed = sqlite3_vfs_register(ours, 1) == SQLITE_OK
        }
    }

    private static func open(
        _ name: UnsafePointer<CChar>?, _ file: File?, _ flags: Int32, _ out: UnsafeMutablePointer<Int32>?
    ) -> Int32 {
        guard let base, let file else { return SQLITE_MISUSE }
        guard let name, let files = PowerFiles.watching(String(cString: name)) else {
            return base.pointee.xOpen(base, name, file, flags, out)
        }
        let result = base.pointee.xOpen(base, name, real(file), flags, out)
        guard result == SQLITE_OK else {
            file.pointee.pMethods = nil
            return result
        }
        let short = String(String(cString: name).dropFirst(files.folder.count))
        _ = files.note(.made(short))
        let own = PowerFile(files: files, name: short)
        UnsafeMutableRawPointer(file).storeBytes(
            of: Unmanaged.passRetained(own).toOpaque(), toByteOffset: 8, as: UnsafeMutableRawPointer.self)
        file.pointee.pMethods = UnsafePointer(methods)
        return SQLITE_OK
    }

    private static func real(_ file: File) -> File {
        (UnsafeMutableRawPointer(file) + head).assumingMemoryBound(to: sqlite3_file.self)
    }

    private static func own(_ file: File) -> Unmanaged<PowerFile> {
        .fromOpaque(UnsafeRawPointer(file).load(fromByteOffset: 8, as: UnsafeMutableRawPointer.self))
    }

    /// Runs one of the real file's methods.
    private static func pass(_ file: File?, _ body: (File, sqlite3_io_methods) -> Int32) -> Int32 {
        guard let file, let methods = real(file).pointee.pMethods else { return SQLITE_MISUSE }
        return body(real(file), methods.pointee)
    }

    private static func makeMethods() -> UnsafeMutablePointer<sqlite3_io_methods> {
        let methods = UnsafeMutablePointer<sqlite3_io_methods>.allocate(capacity: 1)
        methods.initialize(to: sqlite3_io_methods())
        // Without xFetch: what is mapped cannot be watched.
        methods.pointee.iVersion = 2
        methods.pointee.xClose = { file in
            let result = PowerVFS.pass(file) { $1.xClose($0) }
            if let file { PowerVFS.own(file).release() }
            return result
        }
        methods.pointee.xRead = { file, bytes, count, at in
            PowerVFS.pass(file) { $1.xRead($0, bytes, count, at) }
        }
        methods.pointee.xWrite = { file, bytes, count, at in
            guard let file, let bytes else { return SQLITE_MISUSE }
            let copy = Array(UnsafeRawBufferPointer(start: bytes, count: Int(count)))
            let verdict = PowerVFS.own(file).takeUnretainedValue().note { .write($0, at: Int(at), copy) }
            guard verdict == SQLITE_OK else { return verdict }
            return PowerVFS.pass(file) { $1.xWrite($0, bytes, count, at) }
        }
        methods.pointee.xTruncate = { file, size in
            guard let file else { return SQLITE_MISUSE }
            let verdict = PowerVFS.own(file).takeUnretainedValue().note { .truncate($0, to: Int(size)) }
            guard verdict == SQLITE_OK else { return verdict }
            return PowerVFS.pass(file) { $1.xTruncate($0, size) }
        }
        methods.pointee.xSync = { file, _ in
            // The real disk has no part in this: flushing to it would only take time.
            guard let file else { return SQLITE_MISUSE }
            return PowerVFS.own(file).takeUnretainedValue().note { .sync($0) }
        }
        methods.pointee.xFileSize = { file, size in PowerVFS.pass(file) { $1.xFileSize($0, size) } }
        methods.pointee.xLock = { file, level in PowerVFS.pass(file) { $1.xLock($0, level) } }
        methods.pointee.xUnlock = { file, level in PowerVFS.pass(file) { $1.xUnlock($0, level) } }
        methods.pointee.xCheckReservedLock = { file, out in
            PowerVFS.pass(file) { $1.xCheckReservedLock($0, out) }
        }
        methods.pointee.xFileControl = { file, verb, value in
            PowerVFS.pass(file) { $1.xFileControl($0, verb, value) }
        }
        methods.pointee.xSectorSize = { file in PowerVFS.pass(file) { $1.xSectorSize($0) } }
        methods.pointee.xDeviceCharacteristics = { file in
            PowerVFS.pass(file) { $1.xDeviceCharacteristics($0) }
        }
        methods.pointee.xShmMap = { file, page, size, extend, out in
            PowerVFS.pass(file) { $1.xShmMap($0, page, size, extend, out) }
        }
        methods.pointee.xShmLock = { file, offset, count, flags in
            PowerVFS.pass(file) { $1.xShmLock($0, offset, count, flags) }
        }
        methods.pointee.xShmBarrier = { file in
            _ = PowerVFS.pass(file) {
                $1.xShmBarrier($0)
                return SQLITE_OK
            }
        }
        methods.pointee.xShmUnmap = { file, delete in PowerVFS.pass(file) { $1.xShmUnmap($0, delete) } }
        return methods
    }
}

/// One open file of a watched folder.
private final class PowerFile: Sendable {
    private let files: PowerFiles
    private let name: String

    init(files: PowerFiles, name: String) {
        self.files = files
        self.name = name
    }

    func note(_ step: (String) -> PowerLog.Step) -> Int32 { files.note(step(name)) }
}
