public import Domain
import Foundation
public import Storage

/// The folder that holds everything the gateway keeps; its path is absolute and free of symbolic links.
///
///     control.sqlite            tenants, virtual keys, the vault's wraps, holds, the audit chain
///     tenants/UUID/tenant.sqlite  one tenant's provider keys and ledger
///     usage.journal             rows on their way to the ledgers
///     parked.sqlite             rows of tenants whose files are not open, until somebody looks into their ledgers
///     limits.json               what was used of rate limits a moment ago, for the next start
///     spare                     space for changes that protect, for when the disk is full
///     lock                      held by the process that has the folder open; its process id
///
/// Folders are 0700, files 0600, all of this user; `PrivateFile` says what exactly is checked and promised.
public struct DataFolder: Sendable, Equatable {
    public let path: String

    /// Opens the folder, making it (and missing parents) if `creating`.
    ///
    /// The folder itself must not be a symbolic link; links further up are resolved once, here. Refuses with a
    /// sentence that says what to change.
    public init(at given: String, creating: Bool = true) throws(StorageFailure) {
        let asked = try Self.checked(given)
        if creating { try Self.makeParents(of: asked) }
        if creating {
            try PrivateFile.makeFolder(asked)
        } else {
            try PrivateFile.checkFolder(asked)
        }
        guard let resolved = realpath(asked, nil) else {
            throw .unavailable("cannot resolve \(asked): \(PrivateFile.reason())")
        }
        defer { free(resolved) }
        path = String(cString: resolved)
        try PrivateFile.checkFolder(path)
    }

    public var controlFile: String { path + "/control.sqlite" }
    public var journalFile: String { path + "/usage.journal" }
    var parkedFile: String { path + "/parked.sqlite" }
    public var lockFile: String { path + "/lock" }
    public var spareFile: String { path + "/spare" }
    public var limitsFile: String { path + "/limits.json" }

    /// Replaces a small file whole: readers see the old content or the new, also after a crash of this process. Blocks
    /// for as long as a write takes.
    public func replace(_ file: String, with bytes: [UInt8]) throws(StorageFailure) {
        try PrivateFile.replace(file, with: bytes)
    }

    /// The content of a small file; nil where there is none. Refuses what is not a private file, or is larger.
    public func content(of file: String, most: Int) throws(StorageFailure) -> [UInt8]? {
        try PrivateFile.content(of: file, most: most)
    }

    public func tenantFolder(_ tenant: TenantID) -> String { "\(path)/tenants/\(tenant.text)" }
    public func tenantFile(_ tenant: TenantID) -> String { tenantFolder(tenant) + "/tenant.sqlite" }

    /// Makes a tenant's folder; its name is the id's digits, never a name that someone chose.
    public func makeTenantFolder(_ tenant: TenantID) throws(StorageFailure) {
        try PrivateFile.makeFolder(path + "/tenants")
        try PrivateFile.makeFolder(tenantFolder(tenant))
    }

    /// Unlinks everything a tenant's folder holds, and the folder. Takes no name from outside: whatever lies in the
    /// folder is unlinked by the names that are ours, and a folder with anything else in it stays and is named.
    func removeTenantFolder(_ tenant: TenantID) throws(StorageFailure) {
        for suffix in ["", "-wal", "-shm", "-journal"] {
            let path = tenantFile(tenant) + suffix
            guard unlink(path) == 0 || errno == ENOENT else {
                throw .unavailable("cannot remove \(path): \(PrivateFile.reason())")
            }
        }
        guard rmdir(tenantFolder(tenant)) == 0 || errno == ENOENT else {
            throw .unavailable("cannot remove \(tenantFolder(tenant)): \(PrivateFile.reason())")
        }
    }

    /// Checks a tenant's folder; false when there is none.
    func hasTenantFolder(_ tenant: TenantID) throws(StorageFailure) -> Bool {
        for folder in [path + "/tenants", tenantFolder(tenant)] {
            var status = stat()
            if lstat(folder, &status) != 0, errno == ENOENT { return false }
            try PrivateFile.checkFolder(folder)
        }
        return true
    }

    /// The path without slashes at its end; refuses what SQLite or the system would read as something else.
    private static func checked(_ given: String) throws(StorageFailure) -> String {
        var bytes = Array(given.utf8)
        guard !bytes.isEmpty, !bytes.contains(0) else {
            throw .unavailable("the path of the data folder is empty or holds a zero byte")
        }
        // SQLite on Debian reads names that begin so as URIs with parameters.
        guard !bytes.starts(with: "file:".utf8) else {
            throw .unavailable("the data folder is given as a path, not as a URI: \(given)")
        }
        while bytes.count > 1, bytes.last == UInt8(ascii: "/") { bytes.removeLast() }
        return String(decoding: bytes, as: UTF8.self)
    }

    private static func makeParents(of path: String) throws(StorageFailure) {
        let bytes = Array(path.utf8)
        for (index, byte) in bytes.enumerated() where byte == UInt8(ascii: "/") && index > 0 {
            let parent = String(decoding: bytes[..<index], as: UTF8.self)
            var status = stat()
            guard stat(parent, &status) != 0 else { continue }
            guard mkdir(parent, 0o700) == 0 || errno == EEXIST else {
                throw .unavailable("cannot create the folder \(parent): \(PrivateFile.reason())")
            }
        }
    }
}
