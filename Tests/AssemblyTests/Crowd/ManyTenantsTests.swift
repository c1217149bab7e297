import Domain
import Engine
import Foundation
import Logging
import SQLiteStorage
import Storage
import TestKit
import Testing

@testable import Assembly

/// Many more tenants than files that may be open at once.
@Suite struct ManyTenantsTests {
    private static let tenants = 600
    /// Three descriptors of each of 256 databases, three of the parked rows', and those of the control database, the
    /// journal and the lock.
    private static let filesMost = 3 * 256 + 3 + 8

    @Test(.timeLimit(.minutes(10)))
    func `each of six hundred tenants gets its own key and ledger row, with few files open`() async throws {
        // Some thousand flushes say nothing here, so they need not wait for a disk.
        let folder =
            TenantCrowd.inMemory() ?? FileManager.default.temporaryDirectory.path + "/\(UUID().uuidString)"
        try FileManager.default.createDirectory(atPath: folder, withIntermediateDirectories: true)
        defer { try? FileManager.default.removeItem(atPath: folder) }
        let crowd = try await TenantCrowd(
            in: folder, tenants: Self.tenants, keys: 1, provider: try ProviderName("openai"),
            origin: CallLoad.origin)
        let places = try Places(data: crowd.data, config: nil)
        try Data(FirstConfiguration.text(keyFile: crowd.keyFile).utf8).write(to: URL(filePath: places.config))
        let gateway = try await GatewayAssembly.open(
            places, configuration: try Configuration.load(places.config),
            unlock: .secret(try SecretInput.keyFile(crowd.keyFile, outside: places.data)),
            log: Logger(label: "test") { _ in SwiftLogNoOpLogHandler() })
        #expect(try openFiles(below: crowd.data) <= Self.filesMost)

        let load = CallLoad(engine: gateway.engine, crowd: crowd)
        for _ in 0..<Self.tenants { load.call(lane: 0) }
        #expect(load.tally.failures.isEmpty, "\(load.tally.failures.prefix(3))")
        #expect(load.tally.calls == Self.tenants)
        await gateway.drainOnce()
        // Files are closed by a thread of their own: the bound holds soon after the last one was let go.
        try waitUntil("files are closed") { try openFiles(below: crowd.data) <= Self.filesMost }
        for member in crowd.members {
            let rows = try await gateway.store(of: member.id).usage(
                since: WallTime(milliseconds: 0), until: WallTime(milliseconds: .max), limit: 10)
            guard rows.map(\.providerKey) == member.secrets.keys.map({ $0 }) else {
                Issue.record("tenant \(member.id) has \(rows.count) rows, or another's")
                continue
            }
        }
        await gateway.stop(grace: .zero)
    }

    /// Descriptors of this process for files of a data folder.
    private func openFiles(below path: String) throws -> Int {
        let files = FileManager.default
        return try files.contentsOfDirectory(atPath: "/proc/self/fd").count { descriptor in
            (try? files.destinationOfSymbolicLink(atPath: "/proc/self/fd/\(descriptor)"))?.hasPrefix(path)
                ?? false
        }
    }
}
