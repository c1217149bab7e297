import Cipher
import Domain
import Engine
import Foundation
import Logging
import Operations
import SQLiteStorage
import Storage
import TestKit
import Testing
import Vault

@testable import Assembly

/// Rotations of a vault with ten thousand sealed provider keys, in real files, while calls go on.
@Suite struct RotationUnderLoadTests {
    private static let tenants = 100
    private static let keys = 100

    private let folder: TemporaryFolder
    private let crowd: TenantCrowd
    private let gateway: GatewayAssembly

    init() async throws {
        folder = try TemporaryFolder()
        crowd = try await TenantCrowd(
            in: folder.path, tenants: Self.tenants, keys: Self.keys, provider: try ProviderName("openai"),
            origin: CallLoad.origin)
        let places = try Places(data: crowd.data, config: nil)
        try Data(FirstConfiguration.text(keyFile: crowd.keyFile).utf8).write(to: URL(filePath: places.config))
        gateway = try await GatewayAssembly.open(
            places, configuration: try Configuration.load(places.config),
            unlock: .secret(try SecretInput.keyFile(crowd.keyFile, outside: places.data)),
            log: Logger(label: "test") { _ in SwiftLogNoOpLogHandler() })
    }

    @Test(.timeLimit(.minutes(10)))
    func `ten thousand keys are sealed anew while calls open them, and no call fails`() async throws {
        let engine = gateway.engine
        let before = try await wraps()
        let load = CallLoad(engine: engine, crowd: crowd)
        let calling = Task { await load.run() }

        _ = try await engine.perform(
            .vaultRotateRoot(kinds: [.keyFile], dropOthers: false),
            secret: SecretBundle.pack([
                try SecretInput.keyFile(crowd.keyFile, outside: gateway.places.data)
            ]), by: OperatorID(name: "ops", via: "test"))
        let root = try await steps(of: engine, calling: load)
        _ = try await engine.perform(
            .vaultRotateKeys(tenant: nil), secret: nil, by: OperatorID(name: "ops", via: "test"))
        let keys = try await steps(of: engine, calling: load)
        load.stop()
        await calling.value

        let tally = load.tally
        for (what, steps) in [("root", root), ("tenants' keys", keys)] {
            print(
                "rotation of \(what): \(Self.tenants) tenants, \(Self.tenants * Self.keys) records, "
                    + "\(steps.count) steps in \(steps.all), longest \(steps.longest)")
        }
        print("calls meanwhile: \(tally.calls), failed \(tally.failures.count)")
        #expect(tally.failures.isEmpty, "\(tally.failures.prefix(3))")
        #expect(tally.calls > root.count + keys.count)
        try await expectAllNew(since: before)
        await gateway.stop(grace: .zero)
    }

    /// One step after another, as a tick takes them, with a call between any two.
    private func steps(of engine: GatewayEngine, calling load: CallLoad) async throws -> Steps {
        var steps = Steps()
        while try await isUnderWay, steps.count < 2_000 {
            let took = await ContinuousClock().measure { await engine.workVault(for: .zero) }
            steps.count += 1
            steps.all += took
            steps.longest = max(steps.longest, took)
            load.call(lane: 0)
        }
        return steps
    }

    /// As storage has it.
    private var isUnderWay: Bool {
        get async throws {
            let stored = try await gateway.control.load()
            return stored.vault?.previousRoot.isEmpty == false
                || stored.tenantKeys.contains { $0.state == .retiring }
        }
    }

    private struct Steps {
        var count = 0
        var all = Duration.zero
        var longest = Duration.zero
    }

    private func wraps() async throws -> [WrappedTenantKey] { try await gateway.control.load().tenantKeys }

    private func expectAllNew(since before: [WrappedTenantKey]) async throws {
        let stored = try await gateway.control.load()
        #expect(stored.vault?.previousRoot == [] && stored.vault?.rootVersion == 2)
        #expect(stored.tenantKeys.count == 2 * Self.tenants)
        let old = stored.tenantKeys.filter { $0.version == 1 }
        #expect(old.allSatisfy { $0.state == .destroyed && $0.wrapped.isEmpty })
        let new = stored.tenantKeys.filter { $0.version == 2 }
        #expect(new.allSatisfy { $0.state == .active && $0.rootVersion == 2 })
        // What was in the files before, and opened everything, is in none of them any more.
        let control = try Data(contentsOf: URL(filePath: crowd.data + "/control.sqlite"))
        #expect(before.prefix(10).allSatisfy { control.range(of: Data($0.wrapped)) == nil })
        var opened = 0
        for member in crowd.members {
            let rows = try await gateway.store(of: member.id).providerKeys()
            for row in rows {
                guard KeyVault.sealingVersion(of: row) == 2, row.counter == 2 else { continue }
                let secret = try gateway.engine.parts.vault.openProviderKey(row, for: CallLoad.origin)
                if secret.withBytes({ $0.elementsEqual(Array((member.secrets[row.id] ?? "").utf8)) }) {
                    opened += 1
                }
            }
        }
        #expect(opened == Self.tenants * Self.keys)
        let verified = try await gateway.engine.perform(
            .vaultVerify, secret: nil, by: OperatorID(name: "ops", via: "test"))
        #expect(!verified.receipt.isBad, "\(verified.receipt.message)")
    }
}
