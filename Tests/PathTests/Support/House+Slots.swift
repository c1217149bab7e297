import Foundation
import TestKit
import Testing

extension House {
    /// A token of SoftHSM 2 in this house alone, with a key that may open the vault.
    func makeToken(pin: String) throws {
        let folder = folder.path
        try FileManager.default.createDirectory(
            atPath: folder + "/tokens", withIntermediateDirectories: false)
        try "directories.tokendir = \(folder)/tokens\nobjectstore.backend = file\nlog.level = ERROR\n".write(
            toFile: folder + "/softhsm2.conf", atomically: true, encoding: .utf8)
        environment["SOFTHSM2_CONF"] = folder + "/softhsm2.conf"
        try Tool.run(
            "/usr/bin/softhsm2-util",
            ["--init-token", "--free", "--label", "gatehouse", "--so-pin", "so-pin-1", "--pin", pin],
            environment: environment)
        try Tool.run(
            "/usr/bin/pkcs11-tool",
            [
                "--module", "/usr/lib/softhsm/libsofthsm2.so", "--token-label", "gatehouse", "--login",
                "--pin",
                pin, "--keygen", "--key-type", "AES:32", "--sensitive", "--label", "vault",
            ], environment: environment)
    }

    /// From here on the other slots alone open the vault.
    func removeKeyFileSlot() throws {
        let list = try command(["vault", "slot", "list"]).out
        let file = try #require(list.split(separator: "\n").first { $0.hasPrefix("keyfile") })
        let id = try #require(file.split(separator: " ").first { $0.count == 36 })
        try command(["vault", "slot", "remove", String(id)])
    }
}
