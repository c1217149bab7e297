import Console
import Domain
import Engine
import FoundationEssentials
import Glibc
import Logging
import NIOCore
import NIOPosix
import Operations
import Providers

/// `gatehouse demo`: a throw-away folder, simulated providers and callers on loopback, and the real engine between
/// them. Nothing in the path knows that it is a demo.
struct DemoHouse {
    let seed: UInt64
    let speed: Double

    /// Makes the folder, the providers, the gateway and the traffic; runs `body`; takes everything away again.
    func run(
        log: Logger, _ body: (GatewayAssembly) async throws -> Void
    ) async throws {
        let group = MultiThreadedEventLoopGroup(numberOfThreads: 1)
        let root = try Self.makeFolder()
        defer { try? FileManager.default.removeItem(atPath: root) }
        let started = SystemClock().now
        let speed = speed
        let script = DemoScript(seed: seed, providers: 3)
        let elapsed: @Sendable () -> Double = {
            Double((SystemClock().now - started).wholeMilliseconds) / 1_000 * speed
        }
        var simulated: [SimulatedProvider] = []
        for index in DemoCast.providers.indices {
            simulated.append(
                try await SimulatedProvider.start(
                    on: group,
                    behaviour: .init(
                        seed: seed &+ UInt64(index), doomedKey: DemoCast.doomedKey(at: index)
                    ) {
                        var mood = script.mood(of: index, at: elapsed())
                        mood.latency /= speed
                        return mood
                    }))
        }
        let places = try Places(data: root + "/data", config: root + "/gatehouse.toml")
        try Data(DemoCast.configuration(ports: simulated.map(\.port), keyFile: root + "/vault.key").utf8)
            .write(
                to: URL(filePath: places.config))
        let secret = try await Self.makeVault(places, keyFile: root + "/vault.key")
        let gateway = try await GatewayAssembly.open(
            places, configuration: try Configuration.load(places.config), unlock: .secret(secret), demo: true,
            log: log)
        await gateway.startBackground()
        try await gateway.openSocket()
        let port = try await gateway.listen()
        let traffic = DemoTraffic()
        do {
            let applications = try await DemoCast.populate(gateway)
            traffic.start(on: group, port: port, applications: applications, seed: seed) {
                script.rate(at: elapsed()) * speed
            }
            try await body(gateway)
        } catch {
            traffic.stop()
            throw error
        }
        traffic.stop()
        for provider in simulated { await provider.stop() }
        try? await group.shutdownGracefully()
    }

    private static func makeFolder() throws -> String {
        let base = Places.variable("TMPDIR") ?? "/tmp"
        var template = Array((base + "/gatehouse-demo-XXXXXX").utf8CString)
        guard mkdtemp(&template) != nil else { throw CommandFailure("cannot make a folder under \(base)") }
        return String(decoding: template.dropLast().map { UInt8(bitPattern: $0) }, as: UTF8.self)
    }

    private static func makeVault(_ places: Places, keyFile: String) async throws -> SecretDraft {
        try await Launcher.makeFolder(places, keyFile: keyFile, passphraseFromStdin: false)
        return try SecretInput.keyFile(keyFile, outside: places.data)
    }
}

extension Launcher {
    /// The demo: with the console, or headless until a signal or its time comes.
    public static func demo(
        _ choices: ConsoleChoices, seed: UInt64, speed: Double, headless: Bool, seconds: Int?
    ) async throws {
        let logDescriptor: Int32 =
            if let path = choices.logFile { try openLog(path) } else {
                headless ? 2 : open("/dev/null", O_WRONLY)
            }
        let log = Logger(label: "gatehouse") { LineLog(label: $0, descriptor: logDescriptor) }
        if let seconds {
            // A bound that holds however the demo ends: the alarm is a stop signal like any other.
            Task {
                try? await Task.sleep(for: .seconds(seconds))
                kill(getpid(), SIGTERM)
            }
        }
        try await DemoHouse(seed: seed, speed: speed).run(log: log) { gateway in
            guard headless else {
                return try await show(
                    gateway, choices, theme: nil, logDescriptor: logDescriptor, endsWithTerminal: true,
                    log: log)
            }
            _ = await StopSignals.next()
            await gateway.stop(grace: .seconds(2))
        }
    }
}
