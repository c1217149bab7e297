import Domain
import Foundation
import Glibc
import Logging
import NIOCore
import NIOPosix
import Operations
import Testing

@testable import Assembly

/// The engine's socket as its own client and as strangers use it.
@Suite struct EngineSocketTests {
    private let folder: TemporaryFolder
    private let path: String

    init() throws {
        folder = try TemporaryFolder()
        path = folder.path + "/engine.sock"
    }

    /// Opens the socket before `port`, lends it, and takes everything down again.
    private func serve(
        _ port: RecordingPort, patience: TimeAmount = .seconds(60),
        _ body: (EngineSocket) async throws -> Void
    ) async throws {
        let group = MultiThreadedEventLoopGroup(numberOfThreads: 1)
        let socket = try await EngineSocket.open(
            path: path, port: port, group: group, log: Logger(label: "test"), patience: patience)
        let outcome: Result<Void, any Error>
        do { outcome = .success(try await body(socket)) } catch { outcome = .failure(error) }
        await socket.close()
        try await group.shutdownGracefully()
        try outcome.get()
    }

    /// What the client says, on a thread of its own.
    private func client<Answer: Sendable>(
        _ body: @escaping @Sendable (EngineClient) throws -> Answer
    ) async throws -> Answer {
        let path = path
        return try await awayFromPool {
            try body(try #require(EngineClient(path: path, operatorName: "olga")))
        }
    }

    /// Sends bytes as a stranger would; gives what came back until the engine closed.
    private func raw(_ bytes: [UInt8]) async throws -> (bytes: [UInt8], closed: Bool) {
        let path = path
        return try await awayFromPool {
            let socket = try #require(RawSocket.unix(path))
            socket.send(bytes)
            return socket.readToEnd()
        }
    }

    private static func picture(padding: Int = 0) throws -> EngineSnapshot {
        let target = try Target("openai/gpt-6")
        return EngineSnapshot(
            instance: "east", at: WallTime(milliseconds: 1_700_000_000_123), sequence: .max,
            health: .init(state: .degraded, reasons: ["a \"quoted\" reason\n\u{1b}[31m"]),
            totals: .init(requestsPerSecond: 0.1, p50Milliseconds: nil, p95Milliseconds: 12.5, calls: .max),
            targets: [
                TargetView(
                    target: target, position: .open,
                    hold: BreakerHold(
                        mode: .open, owner: "olga", reason: "maintenance",
                        since: WallTime(milliseconds: 1), ends: WallTime(milliseconds: 9)), why: "größer")
            ], auditVerified: String(repeating: "x", count: padding))
    }

    // MARK: What comes in goes out

    @Test func `a listing arrives as the engine has it`() async throws {
        let picture = try Self.picture()
        try await serve(RecordingPort(picture)) { _ in
            let seen = try await client { try $0.snapshot() }
            #expect(seen == picture)
        }
    }

    @Test func `a command arrives with its secret and its operator, its answer with the key that was made`()
        async throws
    {
        let secret = (0...255).map(UInt8.init)
        let key = Array("gh_live_key".utf8)
        let port = RecordingPort(issued: key)
        let command = EngineCommand.tokenIssue(
            TokenOrder(tenant: try TenantName("acme"), name: try Label("web"), expiresInSeconds: 60))
        try await serve(port) { _ in
            let (receipt, issued) = try await client { client in
                let draft = secret.withUnsafeBytes { SecretDraft(copying: $0) }
                let outcome = try client.perform(command, secret: draft)
                return (outcome.receipt, outcome.issued?.withBytes { Array($0) })
            }
            #expect(
                receipt == CommandReceipt(message: "done", details: ["a", "b"], undo: command, isBad: true))
            #expect(issued == key)
        }
        let who = OperatorID(
            name: "olga", via: "command", origin: OperatorOrigin.unknown.vouched(uid: geteuid()),
            account: OperatorSession.operatorName)
        #expect(port.heard == [.init(command: command, secret: secret, who: who)])
    }

    @Test func `the longest secret there is fits into a request`() async throws {
        let port = RecordingPort()
        let secret = [UInt8](repeating: 255, count: SecretDraft.longest)
        try await serve(port) { _ in
            _ = try await client { client in
                try client.perform(.vaultUnlock, secret: secret.withUnsafeBytes { SecretDraft(copying: $0) })
                    .receipt
            }
        }
        #expect(port.heard.first?.secret == secret)
    }

    @Test func `a refusal and an answer from storage arrive as they were given`() async throws {
        try await serve(RecordingPort()) { _ in
            let answer = try await client { try $0.ask(.verifyAudit) }
            #expect(answer == .auditIntact(records: 3, head: "ab"))
        }
        let refusal = CommandRefusal(.keyUnverified, "the provider could not be asked")
        try await serve(RecordingPort(refusal: refusal)) { _ in
            await #expect(throws: refusal) { try await client { try $0.ask(.verifyAudit) } }
            await #expect(throws: refusal) {
                try await client { try $0.perform(.configReload, secret: nil).receipt }
            }
        }
    }

    // MARK: Bad peers

    @Test(arguments: [
        "hello\n", "\n", "{}\n", "null\n", "\u{0}\u{1}\u{2}\n", "{\"operatorName\":\"x\"}\n",
        "{\"operatorName\":\"x\",\"body\":{\"launch\":{}}}\n",
        "{\"operatorName\":\"x\",\"body\":{\"command\":{\"_0\":{\"tenantResume\":{\"name\":\"BAD NAME\"}}}}}\n",
        String(repeating: "[", count: 60_000) + "\n",
    ])
    func `a line that is no request is refused in a sentence`(line: String) async throws {
        let port = RecordingPort()
        try await serve(port) { _ in
            let (bytes, closed) = try await raw(Array(line.utf8))
            #expect(closed)
            guard case .refused(let refusal) = try JSONDecoder().decode(SocketReply.self, from: Data(bytes))
            else { throw CommandRefusal(.invalid, "not refused: \(String(decoding: bytes, as: UTF8.self))") }
            #expect(refusal.code == .invalid && !refusal.message.isEmpty)
        }
        #expect(port.heard.isEmpty)
    }

    @Test func `a line longer than the bound is cut off, and the engine goes on answering`() async throws {
        let port = RecordingPort()
        try await serve(port) { _ in
            let endless = [UInt8](repeating: UInt8(ascii: "a"), count: SocketLimits.requestBytes + 1)
            let (bytes, closed) = try await raw(endless)
            #expect(bytes.isEmpty && closed)
            let seen = try await client { try $0.snapshot() }
            #expect(seen == port.picture)
        }
        #expect(port.heard.isEmpty)
    }

    @Test func `the client refuses to send more than the bound, and says so`() async throws {
        let port = RecordingPort()
        let name = try TenantName("acme")
        let reason = String(repeating: "r", count: SocketLimits.requestBytes)
        try await serve(port) { _ in
            let refusal = await #expect(throws: CommandRefusal.self) {
                try await client { client in
                    try client.perform(.tenantSuspend(name: name, reason: reason), secret: nil).receipt
                }
            }
            #expect(refusal?.code == .invalid && refusal?.message.contains("65536 bytes") == true)
        }
        #expect(port.heard.isEmpty)
    }

    @Test func `a connection carries one request`() async throws {
        let port = RecordingPort()
        let request = SocketRequest(operatorName: "x", body: .command(.configReload, secret: nil))
        let line = try JSONEncoder().encode(request) + Data("\n".utf8)
        try await serve(port) { _ in
            let path = path
            _ = try await awayFromPool {
                let socket = try #require(RawSocket.unix(path))
                socket.send(line)
                let first = socket.read { $0.last == UInt8(ascii: "\n") }
                #expect(!first.bytes.isEmpty)
                socket.send(line)
                #expect(socket.readToEnd().bytes.isEmpty)
            }
        }
        #expect(port.heard.count == 1)
    }

    @Test func `peers that stop reading do not keep others waiting, and are closed`() async throws {
        let port = RecordingPort(try Self.picture(padding: 4 << 20))
        let request = SocketRequest(operatorName: "x", body: .snapshot)
        let line = try JSONEncoder().encode(request) + Data("\n".utf8)
        try await serve(port, patience: .seconds(2)) { _ in
            let path = path
            let stalled = try await awayFromPool {
                try (0..<12).map { _ in
                    let socket = try #require(RawSocket.unix(path))
                    #expect(socket.send(line))
                    return socket
                }
            }
            let seen = try await client { try $0.snapshot() }
            #expect(seen == port.picture)
            let left = try await awayFromPool { stalled.map { $0.readToEnd() } }
            #expect(left.allSatisfy { $0.closed })
        }
    }

    @Test func `a peer that sends nothing is closed`() async throws {
        try await serve(RecordingPort(), patience: .milliseconds(50)) { _ in
            for bytes in [[], Array("{\"operatorName\":".utf8)] as [[UInt8]] {
                let (answer, closed) = try await raw(bytes)
                #expect(answer.isEmpty && closed)
            }
        }
    }

    // MARK: The file

    @Test func `the socket is its owner's alone and goes away with the engine`() async throws {
        try await serve(RecordingPort()) { _ in
            #expect(TemporaryFolder.mode(path) == 0o600)
        }
        #expect(TemporaryFolder.mode(path) == nil)
        #expect(EngineClient(path: path, operatorName: "x") == nil)
    }

    @Test func `a socket that a dead engine left behind is replaced`() async throws {
        #expect(mknod(path, S_IFSOCK | 0o666, 0) == 0)
        #expect(EngineClient(path: path, operatorName: "x") == nil)
        let port = RecordingPort(try Self.picture())
        try await serve(port) { _ in
            #expect(TemporaryFolder.mode(path) == 0o600)
            let seen = try await client { try $0.snapshot() }
            #expect(seen == port.picture)
        }
    }

    @Test func `a path too long for a socket is refused with what to do`() async throws {
        let long = folder.path + "/" + String(repeating: "d", count: 108)
        let group = MultiThreadedEventLoopGroup(numberOfThreads: 1)
        let failure = await #expect(throws: CommandFailure.self) {
            try await EngineSocket.open(
                path: long, port: RecordingPort(), group: group, log: Logger(label: "test"))
        }
        #expect(failure?.message.contains("shorter path") == true)
        #expect(EngineClient(path: long, operatorName: "x") == nil)
        try await group.shutdownGracefully()
    }

    @Test func `an engine that went away is said to have gone`() async throws {
        let group = MultiThreadedEventLoopGroup(numberOfThreads: 1)
        let socket = try await EngineSocket.open(
            path: path, port: RecordingPort(), group: group, log: Logger(label: "test"))
        let made = EngineClient(path: path, operatorName: "x")
        await socket.close()
        let refusal = #expect(throws: CommandRefusal.self) { try made?.snapshot() }
        #expect(refusal?.code == .unavailable && refusal?.message.contains(path) == true)
        try await group.shutdownGracefully()
    }
}
