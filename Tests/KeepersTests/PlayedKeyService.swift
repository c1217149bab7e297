import Cipher
import Domain
import Foundation
import Keepers
import Providers
import TestKit
import Vault

/// A key service on loopback, and keepers that ask it.
final class PlayedKeyService {
    private let service: KeyService
    var port: Int { service.port }
    var first: String { service.first }
    var second: String { service.second }
    var credential: String { "\(service.accessKey.id):\(service.accessKey.secret)" }

    init() throws { service = try KeyService() }

    func stop() { service.stop() }

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
