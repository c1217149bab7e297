import Glibc
public import Operations
import Terminal

/// Where commands get secrets from: a prompt without echo, standard input, or a key file.
public enum SecretInput {
    /// Asks on the terminal.
    public static func ask(_ prompt: String) throws -> SecretDraft {
        do {
            return try SecretPrompt.ask(prompt)
        } catch {
            throw CommandFailure(
                "\(error); without a terminal a key comes by --from-stdin, and the vault's passphrase by a file descriptor that GATEHOUSE_PASSPHRASE_FD names, or a key file opens the vault",
                code: 3)
        }
    }

    /// Reads standard input up to its end, or its first line.
    public static func fromStandardInput() throws -> SecretDraft {
        try line(from: 0, called: "standard input")
    }

    /// Reads an open descriptor up to its end, or its first line; never a part of a longer secret.
    static func line(from descriptor: Int32, called source: String) throws -> SecretDraft {
        try read(descriptor, called: source, firstLine: true)
    }

    private static func read(
        _ descriptor: Int32, called source: String, firstLine: Bool
    ) throws -> SecretDraft {
        let draft = SecretDraft()
        var byte: UInt8 = 0
        defer { byte = 0 }
        while true {
            let count = Glibc.read(descriptor, &byte, 1)
            if count < 0, errno == EINTR { continue }
            guard count >= 0 else { throw CommandFailure("\(source) cannot be read") }
            guard count == 1, !(firstLine && byte == UInt8(ascii: "\n")) else { break }
            guard draft.append(byte) else {
                throw CommandFailure("the secret on \(source) is longer than \(SecretDraft.longest) bytes")
            }
        }
        guard !draft.isEmpty else {
            throw CommandFailure("\(source) is empty; a secret was expected there")
        }
        return draft
    }

    /// Reads a key file: an absolute path outside the data folder, readable by its owner alone.
    public static func keyFile(_ path: String, outside folder: String) throws -> SecretDraft {
        try file(path, outside: folder, called: "the key file", firstLine: false)
    }

    /// Reads a file that is its owner's alone, whole or its first line.
    static func file(
        _ path: String, outside folder: String, called what: String, firstLine: Bool
    ) throws -> SecretDraft {
        guard path.hasPrefix("/"), !path.utf8.starts(with: (folder + "/").utf8) else {
            throw CommandFailure(
                "\(what) must be an absolute path outside \(folder): it would lie beside its lock")
        }
        let descriptor = open(path, O_RDONLY | O_CLOEXEC | O_NOFOLLOW)
        guard descriptor >= 0 else {
            throw CommandFailure("\(what) \(path) cannot be opened (no link is followed)")
        }
        defer { close(descriptor) }
        var facts = stat()
        guard fstat(descriptor, &facts) == 0, facts.st_mode & 0o077 == 0 else {
            throw CommandFailure("\(what) \(path) is open to others; run: chmod 600 \(path)")
        }
        return try read(descriptor, called: "\(what) \(path)", firstLine: firstLine)
    }

    /// Reads a credential that systemd laid out for this service.
    static func credential(
        _ name: String, in folder: String?, outside data: String, firstLine: Bool = false
    ) throws -> SecretDraft {
        guard let folder, folder.hasPrefix("/") else {
            throw CommandFailure(
                "$CREDENTIALS_DIRECTORY is not set: the unit needs LoadCredential=\(name):/path, or run it by systemd"
            )
        }
        let path = folder + "/" + name
        guard !path.utf8.starts(with: (data + "/").utf8) else {
            throw CommandFailure("the credential \(path) lies in the data folder, beside its lock")
        }
        let descriptor = open(path, O_RDONLY | O_CLOEXEC | O_NOFOLLOW)
        guard descriptor >= 0 else { throw CommandFailure("the credential \(path) cannot be opened") }
        defer { close(descriptor) }
        var facts = stat()
        // systemd leaves it to root and lets a service's user in by an access list, which shows as the group's right.
        guard fstat(descriptor, &facts) == 0,
            facts.st_mode & (facts.st_uid == 0 ? 0o027 : 0o077) == 0
        else { throw CommandFailure("the credential \(path) is open to others") }
        return try read(descriptor, called: "the credential \(path)", firstLine: firstLine)
    }

    /// Takes a passphrase out of the environment, where it does not stay for children.
    static func environment(_ variable: String) throws -> SecretDraft {
        guard let value = getenv(variable), value.pointee != 0 else {
            throw CommandFailure("the variable \(variable) is not set; it has to hold the vault's passphrase")
        }
        let length = strlen(value)
        guard length <= SecretDraft.longest else {
            throw CommandFailure("the secret in \(variable) is longer than \(SecretDraft.longest) bytes")
        }
        let draft = SecretDraft(copying: UnsafeRawBufferPointer(start: value, count: length))
        explicit_bzero(value, length)
        unsetenv(variable)
        complain(variable)
        return draft
    }

    private static func complain(_ variable: String) {
        Output.complain(
            "warning: the vault's passphrase came from the variable \(variable); others can read it there")
    }

    /// Makes a key file where one may lie.
    public static func makeKeyFile(_ path: String, outside folder: String) throws {
        guard path.hasPrefix("/"), !path.utf8.starts(with: (folder + "/").utf8) else {
            throw CommandFailure(
                "the key file must be an absolute path outside \(folder): it would lie beside its lock")
        }
        try makeKeyFile(path)
    }

    /// Makes a key file of 64 random hexadecimal digits, unless there is one.
    public static func makeKeyFile(_ path: String) throws {
        let descriptor = open(path, O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, 0o600)
        if descriptor < 0, errno == EEXIST { return }
        guard descriptor >= 0 else { throw CommandFailure("the key file \(path) cannot be made") }
        defer { close(descriptor) }
        var generator = SystemRandomNumberGenerator()
        for _ in 0..<4 {
            var text = String(generator.next(), radix: 16)
            while text.utf8.count < 16 { text = "0" + text }
            guard write(descriptor, text, 16) == 16 else {
                throw CommandFailure("the key file \(path) cannot be written")
            }
        }
        fsync(descriptor)
    }
}
