import Domain

/// What a backup says of itself, in the clear but for nothing secret: `manifest.json`, with its code in `manifest.code`.
///
/// It holds what the vault's slots hold, so that what opened the vault when the backup was made opens the backup. It names
/// no tenant but by id.
struct BackupManifest: Codable, Sendable {
    struct File: Codable, Sendable {
        /// `control`, or a tenant's id.
        let name: String
        let bytes: Int
        /// SHA-256 of the sealed file, as digits.
        let sha256: String
    }

    static let format = 1
    static let fileName = "manifest.json"
    static let codeName = "manifest.code"
    static let control = "control"
    /// Some 700 bytes a tenant.
    static let bytesMost = 64 << 20

    let format: Int
    let made: WallTime
    let program: String
    let vault: VaultRecord
    let keys: [WrappedTenantKey]
    /// One tenant's alone; it is restored into its own vault only.
    let tenant: TenantID?
    let auditRecords: Int64
    let auditHead: String
    let files: [File]

    /// The name of a file in the backup's folder; made of what was checked, never a path of somebody's.
    static func path(of name: String, in folder: String) throws -> String {
        guard name.utf8.elementsEqual(control.utf8) || TenantID(name)?.text == name else {
            throw CommandFailure("the backup's manifest names a file that no backup has")
        }
        return "\(folder)/\(name).sealed"
    }
}
