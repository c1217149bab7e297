import Foundation
import TestKit
import TestTraits
import Testing

/// The vault's commands, with the real program on real files.
@Suite(.serialized, .ownThread) struct VaultTests {
    @Test func `a locked vault answers 503 and says so everywhere, and unlocked it serves again`() throws {
        let house = try House()
        let token = try house.tenant("acme")
        try house.start()
        let chat = House.chat("openai/gpt-6-sol")
        #expect(try house.call(token: token, body: chat).status == 200)
        let said = try house.command(["vault", "lock", "--reason", "drill", "--json"]).out
        let receipt = try JSONSerialization.jsonObject(with: Data(said.utf8)) as? [String: Any]
        #expect(receipt?["message"] as? String == "the vault is locked")
        let refused = try house.call(token: token, body: chat)
        #expect(refused.status == 503 && refused.body.contains("the vault is sealed"))
        #expect(try house.get("/health/ready").contains("the vault is sealed"))
        #expect(try house.command(["vault", "status"]).out.contains("SEALED"))
        #expect(try house.command(["vault", "verify"], expect: 1).err.contains("sealed"))
        let key = try String(contentsOfFile: house.folder.path + "/vault.key", encoding: .utf8)
        try house.command(["vault", "unlock", "--from-stdin"], input: key)
        #expect(try house.call(token: token, body: chat).status == 200)
        #expect(try house.command(["audit", "verify"]).out.contains("intact"))
    }

    @Test func `slots, a recovery key and both rotations work on an engine that serves, and on its folder`()
        throws
    {
        let house = try House()
        let token = try house.tenant("acme")
        let file = house.folder.path + "/vault.key"
        // Without an engine.
        try house.command(["vault", "rotate-kek"])
        try house.command(["vault", "rotate-dek"])
        try house.command(
            ["vault", "slot", "add", "passphrase", "--from-stdin"], input: "correct horse battery")
        try house.command(
            ["vault", "passphrase", "change", "--from-stdin"],
            input: "correct horse battery\nstaple stapled again\n")
        let made = try house.command(["vault", "recovery", "create", "--no-confirm"]).out
        let recovery = made.split(separator: "\n").last.map(String.init) ?? ""
        #expect(try house.command(["vault", "slot", "list"]).out.split(separator: "\n").count == 4)
        // With one.
        try house.start()
        for secret in ["staple stapled again", recovery, try String(contentsOfFile: file, encoding: .utf8)] {
            try house.command(["vault", "lock"])
            try house.command(["vault", "unlock", "--from-stdin"], input: secret)
            #expect(try house.call(token: token, body: House.chat("openai/gpt-6-sol")).status == 200)
        }
        try house.command(["vault", "lock"])
        #expect(
            try house.command(["vault", "unlock", "--from-stdin"], input: "correct horse battery", expect: 1)
                .err.contains("does not open"))
        try house.command(["vault", "unlock", "--recovery", "--from-stdin"], input: recovery)
        let refused = try house.command(["vault", "rotate-kek"], expect: 1).err
        #expect(refused.contains("--drop-others"))
        #expect(
            try house.command(["vault", "rotate-kek", "--drop-others"]).out.contains("it is destroyed"))
        #expect(
            try house.command(["vault", "rotate-dek", "--tenant", "acme"]).out.contains("it is destroyed"))
        #expect(try house.command(["vault", "verify"]).out.contains("all open"))
        #expect(try house.command(["vault", "status"]).out.contains("root version 3"))
        #expect(try house.call(token: token, body: House.chat("openai/gpt-6-sol")).status == 200)
        #expect(try house.command(["audit", "verify"]).out.contains("intact"))
        // What a slot held is in no file any more.
        house.stop(SIGTERM)
        #expect(try house.command(["vault", "verify"]).out.contains("all open"))
    }

    @Test func `verify names the tenant, table and row of what does not open, and exits with 1`() throws {
        let house = try House()
        _ = try house.tenant("acme")
        _ = try house.tenant("beta")
        #expect(try house.command(["vault", "verify"]).out.contains("9 sealed records: all open"))
        let row = try house.damageOneKey()
        let found = try house.command(["vault", "verify"], expect: 1).out
        #expect(found.contains("9 sealed records: 1 do not open"))
        #expect(found.contains("provider_keys.secret \(row): sealed record invalid"))
        let json = try house.command(["vault", "verify", "--json"], expect: 1).out
        let receipt = try JSONSerialization.jsonObject(with: Data(json.utf8)) as? [String: Any]
        #expect((receipt?["details"] as? [String])?.count == 1 && receipt?["isBad"] as? Bool == true)
        // A start says it too, and does not use it.
        #expect(try house.command(["key", "list"]).out.contains("DAMAGED"))
    }
}

extension House {
    /// What the gateway answers to a GET.
    func get(_ path: String) throws -> String {
        try Tool.run("/usr/bin/curl", ["-sS", "http://127.0.0.1:\(port)\(path)"]).out
    }

    /// Turns a bit in one sealed provider key of some tenant; returns the row's id.
    fileprivate func damageOneKey() throws -> String {
        let code = """
            import glob, sqlite3, sys, uuid
            path = sorted(glob.glob(sys.argv[1] + "/tenants/*/tenant.sqlite"))[0]
            base = sqlite3.connect(path)
            row, sealed = base.execute("SELECT id, sealed FROM provider_keys ORDER BY id LIMIT 1").fetchone()
            sealed = bytearray(sealed)
            sealed[140] ^= 4
            base.execute("UPDATE provider_keys SET sealed = ? WHERE id = ?", (bytes(sealed), row))
            base.commit()
            print(uuid.UUID(bytes=row))
            """
        return try Tool.run(try Self.python, ["-c", code, data]).out.trimmingCharacters(
            in: .whitespacesAndNewlines)
    }
}
