import Domain
import Foundation
import TestKit
import TestTraits
import Testing

/// Names, ids and files that are chosen to get out of their place, through every door there is.
@Suite(.serialized, .ownThread) struct IsolationAttackTests {
    private static let hostile = [
        "../beta", "..", ".", "/etc/passwd", "acme/../beta", "tenants/../../x", "%2e%2e%2fbeta",
        "acme\\..\\beta",
        "acme'; DROP TABLE tenants; --", "' OR '1'='1", "acme\" UNION SELECT * FROM vault --",
        "acme;ATTACH 'x'",
        "acm\u{0435}", "\u{ff41}cme", "acme\u{301}", "acme\u{200b}", "\u{202e}emca", "ACME", "acme ", " acme",
        "acme\n", "acme\r\nbeta", "acme\u{1b}[2J", "acme\u{7f}", "-rf", "--help", "file:acme?mode=rw",
        ":memory:",
        "CON", "~root", "$HOME", "`id`", "$(id)", "acme\u{0}", String(repeating: "a", count: 49),
        String(repeating: "../", count: 400), String(repeating: "a", count: 30_000),
    ]
    /// Of these nothing may come back raw: a terminal, a log or a table would act on it.
    private static let active: [UInt8] = [0x00, 0x07, 0x0d, 0x1b, 0x7f]

    private static func random(_ generator: inout SplitMix) -> String {
        let parts = [
            "..", "/", "'", "\"", ";", "--", " ", "acme", "beta", "\u{1b}]0;x\u{7}", "\\", "%00", "\u{0}",
            "\n",
            "\u{200f}", "{", "tenant.sqlite", "*", "?", "UNION SELECT",
        ]
        return (0..<Int.random(in: 1...6, using: &generator)).map { _ in
            parts[Int.random(in: 0..<parts.count, using: &generator)]
        }.joined()
    }

    /// Folders and files by name, sizes aside.
    private func layout(_ house: House) throws -> Set<String> {
        let all = try FileManager.default.subpathsOfDirectory(atPath: house.data)
        return Set(all.filter { !$0.hasSuffix("-wal") && !$0.hasSuffix("-shm") && $0 != "audit.spare" })
    }

    @Test func `hostile names reach no other tenant, no path and no statement, by no door`() throws {
        let seed = UInt64.random(in: 0..<1_000_000)
        var generator = SplitMix(seed: seed)
        print("isolation attacks, seed \(seed)")
        let house = try House()
        let acme = try house.tenant("acme", openAI: "sk-test-ACME-8c1f5e2b9d7a4603")
        _ = try house.tenant("beta", openAI: "sk-test-BETA-3e7a9c5d1f8b2604")
        try house.start()
        let before = try layout(house)
        let names =
            Self.hostile
            + (0..<60).map { _ in Self.random(&generator) }.filter {
                // Some are good names by chance.
                (try? TenantName($0)) == nil
            }
        var said: [String] = []
        for name in Self.hostile where !name.contains("\u{0}") && name.utf8.count < 2_000 {
            for arguments in [["tenant", "add"], ["tenant", "show"]] {
                let output = try Tool.run(
                    try House.binary, arguments + ["--data", house.data, "--", name], expect: nil)
                #expect(output.status != 0, "\(arguments) took \(name.debugDescription)")
                said += [output.out, output.err]
            }
        }
        said += try bySocket(names, house)
        for name in names { said += try byHTTP(name, acme, house) }
        for text in said {
            #expect(!text.contains("sk-test-BETA"), "seed \(seed)")
            #expect(
                !text.utf8.contains { Self.active.contains($0) && $0 != 0x0d },
                "seed \(seed): \(text.debugDescription)")
        }
        // Nothing was made, nothing is gone, nobody else's key was used.
        #expect(try layout(house) == before, "seed \(seed)")
        #expect(!FileManager.default.fileExists(atPath: house.folder.path + "/beta"))
        let list = try house.command(["tenant", "list", "--json"]).out
        let rows = try JSONSerialization.jsonObject(with: Data(list.utf8)) as? [[String: Any]] ?? []
        #expect(Set(rows.compactMap { $0["name"] as? String }) == ["acme", "beta"], "seed \(seed)")
        let keys = Set(try house.requests().compactMap { $0["key"] as? String })
        #expect(!keys.contains { $0.contains("BETA") }, "seed \(seed)")
        #expect(try house.command(["audit", "verify"]).out.contains("intact"))
        #expect(try house.command(["vault", "verify"]).out.contains("all open"))
    }

    /// Each name in the place of a tenant, a key, a model, in commands and in questions.
    private func bySocket(_ names: [String], _ house: House) throws -> [String] {
        func quoted(_ text: String) throws -> String {
            String(decoding: try JSONEncoder().encode(text), as: UTF8.self)
        }
        let bodies = try names.filter { $0.utf8.count < 8_000 }.flatMap { name in
            let name = try quoted(name)
            return [
                "{\"command\":{\"_0\":{\"tenantAdd\":{\"name\":\(name),\"limits\":{}}}}}",
                "{\"command\":{\"_0\":{\"tenantSuspend\":{\"name\":\(name),\"reason\":\"x\"}}}}",
                "{\"command\":{\"_0\":{\"keyRevoke\":{\"key\":\(name),\"reason\":\"x\"}}}}",
                "{\"query\":{\"_0\":{\"calls\":{\"tenant\":\(name),\"limit\":9}}}}",
                "{\"query\":{\"_0\":{\"limits\":{\"tenant\":\(name)}}}}",
                "{\"query\":{\"_0\":{\"route\":{\"model\":\(name),\"tenant\":\"acme\"}}}}",
            ]
        }
        let lines = bodies.map { "{\"operatorName\":\"test\",\"body\":\($0)}" }.joined(separator: "\n")
        let answers = try Tool.run(
            try House.python, [try House.script("ask"), house.data + "/engine.sock"], input: lines
        ).out
        let replies = answers.split(separator: "\n")
        #expect(replies.count == bodies.count)
        for (reply, body) in zip(replies, bodies) where !body.contains("\"route\"") {
            #expect(reply.hasPrefix("{\"refused\""), "\(body.prefix(200)): \(reply.prefix(200))")
        }
        return replies.map(String.init)
    }

    /// As a model, as tags, as a route, as a conversation, as a part of the path, as the credential itself.
    private func byHTTP(_ name: String, _ token: String, _ house: House) throws -> [String] {
        let model = String(decoding: try JSONEncoder().encode("openai/" + name), as: UTF8.self)
        let body = #"{"model":\#(model),"messages":[{"role":"user","content":"hi"}]}"#
        let line = String(
            name.unicodeScalars.filter { !["\r", "\n", "\u{0}"].contains($0) }.prefix(400).map(Character.init)
        )
        var out: [String] = []
        for (head, credential) in [
            ("", token), ("x-gatehouse-tags: team=\(line)\r\n", token),
            ("x-gatehouse-route: allow=\(line)\r\n", token), ("x-gatehouse-conversation: \(line)\r\n", token),
            ("", line),
        ] {
            let wire = try Wire(house.port)
            wire.send(
                "POST /v1/chat/completions HTTP/1.1\r\nhost: localhost\r\nauthorization: Bearer \(credential)\r\n\(head)"
                    + "content-type: application/json\r\nconnection: close\r\n"
                    + "content-length: \(body.utf8.count)\r\n\r\n\(body)")
            let answer = wire.read(seconds: 10)
            #expect(answer.hasPrefix("HTTP/1.1 "), "\(name.debugDescription)")
            if credential != token { #expect(!answer.hasPrefix("HTTP/1.1 200")) }
            out.append(answer)
        }
        return out
    }

    @Test
    func
        `a link in the place of any file of the data folder is refused, and what it leads to stays as it was`()
        throws
    {
        let house = try House()
        let token = try house.tenant("acme")
        try house.start()
        #expect(try house.call(token: token, body: House.chat("openai/gpt-6-sol")).status == 200)
        house.stop(SIGTERM)
        let files = try FileManager.default.subpathsOfDirectory(atPath: house.data).filter { name in
            let facts = try FileManager.default.attributesOfItem(atPath: house.data + "/" + name)
            return facts[.type] as? FileAttributeType == .typeRegular
        }
        #expect(files.contains("control.sqlite") && files.contains("lock") && files.contains("usage.journal"))
        let names = Set(files).union(["control.sqlite-wal", "control.sqlite-shm"])
        for name in names.sorted() where name != "gatehouse.toml" {
            for kind in ["symbolic", "hard", "dangling"] { try plant(kind, at: name, house) }
        }
        #expect(try house.command(["vault", "verify"]).out.contains("all open"))
    }

    /// A file of somebody else's, with the same content, in the place of ours; then ours again.
    private func plant(_ kind: String, at name: String, _ house: House) throws {
        let (place, aside) = (house.data + "/" + name, house.folder.path + "/aside")
        let victim = house.folder.path + "/victim"
        // Write-ahead logs come and go.
        let isThere = FileManager.default.fileExists(atPath: place)
        if isThere { try FileManager.default.moveItem(atPath: place, toPath: aside) }
        if kind != "dangling", isThere {
            try FileManager.default.copyItem(atPath: aside, toPath: victim)
        } else if kind != "dangling" {
            try "somebody's".write(toFile: victim, atomically: true, encoding: .utf8)
        }
        let before = FileManager.default.contents(atPath: victim)
        if kind == "hard" {
            try FileManager.default.linkItem(atPath: victim, toPath: place)
        } else {
            try FileManager.default.createSymbolicLink(atPath: place, withDestinationPath: victim)
        }
        let said = try house.command(["tenant", "suspend", "acme", "--reason", "x"], expect: nil)
        #expect(said.status != 0, "\(kind) link at \(name) was taken: \(said.out)")
        #expect(!said.err.isEmpty && !said.err.contains("Fatal"), "\(kind) link at \(name)")
        #expect(
            FileManager.default.contents(atPath: victim) == before, "\(kind) link at \(name) was followed")
        try? FileManager.default.removeItem(atPath: place)
        try? FileManager.default.removeItem(atPath: victim)
        if isThere { try FileManager.default.moveItem(atPath: aside, toPath: place) }
    }

    @Test func `who asks for what is not there and who asks for what is another's are told the same`() throws
    {
        let house = try House()
        let acme = try house.tenant("acme")
        let beta = try house.tenant("beta")
        let gone = try house.token("beta", ["--name", "gone"])
        try house.start()
        try house.command(["token", "revoke", try house.listed("gone"), "--reason", "x"])
        func told(
            _ token: String, _ model: String = "openai/gpt-6-sol", _ head: [String] = []
        ) throws -> String {
            let answer = try house.call(token: token, body: House.chat(model), headers: head)
            // But for what is drawn for each call.
            let lines = answer.head.split(separator: "\r\n").filter { !$0.contains("request-id:") }
            return lines.joined(separator: "\n") + answer.body
        }
        let unknown = "gth_" + String(acme.dropFirst(4).reversed())
        #expect(try told(gone) == told(gone, "anthropic/x"))
        #expect(try told(gone).contains("this virtual key is not accepted"))
        #expect(!(try told(unknown)).contains("beta"))
        // A conversation, tags and a cached answer of another tenant's change nothing.
        let talk = ["x-gatehouse-conversation: one", "x-gatehouse-cache: on"]
        _ = try told(beta, "openai/gpt-6-sol", talk)
        #expect(try told(acme, "openai/gpt-6-sol", talk).contains("x-gatehouse-cache: miss"))
        try house.command(["tenant", "delete", "beta", "--confirm", "beta", "--reason", "x"])
        #expect(try told(beta) == told(gone), "a deleted tenant's key is told from a revoked one")
    }
}
