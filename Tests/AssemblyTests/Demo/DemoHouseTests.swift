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
                #expect(picture.tenants.count == 4 && !picture.providerKeys.isEmpty)
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

    @Test func `the folder is gone also when the demo failed`() async throws {
        await #expect(throws: Stop()) { _ = try await run { _ in throw Stop() } }
    }
}
