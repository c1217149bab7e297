import Domain
import Engine
import Foundation
import Logging
import Operations
import SQLiteStorage
import Testing

@testable import Assembly

/// One data folder has one engine, and an engine in operation takes no bad configuration.
@Suite struct SecondEngineTests {
    private let folder: TemporaryFolder
    private let places: Places
    private let log = Logger(label: "test") { _ in SwiftLogNoOpLogHandler() }

    init() throws {
        folder = try TemporaryFolder()
        places = try Places(data: folder.path + "/data", config: nil)
    }

    private func open() async throws -> GatewayAssembly {
        let secret = try SecretInput.keyFile(folder.path + "/key", outside: places.data)
        return try await GatewayAssembly.open(
            places, configuration: try Configuration.load(places.config), unlock: .secret(secret), log: log)
    }

    private func makeFolder() async throws {
        try await Launcher.makeFolder(places, keyFile: folder.path + "/key", passphraseFromStdin: false)
    }

    @Test func `a second engine on the folder is refused with the first one's process id`() async throws {
        try await makeFolder()
        #expect(TemporaryFolder.mode(places.data) == 0o700)
        #expect(TemporaryFolder.mode(places.config) == 0o600)
        #expect(TemporaryFolder.mode(folder.path + "/key") == 0o600)
        try await refuseSecond()
        // The first one is gone with its object, and its lock with it.
        let next = try await open()
        await next.stop(grace: .zero)
    }

    private func refuseSecond() async throws {
        let first = try await open()
        try await first.openSocket()
        let error = await #expect(throws: FolderInUse.self) { _ = try await open() }
        let message = CommandFailure(try #require(error)).message
        #expect(message.contains(places.data) && message.contains("process \(getpid())"))
        #expect(message.contains("stop it first"))
        // The one that was refused took nothing away from the first.
        #expect(TemporaryFolder.mode(places.socket) == 0o600)
        let places = places
        let seen = try await awayFromPool {
            try #require(EngineClient(path: places.socket, operatorName: "x")).snapshot()
        }
        #expect(seen.instance == "gatehouse" && seen.vault.unlocked)
        await first.stop(grace: .zero)
    }

    @Test func `a folder is made once`() async throws {
        try await makeFolder()
        let key = try Data(contentsOf: URL(filePath: folder.path + "/key"))
        let failure = await #expect(throws: CommandFailure.self) { try await makeFolder() }
        #expect(failure?.message.contains("nothing was changed") == true)
        #expect(try Data(contentsOf: URL(filePath: folder.path + "/key")) == key)
    }

    @Test func `a key file in the data folder is refused before anything is made`() async throws {
        let inside = places.data + "/key"
        let failure = await #expect(throws: CommandFailure.self) {
            try await Launcher.makeFolder(places, keyFile: inside, passphraseFromStdin: false)
        }
        #expect(failure?.message.contains("outside \(places.data)") == true)
        #expect(TemporaryFolder.mode(places.data) == nil)
    }

    @Test func `a bad configuration is refused whole by a running engine, the old one stays`() async throws {
        try await makeFolder()
        let own = "[[provider]]\nname = \"own\"\nkind = \"openai\"\nbase_url = \"https://own.example.com\"\n"
        try Data((FirstConfiguration.text(keyFile: folder.path + "/key") + own).utf8).write(
            to: URL(filePath: places.config))
        let gateway = try await open()
        await gateway.startBackground()
        let who = OperatorID(name: "test", via: "command")
        try Data("[cache]\nttl_seconds = 9\n[[route]]\nmodel = \"x\"\n".utf8).write(
            to: URL(filePath: places.config))
        let refusal = await #expect(throws: CommandRefusal.self) {
            try await gateway.engine.perform(.configReload, secret: nil, by: who)
        }
        #expect(refusal?.message.contains("\(places.config):3") == true)
        gateway.engine.pump()
        let after = gateway.engine.snapshot()
        #expect(after.providers.map(\.name.text).contains("own"))
        #expect(after.health.configuration.contains("refused"))
        await gateway.stop(grace: .zero)
    }
}
