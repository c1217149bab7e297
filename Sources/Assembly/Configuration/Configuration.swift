import Cache
public import Domain
import Engine
import Gateway
public import Keepers
public import Operations
import Providers
public import Routing

/// `gatehouse.toml`, read and checked: what each feature is told, with its defaults filled in.
public struct Configuration: Sendable, Equatable {
    /// How the vault is opened at start.
    public enum Unlock: Sendable, Hashable {
        /// Asked for on the terminal; a service without one starts sealed.
        case passphrase
        case keyFile(path: String)
        /// A file of that name in `$CREDENTIALS_DIRECTORY`, where systemd puts what a unit's `LoadCredential=` or
        /// `LoadCredentialEncrypted=` names (systemd.exec(5), "CREDENTIALS").
        case credential(name: String)
        /// The passphrase in a variable: only with `insecure = true`, since every child and `/proc` can show it.
        case environment(variable: String)
        /// By a key that is kept outside, which a table of the same name describes.
        case outside(SlotKind)
    }

    /// Where a secret lies that nobody is to type: a token's PIN, a key service's credentials.
    public enum SecretPlace: Sendable, Hashable {
        case file(String)
        case credential(name: String)
    }

    public var listenHost = "127.0.0.1"
    public var listenPort = 8080
    /// Event loops that serve calls; nil = one per core.
    public var listenThreads: Int?
    public var certificate: String?
    public var certificateKey: String?
    public var unlock = Unlock.passphrase
    /// The token whose key may keep slots, and where its PIN lies; nil = there is none.
    public var token: TokenPlace?
    public var tokenPIN: SecretPlace?
    /// The key service whose key may keep slots; nil = there is none.
    public var keyService: KeyServicePlace?
    /// Where its credentials lie; nil = in the environment.
    public var keyServiceCredential: SecretPlace?
    public var keyServiceProfile = "default"
    /// Whether its host may lead to a private address.
    public var keyServiceIsPrivate = false
    public var providers: [ProviderName: ProviderDefinition] = [:]
    /// Providers that are asked every so often, for nothing and without a key, whether they answer.
    public var probes: [ProviderName: Duration] = [:]
    /// Providers whose host may resolve to a private address.
    public var privateHosts: Set<String> = []
    public var routes: [ModelName: Route] = [:]
    public var routing = RoutingSettings()
    public var authorities: String?
    public var cacheBytes = 64 << 20
    public var cacheSeconds = 300
    public var cacheEnabled = true
    public var bodyBytes = 32 << 20
    public var attempts = 4
    public var connectSeconds = 5
    public var firstByteSeconds = 60
    public var idleSeconds = 60
    public var totalSeconds = 600
    public var breaker = BreakerOptions()
    public var theme: String?
    /// The file outside the data folder in which checkpoints of the audit are kept; nil = nowhere.
    public var checkpoints: String?
    public var instance = "gatehouse"
    /// Who may do what; empty = this account and root do everything.
    public var roster = OperatorRoster()
    /// Where other accounts reach the engine, and the group whose members may; nil = nowhere.
    public var sharedSocket: SharedSocket?
    /// The file as it was when it was read; nil = not from a file.
    var stamp: FileStamp?

    public init() {
        for preset in ProviderList.unasked { providers[preset.name] = preset }
    }
}

extension Configuration {
    /// Reads the whole file, or refuses it whole.
    public static func parse(_ text: String, file: String) throws(ConfigurationProblem) -> Configuration {
        let top = try ConfigurationReader(text: text, file: file)
        try top.allow([
            "instance", "listen", "vault", "provider", "route", "model", "platform", "drill", "cache",
            "bounds", "breaker", "upstream",
            "console", "audit", "operator", "socket",
        ])
        var configuration = Configuration()
        if let instance = try top.string("instance") {
            configuration.instance = try label(instance, key: "instance", in: top)
        }
        try configuration.readListen(top.section("listen"))
        try configuration.readVault(top.section("vault"))
        var entries: Set<ProviderName> = []
        for section in try top.sections("provider") {
            let name = try configuration.readProvider(section)
            guard entries.insert(name).inserted else {
                throw section.problem("name", "there is an entry for provider \(name) already")
            }
        }
        for section in try top.sections("route") { try configuration.readRoute(section) }
        for section in try top.sections("model") { try configuration.readModel(section) }
        try configuration.readPlatform(top.section("platform"), drill: top.section("drill"))
        try configuration.readCache(top.section("cache"))
        try configuration.readBounds(top.section("bounds"))
        try configuration.readBreaker(top.section("breaker"))
        try configuration.readRest(upstream: top.section("upstream"), console: top.section("console"))
        try configuration.readAudit(top.section("audit"))
        configuration.roster = try roster(top.sections("operator"))
        try configuration.readSocket(top.section("socket"))
        return configuration
    }

    private static func label(
        _ text: String, key: String, in section: ConfigurationReader
    )
        throws(ConfigurationProblem) -> String
    {
        do throws(NameRefusal) { return try Label(text).text } catch {
            throw section.problem(key, error.sentence)
        }
    }

    private mutating func readListen(_ section: ConfigurationReader) throws(ConfigurationProblem) {
        try section.allow(["address", "tls_certificate", "tls_key", "threads"])
        // 256: more cores than any machine this was tried on has.
        let threads = try section.number("threads", in: 0...256, default: 0)
        listenThreads = threads == 0 ? nil : threads
        certificate = try section.string("tls_certificate")
        certificateKey = try section.string("tls_key")
        guard (certificate == nil) == (certificateKey == nil) else {
            throw section.problem("tls_certificate", "tls_certificate and tls_key go together")
        }
        guard let address = try section.string("address") else { return }
        guard let colon = address.lastIndex(of: ":"), let port = Int(address[address.index(after: colon)...]),
            (0...65_535).contains(port), colon != address.startIndex
        else {
            throw section.problem("address", "address is HOST:PORT, such as 127.0.0.1:8080")
        }
        var host = String(address[..<colon])
        if host.hasPrefix("["), host.hasSuffix("]") { host = String(host.dropFirst().dropLast()) }
        listenHost = host
        listenPort = port
        let loopback = Origin(secure: false, host: host, port: port).isLoopback
        guard loopback || certificate != nil else {
            throw section.problem(
                "address",
                "anything but loopback needs tls_certificate and tls_key: virtual keys would go in clear")
        }
    }

    private mutating func readProvider(
        _ section: ConfigurationReader
    ) throws(ConfigurationProblem) -> ProviderName {
        try section.allow([
            "name", "like", "kind", "base_url", "keyless", "allow_plain_http", "allow_private", "api_version",
            "region", "retention", "probe",
        ])
        guard let text = try section.string("name") else {
            throw section.problem("name", "a [[provider]] needs a name")
        }
        let name: ProviderName
        do throws(NameRefusal) { name = try ProviderName(text) } catch {
            throw section.problem("name", error.sentence)
        }
        let preset =
            try readLike(section) ?? providers[name] ?? ProviderList.presets.first { $0.name == name }
        var kind = preset?.kind
        if let word = try section.string("kind") {
            guard let known = ProviderKind(rawValue: word) else {
                let kinds = ProviderKind.allCases.map(\.rawValue).joined(separator: ", ")
                throw section.problem("kind", "kind \"\(word)\" is not one of \(kinds)")
            }
            kind = known
        }
        guard let kind else { throw section.problem("name", "provider \(name) needs a kind") }
        var origin = preset?.origin
        var prefix = preset?.pathPrefix ?? ""
        let plain = try section.flag("allow_plain_http", default: false)
        if let url = try section.string("base_url") {
            do {
                let base = try BaseURL.parse(url, plainHTTP: plain)
                (origin, prefix) = (base.origin, base.pathPrefix)
            } catch {
                throw section.problem("base_url", "\(error)")
            }
        }
        guard let origin else { throw section.problem("name", "provider \(name) needs a base_url") }
        if try section.flag("allow_private", default: false) { privateHosts.insert(origin.host) }
        let definition = ProviderDefinition(
            name: name, kind: kind, origin: origin, pathPrefix: prefix,
            keyless: try section.flag("keyless", default: preset?.keyless ?? false), allowsPlainHTTP: plain,
            quirks: preset?.kind == kind ? preset?.quirks : nil,
            apiVersion: try readAPIVersion(section, of: kind),
            region: try readRegion(section, of: kind, at: origin),
            retention: try readWord("retention", section, such: "none or 30d"))
        providers[name] = definition
        try readProbe(of: definition, section)
        return name
    }

    /// Off by default: the provider sees a request that nobody made.
    private mutating func readProbe(
        of definition: ProviderDefinition, _ section: ConfigurationReader
    ) throws(ConfigurationProblem) {
        // Five seconds: more often is load. 64: each is a task and a connection of its own.
        guard let interval = try section.duration("probe", in: 5...3_600) else { return }
        guard ReachProbe.canAsk(definition) else {
            throw section.problem(
                "probe", "providers of kind \(definition.kind.rawValue) have no free call to probe with")
        }
        guard probes.count < 64 else { throw section.problem("probe", "at most 64 providers are probed") }
        probes[definition.name] = interval
    }

    /// The known provider that this one is another of: it lends what the entry does not say.
    private func readLike(
        _ section: ConfigurationReader
    ) throws(ConfigurationProblem) -> ProviderDefinition? {
        guard let text = try section.string("like") else { return nil }
        guard let preset = ProviderList.presets.first(where: { $0.name.text.utf8.elementsEqual(text.utf8) })
        else {
            let names = ProviderList.presets.map(\.name.text).sorted().joined(separator: ", ")
            throw section.problem("like", "like \"\(text)\" is not one of \(names)")
        }
        return preset
    }

    /// Azure's version, as it stands in the address: a date, with `-preview` or not.
    private func readAPIVersion(
        _ section: ConfigurationReader, of kind: ProviderKind
    ) throws(ConfigurationProblem) -> String? {
        guard let text = try section.string("api_version") else { return nil }
        guard kind == .azure else {
            throw section.problem("api_version", "api_version is for providers of kind azure")
        }
        guard (1...40).contains(text.utf8.count), text.utf8.allSatisfy(Self.isLabelByte) else {
            throw section.problem("api_version", "api_version is a date such as 2024-10-21")
        }
        return text
    }

    /// The region that signatures name: said, or read from the host (`bedrock-runtime.REGION.amazonaws.com`).
    private func readRegion(
        _ section: ConfigurationReader, of kind: ProviderKind, at origin: Origin
    ) throws(ConfigurationProblem) -> String? {
        let text = try readWord("region", section, such: "us-east-1")
        guard kind == .bedrock else { return text }
        let labels = origin.host.utf8.split(separator: UInt8(ascii: "."))
        let fromHost =
            labels.count > 3 && labels[0].elementsEqual("bedrock-runtime".utf8)
            ? String(labels[1]) : nil
        guard let region = text ?? fromHost else {
            throw section.problem("name", "provider of kind bedrock needs region = \"us-east-1\" or its like")
        }
        return region
    }

    func readWord(
        _ key: String, _ section: ConfigurationReader, such example: String
    ) throws(ConfigurationProblem) -> String? {
        guard let text = try section.string(key) else { return nil }
        guard (1...40).contains(text.utf8.count), text.utf8.allSatisfy(Self.isLabelByte) else {
            throw section.problem(key, "\(key) is a word such as \(example): small letters, digits, -")
        }
        return text
    }

    private static func isLabelByte(_ byte: UInt8) -> Bool {
        switch byte {
        case UInt8(ascii: "a")...UInt8(ascii: "z"), UInt8(ascii: "0")...UInt8(ascii: "9"), UInt8(ascii: "-"):
            true
        default: false
        }
    }

    private mutating func readCache(_ section: ConfigurationReader) throws(ConfigurationProblem) {
        try section.allow(["enabled", "ttl_seconds", "bytes_max"])
        cacheEnabled = try section.flag("enabled", default: cacheEnabled)
        cacheSeconds = try section.number("ttl_seconds", in: 1...86_400, default: cacheSeconds)
        cacheBytes = try section.number("bytes_max", in: (1 << 20)...(16 << 30), default: cacheBytes)
    }

    private mutating func readBounds(_ section: ConfigurationReader) throws(ConfigurationProblem) {
        try section.allow([
            "body_bytes_max", "attempts", "connect_seconds", "first_byte_seconds", "idle_seconds",
            "total_seconds",
        ])
        bodyBytes = try section.number("body_bytes_max", in: 1_024...(256 << 20), default: bodyBytes)
        attempts = try section.number("attempts", in: 1...16, default: attempts)
        connectSeconds = try section.number("connect_seconds", in: 1...60, default: connectSeconds)
        firstByteSeconds = try section.number("first_byte_seconds", in: 1...3_600, default: firstByteSeconds)
        idleSeconds = try section.number("idle_seconds", in: 1...3_600, default: idleSeconds)
        totalSeconds = try section.number("total_seconds", in: 1...7_200, default: totalSeconds)
    }

    private mutating func readBreaker(_ section: ConfigurationReader) throws(ConfigurationProblem) {
        try section.allow([
            "failure_percent", "minimum_calls", "consecutive_failures", "open_seconds", "open_seconds_max",
            "probe_successes",
        ])
        breaker.failurePercent = try section.number(
            "failure_percent", in: 1...100, default: breaker.failurePercent)
        breaker.callsMin = try section.number("minimum_calls", in: 1...10_000, default: breaker.callsMin)
        breaker.silentRunMax = try section.number(
            "consecutive_failures", in: 1...1_000, default: breaker.silentRunMax)
        let open = try section.number(
            "open_seconds", in: 1...3_600, default: Int(breaker.openFirst.wholeMilliseconds / 1_000))
        let most = try section.number(
            "open_seconds_max", in: open...86_400,
            default: max(open, Int(breaker.openLongest.wholeMilliseconds / 1_000)))
        breaker.openFirst = .seconds(open)
        breaker.openLongest = .seconds(most)
        breaker.probesToClose = try section.number(
            "probe_successes", in: 1...100, default: breaker.probesToClose)
    }

    private mutating func readAudit(_ section: ConfigurationReader) throws(ConfigurationProblem) {
        try section.allow(["checkpoints"])
        checkpoints = try section.string("checkpoints")
        guard let checkpoints else { return }
        guard checkpoints.hasPrefix("/"), !checkpoints.hasSuffix("/") else {
            throw section.problem("checkpoints", "checkpoints takes an absolute path of a file")
        }
    }

    private mutating func readRest(
        upstream: ConfigurationReader, console: ConfigurationReader
    )
        throws(ConfigurationProblem)
    {
        try upstream.allow(["ca_file"])
        authorities = try upstream.string("ca_file")
        try console.allow(["theme"])
        theme = try console.string("theme")
    }
}
