import Assembly
import Domain
import Foundation
import Glibc
import Operations
import TestKit
import TestTraits
import Testing

/// A data folder on a disk of its own that fills up: in memory, so mounting it needs root.
@Suite(.ownThread) struct DiskFullTests {
    @Test func `a full disk refuses changes with the reason, calls go on, and all works once there is room`()
        throws
    {
        let house = try House()
        let token = try house.tenant("acme")
        let small = house.folder.path + "/small"
        try FileManager.default.createDirectory(atPath: small, withIntermediateDirectories: false)
        guard mount("tmpfs", small, "tmpfs", 0, "size=48m,mode=700") == 0 else {
            print(
                "a full disk is not tried here: mounting one is refused (\(String(cString: strerror(errno))))"
            )
            return
        }
        defer { umount2(small, Int32(MNT_DETACH)) }
        try Tool.run("/bin/cp", ["-a", house.data, small + "/data"])
        try house.move(to: small + "/data")
        try house.start()
        defer { house.stop(SIGKILL) }
        let client = try #require(EngineClient(path: house.data + "/engine.sock", operatorName: "disk"))
        #expect(try call(house, token) != nil)

        try fill(small + "/fill")
        let refusal = try #require(firstRefusal(of: client), "nothing was refused")
        #expect(refusal.code == .storage)
        #expect(refusal.message.contains("the disk is full"))
        // Their rows wait in the journal, whose place was taken at its making.
        let ids = try (0..<10).compactMap { _ in try call(house, token) }
        #expect(ids.count == 10)

        unlink(small + "/fill")
        try waitUntil("changes are taken again") { self.firstRefusal(of: client, tries: 1) == nil }
        #expect(try call(house, token) != nil)
        #expect(try house.command(["vault", "verify"]).out.contains("all open"))
        #expect(try house.command(["audit", "verify"]).out.contains("intact"))
        try waitUntil("the journal is in the ledger") {
            let rows = try house.command(["usage", "calls", "acme", "--limit", "100", "--json"]).out
            return ids.allSatisfy { rows.contains($0) }
        }
    }

    /// The id of an answered call; nil for another answer.
    private func call(_ house: House, _ token: String) throws -> String? {
        guard let answer = try house.call(token), answer.status == 200 else { return nil }
        return answer.header("x-request-id")
    }

    private func fill(_ path: String) throws {
        let file = open(path, O_WRONLY | O_CREAT | O_TRUNC, 0o600)
        guard file >= 0 else { throw Tool.Failure(description: "\(path) cannot be made") }
        defer { close(file) }
        for size in [1 << 20, 4_096] {
            let piece = [UInt8](repeating: 1, count: size)
            while write(file, piece, size) == size {}
        }
    }

    /// Changes until one is refused: the first ones may fit into what the log has already.
    private func firstRefusal(of client: EngineClient, tries: Int = 500) -> CommandRefusal? {
        for number in 1...tries {
            if let refusal = client.setLimit(10_000 + number) { return refusal }
        }
        return nil
    }
}
