import Domain
import Engine
import Foundation
import Locking
import Logging
import Operations
import Testing

@testable import Assembly

/// The demo as a whole: the real engine on a folder that is gone afterwards.
@Suite struct DemoHouseTests {
    private struct Stop: Error, Equatable {}

    private let log = Logger(label: "test") { _ in SwiftLogNoOpLogHandler() }

    private func run(_ body: @escaping (GatewayAssembly) async throws -> Void) async throws -> String {
        let seen = Locked("")
        let outcome: Result<Void, any Error>
        do {
            try await DemoHouse(seed: 7, speed: 1).run(log: log) { gateway in
                seen.withLock { $0 = gateway.places.data }
                #expect(TemporaryFolder.mode(gateway.places.data) == 0o700)
                gateway.engine.pump()
                let picture = gateway.engine.snapshot()
                #expect(picture.demo && picture.instance == "demo" && picture.vault.unlocked)
                #expect(picture.tenants.count == 5 && picture.platform?.text == "house")
                #expect(picture.providerKeys.contains { $0.weight != nil } && picture.providers.count > 5)
                #expect(picture.listening.contains("127.0.0.1"))
                await gateway.stop(grace: .zero)
                try await body(gateway)
            }
            outcome = .success(())
        } catch {
            outcome = .failure(error)
        }
        let data = seen.withLock { $0 }
        #expect(data.contains("gatehouse-demo-"))
        #expect(TemporaryFolder.mode(data) == nil, "the demo left its data behind")
        #expect(TemporaryFolder.mode(URL(filePath: data).deletingLastPathComponent().path) == nil)
        try outcome.get()
        return data
    }

    @Test func `the folder is gone at the end, and the next demo has another`() async throws {
        let first = try await run { _ in }
        let second = try await run { _ in }
        #expect(first != second)
    }

    @Test func `every tenant with calls may be drilled, and routes show the ways to choose`() async throws {
        let seen = Locked<(strategies: Set<String>, refused: [String])>(([], []))
        try await DemoHouse(seed: 7, speed: 1).run(log: log) { gateway in
            let engine = gateway.engine
            if case .routes(let routes) = try await engine.ask(.routes) {
                seen.withLock { $0.strategies = Set(routes.map(\.strategy.rawValue)) }
            }
            for tenant in engine.snapshot().tenants where tenant.name.text != "house" {
                do {
                    _ = try await engine.perform(
                        .drillStart(tenant: tenant.name, fault: .cut, percent: 10, minutes: 1, reason: "x"),
                        secret: nil, by: OperatorID(name: "ana", via: "command"))
                } catch {
                    seen.withLock { $0.refused.append("\(tenant.name): \(error)") }
                }
            }
            await gateway.stop(grace: .zero)
        }
        let (strategies, refused) = seen.withLock { $0 }
        #expect(strategies.isSuperset(of: ["priority", "weighted", "fastest", "cheapest", "sticky"]))
        #expect(refused.isEmpty, "\(refused)")
    }

    @Test func `the folder is gone also when the demo failed`() async throws {
        await #expect(throws: Stop()) { _ = try await run { _ in throw Stop() } }
    }
}
