import Foundation
import TestKit
import Testing

/// Everything that opens the vault, and everything in it that changes.
extension MarkedHouse {
    private var keyFile: String { house.folder.path + "/vault.key" }

    func configure(unlock: String = "unlock = \"keyfile\"") throws {
        let text = """
            [listen]
            address = "127.0.0.1:0"
            [audit]
            checkpoints = "\(outside)/checkpoints"
            [vault]
            \(unlock)
            \(unlock.contains("keyfile") ? "keyfile = \"\(keyFile)\"" : "")
            [vault.pkcs11]
            module = "/usr/lib/softhsm/libsofthsm2.so"
            token = "gatehouse"
            key = "vault"
            [vault.kms]
            key = "alias/gatehouse"
            region = "eu-central-1"
            endpoint = "http://127.0.0.1:\(service.port)"
            credentials_file = "\(house.folder.path)/aws"
            [[provider]]
            name = "openai"
            base_url = "http://127.0.0.1:\(house.providerPort)/v1"
            [[provider]]
            name = "anthropic"
            base_url = "http://127.0.0.1:\(house.providerPort)/v1"
            [[route]]
            model = "failover"
            targets = ["openai/fail-500", "openai/gpt-6-sol"]
            [breaker]
            minimum_calls = 10000
            consecutive_failures = 1000
            """
        try text.write(toFile: house.data + "/gatehouse.toml", atomically: true, encoding: .utf8)
    }

    /// A token with a marked PIN, and a key service with a key of its own making.
    func outsideKeys() throws {
        try house.makeToken(pin: text("PIN"))
    }

    /// Before an engine runs: each way to open the vault, tenants, keys.
    func furnish() throws {
        try give("passphrase", to: ["vault", "slot", "add", "passphrase"])
        try house.command(["vault", "recovery", "create", "--no-confirm"])
        try give("PIN", to: ["vault", "slot", "add", "pkcs11"])
        try give("wrong PIN", to: ["vault", "slot", "add", "pkcs11"], expect: 1)
        try house.command(["vault", "slot", "add", "kms"])
        for name in ["acme", "beta"] { try house.command(["tenant", "add", name]) }
        try give("first", to: ["key", "add", "acme", "openai"])
        try give("anthropic", to: ["key", "add", "acme", "anthropic"])
        try give("other tenant's", to: ["key", "add", "beta", "openai"])
        try give("refused", to: ["key", "add", "acme", "openai", "--label", "bad"], expect: 1)
        tokens = [
            try house.token("acme", ["--user", "ana", "--team", "search"]), try house.token("beta"),
        ]
    }

    /// Every rotation, with an engine running.
    func rotate() throws {
        let first = try id(["key", "list"], "label", "main")
        try give("second", to: ["key", "rotate", first, "--now"])
        try house.command(["key", "undo", first])
        try give("refused", to: ["key", "rotate", first], expect: 1)
        try give("third", to: ["key", "add", "acme", "openai", "--label", "more"])
        let more = try id(["key", "list"], "label", "more")
        try house.command(["key", "verify", more])
        try house.command(["key", "drain", more, "--for", "1m", "--reason", "test"])
        let token = try id(["token", "list"], "name", "default")
        try house.command(["token", "rotate", token])
        let spare = try house.token("acme", ["--name", "spare"])
        #expect(spare.hasPrefix("gth_"))
        try house.command([
            "token", "revoke", try id(["token", "list"], "name", "spare"), "--reason", "test",
        ])
        try house.command(["vault", "rotate-dek"])
        try give(
            "passphrase",
            to: ["vault", "rotate-kek", "--keyfile", keyFile, "--passphrase", "--kms", "--drop-others"])
        try give("passphrase", "passphrase after", to: ["vault", "passphrase", "change"])
        try house.command(["vault", "verify"])
    }

    /// Locked, and opened by each way there is, and by what does not open it.
    func lockAndUnlock() throws {
        func lock() throws { try house.command(["vault", "lock", "--reason", "test"]) }
        let (keys, more) = (
            try house.command(["vault", "recovery", "create", "--no-confirm"]).out, ["vault", "unlock"]
        )
        let recovery = String(keys.split(separator: "\n").last ?? "")
        try give("PIN", to: ["vault", "slot", "add", "pkcs11"])
        try lock()
        for wrong in ["wrong passphrase", "first"] {
            try give(wrong, to: more, expect: 1)
        }
        try give("wrong PIN", to: more + ["--pkcs11"], expect: 1)
        let said = try house.call(
            token: text("unknown"), body: House.chat("openai/gpt-6-sol", text("prompt")))
        answered(said.head + said.body, "a sealed vault's")
        try give("passphrase after", to: more)
        try lock()
        try give("PIN", to: more + ["--pkcs11"])
        try lock()
        try house.command(more + ["--kms"])
        try lock()
        try give("first", to: more + ["--recovery"], expect: 1)
        try house.command(more + ["--recovery", "--from-stdin"], input: recovery)
    }
}
