import Domain
import Keepers
import Providers

// [vault]: what opens it.
extension Configuration {
    mutating func readVault(_ section: ConfigurationReader) throws(ConfigurationProblem) {
        try section.allow(["unlock", "keyfile", "credential", "variable", "insecure", "pkcs11", "kms"])
        try readToken(section.section("pkcs11"))
        try readKeyService(section.section("kms"))
        let path = try section.string("keyfile")
        let isInsecure = try section.flag("insecure", default: false)
        switch try section.string("unlock") ?? (path == nil ? "passphrase" : "keyfile") {
        case "passphrase":
            guard path == nil else {
                throw section.problem("keyfile", "keyfile goes with unlock = \"keyfile\"")
            }
            unlock = .passphrase
        case "keyfile":
            guard let path, path.hasPrefix("/") else {
                throw section.problem("unlock", "unlock = \"keyfile\" needs keyfile = \"/absolute/path\"")
            }
            unlock = .keyFile(path: path)
        case "credential":
            guard let name = try section.string("credential"), Self.isCredentialName(name) else {
                throw section.problem(
                    "unlock",
                    "unlock = \"credential\" needs credential = \"NAME\", a file's name without a path")
            }
            unlock = .credential(name: name)
        case "environment":
            guard let name = try section.string("variable"), !name.isEmpty else {
                throw section.problem("unlock", "unlock = \"environment\" needs variable = \"NAME\"")
            }
            guard isInsecure else {
                throw section.problem(
                    "unlock",
                    "a passphrase in the environment can be read from outside: use a key file or a "
                        + "credential, or say insecure = true")
            }
            unlock = .environment(variable: name)
        case "pkcs11":
            guard token != nil else {
                throw section.problem("unlock", "unlock = \"pkcs11\" needs a table [vault.pkcs11]")
            }
            unlock = .outside(.token)
        case "kms":
            guard keyService != nil else {
                throw section.problem("unlock", "unlock = \"kms\" needs a table [vault.kms]")
            }
            unlock = .outside(.keyService)
        default:
            throw section.problem(
                "unlock",
                "unlock is \"passphrase\", \"keyfile\", \"credential\", \"environment\", \"pkcs11\" or \"kms\""
            )
        }
    }

    private mutating func readToken(_ section: ConfigurationReader) throws(ConfigurationProblem) {
        try section.allow(["module", "token", "key", "pin_file", "pin_credential"])
        guard !section.table.keys.isEmpty else { return }
        guard let module = try section.string("module"), module.hasPrefix("/") else {
            throw section.problem("module", "[vault.pkcs11] needs module = \"/path/of/the/library.so\"")
        }
        guard let label = try section.string("token"), (1...32).contains(label.utf8.count) else {
            throw section.problem("token", "[vault.pkcs11] needs token = \"LABEL\", of 1 to 32 bytes")
        }
        guard let key = try section.string("key"), (1...255).contains(key.utf8.count) else {
            throw section.problem("key", "[vault.pkcs11] needs key = \"LABEL\" of an AES key on the token")
        }
        token = TokenPlace(module: module, token: label, key: key)
        tokenPIN = try secretPlace("pin_file", "pin_credential", in: section)
    }

    private mutating func readKeyService(
        _ section: ConfigurationReader
    ) throws(ConfigurationProblem) {
        try section.allow([
            "key", "region", "endpoint", "credentials_file", "credential", "profile", "allow_private",
        ])
        guard !section.table.keys.isEmpty else { return }
        // An ARN has 2,048 characters at most.
        guard let key = try section.string("key"), (1...2_048).contains(key.utf8.count),
            key.utf8.allSatisfy({ $0 > 0x20 && $0 < 0x7f })
        else { throw section.problem("key", "[vault.kms] needs key = \"ARN, ID or alias/NAME\"") }
        guard let region = try readWord("region", section, such: "eu-central-1") else {
            throw section.problem("region", "[vault.kms] needs region = \"eu-central-1\" or its like")
        }
        let address = try section.string("endpoint") ?? "https://kms.\(region).amazonaws.com"
        do {
            keyService = KeyServicePlace(base: try BaseURL.parse(address), region: region, key: key)
        } catch {
            throw section.problem("endpoint", "\(error)")
        }
        keyServiceCredential = try secretPlace("credentials_file", "credential", in: section)
        keyServiceIsPrivate = try section.flag("allow_private", default: false)
        guard let profile = try section.string("profile") else { return }
        guard keyServiceCredential != nil, (1...64).contains(profile.utf8.count) else {
            throw section.problem("profile", "profile names a part of the credentials file")
        }
        keyServiceProfile = profile
    }

    private func secretPlace(
        _ file: String, _ credential: String, in section: ConfigurationReader
    ) throws(ConfigurationProblem) -> SecretPlace? {
        switch (try section.string(file), try section.string(credential)) {
        case (nil, nil): return nil
        case (let path?, nil):
            guard path.hasPrefix("/") else { throw section.problem(file, "\(file) is an absolute path") }
            return .file(path)
        case (nil, let name?):
            guard Self.isCredentialName(name) else {
                throw section.problem(credential, "\(credential) is a file's name without a path")
            }
            return .credential(name: name)
        case (.some, .some): throw section.problem(file, "\(file) or \(credential), not both")
        }
    }

    private static func isCredentialName(_ name: String) -> Bool {
        !name.isEmpty && name.utf8.allSatisfy { $0 > 0x20 && $0 < 0x7f && $0 != UInt8(ascii: "/") }
            && !name.utf8.elementsEqual(".".utf8) && !name.utf8.elementsEqual("..".utf8)
    }
}
