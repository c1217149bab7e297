import Foundation
import TestKit
import TestTraits
import Testing

/// The audit as files: exports, checkpoints kept outside, and what is done to them; with the real program.
@Suite(.ownThread) struct AuditFileTests {
    private struct Kept {
        let house: House
        let export: String
        /// As they were at the time of the export; the gateway goes on writing into the other.
        let checkpoints: String
        let live: String
        let fingerprint: String

        /// A gateway that served and worked offline, its audit exported.
        init() throws {
            house = try House()
            export = house.folder.path + "/audit.jsonl"
            checkpoints = house.folder.path + "/checkpoints.then"
            live = house.folder.path + "/checkpoints"
            try house.configure("[audit]\ncheckpoints = \"\(live)\"")
            _ = try house.tenant("acme")
            try house.start()
            try house.command(["tenant", "suspend", "acme", "--reason", "=1+2 \"quoted\", with a comma"])
            try house.command(["vault", "lock", "--reason", "drill"])
            let key = try String(contentsOfFile: house.folder.path + "/vault.key", encoding: .utf8)
            try house.command(["vault", "unlock", "--from-stdin"], input: key)
            try house.command(["audit", "export", export])
            try FileManager.default.copyItem(atPath: live, toPath: checkpoints)
            house.stop(SIGTERM)
            let said = try house.command(["audit", "key"]).out
            fingerprint = said.split(separator: "\n").first?.split(separator: " ").last.map(String.init) ?? ""
        }

        func verify(
            _ file: String? = nil, outside: Bool = true, live isLive: Bool = false, expect: Int32 = 0
        ) throws -> Tool.Output {
            try Tool.run(
                try House.binary,
                ["audit", "verify", file ?? export, "--public-key", fingerprint]
                    + (outside ? ["--checkpoints", isLive ? live : checkpoints] : []), expect: expect)
        }

        func procedure(_ file: String? = nil, expect: Int32 = 0) throws -> Tool.Output {
            try Tool.run(
                "/usr/bin/python3",
                [try House.script("audit_check"), file ?? export, fingerprint, checkpoints], expect: expect)
        }

        /// The export with its lines changed, as another file.
        func changed(_ body: (inout [String]) -> Void) throws -> String {
            var lines = try String(contentsOfFile: export, encoding: .utf8)
                .split(separator: "\n").map(String.init)
            body(&lines)
            let path = house.folder.path + "/changed.jsonl"
            try (lines.joined(separator: "\n") + "\n").write(
                toFile: path, atomically: true, encoding: .utf8)
            return path
        }
    }

    @Test
    func `an export verifies with nothing but itself and what was kept outside, also without the program`()
        throws
    {
        let kept = try Kept()
        let said = try kept.verify().out
        #expect(said.contains("the audit verifies: "), "\(said)")
        #expect(!said.contains("checkpoints checked: 0") && !said.contains("0 kept outside"), "\(said)")
        #expect(!said.contains("NOTE"), "\(said)")
        #expect(try kept.verify(outside: false).out.contains("an end that was cut off"))
        #expect(try kept.procedure().out.hasPrefix("verified: "))
        // The export says itself that it was made, and nothing is ever overwritten.
        let text = try String(contentsOfFile: kept.export, encoding: .utf8)
        #expect(text.contains("\"action\":\"audit.export\""))
        #expect(
            try kept.house.command(["audit", "export", kept.export], expect: 1).err.contains("never replaces")
        )
        #expect(!text.contains(House.openAIKey))
    }

    @Test func `each manipulation is refused by both, with the record and the reason`() throws {
        let kept = try Kept()
        func refused(_ why: String, _ body: (inout [String]) -> Void) throws {
            let file = try kept.changed(body)
            let said = try kept.verify(file, expect: 1).err
            #expect(said.contains(why), "\(said)")
            #expect(try kept.procedure(file, expect: 1).err.contains("NOT verified"))
        }
        func first(_ lines: [String], _ action: String) -> Int {
            lines.firstIndex { $0.contains("\"action\":\"\(action)\"") } ?? 0
        }
        try refused("the record was changed") { lines in
            let place = first(lines, "tenant.suspend")
            lines[place] = lines[place].replacing("\"after\":\"suspended\"", with: "\"after\":\"active\"")
        }
        try refused("who did it was changed") { lines in
            let place = first(lines, "tenant.suspend")
            lines[place] = lines[place].replacing("\"actor\":\"", with: "\"actor\":\"not-")
        }
        try refused("missing") { $0.remove(at: first($0, "key.add")) }
        try refused("missing") { lines in
            let records = lines.indices.filter { lines[$0].contains("\"record\":") }
            lines.swapAt(records[1], records[2])
        }
        try refused("missing at the end") { lines in
            let records = lines.filter { $0.contains("\"record\":") }.count
            let last = lines.lastIndex { $0.contains("\"record\":") } ?? 0
            lines.removeSubrange(last...)
            lines[0] = lines[0].replacing(
                "\"records\":\"\(records)\"", with: "\"records\":\"\(records - 1)\"")
        }
    }

    @Test func `a data folder that is older than its checkpoint is refused until that is said to be meant`()
        throws
    {
        let kept = try Kept()
        let house = kept.house
        let copy = house.folder.path + "/copy"
        try FileManager.default.copyItem(atPath: house.data, toPath: copy)
        try house.command(["tenant", "resume", "acme"])
        try FileManager.default.removeItem(atPath: house.data)
        try FileManager.default.moveItem(atPath: copy, toPath: house.data)
        let said = try house.command(["tenant", "list"], expect: 1).err
        #expect(said.contains("the data folder is older than its checkpoint"), "\(said)")
        #expect(said.contains("gatehouse audit new-log --reason"), "\(said)")
        try house.command(["audit", "new-log", "--reason", "put back on purpose"])
        #expect(try house.command(["tenant", "list"]).out.contains("acme"))
        let listed = try house.command(["audit", "list"]).out
        #expect(listed.contains("audit.new_log") && listed.contains("put back on purpose"))
        #expect(try house.command(["audit", "verify"]).out.contains("intact"))
        // The log before still shows what came after the copy.
        let before = try kept.verify(live: true, expect: 1).err
        #expect(before.contains("missing at the end"), "\(before)")
    }

    @Test func `an erased operator is in no export and no database any more, and both procedures verify`()
        throws
    {
        let kept = try Kept()
        let house = kept.house
        let listed = try house.command(["audit", "list", "--json"]).out
        let name = try #require(listed.firstMatch(of: /"actor" ?: ?"([^"]+)"/)).1
        #expect(try String(contentsOfFile: kept.export, encoding: .utf8).contains("\"actor\":\"\(name)\""))
        let refused = try house.command(
            ["audit", "erase", "\(name)", "--confirm", "other", "--reason", "request"], expect: 1)
        #expect(refused.err.contains("cannot be undone"))
        let said = try house.command(
            ["audit", "erase", "\(name)", "--confirm", "\(name)", "--reason", "request"])
        #expect(said.out.contains("who the operator was"), "\(said.out)")
        #expect(try house.command(["audit", "verify"]).out.contains("intact"))
        let export = house.folder.path + "/after.jsonl"
        try house.command(["audit", "export", export])
        // The record of the erasing and what came after it.
        let lines = try String(contentsOfFile: export, encoding: .utf8).split(separator: "\n")
        let place = try #require(lines.firstIndex { $0.contains("\"action\":\"audit.erase\"") })
        #expect(!lines[..<place].contains { $0.contains("\"actor\":\"\(name)\"") })
        #expect(lines[..<place].contains { $0.contains("\"operator\":{},") })
        #expect(try kept.verify(export).out.contains("the audit verifies: "))
        #expect(try kept.procedure(export).out.hasPrefix("verified: "))
        // The export from before still holds him, and still verifies.
        #expect(try kept.verify().out.contains("the audit verifies: "))
    }

    @Test func `CSV holds no formula`() throws {
        let kept = try Kept()
        let path = kept.house.folder.path + "/audit.csv"
        try kept.house.command(["audit", "export", path, "--format", "csv"])
        let text = try String(contentsOfFile: path, encoding: .utf8)
        #expect(text.contains("\"'=1+2 \"\"quoted\"\", with a comma\""))
        #expect(text.hasPrefix("\"sequence\",\"time\",\"actor\""))
        #expect(try kept.verify(path, expect: 1).err.contains("line 1 is not what an export writes"))
    }
}
