import Foundation
import TestKit
import TestTraits
import Testing

/// Somebody who can write the data folder, and has neither passphrase nor key file: with the real program, and SQLite as
/// anybody has it.
@Suite(.serialized, .ownThread) struct AccessAttackTests {
    private static let chat = House.chat("openai/gpt-6-sol")

    @Test func `edited, planted and replayed rows let nobody in, are named, and can be repaired`() throws {
        let house = try House()
        let acme = try house.tenant("acme", limits: ["--rpm", "1000", "--name", "web"])
        let beta = try house.tenant("beta")
        // Moved to another tenant: that one key is out, everybody else is served.
        let moved = try house.sql(
            "UPDATE virtual_keys SET tenant = (SELECT id FROM tenants WHERE name = 'beta') "
                + "WHERE name = 'web' RETURNING hex(id)")
        #expect(moved.count == 32)
        let found = try house.command(["vault", "verify"], expect: 1).out
        #expect(found.contains("virtual key web") && found.contains("changed by something else"))
        try house.start()
        let refused = try house.call(token: acme, body: Self.chat)
        #expect(refused.status == 503 && refused.body.contains("vault verify"))
        #expect(try house.call(token: beta, body: Self.chat).status == 200)
        #expect(try house.get("/health/ready").contains("changed from outside"))
        #expect(try house.command(["vault", "status"]).out.contains("CHANGED"))
        #expect(try house.command(["audit", "list"]).out.contains("access.distrusted"))
        let id = try house.listed("web")
        #expect(try house.command(["token", "rotate", id], expect: 1).err.contains("vault accept"))
        // The operator puts the row back as it was: it carries its code again.
        house.stop(SIGTERM)
        _ = try house.sql(
            "UPDATE virtual_keys SET tenant = (SELECT id FROM tenants WHERE name = 'acme') "
                + "WHERE name = 'web' RETURNING 1")
        #expect(try house.command(["vault", "verify"]).out.contains("all open"))
        // A token whose hash was put in without the vault.
        let planted = "gth_" + String(repeating: "A", count: 43)
        let plantedText = planted + Self.checksum(of: planted)
        _ = try house.plant(plantedText)
        try house.start()
        #expect(try house.call(token: plantedText, body: Self.chat).status == 401)
        #expect(try house.call(token: acme, body: Self.chat).status == 200)
        house.stop(SIGTERM)
        _ = try house.sql("DELETE FROM virtual_keys WHERE name = 'mine' RETURNING 1")
        // A row from before a revocation.
        let old = try house.sql("SELECT hex(code) || ' ' || counter FROM virtual_keys WHERE name = 'web'")
            .split(separator: " ")
        try house.command(["token", "revoke", id, "--reason", "leaked"])
        _ = try house.sql(
            "UPDATE virtual_keys SET revoked = NULL, code = x'\(old[0])', counter = \(old[1]) "
                + "WHERE name = 'web' RETURNING 1")
        try house.start()
        for token in [acme, beta] {
            #expect(try house.call(token: token, body: Self.chat).status == 503)
        }
        // Somebody looked, and takes it as it stands: said in the audit.
        #expect(try house.command(["vault", "accept", "--reason", "looked"]).out.contains("as they stand"))
        #expect(try house.call(token: beta, body: Self.chat).status == 200)
        try house.command(["token", "revoke", id, "--reason", "leaked"])
        #expect(try house.call(token: acme, body: Self.chat).status == 401)
        #expect(try house.command(["audit", "verify"]).out.contains("intact"))
        house.stop(SIGTERM)
    }

    @Test
    func `roots change and tokens stay, and nobody makes the folder one from before there were codes`()
        throws
    {
        let house = try House()
        let token = try house.tenant("acme")
        try house.start()
        #expect(try house.call(token: token, body: Self.chat).status == 200)
        // Roots change, tokens do not.
        #expect(try house.command(["vault", "rotate-kek"]).out.contains("destroyed"))
        #expect(try house.call(token: token, body: Self.chat).status == 200)
        house.stop(SIGTERM)
        #expect(try house.command(["vault", "verify"]).out.contains("all open"))
        // The ring knows that rows carry codes: nobody makes the folder an old one.
        _ = try house.sql("UPDATE vault SET rows_coded = 0 RETURNING 1")
        _ = try house.sql("DELETE FROM access_seal RETURNING 1")
        let why = try house.command(["vault", "verify"], expect: 1).err
        #expect(why.contains("does not fit the key ring"))
    }

    @Test func `after a tenant is deleted its wraps and sealed keys are in no file, and its file is gone`()
        throws
    {
        let house = try House()
        let acme = try house.tenant("acme")
        let beta = try house.tenant("beta")
        let wrap = try house.sql(
            "SELECT hex(wrapped) FROM tenant_keys WHERE tenant = (SELECT id FROM tenants WHERE name = 'acme')"
        )
        let folders = try FileManager.default.contentsOfDirectory(atPath: house.data + "/tenants")
        #expect(folders.count == 2 && wrap.count > 200)
        try house.start()
        #expect(try house.call(token: acme, body: Self.chat).status == 200)
        let asked = ["tenant", "delete", "acme", "--reason", "contract ended", "--confirm"]
        #expect(try house.command(asked + ["beta"], expect: 1).err.contains("--confirm acme"))
        let said = try house.command(asked + ["acme"]).out
        #expect(said.contains("2 sealed provider keys tried: none opens") && said.contains("older backups"))
        #expect(try house.call(token: acme, body: Self.chat).status == 401)
        #expect(try house.call(token: beta, body: Self.chat).status == 200)
        #expect(try FileManager.default.contentsOfDirectory(atPath: house.data + "/tenants").count == 1)
        house.stop(SIGTERM)
        let bytes = stride(from: 0, to: wrap.count, by: 2).compactMap { place -> UInt8? in
            let start = wrap.index(wrap.startIndex, offsetBy: place)
            return UInt8(wrap[start..<wrap.index(start, offsetBy: 2)], radix: 16)
        }
        // The salt and the ciphertext; the header is anybody's.
        let marks = [Data(bytes[48..<80]), Data(bytes[116..<148])]
        for case let name as String in FileManager.default.enumerator(atPath: house.data) ?? .init() {
            guard let content = FileManager.default.contents(atPath: house.data + "/" + name) else {
                continue
            }
            for mark in marks { #expect(content.range(of: mark) == nil, "\(name)") }
        }
        // Killed between the two steps, the file would still be there: the next start removes it.
        let left = try FileManager.default.contentsOfDirectory(atPath: house.data + "/tenants")
        let gone = try #require(folders.first { !left.contains($0) })
        try FileManager.default.copyItem(
            atPath: "\(house.data)/tenants/\(left[0])", toPath: "\(house.data)/tenants/\(gone)")
        #expect(try house.command(["vault", "verify"]).out.contains("all open"))
        #expect(try FileManager.default.contentsOfDirectory(atPath: house.data + "/tenants") == left)
        #expect(try house.command(["audit", "verify"]).out.contains("intact"))
    }

    /// The last six characters of a virtual key: CRC-32 in base 62, as README's Python would compute it.
    private static func checksum(of text: String) -> String {
        var crc: UInt32 = .max
        for byte in text.utf8 {
            crc ^= UInt32(byte)
            for _ in 0..<8 { crc = crc & 1 == 1 ? 0xedb8_8320 ^ crc >> 1 : crc >> 1 }
        }
        var rest = ~crc
        let letters = Array("0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz")
        var digits: [Character] = []
        for _ in 0..<6 {
            digits.insert(letters[Int(rest % 62)], at: 0)
            rest /= 62
        }
        return String(digits)
    }
}

extension House {
    /// Runs one statement on the control database, as `sqlite3` would; gives the first value it returns.
    func sql(_ statement: String) throws -> String {
        try python("cursor.execute(sys.argv[2])", [statement])
    }

    /// Inserts a virtual key as a copy of `web`, with the bare SHA-256 of a token of one's own.
    func plant(_ token: String) throws -> String {
        try python(
            """
            hash = hashlib.sha256(sys.argv[2].encode()).digest()
            cursor.execute("CREATE TEMP TABLE t AS SELECT * FROM virtual_keys WHERE name = 'web'")
            cursor.execute("UPDATE t SET id = randomblob(16), hash = ?, name = 'mine'", (hash,))
            cursor.execute("INSERT INTO virtual_keys SELECT * FROM t RETURNING 1")
            """, [token])
    }

    private func python(_ body: String, _ arguments: [String]) throws -> String {
        let code = """
            import hashlib, sqlite3, sys
            base = sqlite3.connect(sys.argv[1] + "/control.sqlite", isolation_level=None)
            cursor = base.cursor()
            \(body)
            row = cursor.fetchone()
            print(row[0] if row else "")
            """
        return try Tool.run(try Self.python, ["-c", code, data] + arguments).out
            .trimmingCharacters(in: .whitespacesAndNewlines)
    }

    /// The id of a virtual key by its name.
    func listed(_ name: String) throws -> String {
        let json = try command(["token", "list", "--json"]).out
        let list = try JSONSerialization.jsonObject(with: Data(json.utf8)) as? [[String: Any]] ?? []
        return list.first { $0["name"] as? String == name }?["id"] as? String ?? ""
    }
}
