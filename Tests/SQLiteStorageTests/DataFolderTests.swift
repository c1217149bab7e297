import Domain
import Foundation
import GRDB
import Storage
import TestKit
import Testing

@testable import SQLiteStorage

@Suite struct DataFolderTests {
    private let folder = StorageFolder()
    private let tenant = TenantID(high: 3, low: 4)

    private func mode(_ path: String) throws -> UInt32 {
        var status = stat()
        try #require(lstat(path, &status) == 0)
        return status.st_mode & 0o777
    }

    @Test func `everything that is made is ours alone`() async throws {
        _ = try FolderLock(folder.data())
        let control = try folder.controlStore()
        try await control.appendAudit(Samples.draft())
        let stores = try folder.tenantStores()
        try await stores.create(tenant, vault: Samples.vaultID)
        _ = try MappedJournal(in: folder.data(), capacity: 4)
        let paths = try #require(FileManager.default.enumerator(atPath: folder.path)).compactMap {
            $0 as? String
        }
        #expect(Set(paths).isSuperset(of: ["control.sqlite", "control.sqlite-wal", "usage.journal", "lock"]))
        #expect(try mode(folder.path) == 0o700)
        for path in paths {
            var isFolder: ObjCBool = false
            let full = folder.path + "/" + path
            _ = FileManager.default.fileExists(atPath: full, isDirectory: &isFolder)
            #expect(try mode(full) == (isFolder.boolValue ? 0o700 : 0o600), "\(path)")
        }
    }

    @Test func `the path is absolute, and links above the folder are resolved once`() throws {
        let real = try folder.data()
        let link = "/tmp/gatehouse-link-\(UUID().uuidString)"
        try FileManager.default.createSymbolicLink(atPath: link, withDestinationPath: folder.path)
        defer { unlink(link) }
        let below = try DataFolder(at: link + "/deep/folder/")
        #expect(below.path == real.path + "/deep/folder")
    }

    @Test func `a folder that is a link, is a file, is open to others or is missing is refused`() throws {
        _ = try folder.data()
        let link = folder.path + "/link"
        try FileManager.default.createSymbolicLink(atPath: link, withDestinationPath: folder.path)
        let notFollowed = "is not a folder (symbolic links are not followed here)"
        #expect(throws: StorageFailure.unavailable("\(link) \(notFollowed)")) { try DataFolder(at: link) }
        #expect(throws: StorageFailure.unavailable("\(link) \(notFollowed)")) {
            try DataFolder(at: link + "//")
        }
        let file = folder.path + "/file"
        #expect(FileManager.default.createFile(atPath: file, contents: nil))
        #expect(throws: StorageFailure.unavailable("\(file) \(notFollowed)")) { try DataFolder(at: file) }
        let open = folder.path + "/open"
        mkdir(open, 0o700)
        chmod(open, 0o750)
        #expect(throws: StorageFailure.unavailable("others have rights to \(open); run: chmod 700 '\(open)'"))
        {
            try DataFolder(at: open)
        }
        let missing = folder.path + "/missing"
        #expect(throws: StorageFailure.self) { try DataFolder(at: missing, creating: false) }
        #expect(
            throws: StorageFailure.unavailable(
                "the data folder is given as a path, not as a URI: file:/x?mode=ro")
        ) {
            try DataFolder(at: "file:/x?mode=ro")
        }
    }

    @Test func `a place that cannot be written says so, with the path`() {
        // Nobody, not even root, makes a folder there.
        let found = #expect(throws: StorageFailure.self) { try DataFolder(at: "/proc/gatehouse") }
        #expect(found?.description.contains("cannot create the folder /proc/gatehouse") == true)
        #expect(found?.description.contains("must be writable") == true)
        let readOnly = StorageFailure(DatabaseError(resultCode: .SQLITE_READONLY), path: "/x/control.sqlite")
        #expect(readOnly.description.contains("/x/control.sqlite cannot be opened for writing"))
        let full = StorageFailure(DatabaseError(resultCode: .SQLITE_FULL), path: "/x/control.sqlite")
        #expect(full.description.contains("the disk is full"))
    }

    @Test func `a database that is a link, has two names or is open to others is refused`() throws {
        let control = try folder.data().controlFile
        let other = folder.path + "/other"
        #expect(
            FileManager.default.createFile(
                atPath: other, contents: nil, attributes: [.posixPermissions: 0o600]))
        try FileManager.default.createSymbolicLink(atPath: control, withDestinationPath: other)
        #expect(
            throws: StorageFailure.unavailable(
                "\(control) is not a regular file (symbolic links are not followed here)")
        ) {
            try folder.controlStore()
        }
        unlink(control)
        try FileManager.default.linkItem(atPath: other, toPath: control)
        #expect(throws: StorageFailure.unavailable("\(control) has 2 names (hard links); it must have one")) {
            try folder.controlStore()
        }
        unlink(other)
        chmod(control, 0o644)
        #expect(
            throws: StorageFailure.unavailable(
                "others have rights to \(control); run: chmod 600 '\(control)'")
        ) {
            try folder.controlStore()
        }
        chmod(control, 0o600)
        _ = try folder.controlStore()
    }

    @Test func `a write-ahead log that is a link is refused`() throws {
        let control = try folder.data().controlFile
        try FileManager.default.createSymbolicLink(
            atPath: control + "-wal", withDestinationPath: "/etc/hostname")
        #expect(throws: StorageFailure.self) { try folder.controlStore() }
    }

    @Test func `a tenant's folder or file that is a link is refused`() async throws {
        let (mine, other) = (tenant, TenantID(high: 3, low: 5))
        let stores = try folder.tenantStores(limit: 1)
        for id in [mine, other] { try await stores.create(id, vault: Samples.vaultID) }
        try await stores.close()
        let mineFolder = folder.path + "/tenants/\(mine)"
        try FileManager.default.moveItem(atPath: mineFolder, toPath: folder.path + "/aside")
        try FileManager.default.createSymbolicLink(
            atPath: mineFolder, withDestinationPath: folder.path + "/tenants/\(other)")
        let found = await refusal { _ = try await stores.store(for: mine) }
        #expect(found == .unavailable("\(mineFolder) is not a folder (symbolic links are not followed here)"))
        unlink(mineFolder)
        try FileManager.default.moveItem(atPath: folder.path + "/aside", toPath: mineFolder)
        let file = folder.tenantFile(mine)
        unlink(file)
        try FileManager.default.createSymbolicLink(
            atPath: file, withDestinationPath: folder.tenantFile(other))
        let linked = await refusal { _ = try await stores.store(for: mine) }
        #expect(
            linked == .unavailable("\(file) is not a regular file (symbolic links are not followed here)"))
    }

    @Test func `a second opener is refused with the first one's process id until the first lets go`() throws {
        let data = try folder.data()
        var first: FolderLock? = try FolderLock(data)
        #expect(throws: FolderInUse(folder: data.path, process: getpid())) { try FolderLock(data) }
        let sentence = FolderInUse(folder: data.path, process: getpid()).description
        #expect(sentence.contains("in use by process \(getpid())"))
        #expect(first != nil)
        first = nil
        _ = try FolderLock(data)
    }
}
