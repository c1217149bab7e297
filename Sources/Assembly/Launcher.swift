import Cipher
import Console
import Dispatch
import Domain
import Glibc
import Logging
import Operations
import SQLiteStorage
import Storage
import Terminal
import Vault

/// What the console is told by flags.
package struct ConsoleChoices: Sendable {
    package var theme: String?
    package var ascii: Bool
    package var readOnly: Bool
    package var logFile: String?

    package init(theme: String? = nil, ascii: Bool = false, readOnly: Bool = false, logFile: String? = nil) {
        self.theme = theme
        self.ascii = ascii
        self.readOnly = readOnly
        self.logFile = logFile
    }
}

/// Runs the long-lived commands: console, serve, demo, init.
package enum Launcher {
    /// Calls in flight at the end may take this long to finish.
    private static let grace = Duration.seconds(10)

    // MARK: init

    package static func initialize(_ places: Places, keyFile: String?, passphraseFromStdin: Bool) async throws
    {
        try await makeFolder(places, keyFile: keyFile, passphraseFromStdin: passphraseFromStdin)
        Output.line("made \(places.data)")
        Output.line(
            "next: gatehouse tenant add NAME, gatehouse key add NAME PROVIDER, gatehouse token issue NAME, gatehouse"
        )
    }

    /// Makes the data folder with its vault, and the first configuration where there is none.
    static func makeFolder(_ places: Places, keyFile: String?, passphraseFromStdin: Bool) async throws {
        if let keyFile {
            guard keyFile.hasPrefix("/"), !keyFile.utf8.starts(with: (places.data + "/").utf8) else {
                throw CommandFailure("--keyfile takes an absolute path outside \(places.data)")
            }
        }
        try SecureHeap.start()
        let folder = try DataFolder(at: places.data, creating: true)
        let lock = try FolderLock(folder)
        let control = try SQLiteControlStore(in: folder, hashing: { SHA256.digest($0) })
        guard try await control.load().vault == nil else {
            throw CommandFailure("\(places.data) has a vault already; nothing was changed")
        }
        let secret: SecretDraft
        if let keyFile {
            try SecretInput.makeKeyFile(keyFile)
            secret = try SecretInput.keyFile(keyFile, outside: places.data)
        } else {
            secret = passphraseFromStdin ? try SecretInput.fromStandardInput() : try newPassphrase(places)
        }
        try await create(secret, kind: keyFile == nil ? .passphrase : .keyFile, control: control)
        try writeFirstConfiguration(places, keyFile: keyFile)
        try control.close()
        withExtendedLifetime(lock) {}
    }

    private static func create(
        _ secret: SecretDraft, kind: SlotKind, control: SQLiteControlStore
    ) async throws {
        let now = SystemClock().wall
        let record = try KeyVault.make(kind, secret: secret, at: now)
        try await control.createVault(
            record,
            audit: AuditDraft(
                at: now, actor: OperatorSession.operatorName, via: "command", action: "vault.create",
                target: "vault",
                after: "slot \(kind.rawValue)"))
    }

    /// Asks twice.
    private static func newPassphrase(_ places: Places) throws -> SecretDraft {
        let first = try SecretInput.ask("new passphrase for \(places.data) (12 characters or more): ")
        let second = try SecretInput.ask("once more: ")
        let same = first.withBytes { left in second.withBytes { right in left.elementsEqual(right) } }
        guard same else { throw CommandFailure("the two passphrases differ; nothing was made") }
        return first
    }

    private static func writeFirstConfiguration(_ places: Places, keyFile: String?) throws {
        let descriptor = open(places.config, O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, 0o600)
        if descriptor < 0, errno == EEXIST { return }
        guard descriptor >= 0 else { throw CommandFailure("cannot write \(places.config)") }
        defer { close(descriptor) }
        let text = FirstConfiguration.text(keyFile: keyFile)
        guard write(descriptor, text, text.utf8.count) == text.utf8.count else {
            throw CommandFailure("cannot write \(places.config)")
        }
    }

    // MARK: serve

    package static func serve(_ places: Places, passphraseFromStdin: Bool) async throws {
        let configuration = try Configuration.load(places.config)
        let log = Logger(label: "gatehouse") { LineLog(label: $0, descriptor: 2) }
        let unlock = try serviceUnlock(configuration, places, passphraseFromStdin: passphraseFromStdin)
        if case .later = unlock { log.warning("started sealed; unlock with: gatehouse vault unlock") }
        let gateway = try await GatewayAssembly.open(
            places, configuration: configuration, unlock: unlock, log: log)
        await gateway.startBackground()
        try await gateway.openSocket()
        try await gateway.listen()
        _ = await StopSignals.next()
        log.notice("stopping")
        await gateway.stop(grace: grace)
    }

    private static func serviceUnlock(
        _ configuration: Configuration, _ places: Places, passphraseFromStdin: Bool
    ) throws -> GatewayAssembly.Unlock {
        if passphraseFromStdin { return .secret(try SecretInput.fromStandardInput()) }
        if case .keyFile = configuration.unlock {
            return .secret(try UnlockSecret.obtain(configuration, places))
        }
        if Places.variable("GATEHOUSE_PASSPHRASE_FD") != nil || isatty(0) == 1 {
            return .secret(try UnlockSecret.obtain(configuration, places))
        }
        return .later
    }

    // MARK: console

    package static func console(_ places: Places, _ choices: ConsoleChoices) async throws {
        if access(places.data + "/control.sqlite", F_OK) != 0 {
            Output.line("No data folder at \(places.data) yet: a short set-up first.")
            Output.line("(To look around without any key, leave with ctrl-c and run: gatehouse demo)")
            try await initialize(places, keyFile: nil, passphraseFromStdin: false)
        }
        let configuration = try Configuration.load(places.config)
        let logDescriptor = try openLog(choices.logFile ?? places.log)
        let log = Logger(label: "gatehouse") { LineLog(label: $0, descriptor: logDescriptor) }
        let gateway = try await GatewayAssembly.open(
            places, configuration: configuration,
            unlock: .secret(try UnlockSecret.obtain(configuration, places)), log: log)
        await gateway.startBackground()
        try await gateway.openSocket()
        try await gateway.listen()
        try await show(gateway, choices, theme: configuration.theme, logDescriptor: logDescriptor, log: log)
    }

    static func openLog(_ path: String) throws -> Int32 {
        let descriptor = open(path, O_WRONLY | O_CREAT | O_APPEND | O_CLOEXEC | O_NOFOLLOW, 0o600)
        guard descriptor >= 0 else { throw CommandFailure("cannot write the log \(path)") }
        return descriptor
    }

    /// Shows the console until it ends; after a hang-up the engine goes on without it until a signal comes.
    static func show(
        _ gateway: GatewayAssembly, _ choices: ConsoleChoices, theme: String?, logDescriptor: Int32,
        log: Logger
    ) async throws {
        let name = choices.theme ?? theme
        let shelf = ThemeShelf.find(extra: name)
        for problem in shelf.library.problems {
            log.warning("a theme is bad", metadata: ["why": "\(problem)"])
        }
        let port: any EnginePort = choices.readOnly ? ReadOnlyPort(gateway.engine) : gateway.engine
        let runner = ConsoleRunner(
            port: port, operatorName: OperatorSession.operatorName,
            options: ConsoleOptions(
                theme: name, ascii: choices.ascii, readOnly: choices.readOnly, logDescriptor: logDescriptor),
            library: shelf.library)
        let signals = Task {
            let signal = await StopSignals.next()
            runner.requestStop()
            return signal
        }
        let ending = await runner.runOnOwnThread()
        switch ending {
        case .hungUp:
            log.notice("the terminal is gone; the engine keeps serving without a console")
            _ = await signals.value
        case .quit, .stopped: break
        case .noTerminal(let message): return try await giveUp(gateway, CommandFailure(message, code: 3))
        case .unusableTerminal(let message):
            return try await giveUp(gateway, CommandFailure(message, code: 4))
        }
        signals.cancel()
        await gateway.stop(grace: ending == .quit ? .seconds(2) : grace)
    }

    private static func giveUp(_ gateway: GatewayAssembly, _ failure: CommandFailure) async throws {
        await gateway.stop(grace: .zero)
        throw failure
    }
}

/// Waits for the signals that end a service: SIGTERM and SIGINT.
enum StopSignals {
    static func next() async -> Int32 {
        let (stream, continuation) = AsyncStream.makeStream(
            of: Int32.self, bufferingPolicy: .bufferingOldest(1))
        let sources = [SIGTERM, SIGINT].map { number in
            signal(number, SIG_IGN)
            let source = DispatchSource.makeSignalSource(signal: number, queue: .global())
            source.setEventHandler { continuation.yield(number) }
            source.resume()
            return source
        }
        defer { for source in sources { source.cancel() } }
        for await number in stream { return number }
        return SIGTERM
    }
}
