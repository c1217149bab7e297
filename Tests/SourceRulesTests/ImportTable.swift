/// Who may import whom, independent of the manifest: a line added there does not open a door by itself.
struct ImportTable {
    struct Row {
        /// Modules of this project and C libraries.
        let ours: Set<String>
        /// What the toolchain and outside packages bring.
        let outside: Set<String>
    }

    static let core: Set<String> = [
        "Domain", "Locking", "Cipher", "Dialects", "Storage", "Events", "Operations",
    ]
    static let features: Set<String> = [
        "Access", "Limits", "Cache", "Routing", "Vault", "Providers", "Metering",
    ]
    static let adapters: Set<String> = ["SQLiteStorage", "Terminal", "Keepers", "Imports"]
    static let nio: Set<String> = [
        "NIOCore", "NIOPosix", "NIOHTTP1", "NIOSSL", "NIOTLS", "NIOFoundationCompat",
    ]

    static let rows: [String: Row] = [
        // Core
        "Domain": Row(ours: [], outside: []),
        "Locking": Row(ours: [], outside: ["Glibc"]),
        "Cipher": Row(ours: ["Domain", "Locking", "CLibCrypto", "CLinux"], outside: ["Glibc"]),
        "Dialects": Row(ours: ["Domain"], outside: ["Glibc"]),
        "Storage": Row(ours: ["Domain", "Locking"], outside: []),
        "Events": Row(ours: ["Domain", "Locking"], outside: []),
        "Operations": Row(ours: ["Domain", "Events", "Locking"], outside: ["Glibc"]),

        // Features: never one another
        "Access": Row(ours: ["Domain", "Locking", "Cipher", "Storage"], outside: []),
        "Limits": Row(ours: ["Domain", "Locking"], outside: []),
        "Cache": Row(ours: ["Domain", "Locking"], outside: []),
        "Routing": Row(ours: ["Domain", "Locking"], outside: ["Glibc"]),
        "Vault": Row(ours: ["Domain", "Locking", "Cipher"], outside: []),
        "Providers": Row(
            ours: ["Domain", "Locking", "Dialects", "Cipher"], outside: nio.union(["Glibc"])),
        "Metering": Row(ours: ["Domain", "Locking", "Storage"], outside: []),

        // Engine: all of Core but Dialects, and every feature that needs no network
        "Engine": Row(
            ours: core.union(features).subtracting(["Dialects", "Providers"]),
            outside: ["Logging", "Synchronization"]),

        // Interfaces
        "Gateway": Row(
            ours: core.union(features).union(["Engine"]).subtracting(["Storage", "Metering"]),
            outside: nio.union(["Logging", "Glibc"])),
        "Console": Row(ours: ["Domain", "Events", "Operations"], outside: []),

        // Adapters
        "SQLiteStorage": Row(
            ours: ["Domain", "Locking", "Storage", "CSQLite"],
            outside: ["GRDB", "Foundation", "Dispatch", "Glibc", "Synchronization"]),
        "Terminal": Row(
            ours: ["Domain", "Locking", "Events", "Operations", "Console", "CNcurses", "CLinux"],
            outside: ["Glibc"]),
        "Keepers": Row(
            ours: ["Domain", "Locking", "Cipher", "Dialects", "Vault", "Providers", "CPKCS11"],
            outside: ["Dispatch", "Glibc", "NIOCore", "NIOPosix"]),
        "Imports": Row(ours: ["Domain"], outside: ["Yams"]),

        // Assembly and the program
        "Assembly": Row(
            ours: core.union(features).union(adapters).union(["Engine", "Gateway", "Console", "CLinux"]),
            outside: nio.union(["Logging", "FoundationEssentials", "Dispatch", "Glibc"])),
        "gatehouse": Row(
            ours: ["Assembly", "Operations", "Domain"], outside: ["ArgumentParser"]),
    ]

    /// What comes with the toolchain, and so has no line in the manifest.
    static let toolchain: Set<String> = [
        "Foundation", "FoundationEssentials", "Glibc", "Dispatch", "Synchronization",
    ]

    /// Who alone may import a library, whatever else changes.
    static let keepers: [String: Set<String>] = [
        "CLibCrypto": ["Cipher"], "GRDB": ["SQLiteStorage"], "CSQLite": ["SQLiteStorage"],
        "CNcurses": ["Terminal"], "SQLiteStorage": ["Assembly"], "Terminal": ["Assembly"],
        "CPKCS11": ["Keepers"], "Keepers": ["Assembly"], "Imports": ["Assembly"], "Yams": ["Imports"],
        "ArgumentParser": ["gatehouse"],
    ]
}
