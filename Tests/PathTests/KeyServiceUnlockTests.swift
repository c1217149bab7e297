import Foundation
import TestKit
import TestTraits
import Testing

/// A vault that a key of a key service opens, with the real program and moto as the service.
@Suite(.serialized, .ownThread) struct KeyServiceUnlockTests {
    /// The configuration of a house, with the service's key in it.
    private func configure(_ house: House, _ service: KeyService, unlock: String = "kms") throws {
        let keyFile = unlock == "keyfile" ? "keyfile = \"\(house.folder.path)/vault.key\"" : ""
        let text = """
            [listen]
            address = "127.0.0.1:0"
            [vault]
            unlock = "\(unlock)"
            \(keyFile)
            [vault.kms]
            key = "alias/gatehouse"
            region = "eu-central-1"
            endpoint = "http://127.0.0.1:\(service.port)"
            [[provider]]
            name = "openai"
            base_url = "http://127.0.0.1:\(house.providerPort)/v1"
            [[provider]]
            name = "anthropic"
            base_url = "http://127.0.0.1:\(house.providerPort)/v1"
            """
        try text.write(toFile: house.data + "/gatehouse.toml", atomically: true, encoding: .utf8)
    }

    @Test func `a key service opens the vault at start, later, for commands and for a restore`() throws {
        let service = try KeyService()
        let house = try House()
        house.environment = [
            "AWS_ACCESS_KEY_ID": service.accessKey.id, "AWS_SECRET_ACCESS_KEY": service.accessKey.secret,
        ]
        try configure(house, service, unlock: "keyfile")
        let token = try house.tenant("acme")
        try house.command(["vault", "slot", "add", "kms"])
        try configure(house, service)
        let list = try house.command(["vault", "slot", "list"]).out
        #expect(list.contains(service.first))
        try house.removeKeyFileSlot()
        try house.start()
        #expect(try house.call(token: token, body: House.chat("openai/gpt-6-sol")).status == 200)
        try house.command(["vault", "lock"])
        #expect(try house.call(token: token, body: House.chat("openai/gpt-6-sol")).status == 503)
        try house.command(["vault", "unlock", "--kms"])
        #expect(try house.call(token: token, body: House.chat("openai/gpt-6-sol")).status == 200)
        let backup = house.folder.path + "/backup"
        try house.command(["backup", backup])
        house.stop(SIGTERM)
        #expect(try house.command(["restore", backup, "--verify"]).out.contains("2 sealed keys, 0 damaged"))
        #expect(try house.command(["restore", backup, "--replace"]).out.contains("restored into"))
        #expect(try house.command(["vault", "verify"]).out.contains("all open"))
        // Without the service a start says so, and nothing is lost.
        service.stop()
        let refused = try house.command(["vault", "verify"], expect: 1).err
        #expect(refused.contains("Nothing was changed"))
    }
}
