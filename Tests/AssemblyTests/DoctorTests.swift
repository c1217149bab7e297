import Console
import Foundation
import GRDB
import Glibc
import Logging
import NIOCore
import NIOPosix
import SQLiteStorage
import Testing

@testable import Assembly
@testable import Cipher

/// Every check of the doctor, well and ill.
@Suite struct DoctorTests {
    private let folder: TemporaryFolder
    private let places: Places

    init() throws {
        folder = try TemporaryFolder()
        places = try Places(data: folder.path + "/data", config: nil)
    }

    private func make() async throws {
        try await Launcher.makeFolder(places, keyFile: folder.path + "/key", passphraseFromStdin: false)
    }

    private func configure(_ text: String) throws -> Places {
        let path = folder.path + "/g.toml"
        try Data(text.utf8).write(to: URL(filePath: path))
        return try Places(data: places.data, config: path)
    }

    @Test func `all checks are made, each once`() async throws {
        try await make()
        let findings = await Doctor.examine(places)
        #expect(
            findings.map(\.check)
                == [
                    "memory for keys", "process", "configuration", "data folder", "audit", "themes",
                    "terminal",
                ])
        #expect(findings.allSatisfy { !$0.what.isEmpty })
        let text = try Output.jsonText(findings)
        #expect(try JSONDecoder().decode([Doctor.Finding].self, from: Data(text.utf8)).count == 7)
    }

    @Test func `memory`() {
        #expect(Doctor.memory({}).state == .good)
        let bad = Doctor.memory { () throws(CipherFailure) in throw .hardening("mlock") }
        #expect(bad.state == .bad && bad.what.contains("mlock"))
    }

    @Test func `process`() {
        func state(dumpable: Bool, core: UInt64?) -> ProcessHardening.State {
            .init(dumpable: dumpable, coreByteLimit: core, lockedByteLimit: nil, backtracerMayRun: false)
        }
        #expect(Doctor.hardening(state(dumpable: false, core: 0)).state == .good)
        for bad in [
            state(dumpable: true, core: 0), state(dumpable: false, core: 1),
            state(dumpable: false, core: nil),
        ] {
            let finding = Doctor.hardening(bad)
            #expect(finding.state == .bad && finding.what.contains("keys could be read"))
        }
    }

    @Test func `configuration`() throws {
        let none = Doctor.configuration(places)
        #expect(none.state == .good && none.what == "no file, defaults: 9 providers, 0 routes")
        let good = try configure("[[route]]\nmodel = \"m\"\ntargets = [\"openai/x\"]\n")
        #expect(Doctor.configuration(good).what == "\(good.config): 9 providers, 1 routes")
        let bad = Doctor.configuration(try configure("\n[cahce]\n"))
        #expect(bad.state == .bad && bad.what.contains("g.toml:2: ") && bad.what.contains("\"cache\""))
    }

    @Test func `a data folder that is not there yet, and one without a vault`() async throws {
        let absent = await Doctor.folder(places)
        #expect(absent.state == .note && absent.what.contains("gatehouse init"))
        try SQLiteControlStore(in: try DataFolder(at: places.data), hashing: { SHA256.digest($0) }).close()
        let empty = await Doctor.folder(places)
        #expect(empty.state == .note && empty.what.contains("no vault yet: run gatehouse init"))
    }

    @Test func `a sound data folder`() async throws {
        try await make()
        let finding = await Doctor.folder(places)
        #expect(finding.state == .good, "\(finding.what)")
        #expect(finding.what == "\(places.data): 0 tenants, 1 audit records, chain intact")
    }

    @Test func `a data folder whose audit was changed`() async throws {
        try await make()
        try await DatabaseQueue(path: places.data + "/control.sqlite").writeWithoutTransaction {
            try $0.execute(sql: "UPDATE audit SET actor = 'nobody' WHERE sequence = 1")
        }
        let finding = await Doctor.folder(places)
        #expect(finding.state == .bad && finding.what.contains("gatehouse audit verify"), "\(finding.what)")
    }

    @Test func `a data folder that others may enter, and one whose lock is held`() async throws {
        try await make()
        #expect(chmod(places.data, 0o755) == 0)
        let open = await Doctor.folder(places)
        #expect(open.state == .bad && open.what.contains(places.data), "\(open.what)")
        #expect(chmod(places.data, 0o700) == 0)
        let lock = try FolderLock(try DataFolder(at: places.data, creating: false))
        let held = await Doctor.folder(places)
        #expect(held.state == .bad && held.what.contains("process \(getpid())"), "\(held.what)")
        withExtendedLifetime(lock) {}
    }

    @Test func `a data folder with an engine on it`() async throws {
        try await make()
        let group = MultiThreadedEventLoopGroup(numberOfThreads: 1)
        let socket = try await EngineSocket.open(
            path: places.socket, port: RecordingPort(), group: group, log: Logger(label: "test"))
        let finding = await Doctor.folder(places)
        #expect(finding.state == .good && finding.what.contains("an engine runs on it"))
        await socket.close()
        try await group.shutdownGracefully()
    }

    @Test func `themes`() {
        let library = ThemeLibrary(files: [])
        #expect(Doctor.themes(library).state == (library.problems.isEmpty ? .good : .bad))
        let bad = Doctor.themes(ThemeLibrary(files: [(path: "/t/bad.theme", text: "no theme at all")]))
        #expect(bad.state == .bad && bad.what.contains("bad.theme"), "\(bad.what)")
    }

    @Test func `terminal`() {
        let good = Doctor.terminal(isTerminal: true, name: "xterm")
        #expect(good.state == .good && good.what == "TERM=xterm")
        #expect(Doctor.terminal(isTerminal: false, name: "xterm").state == .note)
        #expect(Doctor.terminal(isTerminal: true, name: nil).state == .note)
    }
}
