import Access
import Cache
import Cipher
public import Domain
public import Engine
import Events
import Gateway
import Glibc
import Limits
import Locking
public import Logging
import Metering
import NIOCore
import NIOPosix
public import Operations
public import Providers
import Routing
import SQLiteStorage
import Storage
import Vault

/// One gateway on one data folder, put together: storage, vault, engine, server, socket. The only place that knows
/// all of them.
public final class GatewayAssembly: Sendable {
    public let engine: GatewayEngine
    public let places: Places
    let vaultID: VaultID
    private let folder: DataFolder
    private let lock: FolderLock
    let control: SQLiteControlStore
    private let tenants: SQLiteTenantStores
    private let drain: LedgerDrain
    private let keptLimits: KeptLimits
    private let probes: ProviderProbes
    private let breakers: MemoryBreakerBoard
    /// Loading it again for the server would take its time again.
    private let tls: UpstreamTLS
    private let log: Logger
    /// Loops of the callers' connections.
    private let group: MultiThreadedEventLoopGroup
    /// One loop for the pump, the socket and other small things, so that callers never wait for them.
    private let household: MultiThreadedEventLoopGroup
    private let running = Locked(Running())
    /// As of the start: what changes later is in the engine.
    private let configuration: Configuration

    private struct Running: Sendable {
        var server: GatewayServer?
        var socket: EngineSocket?
        var shared: EngineSocket?
        var pump: RepeatedTask?
        var drain: Task<Void, Never>?
        var keeper: Task<Void, Never>?
    }

    /// How the vault is to be opened.
    public enum Unlock: Sendable {
        case secret(SecretDraft)
        /// By a key that is kept outside; the draft is empty where there is nothing to give.
        case outside(SlotKind, pin: SecretDraft)
        /// Starts sealed.
        case later

        /// Opens a vault; answers which tenants' keys do not open.
        func open(
            _ vault: KeyVault, _ record: VaultRecord, keys: [WrappedTenantKey], _ keepers: [any KeyKeeper]
        ) async throws -> [TenantID: SealFailure] {
            switch self {
            case .later: return [:]
            case .secret(let secret): return try vault.unlock(record, keys: keys, with: secret)
            case .outside(let kind, let pin):
                guard let keeper = keepers.first(where: { $0.kind == kind }) else {
                    throw SealFailure.noSlot(kind)
                }
                return try await vault.unlock(record, keys: keys, with: keeper, pin: pin.pin())
            }
        }
    }

    // MARK: Opening

    /// Opens a data folder and puts the engine together; nothing listens yet.
    public static func open(
        _ places: Places, configuration: Configuration, unlock: Unlock, demo: Bool = false,
        probeTimeouts: UpstreamTimeouts = ReachProbe.timeouts, acceptsOlder: Bool = false, log: Logger
    ) async throws -> GatewayAssembly {
        try SecureHeap.start()
        let folder = try DataFolder(at: places.data, creating: false)
        let lock = try FolderLock(folder)
        // What a backup or a restore left that was killed: copies that nobody needs.
        for name in ["backup.part", "restore.part"] { try BackupMaker.remove("\(folder.path)/\(name)") }
        let vault = KeyVault()
        let control = try SQLiteControlStore(
            in: folder, hashing: { SHA256.digest($0) }, coding: { try vault.rowCode(of: $0) })
        var contents = try await control.load()
        guard var vaultRecord = contents.vault else {
            throw CommandFailure("\(places.data) has no vault; run: gatehouse init")
        }
        let outside = try configuration.checkpointFile(outside: places.data)
        if !acceptsOlder { try await outside?.check(vaultRecord, control) }
        let keepers = KeeperList.make(configuration, places)
        var findings = AccessFindings()
        let who = OperatorSession.operatorID(via: "start")
        do { try await open(vault, vaultRecord, contents, unlock, keepers, log: log) } catch {
            // What refuses to open is said to the audit too, as far as that can be written.
            _ = try? await control.appendAudit(
                AuditDraft(
                    at: SystemClock().wall, actor: who.name, via: who.via, action: "vault.unlock",
                    target: "vault", result: "refused", origin: who.origin))
            throw error
        }
        if vault.isUnlocked {
            (contents, findings) = try await AccessGate.settle(
                control, vault: vault, actor: "gateway", via: "engine", at: SystemClock().wall)
            vaultRecord = contents.vault ?? vaultRecord
            for sentence in findings.sentences {
                log.error("a row that decides access cannot be trusted", metadata: ["what": "\(sentence)"])
            }
        }
        let tenants = SQLiteTenantStores(in: folder, vault: vaultRecord.id)
        // What an interrupted deletion left.
        for tenant in contents.shredded { try await tenants.remove(tenant) }
        let keys = try await loadKeys(contents, tenants: tenants, control: control, vault: vault, log)
        var state = EngineState(
            vault: vaultRecord, tenants: contents.tenants, tenantKeys: contents.tenantKeys,
            providerKeys: keys,
            virtualKeys: contents.virtualKeys, limits: contents.limits, providers: configuration.providers,
            routes: configuration.routes, routing: configuration.routing,
            prices: .builtIn)
        state.findings = findings
        state.roster = configuration.roster
        let gateway = try GatewayAssembly(
            places: places, vaultID: vaultRecord.id, folder: folder, lock: lock, control: control,
            tenants: tenants, vault: vault, keepers: keepers, state: state,
            holds: contents.holds, configuration: configuration, demo: demo, probeTimeouts: probeTimeouts,
            log: log)
        if vault.isUnlocked, !demo {
            await gateway.engine.note(
                "vault.unlock", "vault", by: who, before: "sealed", after: "unlocked", reason: "at start")
        }
        await gateway.engine.keepRoom(try SpareFile(in: folder))
        if let outside { await gateway.engine.onCheckpoint { try outside.append($0) } }
        let maker = BackupMaker(data: folder.path, control: control, tenants: tenants, vault: vault)
        await gateway.engine.onBackup { [weak gateway] target, tenant in
            // What the journal holds belongs to the cut.
            await gateway?.drainOnce()
            return try await maker.make(target, only: tenant, at: SystemClock().wall)
        }
        await gateway.engine.onExport { [weak gateway] file, form, records in
            guard let engine = gateway?.engine else { throw CommandFailure("the engine is stopping") }
            try await AuditFiles.export(
                to: file, named: form, records: records, outside: folder.path
            ) { try await engine.ask($0) }
        }
        return gateway
    }

    private static func open(
        _ vault: KeyVault, _ record: VaultRecord, _ contents: ControlContents, _ unlock: Unlock,
        _ keepers: [any KeyKeeper], log: Logger
    ) async throws {
        let damaged: [TenantID: SealFailure]
        do {
            damaged = try await unlock.open(vault, record, keys: contents.tenantKeys, keepers)
        } catch {
            throw CommandFailure("the vault did not open: \(error). Nothing was changed.")
        }
        for tenant in damaged.keys {
            let name = contents.tenants.first { $0.id == tenant }?.name.text ?? tenant.text
            log.error(
                "a tenant's data key does not open: its provider keys cannot be used",
                metadata: ["tenant": "\(name)"])
        }
    }

    /// Reads every tenant's keys, finishes audits that a crash interrupted, and finds records that do not open.
    private static func loadKeys(
        _ contents: ControlContents, tenants: SQLiteTenantStores, control: SQLiteControlStore,
        vault: KeyVault,
        _ log: Logger
    ) async throws -> [ProviderKeyRecord] {
        var keys: [ProviderKeyRecord] = []
        var checked = 0
        for tenant in contents.tenants {
            let store = try await tenants.store(for: tenant.id)
            for draft in try await store.auditOutbox() {
                try await control.appendAudit(draft)
                try await store.clearAuditOutbox([draft.id])
            }
            for var key in try await store.providerKeys() {
                let isLooked = vault.isUnlocked && key.state != .revoked && checked < startChecksMost
                if isLooked { checked += 1 }
                if isLooked, !opens(key, vault) {
                    log.error(
                        "a sealed provider key does not open; it is shown as DAMAGED and not used",
                        metadata: [
                            "tenant": "\(tenant.name)", "key": "\(key.provider)/\(key.label)",
                            "id": "\(key.id.short)",
                        ])
                    key.state = .damaged
                }
                keys.append(key)
            }
        }
        return keys
    }

    /// Sealed keys that are opened at start, some 20 us each: all of most gateways'. `vault verify` opens the rest.
    private static let startChecksMost = 10_000

    private static func opens(_ key: ProviderKeyRecord, _ vault: KeyVault) -> Bool {
        do throws(SealFailure) {
            try vault.verifyProviderKey(key)
            return true
        } catch {
            return false
        }
    }

    private init(
        places: Places, vaultID: VaultID, folder: DataFolder, lock: FolderLock, control: SQLiteControlStore,
        tenants: SQLiteTenantStores,
        vault: KeyVault, keepers: [any KeyKeeper], state: EngineState, holds: [Target: BreakerHold],
        configuration: Configuration,
        demo: Bool, probeTimeouts: UpstreamTimeouts,
        log: Logger
    ) throws {
        self.places = places
        self.vaultID = vaultID
        self.folder = folder
        self.lock = lock
        self.control = control
        self.tenants = tenants
        self.log = log
        self.configuration = configuration
        let threads = configuration.listenThreads ?? System.coreCount
        group = MultiThreadedEventLoopGroup(numberOfThreads: threads)
        household = MultiThreadedEventLoopGroup(numberOfThreads: 1)
        let clock = SystemClock()
        let journal = try MappedJournal(in: folder)
        if journal.recovery.rows + journal.recovery.torn > 0 {
            log.notice(
                "rows of an interrupted run are taken over into the ledger",
                metadata: ["rows": "\(journal.recovery.rows)", "torn": "\(journal.recovery.torn)"])
        }
        breakers = MemoryBreakerBoard(options: configuration.breaker)
        for (target, hold) in holds { _ = breakers.hold(hold, on: target, at: clock.now, wall: clock.wall) }
        let tls = try UpstreamTLS(trust: configuration.trust)
        self.tls = tls
        let loop = household.next()
        let options = configuration.upstream
        let pool = try loop.submit {
            NIOLoopBound(UpstreamPool(loop: loop, options: options, tls: tls), eventLoop: loop)
        }.wait()
        let prober = ProviderProber(probe: KeyProbe(pool: pool))
        let parts = PathParts(
            clock: clock, directory: state.directory(), options: configuration.path,
            counters: MemoryLimitCounters(),
            cache: AnswerCache(options: configuration.cache), breakers: breakers,
            credentials: MemoryCredentialBoard(), vault: vault, secrets: PlaintextCache(vault: vault),
            journal: journal, bus: EventBus(lanes: threads + 1))
        engine = GatewayEngine(
            parts: parts, state: state, control: control, tenants: tenants,
            prober: prober, keepers: keepers, holds: Set(holds.keys),
            identity: .init(
                instance: configuration.instance, version: GatehouseVersion.text, demo: demo, listening: ""),
            log: log)
        probes = ProviderProbes(of: engine, by: ReachProbe(pool: pool, timeouts: probeTimeouts), log: log)
        keptLimits = KeptLimits(in: folder, of: parts.counters, log: log)
        drain = LedgerDrain(journal: journal, stores: tenants, clock: clock)
    }

    /// A tenant's storage, for a restore to compare with.
    func store(of tenant: TenantID) async throws -> any TenantStore { try await tenants.store(for: tenant) }

    // MARK: Running

    /// Starts what works in the background: figures, ledger, clock-driven commands. Needed also by offline commands
    /// only as far as they wait for nothing, so they skip it.
    public func startBackground() async {
        keptLimits.restore(at: engine.parts.clock.now, wall: engine.parts.clock.wall)
        await engine.note(
            "gateway.start", "gateway", by: OperatorSession.operatorID(via: "start"),
            after: GatehouseVersion.text, reason: configuration.roster.words)
        if let why = configuration.missingAdmin { log.error("roles", metadata: ["why": "\(why)"]) }
        let engine = engine
        let drain = drain
        let pump = household.next().scheduleRepeatedTask(initialDelay: .zero, delay: .milliseconds(50)) { _ in
            engine.pump()
        }
        let drainTask = Task { await drain.run() }
        let keeper = Task { [self] in
            // Not waited for: the past's figures may take a while, and nothing that serves calls needs them.
            await drainOnce()
            await engine.restoreFigures()
            await keepHouse()
        }
        running.withLock { running in
            running.pump = pump
            running.drain = drainTask
            running.keeper = keeper
        }
        probes.follow(configuration)
        await engine.onReload { [weak self] (who) async throws(CommandRefusal) -> String in
            guard let self else { throw CommandRefusal(.unavailable, "the engine is stopping") }
            return try await self.reload(by: who)
        }
    }

    /// Opens the HTTP listener; returns its port.
    @discardableResult
    public func listen() async throws -> Int {
        var options = GatewayOptions(
            host: configuration.listenHost, port: configuration.listenPort,
            bodyBytesMax: configuration.bodyBytes)
        options.certificatePath = configuration.certificate
        options.certificateKeyPath = configuration.certificateKey
        let engine = engine
        let server: GatewayServer
        do {
            server = try await GatewayServer.start(
                options, path: engine.path, parts: engine.parts, group: group,
                upstream: configuration.upstream,
                tls: tls,
                health: {
                    let health = engine.health
                    let reasons = health.reasons.map { "\"\($0)\"" }.joined(separator: ",")
                    return HealthState(
                        ready: health.state != .notReady,
                        body: #"{"status":"\#(health.state.rawValue)","reasons":[\#(reasons)]}"#)
                })
        } catch let error as IOError {
            throw CommandFailure(
                "cannot listen on \(configuration.listenHost):\(configuration.listenPort): \(error). Another program may "
                    + "use the port; choose one with [listen] address in \(places.config)")
        }
        running.withLock { $0.server = server }
        await engine.onRetired { key in server.closeConnections(for: key) }
        engine.announce(listening: server.address)
        log.notice("listening", metadata: ["address": "\(server.address)"])
        return server.port
    }

    /// Opens the socket for commands.
    public func openSocket() async throws {
        let port: any EnginePort = engine
        let socket = try await EngineSocket.open(path: places.socket, port: port, group: household, log: log)
        running.withLock { $0.socket = socket }
        guard let place = configuration.sharedSocket else { return }
        try place.prepare(outside: places.data)
        let shared = try await EngineSocket.open(
            path: place.path, sharedAs: place, port: port, group: household, log: log)
        running.withLock { $0.shared = shared }
    }

    /// Moves what the journal holds into the ledger, for a command that works on the folder itself.
    public func drainOnce() async {
        do {
            try await drain.flush()
        } catch {
            log.error("the journal could not be moved into the ledger", metadata: ["why": "\(error)"])
        }
    }

    // MARK: Housekeeping

    /// Once a second: drains and holds that end, and the configuration file when it changed.
    private func keepHouse() async {
        var stamp = configuration.stamp ?? FileStamp(places.config)
        while !Task.isCancelled {
            try? await Task.sleep(for: .seconds(1))
            await engine.tick()
            keptLimits.save(at: engine.parts.clock.now, wall: engine.parts.clock.wall)
            watchLedgers()
            let now = FileStamp(places.config)
            guard now != stamp else { continue }
            stamp = now
            // What was refused stands in the log and on the screens.
            _ = try? await reload(by: OperatorID(name: "gateway", via: "engine"))
        }
    }

    /// Refuses the calls of tenants whose ledger cannot be written, and lets them in again when it can.
    private func watchLedgers() {
        let health = drain.health
        guard health.stuckTenants != engine.parts.unmetered.load() else { return }
        engine.parts.unmetered.store(health.stuckTenants)
        guard !health.stuckTenants.isEmpty else {
            return log.notice("every tenant's ledger can be written again")
        }
        log.error(
            "calls of tenants are refused until their ledger can be written",
            metadata: [
                "tenants": "\(health.stuckTenants.map(\.text).sorted().joined(separator: ", "))",
                "why": "\(health.lastError ?? "")",
            ])
    }

    /// Reads the configuration again: in force as a whole, or refused as a whole.
    private func reload(by who: OperatorID) async throws(CommandRefusal) -> String {
        let next: Configuration
        do {
            next = try Configuration.load(places.config)
            if let why = next.missingAdmin {
                throw ConfigurationProblem(file: places.config, line: 0, why)
            }
        } catch {
            log.error(
                "the configuration was refused; the old one stays in force", metadata: ["why": "\(error)"])
            await engine.noteConfiguration("refused: \(error)")
            throw CommandRefusal(.invalid, "refused, the old configuration stays in force: \(error)")
        }
        var note = "in force since \(SystemClock().wall.civil.clock)Z"
        let waiting = next.changesAtNextStart(after: configuration)
        if !waiting.isEmpty { note += "; with the next start: \(waiting.joined(separator: ", "))" }
        try await engine.configure(
            providers: next.providers, routes: next.routes, routing: next.routing, roster: next.roster,
            options: next.path, note: note, by: who)
        probes.follow(next)
        log.notice("configuration reloaded")
        return note
    }

    // MARK: Stopping

    /// Refuses new calls, lets those in flight end for at most `grace`, then closes everything; the ledger's queue is
    /// emptied into the ledger.
    public func stop(grace: Duration) async {
        engine.stopAdmitting()
        let parts = running.withLock { running in
            defer { running = Running() }
            return running
        }
        await parts.server?.stopAccepting()
        let end = SystemClock().now + grace
        while engine.parts.inFlight.current > 0, SystemClock().now < end {
            try? await Task.sleep(for: .milliseconds(20))
        }
        await parts.server?.close()
        await parts.socket?.close()
        await parts.shared?.close()
        parts.keeper?.cancel()
        // The keeper reads the configuration, which may start probes.
        await parts.keeper?.value
        await probes.stop()
        parts.pump?.cancel()
        parts.drain?.cancel()
        await parts.drain?.value
        // Only a gateway that served has limits to keep.
        if parts.keeper != nil {
            keptLimits.save(at: engine.parts.clock.now, wall: engine.parts.clock.wall)
        }
        if parts.keeper != nil {
            await engine.noteKeyUses()
            await engine.note("gateway.stop", "gateway", by: OperatorSession.operatorID(via: "start"))
        }
        await engine.signAudit()
        do {
            try await drain.flush()
            try await tenants.close()
            try control.close()
        } catch {
            log.error("storage did not close cleanly", metadata: ["why": "\(error)"])
        }
        engine.parts.secrets.dropAll()
        engine.parts.vault.lock()
        try? await group.shutdownGracefully()
        try? await household.shutdownGracefully()
        log.notice("stopped")
    }
}

/// Tells whether a file was written since.
public struct FileStamp: Equatable, Sendable {
    private let seconds: Int
    private let nanoseconds: Int
    private let size: Int
    private let inode: UInt

    init(_ path: String) {
        var facts = stat()
        let found = stat(path, &facts) == 0
        seconds = found ? facts.st_mtim.tv_sec : 0
        nanoseconds = found ? facts.st_mtim.tv_nsec : 0
        size = found ? Int(facts.st_size) : -1
        inode = found ? UInt(facts.st_ino) : 0
    }
}
