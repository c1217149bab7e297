import Assembly
import Domain
import Foundation
import Glibc
import Operations
import TestKit
import TestTraits
import Testing

/// A data folder that cannot be written: at the start, and from some moment on under a running engine.
@Suite(.serialized, .ownThread) struct ReadOnlyTests {
    @Test func `a start on a disk that is mounted read-only says so and what to do, and changes nothing`()
        throws
    {
        let house = try House()
        let token = try house.tenant("acme")
        let disk = house.folder.path + "/disk"
        try FileManager.default.createDirectory(atPath: disk, withIntermediateDirectories: false)
        guard mount("tmpfs", disk, "tmpfs", 0, "size=48m,mode=700") == 0 else {
            return skip("mounting one is refused: \(String(cString: strerror(errno)))")
        }
        defer { umount2(disk, Int32(MNT_DETACH)) }
        try Tool.run("/bin/cp", ["-a", house.data, disk + "/data"])
        try house.move(to: disk + "/data")
        try remount(disk, UInt(MS_RDONLY))

        for command in [["serve"], ["tenant", "list"], ["tenant", "add", "beta"], ["vault", "verify"]] {
            let refused = try house.command(command, expect: 1)
            #expect(refused.err.contains(house.data), "\(command): \(refused.err)")
            #expect(refused.err.contains("Read-only file system"), "\(command): \(refused.err)")
            #expect(refused.err.contains("mount the data folder's disk for writing"), "\(command)")
        }
        #expect(try house.command(["doctor"], expect: 1).out.contains("Read-only file system"))

        try remount(disk, 0)
        try house.start()
        defer { house.stop(SIGKILL) }
        #expect(try house.call(token)?.status == 200)
        #expect(try !house.command(["tenant", "list"]).out.contains("beta"))
        #expect(try house.command(["audit", "verify"]).out.contains("intact"))
    }

    @Test func `a user who may not write the folder, or a database in it, is told so at the start`() throws {
        let house = try House()
        _ = try house.tenant("acme")
        // Root may write what it likes.
        guard getuid() == 0 else { return skip("only root runs a program as another user") }
        let asNobody = ["--reuid", "65534", "--regid", "65534", "--clear-groups", try House.binary]
        guard (try? Tool.run("/usr/bin/setpriv", asNobody + ["--version"])) != nil else {
            return skip("another user may not run this program")
        }
        try Tool.run("/bin/chown", ["-R", "65534:65534", house.folder.path])
        for (mode, path) in [(0o500, house.data), (0o400, house.data + "/control.sqlite")] {
            let right = mode == 0o500 ? 0o700 : 0o600
            try FileManager.default.setAttributes([.posixPermissions: mode], ofItemAtPath: path)
            let refused = try Tool.run(
                "/usr/bin/setpriv", asNobody + ["serve", "--data", house.data], expect: 1)
            #expect(refused.err.contains(house.data) && refused.err.contains("must be writable"))
            try FileManager.default.setAttributes([.posixPermissions: right], ofItemAtPath: path)
        }
        // Nothing that it left behind keeps the folder's owner from it.
        let list = try Tool.run("/usr/bin/setpriv", asNobody + ["tenant", "list", "--data", house.data])
        #expect(list.out.contains("acme"))
        try Tool.run("/bin/chown", ["-R", "0:0", house.folder.path])
    }

    /// As the kernel does to a disk with a fault: a remount is not possible while files are open for writing.
    @Test func `a disk that becomes read-only under a running engine costs changes, and no acknowledged one`()
        throws
    {
        let house = try House()
        let token = try house.tenant("acme")
        let disk: LoopDisk
        do { disk = try LoopDisk(in: house.folder.path) } catch {
            return skip("\(error)")
        }
        defer { disk.unmount() }
        try Tool.run("/bin/cp", ["-a", house.data, disk.path + "/data"])
        try house.move(to: disk.path + "/data")
        // What was copied is on the disk, as what the program itself wrote would be.
        sync()
        try house.start()
        defer { house.stop(SIGKILL) }
        let client = try #require(EngineClient(path: house.data + "/engine.sock", operatorName: "disk"))
        #expect(client.setLimit(7_001) == nil)
        let before = try (0..<10).compactMap { _ in try house.call(token)?.header("x-request-id") }
        #expect(before.count == 10)
        try waitUntil("the journal is in the ledger") { try missing(before, house) == 0 }

        try disk.fail()
        let refusal = try #require(client.setLimit(7_002), "a change on a read-only disk was taken")
        #expect(refusal.code == .storage)
        #expect(refusal.message.contains("the disk is read-only"), "\(refusal.message)")
        #expect(refusal.message.contains("mount the data folder's disk for writing"))
        // Calls go on: their rows wait in the journal.
        let during = try (0..<10).compactMap { _ in try house.call(token)?.header("x-request-id") }
        #expect(during.count == 10)
        // Not for ever: what cannot be metered is refused, and the screens say why.
        var last: Answer?
        try waitUntil("calls are refused") {
            last = try house.call(token)
            return last?.status != 200
        }
        #expect(last?.status == 503 && last?.body.contains("ledger cannot be written") ?? false)
        let log = try String(contentsOfFile: house.logs.last ?? "", encoding: .utf8)
        #expect(log.contains("the disk is read-only"))
        #expect(house.engine?.status == nil)

        house.stop(SIGTERM)
        try disk.repair()
        try house.start()
        #expect(try house.call(token)?.status == 200)
        let again = try #require(EngineClient(path: house.data + "/engine.sock", operatorName: "disk"))
        let limits = try again.snapshot().tenants.first { $0.name.text == "acme" }?.limits
        #expect(limits?.requestsPerMinute == 7_001)
        #expect(again.setLimit(7_003) == nil)
        #expect(try house.command(["vault", "verify"]).out.contains("all open"))
        #expect(try house.command(["audit", "verify"]).out.contains("intact"))
        #expect(try missing(before, house) == 0)
        print("read-only: \(try missing(during, house)) of \(during.count) rows were lost with the disk")
    }

    private func skip(_ why: String) { print("a read-only data folder is not tried here: \(why)") }

    private func remount(_ path: String, _ flags: UInt) throws {
        guard mount("tmpfs", path, "tmpfs", UInt(MS_REMOUNT) | flags, nil) == 0 else {
            throw Tool.Failure(description: "remounting: \(String(cString: strerror(errno)))")
        }
    }

    private func missing(_ calls: [String], _ house: House) throws -> Int {
        let rows = try house.command(["usage", "calls", "acme", "--limit", "100", "--json"]).out
        return calls.count { !rows.contains($0) }
    }
}

/// A small ext4 of its own, which can be made to believe that it found a fault.
private final class LoopDisk {
    let path: String
    private let image: String
    private let fault: String

    /// Throws with the reason where this machine has no such thing.
    init(in folder: String) throws {
        let path = folder + "/disk"
        self.path = path
        image = folder + "/disk.image"
        try FileManager.default.createDirectory(atPath: path, withIntermediateDirectories: false)
        guard FileManager.default.isExecutableFile(atPath: "/sbin/mkfs.ext4") else {
            throw Tool.Failure(description: "no mkfs.ext4")
        }
        try Tool.run("/usr/bin/truncate", ["-s", "64M", image])
        try Tool.run("/sbin/mkfs.ext4", ["-q", image])
        try Self.mount(image, path)
        let mounts = try String(contentsOfFile: "/proc/mounts", encoding: .utf8)
        let device =
            mounts.split(separator: "\n").first { $0.contains(" \(path) ") }?
            .split(separator: " ").first?.split(separator: "/").last ?? ""
        fault = "/sys/fs/ext4/\(device)/trigger_fs_error"
        guard access(fault, W_OK) == 0 else {
            unmount()
            throw Tool.Failure(description: "\(fault) is not there")
        }
    }

    private static func mount(_ image: String, _ path: String) throws {
        try Tool.run("/bin/mount", ["-t", "ext4", "-o", "loop,errors=remount-ro", image, path])
    }

    /// As if the disk had failed (Documentation/ABI/testing/sysfs-fs-ext4 of Linux).
    func fail() throws {
        let file = open(fault, O_WRONLY)
        defer { close(file) }
        guard write(file, "test", 4) == 4 else { throw Tool.Failure(description: "no fault could be made") }
        try waitUntil("the disk is read-only") { mkdir(path + "/probe", 0o700) != 0 && errno == EROFS }
    }

    func unmount() { umount2(path, Int32(MNT_DETACH)) }

    func repair() throws {
        guard umount2(path, 0) == 0 else {
            throw Tool.Failure(description: "unmounting: \(String(cString: strerror(errno)))")
        }
        // 1: faults were corrected (e2fsck(8)).
        let check = try Tool.run("/sbin/e2fsck", ["-f", "-y", image], expect: nil)
        guard check.status <= 1 else { throw Tool.Failure(description: check.out) }
        try Self.mount(image, path)
    }
}
