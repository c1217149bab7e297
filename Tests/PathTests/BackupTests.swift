import Foundation
import TestKit
import TestTraits
import Testing

/// Backups and their restores, with the real program on real files.
@Suite(.serialized, .ownThread) struct BackupTests {
    private static let chat = House.chat("openai/gpt-6-sol")

    @Test func `a backup made while calls and commands run restores into an empty folder`() throws {
        let house = try House()
        let acme = try house.tenant("acme")
        _ = try house.tenant("beta")
        try house.start()
        let backup = house.folder.path + "/monday"
        // Calls and commands go on while it is made.
        let stop = Flag()
        let callers = Traffic(house: house, token: acme, until: stop)
        callers.start()
        try waitUntil("calls are answered") { callers.answered > 3 }
        let said = try house.command(["backup", backup]).out
        stop.set()
        callers.wait()
        #expect(callers.failed == 0, "of \(callers.answered)")
        #expect(said.contains("3 files") && said.contains("holds the keys of tenants that are deleted later"))
        #expect(try house.command(["backup", backup], expect: 1).err.contains("never written over"))
        #expect(try house.command(["backup", house.data + "/x"], expect: 1).err.contains("outside"))
        // Nothing of the data is in it in the clear.
        for name in try FileManager.default.contentsOfDirectory(atPath: backup) {
            let content = try #require(FileManager.default.contents(atPath: backup + "/" + name))
            for text in ["acme", "SQLite format", "anthropic"] {
                #expect(content.range(of: Data(text.utf8)) == nil, "\(text) in \(name)")
            }
        }
        house.stop(SIGTERM)
        let verified = try house.command(["restore", backup, "--verify"]).out
        #expect(
            verified.contains("2 tenants, 4 sealed keys, 0 damaged")
                && verified.contains("nothing was changed"))
        #expect(try house.command(["restore", backup], expect: 1).err.contains("newer than the backup"))
        // Into another folder, with the same key file.
        let other = house.folder.path + "/other"
        let config = ["--data", other, "--config", house.data + "/gatehouse.toml"]
        let restored = try Tool.run(try House.binary, ["restore", backup] + config).out
        #expect(restored.contains("2 tenants are suspended"))
        let list = try Tool.run(try House.binary, ["tenant", "list"] + config).out
        #expect(list.contains("acme") && !list.contains("active"))
        #expect(try Tool.run(try House.binary, ["vault", "verify"] + config).out.contains("all open"))
        #expect(try Tool.run(try House.binary, ["audit", "verify"] + config).out.contains("intact"))
        try house.move(to: other)
        try house.start()
        #expect(try house.call(token: acme, body: Self.chat).status == 403)
        try house.command(["tenant", "resume", "acme"])
        #expect(try house.call(token: acme, body: Self.chat).status == 200)
        let used = try house.command(["usage", "report", "--format", "json"]).out
        #expect(used.contains("calls"))
        house.stop(SIGTERM)
    }

    @Test func `what was revoked or deleted since stays so where the old folder is at hand`() throws {
        let house = try House()
        let acme = try house.tenant("acme")
        let other = try house.token("acme", ["--name", "second"])
        _ = try house.tenant("beta")
        let backup = house.folder.path + "/monday"
        try house.command(["backup", backup])
        try house.command(["token", "revoke", try house.listed("second"), "--reason", "leaked"])
        try house.command(["tenant", "delete", "beta", "--confirm", "beta", "--reason", "ended"])
        let refused = try house.command(["restore", backup, "--tenant", "beta", "--replace"], expect: 1).err
        #expect(refused.contains("not brought back"))
        let said = try house.command(["restore", backup, "--replace"]).out
        #expect(said.contains("1 tenants that were deleted since") && said.contains("1 virtual keys"))
        #expect(said.contains("replaced-"))
        try house.start()
        try house.command(["tenant", "resume", "acme"])
        #expect(try house.call(token: acme, body: Self.chat).status == 200)
        #expect(try house.call(token: other, body: Self.chat).status == 401)
        #expect(try !house.command(["tenant", "list"]).out.contains("beta"))
        #expect(try house.command(["audit", "list"]).out.contains("backup.restore"))
        house.stop(SIGTERM)
    }

    @Test func `one tenant is restored into its own vault, and only there`() throws {
        let house = try House()
        let acme = try house.tenant("acme")
        let beta = try house.tenant("beta")
        let backup = house.folder.path + "/acme"
        try house.command(["backup", backup, "--tenant", "acme"])
        #expect(try FileManager.default.contentsOfDirectory(atPath: backup).count == 3)
        // The tenant's file is lost.
        let path = try #require(
            try house.sql("SELECT lower(hex(id)) FROM tenants WHERE name = 'acme'").uuid)
        #expect(
            try house.command(["restore", backup, "--tenant", "acme"], expect: 1).err.contains("--replace"))
        #expect(try house.command(["restore", backup], expect: 1).err.contains("of one tenant"))
        let said = try house.command(["restore", backup, "--tenant", "acme", "--replace"]).out
        #expect(said.contains("2 provider keys open") && said.contains("is suspended"))
        #expect(FileManager.default.fileExists(atPath: "\(house.data)/tenants/\(path)/tenant.sqlite"))
        try house.start()
        #expect(try house.call(token: beta, body: Self.chat).status == 200)
        #expect(try house.call(token: acme, body: Self.chat).status == 403)
        try house.command(["tenant", "resume", "acme"])
        #expect(try house.call(token: acme, body: Self.chat).status == 200)
        house.stop(SIGTERM)
        // A key version that sealed it is destroyed: the copy is of no use, and is not put in place.
        try house.command(["vault", "rotate-dek", "--tenant", "acme"])
        let late = try house.command(["restore", backup, "--tenant", "acme", "--replace"], expect: 1).err
        #expect(late.contains("was destroyed since"))
        let stranger = try House()
        _ = try stranger.tenant("acme")
        let foreign = try stranger.command(["restore", backup, "--tenant", "acme", "--replace"], expect: 1)
            .err
        #expect(foreign.contains("another vault"))
    }

    @Test func `damaged, cut, swapped and foreign backups are refused before anything is touched`() throws {
        let house = try House()
        _ = try house.tenant("acme")
        _ = try house.tenant("beta")
        let backup = house.folder.path + "/monday"
        try house.command(["backup", backup])
        let names = try FileManager.default.contentsOfDirectory(atPath: backup).sorted()
        let tenants = names.filter { $0 != "control.sealed" && $0.hasSuffix(".sealed") }
        let before = try Self.state(of: house.data)
        func refused(_ what: String, _ change: (String) throws -> Void) throws -> String {
            let copy = house.folder.path + "/copy"
            try? FileManager.default.removeItem(atPath: copy)
            try FileManager.default.copyItem(atPath: backup, toPath: copy)
            try change(copy)
            let why = try house.command(["restore", copy, "--replace"], expect: 1).err
            #expect(try Self.state(of: house.data) == before, "\(what) changed the live folder")
            return why
        }
        for (name, place) in [("control.sealed", 10), ("control.sealed", 40_000), (tenants[0], 100)] {
            let why = try refused("a bit of \(name)") { copy in
                try Self.edit(copy + "/" + name) { $0[min(place, $0.count - 1)] ^= 4 }
            }
            #expect(why.contains("damaged or cut"), "\(why)")
        }
        let cut = try refused("a cut") { copy in
            try Self.edit(copy + "/control.sealed") { $0.removeLast(20_000) }
        }
        #expect(cut.contains("damaged or cut"))
        let swapped = try refused("a swap") { copy in
            try FileManager.default.moveItem(atPath: "\(copy)/\(tenants[0])", toPath: copy + "/t")
            try FileManager.default.moveItem(
                atPath: "\(copy)/\(tenants[1])", toPath: "\(copy)/\(tenants[0])")
            try FileManager.default.moveItem(atPath: copy + "/t", toPath: "\(copy)/\(tenants[1])")
        }
        #expect(swapped.contains("damaged or cut"))
        let missing = try refused("a missing file") { copy in
            try FileManager.default.removeItem(atPath: "\(copy)/\(tenants[0])")
        }
        #expect(missing.contains("cannot open"))
        let edited = try refused("the manifest") { copy in
            try Self.edit(copy + "/manifest.json") { bytes in
                let text = String(decoding: bytes, as: UTF8.self)
                bytes = Data(
                    text.replacingOccurrences(of: "\"auditRecords\" : ", with: "\"auditRecords\" : 1").utf8)
            }
        }
        #expect(edited.contains("its code does not fit"))
        let wrong = try Tool.run(
            try House.binary, ["restore", backup, "--replace", "--from-stdin", "--data", house.data],
            input: "0123456789abcdef0123456789abcdef", expect: 1
        ).err
        #expect(wrong.contains("did not open"))
        #expect(try Self.state(of: house.data) == before)
        try house.command(["restore", backup, "--replace"])
    }

    /// Every file that holds something, with its content.
    private static func state(of data: String) throws -> [String: Data] {
        var files: [String: Data] = [:]
        for case let name as String in FileManager.default.enumerator(atPath: data) ?? .init()
        where name.hasSuffix(".sqlite") || name.hasSuffix(".toml") {
            files[name] = FileManager.default.contents(atPath: data + "/" + name)
        }
        return files
    }

    private static func edit(_ path: String, _ change: (inout Data) -> Void) throws {
        var content = try #require(FileManager.default.contents(atPath: path))
        change(&content)
        try content.write(to: URL(fileURLWithPath: path))
    }
}

extension String {
    /// 32 digits with the dashes of a UUID.
    fileprivate var uuid: String? {
        guard utf8.count == 32 else { return nil }
        var text = self
        for place in [20, 16, 12, 8] { text.insert("-", at: text.index(text.startIndex, offsetBy: place)) }
        return text
    }
}

/// Set once, read by another thread.
private final class Flag: @unchecked Sendable {
    // Safe because the lock guards the one value.
    private let lock = NSLock()
    private var value = false
    func set() { lock.withLock { value = true } }
    var isSet: Bool { lock.withLock { value } }
}

/// One caller, and one operator who issues virtual keys, until told to stop.
private final class Traffic: @unchecked Sendable {
    // Safe because the lock guards what changes, and the rest is set before the threads start.
    private let lock = NSLock()
    private var counts = (answered: 0, failed: 0)
    private let house: House
    private let token: String
    private let stop: Flag
    private let group = DispatchGroup()

    init(house: House, token: String, until stop: Flag) {
        self.house = house
        self.token = token
        self.stop = stop
    }

    var answered: Int { lock.withLock { counts.answered } }
    var failed: Int { lock.withLock { counts.failed } }

    func start() {
        DispatchQueue.global().async(group: group) { [self] in
            while !stop.isSet {
                let status = try? house.call(token: token, body: House.chat("openai/gpt-6-sol")).status
                lock.withLock {
                    counts.answered += 1
                    if status != 200 { counts.failed += 1 }
                }
            }
        }
        DispatchQueue.global().async(group: group) { [self] in
            var number = 0
            while !stop.isSet, number < 200 {
                number += 1
                if (try? house.token("beta", ["--name", "t\(number)"])) == nil {
                    lock.withLock { counts.failed += 1 }
                }
            }
        }
    }

    func wait() { group.wait() }
}
