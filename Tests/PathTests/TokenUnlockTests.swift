import Foundation
import TestKit
import TestTraits
import Testing

/// A vault that a token's key opens, with the real program and SoftHSM 2.
@Suite(.serialized, .ownThread) struct TokenUnlockTests {
    private static let pin = "4711-pin"

    /// A house whose configuration names a token of its own, with a key on it.
    private func house(unlock: String = "keyfile", pinFile: Bool = true) throws -> House {
        let house = try House()
        let folder = house.folder.path
        try house.makeToken(pin: Self.pin)
        let isWritten = FileManager.default.createFile(
            atPath: folder + "/pin", contents: Data((Self.pin + "\n").utf8),
            attributes: [.posixPermissions: 0o600])
        try #require(isWritten)
        try configure(house, unlock: unlock, pinFile: pinFile)
        return house
    }

    private func configure(_ house: House, unlock: String, pinFile: Bool) throws {
        let folder = house.folder.path
        let text = """
            [listen]
            address = "127.0.0.1:0"
            [vault]
            unlock = "\(unlock)"
            \(unlock == "keyfile" ? "keyfile = \"\(folder)/vault.key\"" : "")
            [vault.pkcs11]
            module = "/usr/lib/softhsm/libsofthsm2.so"
            token = "gatehouse"
            key = "vault"
            \(pinFile ? "pin_file = \"\(folder)/pin\"" : "")
            [[provider]]
            name = "openai"
            base_url = "http://127.0.0.1:\(house.providerPort)/v1"
            [[provider]]
            name = "anthropic"
            base_url = "http://127.0.0.1:\(house.providerPort)/v1"
            """
        try text.write(toFile: house.data + "/gatehouse.toml", atomically: true, encoding: .utf8)
    }

    @Test func `a token opens the vault at start, later, and for commands without an engine`() throws {
        let house = try house()
        let token = try house.tenant("acme")
        #expect(
            try house.command(["vault", "slot", "add", "pkcs11"]).out.contains(
                "opens with this token's key too"))
        let list = try house.command(["vault", "slot", "list"]).out
        #expect(list.contains("pkcs11:token=gatehouse;serial="))
        try configure(house, unlock: "pkcs11", pinFile: true)
        #expect(try house.command(["vault", "verify"]).out.contains("all open"))
        // The key file is needed no more.
        try house.removeKeyFileSlot()
        try house.start()
        #expect(try house.call(token: token, body: House.chat("openai/gpt-6-sol")).status == 200)
        try house.command(["vault", "lock"])
        #expect(try house.call(token: token, body: House.chat("openai/gpt-6-sol")).status == 503)
        try house.command(["vault", "unlock", "--pkcs11"])
        #expect(try house.call(token: token, body: House.chat("openai/gpt-6-sol")).status == 200)
        try house.command(["vault", "lock"])
        let wrong = try house.command(
            ["vault", "unlock", "--pkcs11", "--ask-pin", "--from-stdin"], input: "not-the-pin", expect: 1)
        #expect(wrong.err.contains("the PIN is wrong; some tries are used up"))
        try house.command(["vault", "unlock", "--pkcs11", "--ask-pin", "--from-stdin"], input: Self.pin)
        // The root changes, and the token's new slot opens it.
        try house.command(["vault", "rotate-kek"])
        house.stop(SIGTERM)
        #expect(try house.command(["vault", "verify"]).out.contains("all open"))
        #expect(try house.command(["audit", "verify"]).out.contains("intact"))
        // So does a restore, of all and of one tenant.
        let backup = house.folder.path + "/backup"
        try house.command(["backup", backup])
        #expect(try house.command(["restore", backup, "--verify"]).out.contains("2 sealed keys, 0 damaged"))
        let one = try house.command(["restore", backup, "--tenant", "acme", "--verify"], expect: nil)
        #expect(one.status == 0 && one.out.contains("2 provider keys open"), "\(one)")
        #expect(try house.command(["restore", backup, "--replace"]).out.contains("restored into"))
        #expect(try house.command(["vault", "verify"]).out.contains("all open"))
    }

    @Test func `without its token a start is refused in words, and without a PIN it is sealed`() throws {
        let house = try house()
        try house.command(["vault", "slot", "add", "pkcs11"])
        try configure(house, unlock: "pkcs11", pinFile: false)
        try house.start()
        #expect(try house.get("/health/ready").contains("the vault is sealed"))
        #expect(
            try house.command(["vault", "unlock", "--pkcs11", "--from-stdin"], input: Self.pin).out.contains(
                "the vault is unlocked"))
        house.stop(SIGTERM)
        try configure(house, unlock: "pkcs11", pinFile: true)
        try FileManager.default.removeItem(atPath: house.folder.path + "/tokens")
        try FileManager.default.createDirectory(
            atPath: house.folder.path + "/tokens", withIntermediateDirectories: false)
        let refused = try house.command(["vault", "verify"], expect: 1).err
        #expect(
            refused.contains("there is no token \"gatehouse\"") && refused.contains("Nothing was changed"))
    }
}
