import Cipher
import Domain
import Keepers
import Operations
import Providers
import Vault

/// What keeps slot keys outside, as the configuration names it. Nothing is asked or loaded before it is used.
enum KeeperList {
    static func make(_ configuration: Configuration, _ places: Places) -> [any KeyKeeper] {
        var keepers: [any KeyKeeper] = []
        if let token = configuration.token { keepers.append(keeper(token, configuration.tokenPIN, places)) }
        if let service = configuration.keyService {
            keepers.append(keeper(service, configuration, places))
        }
        return keepers
    }

    private static func keeper(
        _ token: TokenPlace, _ pin: Configuration.SecretPlace?, _ places: Places
    ) -> TokenKeeper {
        guard let pin else { return TokenKeeper(token) }
        return TokenKeeper(token) { () throws(KeeperFailure) in
            do {
                let draft = try read(pin, places, called: "the PIN's file", firstLine: true)
                return KeeperPIN(
                    try draft.withBytes { (bytes) throws(CipherFailure) in try SecretBytes(copying: bytes) })
            } catch {
                throw .refused("\(error)")
            }
        }
    }

    private static func keeper(
        _ service: KeyServicePlace, _ configuration: Configuration, _ places: Places
    ) -> KeyServiceKeeper {
        let (source, profile) = (configuration.keyServiceCredential, configuration.keyServiceProfile)
        return KeyServiceKeeper(
            service, trust: configuration.trust,
            rule: configuration.keyServiceIsPrivate
                ? Configuration.rule(allowing: [service.base.origin.host]) : AddressRule(),
            credential: { () throws(KeeperFailure) in
                do {
                    guard let source else { return try AWSCredentials.environment() }
                    let what = "the credentials file"
                    let draft = try read(source, places, called: what, firstLine: false)
                    return try AWSCredentials.profile(profile, of: draft, called: what)
                } catch {
                    throw .refused("\(error)")
                }
            }, now: { SystemClock().wall })
    }

    private static func read(
        _ place: Configuration.SecretPlace, _ places: Places, called what: String, firstLine: Bool
    ) throws -> SecretDraft {
        switch place {
        case .file(let path):
            try SecretInput.file(path, outside: places.data, called: what, firstLine: firstLine)
        case .credential(let name):
            try SecretInput.credential(
                name, in: Places.variable("CREDENTIALS_DIRECTORY"), outside: places.data,
                firstLine: firstLine)
        }
    }
}
