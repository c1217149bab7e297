import Domain
import Engine
import Foundation
import Locking
import Logging
import NIOCore
import NIOPosix
import Operations
import Providers
import TestKit
import Testing

@testable import Assembly

/// Probes of a whole gateway, over loopback sockets: an outage is seen before a call meets it, and its end too.
@Suite struct ProviderProbesTests {
    private let folder: TemporaryFolder
    private let places: Places
    private let log = Logger(label: "test") { _ in SwiftLogNoOpLogHandler() }

    init() throws {
        folder = try TemporaryFolder()
        places = try Places(data: folder.path + "/data", config: nil)
    }

    /// A provider that answers with a status, and can go away and come back at the same port.
    private actor Provider {
        private let status: Int
        private var channel: (any Channel)?
        private var port = 0
        private var isPlaced = false
        /// Below the ports that Linux gives to outgoing connections (net.ipv4.ip_local_port_range), one of which would
        /// take the place of a provider that is away.
        private static let ports = 20_000..<32_000

        init(status: Int) { self.status = status }

        func start() async throws -> Int {
            let status = status
            let server = ServerBootstrap(group: MultiThreadedEventLoopGroup.singleton)
                .serverChannelOption(.socketOption(.so_reuseaddr), value: 1)
                .childChannelInitializer { channel in
                    channel.eventLoop.makeCompletedFuture {
                        try channel.pipeline.syncOperations.addHandler(Answering(status: status))
                    }
                }
            // A program that is just being started holds copies of all sockets for a moment, closed ones too.
            var tries = 0
            while channel == nil {
                tries += 1
                if !isPlaced { port = .random(in: Self.ports) }
                do {
                    channel = try await server.bind(host: "127.0.0.1", port: port).get()
                } catch  where tries < 100 {
                    try await Task.sleep(for: .milliseconds(50))
                }
            }
            isPlaced = true
            return port
        }

        func stop() async throws {
            try await channel?.close()
            channel = nil
        }
    }

    private final class Answering: ChannelInboundHandler {
        typealias InboundIn = ByteBuffer
        private let status: Int

        init(status: Int) { self.status = status }

        func channelRead(context: ChannelHandlerContext, data: NIOAny) {
            let text = "HTTP/1.1 \(status) X\r\ncontent-length: 2\r\nconnection: close\r\n\r\n{}"
            let channel = context.channel
            context.writeAndFlush(NIOAny(ByteBuffer(string: text))).whenComplete { _ in
                channel.close(promise: nil)
            }
        }
    }

    private func open(
        _ more: String, interval: Duration, timeouts: UpstreamTimeouts = ReachProbe.timeouts
    ) async throws -> GatewayAssembly {
        try await Launcher.makeFolder(places, keyFile: folder.path + "/key", passphraseFromStdin: false)
        let text = FirstConfiguration.text(keyFile: folder.path + "/key") + more
        try Data(text.utf8).write(to: URL(filePath: places.config))
        var configuration = try Configuration.load(places.config)
        // The file takes no less than 5 s; a test need not wait that long.
        for name in configuration.probes.keys { configuration.probes[name] = interval }
        let secret = try SecretInput.keyFile(folder.path + "/key", outside: places.data)
        return try await GatewayAssembly.open(
            places, configuration: configuration, unlock: .secret(secret), probeTimeouts: timeouts,
            log: log)
    }

    private func wait(_ what: String, _ holds: () -> Bool) async throws {
        let end = ContinuousClock.now + .seconds(patience)
        while !holds() {
            guard ContinuousClock.now < end else {
                Issue.record("not within \(patience) s: \(what)")
                return
            }
            try await Task.sleep(for: .milliseconds(20))
        }
    }

    @Test func `an outage opens the breaker without any call, and the provider's return half-opens it`()
        async throws
    {
        let provider = Provider(status: 401)
        let port = try await provider.start()
        let gateway = try await open(
            """

            [[provider]]
            name = "own"
            kind = "openai-compatible"
            base_url = "http://127.0.0.1:\(port)/v1"
            probe = "5s"
            [[route]]
            model = "mine"
            targets = ["own/a", "openai/gpt-6-sol"]
            """, interval: .milliseconds(100))
        let engine = gateway.engine
        await gateway.startBackground()
        func own() -> ProviderView? { engine.snapshot().providers.first { $0.name.text == "own" } }
        func target() -> TargetView? {
            engine.snapshot().targets.first { $0.target.description == "own/a" }
        }
        try await wait("the provider answers") { own()?.probe?.reachable == true }
        let probe = try #require(own()?.probe)
        #expect(probe.words == "status 401" && probe.failures == 0 && (probe.milliseconds ?? -1) >= 0)
        #expect(target()?.position == .closed)
        #expect(engine.snapshot().providers.count { $0.probe != nil } == 1, "one is probed")

        try await provider.stop()
        try await wait("the breaker opens") { target()?.position == .open }
        #expect(target()?.why.contains("free probes in a row without an answer") == true)
        try await wait("the screens say so") { own()?.probe?.reachable == false }
        #expect((own()?.probe?.failures ?? 0) >= 5 && own()?.probe?.milliseconds == nil)

        _ = try await provider.start()
        // The open period alone would last 10 s from each look; the answer ends it.
        try await wait("the next call may try") { target()?.position == .halfOpen }
        #expect(own()?.probe?.reachable == true)

        // What the configuration names no more is asked no more.
        try Data(FirstConfiguration.text(keyFile: folder.path + "/key").utf8).write(
            to: URL(filePath: places.config))
        _ = try await engine.perform(
            .configReload, secret: nil, by: OperatorID(name: "ana", via: "command"))
        #expect(engine.snapshot().providers.allSatisfy { $0.probe == nil })
        await gateway.stop(grace: .zero)
        try await provider.stop()
    }

    /// A probe that was waited for would take an hour.
    @Test(.timeLimit(.minutes(5))) func `stopping waits for no provider that never answers`() async throws {
        let callers = Locked(0)
        let silent = try await ServerBootstrap(group: MultiThreadedEventLoopGroup.singleton)
            .childChannelInitializer { channel in
                callers.withLock { $0 += 1 }
                return channel.eventLoop.makeSucceededVoidFuture()
            }
            .bind(host: "127.0.0.1", port: 0).get()
        let port = try #require(silent.localAddress?.port)
        let hour = Duration.seconds(3_600)
        let gateway = try await open(
            """

            [[provider]]
            name = "own"
            kind = "openai-compatible"
            base_url = "http://127.0.0.1:\(port)/v1"
            probe = "5s"
            """, interval: .milliseconds(1),
            timeouts: UpstreamTimeouts(connect: hour, firstByte: hour, idle: hour, total: hour))
        await gateway.startBackground()
        try await wait("the provider is asked") { callers.withLock { $0 } > 0 }
        await gateway.stop(grace: .zero)
        #expect(gateway.engine.snapshot().providers.first { $0.name.text == "own" }?.probe == nil)
        try await silent.close()
    }
}
