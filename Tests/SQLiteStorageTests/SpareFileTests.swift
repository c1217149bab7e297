import Domain
import Foundation
import Glibc
import SQLiteStorage
import Storage
import TestKit
import Testing

/// Space for what protects, on a file system that is small enough to be filled.
@Suite struct SpareFileTests {
    @Test func `it is allocated at once, and nothing is given up while the disk has room`() async throws {
        let folder = StorageFolder()
        let spare = try SpareFile(in: folder.data())
        #expect(spare.size == SpareFile.bytes)
        var status = stat()
        #expect(lstat(folder.path + "/spare", &status) == 0 && status.st_mode & 0o777 == 0o600)
        #expect(Int(status.st_blocks) * 512 >= SpareFile.bytes, "blocks, not a hole")
        #expect(await spare.giveUp() == false)
        #expect(spare.size == SpareFile.bytes)
    }

    @Test func `a link in its place is refused`() throws {
        let folder = StorageFolder()
        let data = try folder.data()
        try FileManager.default.createSymbolicLink(
            atPath: folder.path + "/spare", withDestinationPath: "/tmp/elsewhere")
        #expect(throws: StorageFailure.self) { _ = try SpareFile(in: data) }
    }

    @Test func `on a full disk a change is written in what it gives up, until nothing is left`() async throws
    {
        let folder = StorageFolder()
        _ = try folder.data()
        guard mount("tmpfs", folder.path, "tmpfs", 0, "size=128m,mode=700") == 0 else {
            print("a small file system cannot be mounted here: \(String(cString: strerror(errno)))")
            return
        }
        defer { umount2(folder.path, Int32(MNT_DETACH)) }
        let spare = try SpareFile(in: folder.data())
        let store = try folder.controlStore()
        try await store.createVault(Samples.vault(), audit: Samples.draft("vault.create"))
        #expect(spare.size == SpareFile.bytes)
        let filler = folder.path + "/filler"
        let descriptor = open(filler, O_WRONLY | O_CREAT, 0o600)
        defer { close(descriptor) }
        let piece = [UInt8](repeating: 1, count: 4_096)
        func fill() { while write(descriptor, piece, piece.count) > 0 {} }
        var written: Int64 = 1
        for _ in 0..<3 {
            fill()
            let refused = await refusal {
                // What the log has room for already is written all the same.
                for _ in 0..<2_000 {
                    try await store.appendAudit(Samples.draft("gateway.start"))
                    written += 1
                }
            }
            #expect(
                refused?.description.contains("the disk is full") == true, "\(String(describing: refused))")
            #expect(await spare.giveUp())
            try await store.appendAudit(Samples.draft("token.revoke"))
            written += 1
        }
        fill()
        while await spare.giveUp() { fill() }
        #expect(spare.size == 0)
        await spare.renew()
        #expect(spare.size == 0, "not while the disk is full")
        #expect(ftruncate(descriptor, 0) == 0)
        await spare.renew()
        #expect(spare.size == SpareFile.bytes)
        guard case .intact(let records, _) = try await store.verifyAudit() else {
            Issue.record("the chain is broken")
            return
        }
        #expect(records == written)
        try store.close()
    }
}
