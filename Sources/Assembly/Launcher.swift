import Cipher
import Console
import Dispatch
import Domain
import Engine
import Glibc
import Logging
public import Operations
import SQLiteStorage
import Storage
import Terminal
import Vault

/// What the console is told by flags.
public struct ConsoleChoices: Sendable {
    public var theme: String?
    public var ascii: Bool
    public var readOnly: Bool
    public var logFile: String?
    /// The most that this session is to be able to do.
    public var role: OperatorRole?

    public init(
        theme: String? = nil, ascii: Bool = false, readOnly: Bool = false, logFile: String? = nil,
        role: OperatorRole? = nil
    ) {
        self.role = role
        self.theme = theme
        self.ascii = ascii
        self.readOnly = readOnly
        self.logFile = logFile
    }
}

/// Runs the long-lived commands: console, serve, demo, init.
public enum Launcher {
    /// Calls in flight at the end may take this long to finish.
    private static let grace = Duration.seconds(10)

    // MARK: init

    public static func initialize(_ places: Places, keyFile: String?, passphraseFromStdin: Bool) async throws
    {
        let record = try await makeFolder(
            places, keyFile: keyFile, passphraseFromStdin: passphraseFromStdin)
        Output.line("made \(places.data)")
        if let key = record.auditLogKey {
            Output.line("fingerprint of the audit's key, to be noted outside this machine:")
            Output.line("  \(key.fingerprint(hashing: { SHA256.digest($0) }))")
        }
        Output.line(
            "next: gatehouse tenant add NAME, gatehouse key add NAME PROVIDER, gatehouse token issue NAME, gatehouse"
        )
    }

    /// Makes the data folder with its vault, and the first configuration where there is none.
    @discardableResult
    static func makeFolder(
        _ places: Places, keyFile: String?, passphraseFromStdin: Bool
    ) async throws -> VaultRecord {
        if let keyFile {
            guard keyFile.hasPrefix("/"), !keyFile.utf8.starts(with: (places.data + "/").utf8) else {
                throw CommandFailure("--keyfile takes an absolute path outside \(places.data)")
            }
        }
        try checkConfiguration(places, keyFile: keyFile)
        try SecureHeap.start()
        guard try await !hasVault(places) else {
            throw CommandFailure("\(places.data) has a vault already; nothing was changed")
        }
        let secret: SecretDraft
        if let keyFile {
            try SecretInput.makeKeyFile(keyFile)
            secret = try SecretInput.keyFile(keyFile, outside: places.data)
        } else {
            secret = passphraseFromStdin ? try SecretInput.fromStandardInput() : try newPassphrase(places)
        }
        // All that can be refused has been; only now something is made.
        let now = SystemClock().wall
        let (vault, record) = try KeyVault.make(
            keyFile == nil ? .passphrase : .keyFile, secret: secret, at: now)
        let folder = try DataFolder(at: places.data, creating: true)
        let lock = try FolderLock(folder)
        let control = try SQLiteControlStore(
            in: folder, hashing: { SHA256.digest($0) }, coding: { try vault.rowCode(of: $0) })
        try await control.createVault(
            record,
            audit: AuditDraft(
                at: now, actor: OperatorSession.operatorName, via: "command", action: "vault.create",
                target: "vault", after: "slot \((keyFile == nil ? SlotKind.passphrase : .keyFile).rawValue)",
                origin: .own))
        try writeFirstConfiguration(places, keyFile: keyFile)
        try control.close()
        withExtendedLifetime(lock) {}
        return record
    }

    /// A configuration that is there already must open the vault that is about to be made.
    private static func checkConfiguration(_ places: Places, keyFile: String?) throws {
        guard access(places.config, F_OK) == 0 else { return }
        let wanted = keyFile.map { Configuration.Unlock.keyFile(path: $0) } ?? .passphrase
        guard try Configuration.load(places.config).unlock == wanted else {
            throw CommandFailure(
                "[vault] in \(places.config) says otherwise; change it there, or give init the same: "
                    + "--keyfile PATH, or nothing for a passphrase (another key is added later, with: gatehouse vault "
                    + "slot add). Nothing was made.")
        }
    }

    /// Whether the folder holds a vault; makes nothing. A folder that an engine works on has one.
    static func hasVault(_ places: Places) async throws -> Bool {
        guard access(places.data + "/control.sqlite", F_OK) == 0 else { return false }
        let folder = try DataFolder(at: places.data, creating: false)
        guard let lock = try? FolderLock(folder) else { return true }
        let control = try SQLiteControlStore(in: folder, hashing: { SHA256.digest($0) })
        let found = try await control.load().vault != nil
        try control.close()
        withExtendedLifetime(lock) {}
        return found
    }

    /// Asks twice.
    private static func newPassphrase(_ places: Places) throws -> SecretDraft {
        let first = try SecretInput.ask("new passphrase for \(places.data) (12 characters or more): ")
        let second = try SecretInput.ask("once more: ")
        let same = first.withBytes { left in second.withBytes { right in left.elementsEqual(right) } }
        guard same else { throw CommandFailure("the two passphrases differ; nothing was made") }
        second.wipe()
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

    public static func serve(_ places: Places, passphraseFromStdin: Bool) async throws {
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
        let needsPerson =
            switch configuration.unlock {
            case .passphrase: true
            case .outside(.token): configuration.tokenPIN == nil
            case .keyFile, .credential, .environment, .outside: false
            }
        if needsPerson, Places.variable("GATEHOUSE_PASSPHRASE_FD") == nil, isatty(0) != 1 { return .later }
        return try UnlockSecret.unlock(configuration, places)
    }

    // MARK: console

    public static func console(_ places: Places, _ choices: ConsoleChoices) async throws {
        if try await !hasVault(places) {
            Output.line("No vault at \(places.data) yet: a short set-up first.")
            Output.line("(To look around without any key, leave with ctrl-c and run: gatehouse demo)")
            try await initialize(places, keyFile: nil, passphraseFromStdin: false)
        }
        let configuration = try Configuration.load(places.config)
        try await OperatorSession.admit(
            .status, places, configuration,
            by: OperatorSession.operatorID(via: "console", lowered: choices.role))
        let logDescriptor = try openLog(choices.logFile ?? places.log)
        let log = Logger(label: "gatehouse") { LineLog(label: $0, descriptor: logDescriptor) }
        let gateway = try await GatewayAssembly.open(
            places, configuration: configuration,
            unlock: try UnlockSecret.unlock(configuration, places), log: log)
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
        endsWithTerminal: Bool = false, log: Logger
    ) async throws {
        let name = choices.theme ?? theme
        let shelf = ThemeShelf.find(extra: name)
        if let asked = choices.theme, shelf.library.theme(named: asked) == nil {
            let why = shelf.library.problems.first { $0.file.utf8.elementsEqual(asked.utf8) }
            return try await giveUp(
                gateway,
                CommandFailure(
                    why.map { "\($0)" } ?? "there is no theme \(asked); see: gatehouse theme list", code: 2))
        }
        for problem in shelf.library.problems {
            log.warning("a theme is bad", metadata: ["why": "\(problem)"])
        }
        let port: any EnginePort = choices.readOnly ? ReadOnlyPort(gateway.engine) : gateway.engine
        let who = OperatorSession.operatorID(via: "console", lowered: choices.role)
        let runner = ConsoleRunner(
            port: port, operatorID: who,
            options: ConsoleOptions(
                theme: name, ascii: choices.ascii, readOnly: choices.readOnly, logDescriptor: logDescriptor),
            library: shelf.library)
        let signals = Task {
            let signal = await StopSignals.next()
            runner.requestStop()
            return signal
        }
        let role = gateway.engine.role(of: who)?.rawValue ?? "no role"
        let kind = choices.readOnly ? "read-only" : role
        await gateway.engine.note("session.open", "console", by: who, after: kind)
        let ending = await runner.runOnOwnThread()
        await gateway.engine.note("session.close", "console", by: who, before: kind, after: "\(ending)")
        switch ending {
        case .hungUp where endsWithTerminal: log.notice("the terminal is gone")
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
