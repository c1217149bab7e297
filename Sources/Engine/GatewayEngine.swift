public import Domain
public import Events
import Locking
public import Logging
public import Operations
public import Storage
public import Vault

/// The engine: takes calls through `path`, answers the operator's port, and keeps the picture that consoles show.
///
/// It owns no thread. Whoever assembles it calls `pump` every 20 to 50 ms and `tick` every second.
public final class GatewayEngine: EnginePort {
    /// What an engine says of itself.
    public struct Identity: Sendable, Hashable {
        public var instance: String
        public var version: String
        public var demo: Bool
        public var listening: String
        public init(instance: String, version: String, demo: Bool, listening: String) {
            self.instance = instance
            self.version = version
            self.demo = demo
            self.listening = listening
        }
    }

    public let path: RequestPath
    public let parts: PathParts
    private let desk: CommandDesk
    private let identity: Published<Identity>
    private let started: WallTime
    private let picture: Published<EngineSnapshot>
    /// Whether something changed since the picture was painted.
    private let isStale = Published(true)
    private let book: Locked<TrafficBook>
    /// Moves of breakers that the gateway made by itself, waiting for the audit; bounded.
    private let moves = Locked<[GatewayEvent.BreakerMove]>([])
    private let lastPicture = Locked<WallTime>(WallTime(milliseconds: 0))

    public init(
        parts: PathParts, state: EngineState, control: any ControlStore, tenants: any TenantStores,
        prober: any KeyProber, keepers: [any KeyKeeper] = [], holds: Set<Target>, identity: Identity,
        log: Logger
    ) {
        self.parts = parts
        path = RequestPath(parts: parts)
        desk = CommandDesk(
            parts: parts, state: state, control: control, tenants: tenants, prober: prober, keepers: keepers,
            holds: holds, log: log)
        self.identity = Published(identity)
        started = parts.clock.wall
        picture = Published(EngineSnapshot())
        book = Locked(TrafficBook())
    }

    // MARK: The port

    public func admit(
        _ operation: EngineOperation, on target: String, by who: OperatorID
    ) async throws(CommandRefusal) {
        try await desk.admit(operation, on: target, by: who)
    }

    /// What somebody may do now; nil = not even look.
    public func role(of who: OperatorID) -> OperatorRole? { desk.state.load().roster.role(of: who) }

    public func snapshot(for who: OperatorID) -> EngineSnapshot {
        guard let role = role(of: who) else {
            let identity = identity.load()
            var nothing = EngineSnapshot(
                instance: identity.instance, version: identity.version, demo: identity.demo,
                at: parts.clock.wall, started: started)
            nothing.role = nil
            return nothing
        }
        var picture = snapshot()
        picture.role = role
        return picture
    }

    /// Painted for whoever looks, when something changed since: a gateway that nobody watches paints nothing, and many
    /// changes in a row cost one picture.
    public func snapshot() -> EngineSnapshot {
        if isStale.load() {
            isStale.store(false)
            paint(at: parts.clock.wall)
        }
        return picture.load()
    }

    /// Whether the gateway can serve, without a whole picture: this is asked on event loops.
    public var health: HealthView { SnapshotPainter.health(parts: parts, state: desk.state.load()) }

    public func feed(depth: Int) -> EventFeed { parts.bus.feed(depth: depth) }

    public func perform(
        _ command: EngineCommand, secret: SecretDraft?, by who: OperatorID
    )
        async throws(CommandRefusal) -> CommandOutcome
    {
        let outcome = try await desk.perform(command, secret: secret, by: who)
        isStale.store(true)
        return outcome
    }

    public func ask(
        _ query: EngineQuery, by who: OperatorID
    ) async throws(CommandRefusal) -> EngineAnswer {
        try await desk.admit(query.operation, on: query.target, by: who)
        return try await ask(query)
    }

    /// The gateway's own question.
    public func ask(_ query: EngineQuery) async throws(CommandRefusal) -> EngineAnswer {
        guard case .blastRadius(let change) = query else { return try await desk.ask(query) }
        let recent = book.withLock { $0.recent }.calls(at: parts.clock.wall)
        let finder = RouteFinder(
            parts, parts.directory.load(), attemptsMax: parts.options.load().attempts)
        let replay = BlastReplay(
            finder: finder, tenants: desk.state.load().tenants, instant: parts.clock.now)
        return .blastRadius(replay.radius(of: change, over: recent))
    }

    // MARK: Driven from outside

    /// Moves events from the loops to the watchers and into the figures; whoever looks gets a fresh picture, four times
    /// a second at most.
    public func pump() {
        let events = parts.bus.pump()
        if !events.isEmpty {
            let tenants = desk.state.load().tenants
            let name = { (tenant: TenantID) in tenants[tenant]?.name.text ?? "(gone)" }
            book.withLock { book in
                for numbered in events { book.take(numbered.event, tenantName: name) }
            }
            let own = events.compactMap { numbered -> GatewayEvent.BreakerMove? in
                guard case .breakerMoved(let move) = numbered.event, move.hold == nil else { return nil }
                return move
            }
            if !own.isEmpty { moves.withLock { $0 = Array(($0 + own).suffix(256)) } }
        }
        let now = parts.clock.wall
        let age = now - lastPicture.withLock { $0 }
        if age >= .milliseconds(events.isEmpty ? 1_000 : 250) || age < .zero { isStale.store(true) }
    }

    /// Once a second: ends drains and holds whose time has come, and writes what the gateway did into the audit.
    public func tick() async {
        let own = moves.withLock { moves in
            defer { moves = [] }
            return moves
        }
        await desk.tick(moves: own)
        isStale.store(true)
    }

    /// Goes on with a rotation of the vault for at most so long; `tick` does it too.
    public func workVault(for budget: Duration) async {
        await desk.workVault(for: budget, by: OperatorID(name: "gateway", via: "engine"))
        isStale.store(true)
    }

    /// What keeps checkpoints of the audit outside the data folder.
    public func onCheckpoint(_ outside: @escaping @Sendable (_ note: String) throws -> Void) async {
        await desk.onCheckpoint(outside)
    }

    /// The disk space that changes which protect may use when there is no other.
    public func keepRoom(_ room: any SpareRoom) async { await desk.keepRoom(room) }

    /// A record of what has happened outside of commands: sessions, start and stop, unlocks at start. Owed until it can
    /// be written.
    public func note(
        _ action: String, _ target: String, by who: OperatorID, before: String = "", after: String = "",
        reason: String = "", result: String = "ok"
    ) async {
        await desk.note(
            action, target, by: who, before: before, after: after, reason: reason, result: result)
        isStale.store(true)
    }

    /// The use of keys up to now, at shutdown.
    public func noteKeyUses() async { await desk.noteKeyUses(force: true) }

    /// Signs the audit as it is now: at shutdown, and after a command with no engine running.
    public func signAudit() async { await desk.signAudit(force: true) }

    /// Loads the figures of the last 24 hours from the ledger, so that a restart does not show empty costs.
    public func restoreFigures() async {
        await desk.refreshAuditTail()
        isStale.store(true)
        for (key, hour, line) in await desk.recentCosts(until: started) {
            book.withLock { $0.restore(line, hour: hour, key: key) }
        }
        isStale.store(true)
    }

    /// Puts another configuration in force, for the next call; refuses when that cannot be audited.
    ///
    /// - Parameter roster: nil = roles stay as they are.
    public func configure(
        providers: [ProviderName: ProviderDefinition], routes: [ModelName: Route],
        routing: RoutingSettings = RoutingSettings(), roster: OperatorRoster? = nil, options: PathOptions,
        note: String, by who: OperatorID
    ) async throws(CommandRefusal) {
        try await desk.configure(
            providers: providers, routes: routes, routing: routing, roster: roster, note: note, by: who)
        parts.options.store(options)
        isStale.store(true)
    }

    /// Says on the screens why the newest configuration file was refused.
    public func noteConfiguration(_ note: String) async {
        await desk.noteConfiguration(note)
        isStale.store(true)
    }

    public func announce(listening: String) {
        identity.update {
            var next = $0; next.listening = listening; return next
        }
    }

    /// What reloads the configuration file when a command asks for it; it returns what it did or throws why not.
    public func onReload(
        _ reload: @escaping @Sendable (OperatorID) async throws(CommandRefusal) -> String
    ) async {
        await desk.onReload(reload)
    }

    /// What makes backups, when a command asks for one; it returns sentences on what it made.
    public func onBackup(
        _ backer: @escaping @Sendable (_ folder: String, TenantID?) async throws -> [String]
    ) async {
        await desk.onBackup(backer)
    }

    /// What writes an export of the audit, when a command names a file for it.
    public func onExport(
        _ exporter:
            @escaping @Sendable (_ file: String, _ form: String, _ records: Int64) async throws -> Void
    ) async {
        await desk.onExport(exporter)
    }

    /// What closes the connections of keys that no call may use any more.
    public func onRetired(_ retired: @escaping @Sendable (ProviderKeyID) -> Void) async {
        await desk.onRetired(retired)
    }

    /// Refuses new calls from now on.
    public func stopAdmitting() { parts.stopping.store(true) }

    public func publish(_ event: GatewayEvent) { parts.bus.publish(event, lane: parts.bus.commonLane) }

    private func paint(at now: WallTime) {
        lastPicture.withLock { $0 = now }
        let painter = SnapshotPainter(
            parts: parts, state: desk.state.load(), identity: identity.load(), started: started, now: now,
            instant: parts.clock.now)
        let snapshot = book.withLock { painter.paint(&$0) }
        picture.store(snapshot)
    }
}
