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
        let everywhere = (try? [AddressRange("0.0.0.0/0"), AddressRange("::/0")]) ?? []
        options.addressRule = AddressRule(
            allowances: Dictionary(
                privateHosts.map { ($0, everywhere) }, uniquingKeysWith: { first, _ in first }))
        return options
    }

    var trust: UpstreamTLS.TrustRoots { authorities.map { .file($0) } ?? .system }

    /// Whether something changed that is read only at start.
    func needsRestart(after old: Configuration) -> Bool {
        listenHost != old.listenHost || listenPort != old.listenPort || listenThreads != old.listenThreads
            || certificate != old.certificate
            || unlock != old.unlock || authorities != old.authorities || privateHosts != old.privateHosts
            || breaker != old.breaker
            || cacheBytes != old.cacheBytes
    }

    /// Reads the file; without one, the defaults hold.
    package static func load(_ path: String) throws -> Configuration {
        guard FileManager.default.fileExists(atPath: path) else { return Configuration() }
        // A configuration has some kilobytes; a megabyte is a mistake.
        guard let data = FileManager.default.contents(atPath: path), data.count <= 1 << 20 else {
            throw ConfigurationProblem(file: path, line: 0, "cannot be read, or is larger than 1 MiB")
        }
        return try parse(String(decoding: data, as: UTF8.self), file: path)
    }
}
