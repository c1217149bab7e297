import Cipher
public import Domain
import Engine
import Glibc
import Logging
public import Operations
import SQLiteStorage
import Storage
import Vault

/// What a command works with: the running engine of the data folder, or, with none running, the folder itself under
/// its lock.
public struct OperatorSession: Sendable {
    private enum Door: Sendable {
        case running(EngineClient)
        case folder(GatewayAssembly)
    }

    private let door: Door

    /// The name that goes to the audit: the login name of this user.
    public static let operatorName = Account.name(of: geteuid())

    /// What this session is lowered to: `GATEHOUSE_ROLE`, for people who share an account. A word that is no role lowers
    /// to the least.
    static var ceiling: OperatorRole? {
        Places.variable("GATEHOUSE_ROLE").map { OperatorRole(rawValue: $0) ?? .viewer }
    }

    /// This user, at this terminal.
    ///
    /// - Parameter lowered: the most that this session is to be able to do; nil = as `GATEHOUSE_ROLE` says.
    static func operatorID(via: String, lowered: OperatorRole? = nil) -> OperatorID {
        let ceilings = [ceiling, lowered].compactMap { $0 }
        return OperatorID(
            name: operatorName, via: via, origin: .own, account: operatorName, ceiling: ceilings.min())
    }

    /// Refuses what this user has no role for, before anything is asked or opened; the audit of the folder says so, as far
    /// as it can be reached.
    ///
    /// - Parameter configuration: where it was read already; nil = read from its file.
    static func admit(
        _ operation: EngineOperation, on target: String = "", _ places: Places,
        _ configuration: Configuration? = nil, by who: OperatorID = operatorID(via: "command")
    ) async throws {
        let configuration = try configuration ?? Configuration.load(places.config)
        guard let denial = configuration.roster.denial(of: operation, to: who) else { return }
        if let session = try? await openSealed(places.home) {
            switch session.door {
            case .running(let client): try? client.admit(operation, on: target)
            case .folder(let gateway):
                try? await gateway.engine.admit(operation, on: target, by: who)
                await gateway.engine.signAudit()
            }
        }
        throw CommandFailure(denial.sentence)
    }

    /// A running engine, or the folder with its vault unlocked.
    public static func open(_ places: Places) async throws -> OperatorSession {
        if let running = try running(places) { return running }
        return try await folder(places, unlocked: true)
    }

    /// A running engine, or the folder as it lies: for commands that need no key.
    public static func openSealed(_ places: Places) async throws -> OperatorSession {
        if let running = try running(places) { return running }
        return try await folder(places, unlocked: false)
    }

    /// A running engine only.
    public static func openRunning(_ places: Places) throws -> OperatorSession {
        guard let running = try running(places) else {
            throw CommandFailure("no engine runs on \(places.data); start one with: gatehouse serve")
        }
        return running
    }

    private static func running(_ places: Places) throws -> OperatorSession? {
        if let door = places.door { try EngineClient.check(door) }
        let socket = places.door ?? places.socket
        return EngineClient(path: socket, operatorName: operatorName, origin: .own, ceiling: ceiling).map {
            OperatorSession(door: .running($0))
        }
    }

    /// The folder alone, also when it is older than its checkpoints: for saying that this is meant.
    public static func openOlder(_ places: Places) async throws -> OperatorSession {
        guard try running(places) == nil else { return try await open(places) }
        return try await folder(places, unlocked: true, acceptsOlder: true)
    }

    private static func folder(
        _ places: Places, unlocked: Bool, acceptsOlder: Bool = false
    ) async throws -> OperatorSession {
        let configuration = try Configuration.load(places.config)
        var log = Logger(label: "gatehouse") { LineLog(label: $0, descriptor: 2) }
        log.logLevel = .warning
        // Whoever has no role is told so by the first question, and need not open the vault for that.
        let unlocks = unlocked && configuration.roster.role(of: operatorID(via: "command")) != nil
        let unlock: GatewayAssembly.Unlock =
            unlocks ? try UnlockSecret.unlock(configuration, places) : .later
        return OperatorSession(
            door: .folder(
                try await GatewayAssembly.open(
                    places, configuration: configuration, unlock: unlock, acceptsOlder: acceptsOlder, log: log
                )
            ))
    }

    /// With no engine running, opens the folder's vault with a secret that was asked for anyway.
    public func unlockFolder(with secret: SecretDraft, for kind: SlotKind) async throws {
        guard case .folder(let gateway) = door, !gateway.engine.parts.vault.isUnlocked else { return }
        do {
            _ = try await perform(
                kind.isKeptOutside ? .vaultUnlockOutside(kind: kind) : .vaultUnlock, secret: secret)
        } catch {
            throw CommandFailure(error.message)
        }
    }

    /// Follows a rotation to its end; false when it stands still, because something does not open or is locked.
    public func followVault(_ show: (VaultWorkView) -> Void) async throws(CommandRefusal) -> Bool {
        var last: VaultWorkView?
        var still = 0
        while true {
            let now: VaultWorkView?
            switch door {
            case .running(let client):
                now = try client.snapshot().vault.work
                try? await Task.sleep(for: .milliseconds(200))
            case .folder(let gateway):
                await gateway.engine.workVault(for: .milliseconds(200))
                now = gateway.engine.snapshot().vault.work
            }
            guard let now else { return true }
            show(now)
            still = now == last ? still + 1 : 0
            last = now
            guard still < Self.standStill else { return false }
        }
    }

    /// Looks at a rotation without seeing it move: ten seconds at a running engine.
    private static let standStill = 50

    public func snapshot() async throws(CommandRefusal) -> EngineSnapshot {
        switch door {
        case .running(let client): return try client.snapshot()
        case .folder(let gateway):
            let who = Self.operatorID(via: "command")
            try await gateway.engine.admit(.status, on: "", by: who)
            await gateway.engine.restoreFigures()
            return gateway.engine.snapshot(for: who)
        }
    }

    public func perform(
        _ command: EngineCommand, secret: SecretDraft?
    ) async throws(CommandRefusal) -> CommandOutcome {
        switch door {
        case .running(let client): return try client.perform(command, secret: secret)
        case .folder(let gateway):
            // Nobody ticks here: what the command put into the audit is signed at once.
            let outcome: CommandOutcome
            do throws(CommandRefusal) {
                outcome = try await gateway.engine.perform(
                    command, secret: secret, by: Self.operatorID(via: "command"))
            } catch {
                await gateway.engine.signAudit()
                throw error
            }
            await gateway.engine.signAudit()
            return outcome
        }
    }

    public func ask(_ query: EngineQuery) async throws(CommandRefusal) -> EngineAnswer {
        switch door {
        case .running(let client): return try client.ask(query)
        case .folder(let gateway):
            // Rows of an interrupted run are in the journal until somebody drains it.
            await gateway.drainOnce()
            return try await gateway.engine.ask(query, by: Self.operatorID(via: "command"))
        }
    }
}
