import Cache
import Domain
import Engine
import FoundationEssentials
import Providers
import Routing

extension Configuration {
    /// Bounds of the path.
    var path: PathOptions {
        PathOptions(
            attempts: attempts, connect: .seconds(connectSeconds), firstByte: .seconds(firstByteSeconds),
            idle: .seconds(idleSeconds), total: .seconds(totalSeconds), cacheEnabled: cacheEnabled,
            cacheTimeToLive: .seconds(cacheSeconds))
    }

    /// Bounds of the cache.
    var cache: CacheOptions {
        var options = CacheOptions()
        options.bytesMax = cacheBytes
        options.timeToLive = .seconds(cacheSeconds)
        return options
    }

    /// Bounds of the connections to providers.
    var upstream: UpstreamOptions {
        var options = UpstreamOptions()
        options.timeouts = UpstreamTimeouts(
            connect: .seconds(connectSeconds), firstByte: .seconds(firstByteSeconds),
            idle: .seconds(idleSeconds))
        options.addressRule = Self.rule(allowing: privateHosts)
        return options
    }

    /// Hosts that may lead to private addresses.
    static func rule(allowing hosts: Set<String>) -> AddressRule {
        let everywhere = (try? [AddressRange("0.0.0.0/0"), AddressRange("::/0")]) ?? []
        return AddressRule(
            allowances: Dictionary(
                hosts.map { ($0, everywhere) }, uniquingKeysWith: { first, _ in first }))
    }

    var trust: UpstreamTLS.TrustRoots { authorities.map { .file($0) } ?? .system }

    /// What differs from the configuration of the start and is read only then, in the file's words.
    func changesAtNextStart(after start: Configuration) -> [String] {
        var out: [String] = []
        if instance != start.instance { out.append("instance") }
        if (listenHost, listenPort) != (start.listenHost, start.listenPort)
            || listenThreads != start.listenThreads || certificate != start.certificate
            || certificateKey != start.certificateKey
        {
            out.append("[listen]")
        }
        if unlock != start.unlock || token != start.token || tokenPIN != start.tokenPIN
            || keyService != start.keyService || keyServiceCredential != start.keyServiceCredential
            || keyServiceProfile != start.keyServiceProfile
            || keyServiceIsPrivate != start.keyServiceIsPrivate
        {
            out.append("[vault]")
        }
        if authorities != start.authorities { out.append("[upstream]") }
        if privateHosts != start.privateHosts { out.append("allow_private") }
        if breaker != start.breaker { out.append("[breaker]") }
        if cacheBytes != start.cacheBytes { out.append("[cache] bytes_max") }
        if bodyBytes != start.bodyBytes { out.append("[bounds] body_bytes_max") }
        if connectSeconds > start.connectSeconds { out.append("[bounds] connect_seconds") }
        if checkpoints != start.checkpoints { out.append("[audit]") }
        if sharedSocket != start.sharedSocket { out.append("[socket]") }
        if theme != start.theme { out.append("[console] theme") }
        return out
    }

    /// Reads the file; without one, the defaults hold.
    public static func load(_ path: String) throws -> Configuration {
        guard FileManager.default.fileExists(atPath: path) else { return Configuration() }
        // Before reading: what is written meanwhile makes another stamp.
        let stamp = FileStamp(path)
        // A configuration has some kilobytes; a megabyte is a mistake.
        guard let data = FileManager.default.contents(atPath: path), data.count <= 1 << 20 else {
            throw ConfigurationProblem(file: path, line: 0, "cannot be read, or is larger than 1 MiB")
        }
        guard let text = String(validating: data, as: UTF8.self) else {
            throw ConfigurationProblem(file: path, line: 0, "is not UTF-8 text; save it in that encoding")
        }
        var configuration = try parse(text, file: path)
        try configuration.checkOwner(of: path)
        configuration.stamp = stamp
        return configuration
    }
}

extension Configuration {
    /// Where checkpoints are kept; refused inside the data folder, where they would prove nothing.
    func checkpointFile(outside folder: String) throws -> CheckpointFile? {
        guard let checkpoints else { return nil }
        guard !checkpoints.utf8.starts(with: (folder + "/").utf8) else {
            throw CommandFailure("[audit] checkpoints has to lie outside the data folder \(folder)")
        }
        return CheckpointFile(path: checkpoints)
    }
}
