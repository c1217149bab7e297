import Cipher
import Domain
import Foundation
import Keepers
import Providers
import TestKit
import Vault

/// A key service on loopback: moto in server mode, see `Scripts/kms.py`.
final class PlayedKeyService {
    private let folder: TemporaryFolder
    private let server: Child
    let port: Int
    let first: String
    let second: String
    let credential: String

    init() throws {
        let folder = try TemporaryFolder()
        let said = folder.path + "/said"
        guard let script = Bundle.module.path(forResource: "Scripts/kms", ofType: "py") else {
            throw Tool.Failure(description: "no script kms.py")
        }
        let server = try Child(try TestPython.path, [script], output: said, error: folder.path + "/errors")
        var words: [String] = []
        do {
            try waitUntil("the key service says where it is", seconds: 120) {
                let text = (try? String(contentsOfFile: said, encoding: .utf8)) ?? ""
                guard server.status == nil else {
                    let why = try String(contentsOfFile: folder.path + "/errors", encoding: .utf8)
                    throw Tool.Failure(description: "the key service ended: \(why.suffix(500))")
                }
                words = text.split(whereSeparator: \.isWhitespace).map(String.init)
                return words.count == 5
            }
        } catch {
            server.end(SIGKILL)
            throw error
        }
        self.folder = folder
        self.server = server
        port = Int(words[0]) ?? 0
        (first, second) = (words[1], words[2])
        credential = "\(words[3]):\(words[4])"
    }

    deinit { server.end(SIGKILL) }

    func stop() { server.end(SIGKILL) }

    func keeper(key: String = "alias/gatehouse", credential: String? = nil) throws -> KeyServiceKeeper {
        let used = credential ?? self.credential
        return KeyServiceKeeper(
            KeyServicePlace(
                base: try BaseURL.parse("http://127.0.0.1:\(port)"), region: "eu-central-1", key: key),
            trust: .system, rule: AddressRule(),
            credential: { () throws(KeeperFailure) in
                do { return try secret(used) } catch { throw .refused("\(error)") }
            },
            now: {
                WallTime(milliseconds: Int64(Date().timeIntervalSince1970 * 1_000))
            })
    }
}
