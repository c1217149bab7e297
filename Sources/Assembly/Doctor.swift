import Cipher
import Console
import Glibc
import Operations
import SQLiteStorage
import Storage

/// Looks at everything that Gatehouse stands on and says what is wrong with it.
public enum Doctor {
    /// One thing that was looked at.
    public struct Finding: Sendable, Codable {
        /// Good, worth a look, or in the way.
        public enum State: String, Sendable, Codable { case good = "ok", note = "NOTE", bad = "BAD" }
        public let check: String
        public let state: State
        public let what: String
    }

    public static func examine(_ places: Places) async -> [Finding] {
        [
            memory(), hardening(), configuration(places), await folder(places), audit(places), themes(),
            terminal(),
        ]
    }

    static func memory(
        _ start: () throws(CipherFailure) -> Void = { () throws(CipherFailure) in try SecureHeap.start() }
    ) -> Finding {
        do throws(CipherFailure) {
            try start()
            return Finding(check: "memory for keys", state: .good, what: "locked, guarded and wiped")
        } catch {
            return Finding(check: "memory for keys", state: .bad, what: "\(error)")
        }
    }

    static func hardening(_ state: ProcessHardening.State = ProcessHardening.state) -> Finding {
        let good = !state.dumpable && state.coreByteLimit == 0
        return Finding(
            check: "process", state: good ? .good : .bad,
            what: good
                ? "no core dumps, not traceable"
                : "core dumps or tracing are possible: keys could be read from memory")
    }

    static func configuration(_ places: Places) -> Finding {
        do {
            let configuration = try Configuration.load(places.config)
            if let why = configuration.missingAdmin {
                return Finding(check: "configuration", state: .bad, what: why)
            }
            let others = configuration.roster.entries.map(\.account)
                .filter { $0 != "root" && !$0.utf8.elementsEqual(OperatorSession.operatorName.utf8) }
            if let other = others.first, configuration.sharedSocket == nil {
                return Finding(
                    check: "configuration", state: .note,
                    what:
                        "[[operator]] names \(other), who cannot reach an engine of this account without [socket]"
                )
            }
            let found = access(places.config, F_OK) == 0
            return Finding(
                check: "configuration", state: .good,
                what: (found ? places.config : "no file, defaults")
                    + ": \(configuration.providers.count) providers, \(configuration.routes.count) routes")
        } catch {
            return Finding(check: "configuration", state: .bad, what: "\(error)")
        }
    }

    static func folder(_ places: Places) async -> Finding {
        guard access(places.data, F_OK) == 0 else {
            return Finding(
                check: "data folder", state: .note,
                what: "\(places.data) is not there yet; run: gatehouse init")
        }
        if let client = EngineClient(path: places.socket, operatorName: "doctor") {
            let changed: [String]
            do throws(CommandRefusal) { changed = try client.snapshot().vault.distrusted } catch {
                return Finding(check: "data folder", state: .note, what: error.message)
            }
            guard changed.isEmpty else {
                return Finding(
                    check: "data folder", state: .bad,
                    what:
                        "\(places.data): \(changed[0]) (\(changed.count) in all); see: gatehouse vault verify"
                )
            }
            return Finding(check: "data folder", state: .good, what: "\(places.data): an engine runs on it")
        }
        do {
            let folder = try DataFolder(at: places.data, creating: false)
            let lock = try FolderLock(folder)
            defer { withExtendedLifetime(lock) {} }
            let control = try SQLiteControlStore(in: folder, hashing: { SHA256.digest($0) })
            let contents = try await control.load()
            let audit = try await control.verifyAudit()
            try control.close()
            guard case .intact(let records, _) = audit else {
                return Finding(
                    check: "data folder", state: .bad,
                    what: "the audit chain is broken; see: gatehouse audit verify")
            }
            return Finding(
                check: "data folder", state: contents.vault == nil ? .note : .good,
                what:
                    "\(places.data): \(contents.tenants.count) tenants, \(records) audit records, chain intact"
                    + (contents.vault == nil ? ", no vault yet: run gatehouse init" : ""))
        } catch {
            return Finding(check: "data folder", state: .bad, what: "\(error)")
        }
    }

    static func audit(_ places: Places) -> Finding {
        guard let configuration = try? Configuration.load(places.config) else {
            return Finding(check: "audit", state: .note, what: "the configuration cannot be read")
        }
        guard let path = configuration.checkpoints else {
            return Finding(
                check: "audit", state: .note,
                what:
                    "no checkpoints outside the data folder: who administers this machine can cut off the audit's "
                    + "end unseen; set [audit] checkpoints")
        }
        do {
            let file = try configuration.checkpointFile(outside: places.data)
            let notes = try file?.notes().notes ?? []
            return Finding(
                check: "audit", state: .good,
                what: "\(notes.count) checkpoints in \(path), the newest of \(notes.last?.size ?? 0) records")
        } catch {
            return Finding(check: "audit", state: .bad, what: "\(error)")
        }
    }

    static func themes(_ library: ThemeLibrary = ThemeShelf.find().library) -> Finding {
        guard let problem = library.problems.first else {
            return Finding(
                check: "themes", state: .good, what: library.themes.map(\.name).joined(separator: ", "))
        }
        return Finding(check: "themes", state: .bad, what: "\(problem)")
    }

    static func terminal(
        isTerminal: Bool = isatty(1) == 1, name: String? = Places.variable("TERM")
    ) -> Finding {
        guard isTerminal, let name else {
            return Finding(
                check: "terminal", state: .note, what: "standard output is no terminal; the console needs one"
            )
        }
        return Finding(check: "terminal", state: .good, what: "TERM=\(name)")
    }
}
