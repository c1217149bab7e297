import Cipher
import Keepers
import Operations
import Vault

/// What keeps slot keys outside, as the configuration names it. Nothing is asked or loaded before it is used.
enum KeeperList {
    static func make(_ configuration: Configuration, _ places: Places) -> [any KeyKeeper] {
        var keepers: [any KeyKeeper] = []
        if let place = configuration.token {
            guard let pin = configuration.tokenPIN else { return [TokenKeeper(place)] }
            keepers.append(
                TokenKeeper(place) { () throws(KeeperFailure) in
                    do { return try read(pin, places) } catch { throw .refused("\(error)") }
                })
        }
        return keepers
    }

    private static func read(_ place: Configuration.PINPlace, _ places: Places) throws -> KeeperPIN {
        let draft =
            switch place {
            case .file(let path):
                try SecretInput.file(path, outside: places.data, called: "the PIN's file", firstLine: true)
            case .credential(let name):
                try SecretInput.credential(
                    name, in: Places.variable("CREDENTIALS_DIRECTORY"), outside: places.data,
                    firstLine: true)
            }
        return KeeperPIN(
            try draft.withBytes { (bytes) throws(CipherFailure) in try SecretBytes(copying: bytes) })
    }
}
