import Foundation
import Glibc
import Operations
import Testing

@testable import Assembly

/// Secrets from descriptors and key files: taken whole, bounded, or refused.
@Suite struct SecretInputTests {
    private let folder: TemporaryFolder

    init() throws { folder = try TemporaryFolder() }

    /// Reads from a pipe that holds the bytes (it takes 64 KiB without a reader) and is closed behind them.
    private func read(_ bytes: [UInt8]) throws -> [UInt8] {
        var ends: [Int32] = [0, 0]
        try #require(pipe(&ends) == 0)
        defer { close(ends[0]) }
        let count = bytes.withUnsafeBytes { write(ends[1], $0.baseAddress, $0.count) }
        close(ends[1])
        try #require(count == bytes.count)
        return try SecretInput.line(from: ends[0], called: "the pipe").withBytes { Array($0) }
    }

    private func keyFile(_ bytes: [UInt8], mode: mode_t = 0o600) throws -> String {
        let path = folder.path + "/key"
        try Data(bytes).write(to: URL(filePath: path))
        try #require(chmod(path, mode) == 0)
        return path
    }

    private func failure(_ path: String, outside: String = "/data") -> String {
        let failure = #expect(throws: CommandFailure.self) {
            _ = try SecretInput.keyFile(path, outside: outside)
        }
        return failure?.message ?? ""
    }

    @Test func `a descriptor is read up to its first line's end, or its own`() throws {
        #expect(try read(Array("secret\nrest".utf8)) == Array("secret".utf8))
        #expect(try read(Array("secret".utf8)) == Array("secret".utf8))
        #expect(try read([0, 255, 32, 10]) == [0, 255, 32])
        let longest = [UInt8](repeating: 120, count: SecretDraft.longest)
        #expect(try read(longest) == longest)
        #expect(try read(longest + [10]) == longest)
    }

    @Test func `a secret over the bound is refused, never cut`() throws {
        let failure = #expect(throws: CommandFailure.self) {
            _ = try read([UInt8](repeating: 120, count: SecretDraft.longest + 1))
        }
        #expect(failure?.message == "the secret on the pipe is longer than 4096 bytes")
    }

    @Test func `an empty or unreadable descriptor is refused by name`() throws {
        for bytes in [[], [10], [10, 120]] as [[UInt8]] {
            let failure = #expect(throws: CommandFailure.self) { _ = try read(bytes) }
            #expect(failure?.message.contains("the pipe is empty") == true)
        }
        let failure = #expect(throws: CommandFailure.self) {
            _ = try SecretInput.line(from: 1_000_000, called: "descriptor 1000000")
        }
        #expect(failure?.message.contains("descriptor 1000000 cannot be read") == true)
    }

    @Test func `a key file is read whole`() throws {
        let bytes = Array("line\nline\n".utf8)
        let draft = try SecretInput.keyFile(try keyFile(bytes), outside: "/data")
        #expect(draft.withBytes { Array($0) } == bytes)
        let longest = [UInt8](repeating: 7, count: SecretDraft.longest)
        let most = try SecretInput.keyFile(try keyFile(longest, mode: 0o400), outside: "/data")
        #expect(most.count == SecretDraft.longest)
    }

    @Test func `a key file that others may read, or that is no file of ours, is refused`() throws {
        for mode in [0o640, 0o604, 0o620, 0o601] as [mode_t] {
            #expect(failure(try keyFile([1], mode: mode)).contains("chmod 600"), "\(mode)")
        }
        let path = try keyFile([1])
        #expect(failure("relative").contains("absolute path"))
        #expect(failure(path, outside: folder.path).contains("outside \(folder.path)"))
        #expect(failure(path + "2").contains("cannot be opened"))
        #expect(symlink(path, path + "-link") == 0)
        #expect(failure(path + "-link").contains("no link is followed"))
        #expect(throws: Never.self) { _ = try SecretInput.keyFile(path, outside: folder.path + "/ke") }
    }

    @Test func `an empty key file, a folder or one over the bound is refused`() throws {
        #expect(failure(try keyFile([])).contains("empty"))
        let long = [UInt8](repeating: 7, count: SecretDraft.longest + 1)
        #expect(failure(try keyFile(long)).contains("longer than 4096 bytes"))
        let inner = folder.path + "/folder"
        #expect(mkdir(inner, 0o700) == 0)
        #expect(failure(inner).contains("cannot be read"))
    }

    @Test func `a data folder named with a slash at its end keeps key files out as well`() throws {
        let path = try keyFile([1])
        let places = try Places(data: folder.path + "/", config: nil)
        #expect(failure(path, outside: places.data).contains("outside"))
    }

    @Test func `a key file that is made has 64 digits, its owner's mode, and is never written again`() throws
    {
        let path = folder.path + "/made"
        try SecretInput.makeKeyFile(path)
        #expect(TemporaryFolder.mode(path) == 0o600)
        let first = try Data(contentsOf: URL(filePath: path))
        let digits = Set("0123456789abcdef".utf8)
        #expect(first.count == 64 && first.allSatisfy(digits.contains))
        try SecretInput.makeKeyFile(path)
        #expect(try Data(contentsOf: URL(filePath: path)) == first)
        try SecretInput.makeKeyFile(path + "2")
        #expect(try Data(contentsOf: URL(filePath: path + "2")) != first)
        #expect(throws: CommandFailure.self) { try SecretInput.makeKeyFile(folder.path + "/none/key") }
    }

    private static let hasTerminal: Bool = {
        let terminal = open("/dev/tty", O_RDWR | O_CLOEXEC | O_NOCTTY)
        if terminal >= 0 { close(terminal) }
        return terminal >= 0
    }()

    @Test(.disabled(if: hasTerminal, "a terminal is there: the prompt would wait on it"))
    func `without a terminal the prompt is refused with another way`() {
        let failure = #expect(throws: CommandFailure.self) { _ = try SecretInput.ask("passphrase: ") }
        #expect(failure?.message.contains("no terminal") == true)
        #expect(failure?.message.contains("--from-stdin") == true)
        #expect(failure?.code == 3)
    }

    @Test func `a credential is read from systemd's folder alone, and only while it is closed to others`()
        throws
    {
        let key = Array("0123456789abcdef0123456789abcdef".utf8)
        _ = try keyFile(key)
        let read = try SecretInput.credential("key", in: folder.path, outside: "/data")
        #expect(read.withBytes { Array($0) } == key)
        func failure(_ folder: String?, outside: String = "/data") -> String {
            let failure = #expect(throws: CommandFailure.self) {
                _ = try SecretInput.credential("key", in: folder, outside: outside)
            }
            return failure?.message ?? ""
        }
        #expect(failure(nil).contains("LoadCredential=key"))
        #expect(failure("relative").contains("CREDENTIALS_DIRECTORY"))
        #expect(failure(folder.path + "/none").contains("cannot be opened"))
        #expect(failure(folder.path, outside: folder.path).contains("beside its lock"))
        for mode in [0o604, 0o620, 0o602] as [mode_t] {
            _ = try keyFile(key, mode: mode)
            #expect(failure(folder.path).contains("open to others"), "\(mode)")
        }
    }

    @Test func `a passphrase in the environment is taken out of it`() throws {
        let name = "GATEHOUSE_TEST_\(UInt32.random(in: 0 ... .max))"
        setenv(name, "correct horse battery", 1)
        let draft = try SecretInput.environment(name)
        #expect(draft.withBytes { String(decoding: $0, as: UTF8.self) } == "correct horse battery")
        #expect(getenv(name) == nil)
        #expect(throws: CommandFailure.self) { _ = try SecretInput.environment(name) }
    }
}
