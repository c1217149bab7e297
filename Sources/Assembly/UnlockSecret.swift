public import Domain
import Glibc
import Keepers
public import Operations

/// What opens the vault by the configuration, for commands that need it beside an engine.
public enum VaultSecret {
    public static func configured(_ places: Places) throws -> (SlotKind, SecretDraft) {
        let configuration = try Configuration.load(places.config)
        let kind: SlotKind
        switch configuration.unlock {
        case .passphrase, .environment: kind = .passphrase
        case .keyFile, .credential: kind = .keyFile
        case .outside(let outside): kind = outside
        }
        return (kind, try UnlockSecret.obtain(configuration, places))
    }

    /// What a key that is kept outside asks of a person: empty where the configuration says where that lies.
    public static func outside(
        _ kind: SlotKind, _ places: Places, asking: Bool = false, _ ask: (String) throws -> SecretDraft
    ) throws -> SecretDraft {
        let configuration = try Configuration.load(places.config)
        guard kind == .token, asking || configuration.tokenPIN == nil else { return SecretDraft() }
        guard let token = configuration.token else {
            throw CommandFailure("\(places.config) has no table [vault.pkcs11] that says which token")
        }
        return try ask("PIN of token \(token.token): ")
    }
}

/// Gets what opens the vault, as the configuration says.
enum UnlockSecret {
    /// `GATEHOUSE_PASSPHRASE_FD` names an open file descriptor to read the passphrase from, for scripts; a secret
    /// itself is taken from the environment only where the configuration calls that insecure.
    static func obtain(
        _ configuration: Configuration, _ places: Places, needsFolder: Bool = true
    ) throws -> SecretDraft {
        // Nobody should type a passphrase for a folder that is not there.
        guard !needsFolder || access(places.data + "/control.sqlite", F_OK) == 0 else {
            throw CommandFailure("\(places.data) has no vault; run: gatehouse init")
        }
        switch configuration.unlock {
        case .keyFile(let path): return try SecretInput.keyFile(path, outside: places.data)
        case .credential(let name):
            return try SecretInput.credential(
                name, in: Places.variable("CREDENTIALS_DIRECTORY"), outside: places.data)
        case .environment(let variable): return try SecretInput.environment(variable)
        case .outside(let kind):
            return try VaultSecret.outside(kind, places) { try typed($0) }
        case .passphrase: return try typed("passphrase of \(places.data): ")
        }
    }

    static func unlock(
        _ configuration: Configuration, _ places: Places, needsFolder: Bool = true
    ) throws -> GatewayAssembly.Unlock {
        let secret = try obtain(configuration, places, needsFolder: needsFolder)
        if case .outside(let kind) = configuration.unlock { return .outside(kind, pin: secret) }
        return .secret(secret)
    }

    /// From the descriptor that a script names, else from the terminal.
    private static func typed(_ prompt: String) throws -> SecretDraft {
        guard let text = Places.variable("GATEHOUSE_PASSPHRASE_FD") else {
            return try SecretInput.ask(prompt)
        }
        guard let descriptor = Int32(text), descriptor > 2 else {
            throw CommandFailure("GATEHOUSE_PASSPHRASE_FD must be the number of an open descriptor above 2")
        }
        return try SecretInput.line(
            from: descriptor, called: "descriptor \(descriptor) of GATEHOUSE_PASSPHRASE_FD")
    }
}
