import Domain
import Keepers

// [vault]: what opens it.
extension Configuration {
    mutating func readVault(_ section: ConfigurationReader) throws(ConfigurationProblem) {
        try section.allow(["unlock", "keyfile", "credential", "variable", "insecure", "pkcs11"])
        try readToken(section.section("pkcs11"))
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
        default:
            throw section.problem(
                "unlock",
                "unlock is \"passphrase\", \"keyfile\", \"credential\", \"environment\" or \"pkcs11\"")
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
        switch (try section.string("pin_file"), try section.string("pin_credential")) {
        case (nil, nil): break
        case (let path?, nil):
            guard path.hasPrefix("/") else {
                throw section.problem("pin_file", "pin_file is an absolute path")
            }
            tokenPIN = .file(path)
        case (nil, let name?):
            guard Self.isCredentialName(name) else {
                throw section.problem("pin_credential", "pin_credential is a file's name without a path")
            }
            tokenPIN = .credential(name: name)
        case (.some, .some):
            throw section.problem("pin_file", "pin_file or pin_credential, not both")
        }
    }

    private static func isCredentialName(_ name: String) -> Bool {
        !name.isEmpty && name.utf8.allSatisfy { $0 > 0x20 && $0 < 0x7f && $0 != UInt8(ascii: "/") }
            && !name.utf8.elementsEqual(".".utf8) && !name.utf8.elementsEqual("..".utf8)
    }
}
