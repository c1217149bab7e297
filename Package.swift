// swift-tools-version: 6.2
// The map of Gatehouse: one line per module, where it stands, and which modules it may enter.
// `SourceRulesTests` compares every import with this file and with the table in README.md.
import PackageDescription

let strict: [SwiftSetting] = [
    .enableUpcomingFeature("ExistentialAny"),
    .enableUpcomingFeature("InternalImportsByDefault"),
    .enableUpcomingFeature("MemberImportVisibility"),
    .enableUpcomingFeature("NonisolatedNonsendingByDefault"),
    .treatAllWarnings(as: .error),
]

/// One module, where it stands, and which modules it may enter.
func module(_ name: String, in wing: String, uses: [Target.Dependency] = []) -> Target {
    .target(name: name, dependencies: uses, path: "Sources/\(wing)/\(name)", swiftSettings: strict)
}

/// A C library: a module map and a shim header, nothing else.
func library(_ name: String, apt: String) -> Target {
    .systemLibrary(name: name, path: "Sources/CLibraries/\(name)", providers: [.apt([apt])])
}

/// The tests of one module; they mirror its folders.
func tests(_ name: String, uses: [Target.Dependency], data: [Resource] = []) -> Target {
    .testTarget(
        name: name, dependencies: uses, path: "Tests/\(name)", resources: data, swiftSettings: strict)
}

let nio = "swift-nio"
let nioCore = Target.Dependency.product(name: "NIOCore", package: nio)
let nioPosix = Target.Dependency.product(name: "NIOPosix", package: nio)
let nioHTTP = Target.Dependency.product(name: "NIOHTTP1", package: nio)
let nioEmbedded = Target.Dependency.product(name: "NIOEmbedded", package: nio)
let nioTLS = Target.Dependency.product(name: "NIOTLS", package: nio)
let nioSSL = Target.Dependency.product(name: "NIOSSL", package: "swift-nio-ssl")
let logging = Target.Dependency.product(name: "Logging", package: "swift-log")
let grdb = Target.Dependency.product(name: "GRDB", package: "GRDB.swift")
let yams = Target.Dependency.product(name: "Yams", package: "Yams")
let arguments = Target.Dependency.product(name: "ArgumentParser", package: "swift-argument-parser")

let package = Package(
    name: "gatehouse",
    products: [.executable(name: "gatehouse", targets: ["gatehouse"])],
    dependencies: [
        .package(url: "https://github.com/apple/swift-nio", exact: "2.101.2"),
        .package(url: "https://github.com/apple/swift-nio-ssl", exact: "2.37.6"),
        .package(url: "https://github.com/apple/swift-log", exact: "1.16.2"),
        .package(url: "https://github.com/apple/swift-argument-parser", exact: "1.8.2"),
        .package(url: "https://github.com/groue/GRDB.swift", exact: "7.10.0"),
        .package(url: "https://github.com/jpsim/Yams", exact: "6.2.2"),
    ],
    targets: [
        // C libraries: module map + shim header, nothing else
        library("CLibCrypto", apt: "libssl-dev"),
        library("CNcurses", apt: "libncurses-dev"),
        library("CSQLite", apt: "libsqlite3-dev"),
        library("CLinux", apt: "libc6-dev"),
        library("CPKCS11", apt: "libp11-kit-dev"),

        // Core: the words and the ports
        module("Domain", in: "Core"),
        module("Locking", in: "Core"),
        module("Cipher", in: "Core", uses: ["Domain", "Locking", "CLibCrypto", "CLinux"]),
        module("Dialects", in: "Core", uses: ["Domain"]),
        module("Storage", in: "Core", uses: ["Domain", "Locking"]),
        module("Events", in: "Core", uses: ["Domain", "Locking"]),
        module("Operations", in: "Core", uses: ["Domain", "Events", "Locking"]),

        // Features: one step of the path each; no feature enters another
        module("Access", in: "Features", uses: ["Domain", "Cipher", "Locking"]),
        module("Limits", in: "Features", uses: ["Domain", "Locking"]),
        module("Cache", in: "Features", uses: ["Domain", "Locking"]),
        module("Routing", in: "Features", uses: ["Domain", "Locking"]),
        module("Vault", in: "Features", uses: ["Domain", "Cipher", "Locking"]),
        module(
            "Providers", in: "Features",
            uses: ["Domain", "Dialects", "Cipher", "Locking", nioCore, nioPosix, nioHTTP, nioTLS, nioSSL]),
        module("Metering", in: "Features", uses: ["Domain", "Storage", "Locking"]),

        // Engine: takes each call through the features, and answers the operator's port
        .target(
            name: "Engine",
            dependencies: [
                "Domain", "Locking", "Cipher", "Storage", "Events", "Operations", "Access", "Limits", "Cache",
                "Routing", "Vault", "Metering", logging,
            ], path: "Sources/Engine", swiftSettings: strict),

        // Interfaces: where callers and operators come in
        module(
            "Gateway", in: "Interfaces",
            uses: [
                "Domain", "Dialects", "Locking", "Cipher", "Access", "Limits", "Cache", "Vault", "Engine",
                "Providers", nioCore, nioPosix, nioHTTP, nioSSL, logging,
            ]),
        module("Console", in: "Interfaces", uses: ["Domain", "Events", "Operations"]),

        // Adapters: which database, which terminal
        module("SQLiteStorage", in: "Adapters", uses: ["Domain", "Storage", "Locking", "CSQLite", grdb]),
        module(
            "Terminal", in: "Adapters",
            uses: ["Console", "Domain", "Events", "Operations", "Locking", "CNcurses", "CLinux"]),

        module(
            "Keepers", in: "Adapters",
            uses: [
                "Domain", "Cipher", "Dialects", "Locking", "Vault", "Providers", "CPKCS11", nioCore, nioPosix,
            ]),
        module("Imports", in: "Adapters", uses: ["Domain", yams]),

        // Assembly: chooses adapters, reads configuration; gatehouse: arguments in, exit code out
        .target(
            name: "Assembly",
            dependencies: [
                "Domain", "Locking", "Cipher", "Dialects", "Storage", "Events", "Operations", "Access",
                "Limits", "Cache",
                "Routing", "Vault", "Providers", "Metering", "Engine", "Gateway", "Console", "SQLiteStorage",
                "Terminal", "Keepers", "Imports", "CLinux", nioCore, nioPosix, nioHTTP, logging,
            ], path: "Sources/Assembly", swiftSettings: strict),
        .executableTarget(
            name: "gatehouse",
            dependencies: ["Assembly", "Operations", "Domain", arguments], path: "Sources/gatehouse",
            swiftSettings: strict),

        // What tests and benchmarks share; no program of ours uses it
        .target(
            name: "TestKit",
            dependencies: ["Domain", "Storage", "SQLiteStorage", "Vault", "Access", "Cipher", "CLinux"],
            path: "Tests/TestKit", resources: [.copy("Scripts")], swiftSettings: strict),
        .target(
            name: "TestTraits", dependencies: ["Locking"], path: "Tests/TestTraits", swiftSettings: strict),
        .target(
            name: "PowerKit", dependencies: ["Domain", "CSQLite"], path: "Tests/PowerKit",
            swiftSettings: strict),
        .executableTarget(
            name: "GatehouseBenchmarks",
            dependencies: ["gatehouse", "TestKit", "Domain", "CLinux", nioCore, nioPosix, arguments],
            path: "Tests/Benchmarks",
            swiftSettings: strict),

        // What reads bytes from outside, fed with what nobody expects
        .target(
            name: "FuzzTargets",
            dependencies: ["Assembly", "Cipher", "Console", "Dialects", "Domain", "Storage", "Vault"],
            path: "Tests/FuzzTargets", swiftSettings: strict),
        tests("FuzzTests", uses: ["FuzzTargets", "Domain"]),

        // Tests mirror the modules; PathTests run the whole program, SourceRulesTests read the source tree
        tests(
            "PathTests",
            uses: [
                "gatehouse", "Assembly", "Operations", "Domain", "Locking", "CSQLite", "TestKit",
                "TestTraits",
            ],
            data: [.copy("Scripts")]),
        tests("SourceRulesTests", uses: []),
        tests("DomainTests", uses: ["Domain"]),
        tests("EventsTests", uses: ["Events", "Domain"]),
        tests("CipherTests", uses: ["Cipher", "Domain", "CLibCrypto", "CLinux"], data: [.copy("Fixtures")]),
        tests("AccessTests", uses: ["Access", "Cipher", "Domain"]),
        tests("VaultTests", uses: ["Vault", "Cipher", "Domain", "Locking"]),
        tests(
            "KeepersTests",
            uses: [
                "Keepers", "Vault", "Providers", "Cipher", "Domain", "Locking", "CPKCS11", "TestKit",
                "TestTraits", nioCore,
            ]),
        tests("ImportsTests", uses: ["Imports", "Domain"]),
        tests("DialectsTests", uses: ["Dialects", "Domain"], data: [.copy("Fixtures")]),
        tests("MeteringTests", uses: ["Metering", "Storage", "Domain", "Locking"]),
        tests("RoutingTests", uses: ["Routing", "Domain", "Locking"]),
        tests("LimitsTests", uses: ["Limits", "Domain", "Locking"]),
        tests("CacheTests", uses: ["Cache", "Domain", "Locking"]),
        tests(
            "EngineTests",
            uses: [
                "Engine", "Domain", "Locking", "Cipher", "Storage", "Events", "Operations", "Access",
                "Limits",
                "Cache", "Routing", "Vault", "Metering", logging, "TestKit",
            ]),
        tests(
            "GatewayTests",
            uses: [
                "Gateway", "Engine", "Domain", "Dialects", "Locking", "Cipher", "Storage", "Events",
                "Operations", "Access", "Limits", "Cache", "Routing", "Vault", "Providers", "Metering",
                nioCore,
                nioPosix, nioHTTP, nioSSL, nioEmbedded, logging, "TestKit", "TestTraits",
            ]),
        tests("StorageTests", uses: ["Storage", "Domain"], data: [.copy("Fixtures")]),
        tests("StorageContract", uses: ["SQLiteStorage", "Storage", "Domain", "TestKit"]),
        tests(
            "SQLiteStorageTests",
            uses: ["SQLiteStorage", "Storage", "Domain", "TestKit", "PowerKit", "CSQLite", grdb]),
        tests(
            "ProvidersTests",
            uses: [
                "Providers", "Domain", "Dialects", "Cipher", "Locking", nioCore, nioPosix, nioHTTP,
                nioEmbedded,
                nioSSL,
            ], data: [.copy("Fixtures")]),
        tests(
            "TerminalTests",
            uses: [
                "Terminal", "Console", "Operations", "Domain", "Events", "Locking", "CNcurses", "TestTraits",
            ]),
        tests(
            "AssemblyTests",
            uses: [
                "Assembly", "Console", "Operations", "Events", "Domain", "Cipher", "Locking", "Dialects",
                "Routing", "Cache", "Providers", "Engine", "Storage", "SQLiteStorage", "Keepers", "Vault",
                "Access", "TestKit", nioCore, nioPosix, logging, grdb,
            ]),
        tests(
            "ConsoleTests", uses: ["Console", "Domain", "Events", "Operations"], data: [.copy("Golden")]),
    ]
)
