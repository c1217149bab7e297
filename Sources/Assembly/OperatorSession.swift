import Cipher
package import Domain
import Engine
import Glibc
import Logging
package import Operations
import SQLiteStorage
import Storage
import Vault

/// What a command works with: the running engine of the data folder, or, with none running, the folder itself under
/// its lock.
package struct OperatorSession: Sendable {
    private enum Door: Sendable {
        case running(EngineClient)
        case folder(GatewayAssembly)
    }

    private let door: Door

    /// The name that goes to the audit: the login name of this user.
    package static var operatorName: String {
        guard let entry = getpwuid(geteuid()), let name = entry.pointee.pw_name else {
            return "uid \(geteuid())"
        }
        return String(cString: name)
    }

    /// This user, at this terminal.
    static func operatorID(via: String) -> OperatorID {
        OperatorID(name: operatorName, via: via, origin: .own)
    }

    /// A running engine, or the folder with its vault unlocked.
    package static func open(_ places: Places) async throws -> OperatorSession {
        if let running = running(places) { return running }
        return try await folder(places, unlocked: true)
    }

    /// A running engine, or the folder as it lies: for commands that need no key.
    package static func openSealed(_ places: Places) async throws -> OperatorSession {
        if let running = running(places) { return running }
        return try await folder(places, unlocked: false)
    }

    /// A running engine only.
    package static func openRunning(_ places: Places) throws -> OperatorSession {
        guard let running = running(places) else {
            throw CommandFailure("no engine runs on \(places.data); start one with: gatehouse serve")
        }
        return running
    }

    private static func running(_ places: Places) -> OperatorSession? {
        EngineClient(path: places.socket, operatorName: operatorName, origin: .own).map {
            OperatorSession(door: .running($0))
        }
    }

    /// The folder alone, also when it is older than its checkpoints: for saying that this is meant.
    package static func openOlder(_ places: Places) async throws -> OperatorSession {
        guard running(places) == nil else { return try await open(places) }
        return try await folder(places, unlocked: true, acceptsOlder: true)
    }

    private static func folder(
        _ places: Places, unlocked: Bool, acceptsOlder: Bool = false
    ) async throws -> OperatorSession {
        let configuration = try Configuration.load(places.config)
        var log = Logger(label: "gatehouse") { LineLog(label: $0, descriptor: 2) }
        log.logLevel = .warning
        let unlock: GatewayAssembly.Unlock =
            unlocked ? try UnlockSecret.unlock(configuration, places) : .later
        return OperatorSession(
            door: .folder(
                try await GatewayAssembly.open(
                    places, configuration: configuration, unlock: unlock, acceptsOlder: acceptsOlder, log: log
                )
            ))
    }

    /// With no engine running, opens the folder's vault with a secret that was asked for anyway.
    package func unlockFolder(with secret: SecretDraft, for kind: SlotKind) async throws {
        guard case .folder(let gateway) = door, !gateway.engine.parts.vault.isUnlocked else { return }
        do {
            _ = try await perform(
                kind.isKeptOutside ? .vaultUnlockOutside(kind: kind) : .vaultUnlock, secret: secret)
        } catch {
            throw CommandFailure(error.message)
        }
    }

    /// Follows a rotation to its end; false when it stands still, because something does not open or is locked.
    package func followVault(_ show: (VaultWorkView) -> Void) async throws(CommandRefusal) -> Bool {
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

    package func snapshot() async throws(CommandRefusal) -> EngineSnapshot {
        switch door {
        case .running(let client): return try client.snapshot()
        case .folder(let gateway):
            await gateway.engine.restoreFigures()
            return gateway.engine.snapshot()
        }
    }

    package func perform(
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

    package func ask(_ query: EngineQuery) async throws(CommandRefusal) -> EngineAnswer {
        switch door {
        case .running(let client): return try client.ask(query)
        case .folder(let gateway):
            // Rows of an interrupted run are in the journal until somebody drains it.
            await gateway.drainOnce()
            return try await gateway.engine.ask(query)
        }
    }
}
