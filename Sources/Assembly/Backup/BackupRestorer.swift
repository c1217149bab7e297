import Cipher
public import Domain
import FoundationEssentials
import Glibc
import Logging
import Operations
import SQLiteStorage
import Storage
import Vault

/// Restores a backup, or one tenant of it, into a data folder that no engine works on.
///
/// Everything is opened and checked in a folder inside the data folder, by the code that an engine starts with; only then
/// live files are moved aside, never deleted, and the new ones put in their place by renaming.
public struct BackupRestorer: Sendable {
    public let folder: String
    /// Only this tenant's storage.
    public let tenant: TenantName?
    /// Check everything, change nothing.
    public let verifies: Bool
    /// Live files may be moved aside.
    public let replaces: Bool
    private let log: Logger

    public init(folder: String, tenant: TenantName?, verifies: Bool, replaces: Bool) {
        self.folder = folder
        self.tenant = tenant
        self.verifies = verifies
        self.replaces = replaces
        var log = Logger(label: "gatehouse") { LineLog(label: $0, descriptor: 2) }
        log.logLevel = .warning
        self.log = log
    }

    /// Answers what was done, a sentence a line.
    public func run(_ places: Places, fromStandardInput: Bool) async throws -> [String] {
        try SecureHeap.start()
        try await OperatorSession.admit(.backupRestore, on: tenant?.text ?? "all", places)
        let staging = places.data + "/restore.part"
        let isNew = access(places.data, F_OK) != 0
        try BackupMaker.remove(staging)
        defer {
            try? BackupMaker.remove(staging)
            // A folder that was made for looking only; one with anything in it stays.
            if isNew { rmdir(places.data) }
        }
        let configuration = try Configuration.load(places.config)
        func unlock() throws -> GatewayAssembly.Unlock {
            guard !fromStandardInput else { return .secret(try SecretInput.fromStandardInput()) }
            return try UnlockSecret.unlock(configuration, places, needsFolder: false)
        }
        if let tenant {
            return try await TenantRestore(self, places, configuration, staging, log)
                .run(tenant, unlock: try unlock())
        }
        return try await WholeRestore(self, places, configuration, staging, log).run(unlock: unlock)
    }

    /// The manifest, once its code was checked; `unlock` opens the vault it tells of.
    func manifest(
        unlock: (BackupManifest) async throws -> KeyVault
    ) async throws -> (manifest: BackupManifest, vault: KeyVault) {
        let path = "\(folder)/\(BackupManifest.fileName)"
        let bytes = try PlainFile.content(of: path, most: BackupManifest.bytesMost)
        let code = try PlainFile.content(of: "\(folder)/\(BackupManifest.codeName)", most: 128)
        guard let manifest = try? JSONDecoder().decode(BackupManifest.self, from: Data(bytes)),
            manifest.format == BackupManifest.format
        else { throw CommandFailure("\(path) is no manifest that this gatehouse knows") }
        let vault = try await unlock(manifest)
        let expected = Array((hexadecimalText(of: try vault.backupCode(of: bytes).bytes) + "\n").utf8)
        let isSame = expected.withUnsafeBytes { left in
            code.withUnsafeBytes { ConstantTime.equal(left, $0) }
        }
        guard isSame else {
            throw CommandFailure("\(path) was changed: its code does not fit. Nothing was restored.")
        }
        return (manifest, vault)
    }

    /// Where live files go.
    static func aside(_ data: String, at now: WallTime) throws -> String {
        let path = "\(data)/replaced-\(now.milliseconds)"
        guard mkdir(path, 0o700) == 0 else { throw PlainFile.failure("create", path) }
        return path
    }

    static func move(_ from: String, _ to: String) throws {
        guard access(from, F_OK) == 0 else { return }
        guard rename(from, to) == 0 else { throw PlainFile.failure("move", from) }
    }

    static let command = OperatorSession.operatorID(via: "command")
}
