public import Cipher
public import Domain
public import NIOCore
internal import NIOPosix
internal import NIOSSL

/// The connections to providers of one event loop.
///
/// Confined to its loop, without locks. Connections are shared by no two credentials and no two tenants, are bounded
/// in number, and time is measured in ticks of one timer, so that an exchange sets and cancels no timer of its own.
public final class UpstreamPool {
    /// Figures for operators and tests.
    public struct Counts: Hashable, Sendable {
        public internal(set) var open = 0
        public internal(set) var idle = 0
        /// Since the start.
        public internal(set) var dialled = 0
        public internal(set) var reused = 0
        public internal(set) var sentAgain = 0
        public internal(set) var evicted = 0
        /// Keys that could not be overwritten in place, because their buffer was still shared.
        public internal(set) var copiesLeft = 0
    }

    public let loop: any EventLoop
    public let flushes: TurnFlushes
    let options: UpstreamOptions
    private(set) var ticks = 0
    public private(set) var counts = Counts()
    private let tls: UpstreamTLS
    private let resolver: AddressResolver
    private let tickNanoseconds: Int64
    private var shelves: [ConnectionKey: ConnectionShelf] = [:]
    private var connections: [ObjectIdentifier: UpstreamConnection] = [:]
    private var isTicking = false
    private var isShutDown = false
    /// Whether `send` runs now: until it has returned nothing is told to the delegate.
    private(set) var isStarting = false
    /// Buffers of past requests, wiped, for the next ones.
    private var spares: [ByteBuffer] = []

    /// More requests than this are seldom begun before the first of them is over.
    private static let sparesMax = 64
    /// Fits the providers' pieces and the largest TLS record (RFC 8446 section 5.1) alike.
    private static let readSize = 16 * 1024

    public init(loop: any EventLoop, options: UpstreamOptions = UpstreamOptions(), tls: UpstreamTLS) {
        self.loop = loop
        flushes = TurnFlushes(loop: loop)
        self.options = options
        self.tls = tls
        resolver = AddressResolver(rule: options.addressRule)
        tickNanoseconds = max(1, options.tick.wholeNanoseconds)
    }

    // MARK: - Sending

    /// Sends a request with the lent secret in its authorization header.
    ///
    /// The secret is copied once, into the buffer that goes to the socket, and that copy is overwritten as soon as
    /// the request has been written (on a connection used before: with the first byte of the response, or two ticks
    /// later, because until then it may have to be sent again). The delegate is never called from inside this.
    /// Refuses, with a sentence, a request that cannot be written safely; then the delegate hears nothing.
    public func send(
        _ request: UpstreamRequest, secret: borrowing SecretBytes?, delegate: any UpstreamDelegate,
        timeouts: UpstreamTimeouts? = nil
    ) throws(ProviderRefusal) -> UpstreamExchange {
        switch secret {
        case .none: return try send(request, lent: nil, delegate: delegate, timeouts: timeouts)
        case .some(let secret):
            return try send(request, secret: secret, delegate: delegate, timeouts: timeouts)
        }
    }

    /// The same for a secret that is itself lent.
    public func send(
        _ request: UpstreamRequest, secret: borrowing SecretBytes, delegate: any UpstreamDelegate,
        timeouts: UpstreamTimeouts? = nil
    ) throws(ProviderRefusal) -> UpstreamExchange {
        try secret.withBytes { (bytes) throws(ProviderRefusal) in
            try send(request, lent: bytes, delegate: delegate, timeouts: timeouts)
        }
    }

    private func send(
        _ request: UpstreamRequest, lent: UnsafeRawBufferPointer?, delegate: any UpstreamDelegate,
        timeouts: UpstreamTimeouts?
    ) throws(ProviderRefusal) -> UpstreamExchange {
        let outgoing = try OutgoingRequest(
            to: request.endpoint, body: request.body, callerHeaders: request.callerHeaders, lent: lent,
            time: request.time,
            room: spares.popLast() ?? ByteBuffer())
        let key = ConnectionKey(origin: request.endpoint.origin, tenant: request.tenant, key: request.key)
        return start(outgoing, for: key, timeouts: timeouts, delegate: delegate)
    }

    /// Sends a request over a connection of its own, which is closed afterwards: for keys under test, which have no
    /// identity yet that a connection could belong to.
    func sendAlone(
        _ outgoing: OutgoingRequest, delegate: any UpstreamDelegate, timeouts: UpstreamTimeouts
    ) -> UpstreamExchange {
        start(outgoing, for: nil, timeouts: timeouts, delegate: delegate)
    }

    private func start(
        _ outgoing: OutgoingRequest, for key: ConnectionKey?, timeouts: UpstreamTimeouts?,
        delegate: any UpstreamDelegate
    ) -> UpstreamExchange {
        loop.assertInEventLoop()
        let exchange = UpstreamExchange(
            outgoing, timeouts: timeouts ?? options.timeouts, startedAt: ticks, delegate: delegate, pool: self
        )
        isStarting = true
        defer { isStarting = false }
        guard !isShutDown else {
            exchange.fail(.shuttingDown)
            return exchange
        }
        guard let key else {
            let own = ConnectionKey(origin: outgoing.endpoint.origin, tenant: nil, key: nil)
            dial(ConnectionShelf(key: own), for: exchange, once: true)
            return exchange
        }
        let shelf = shelf(for: key)
        while let connection = shelf.idle.popLast() {
            counts.idle -= 1
            if connection.use(for: exchange) {
                counts.reused += 1
                return exchange
            }
        }
        dial(shelf, for: exchange)
        return exchange
    }

    /// Once more, over a fresh connection: the one it was sent on had been closed before the request came.
    func sendAgain(_ exchange: UpstreamExchange, on shelf: ConnectionShelf) {
        counts.sentAgain += 1
        dial(shelf, for: exchange)
    }

    // MARK: - Opening

    private func shelf(for key: ConnectionKey) -> ConnectionShelf {
        if let shelf = shelves[key] { return shelf }
        let shelf = ConnectionShelf(key: key)
        shelves[key] = shelf
        return shelf
    }

    private func dial(_ shelf: ConnectionShelf, for exchange: UpstreamExchange, once: Bool = false) {
        guard counts.open < options.openMax || evictLongestIdle() else {
            return exchange.fail(.overloaded)
        }
        let connection = UpstreamConnection(pool: self, shelf: shelf, for: exchange)
        connection.retiresAfterUse = once
        // A retry may find that the shelf was dropped with its last connection.
        if !once { shelves[shelf.key] = shelf }
        shelf.open += 1
        counts.open += 1
        counts.dialled += 1
        connections[ObjectIdentifier(connection)] = connection
        keepTicking()
        resolver.addresses(for: shelf.key.origin, on: loop).assumeIsolated().whenComplete { [self] result in
            switch result {
            case .success(let addresses): connect(connection, to: addresses[...])
            case .failure(AddressResolver.Refusal.addressRefused): connection.fail(.addressRefused)
            case .failure: connection.fail(.unknownHost)
            }
        }
    }

    /// Dials one address after the other until one answers.
    private func connect(_ connection: UpstreamConnection, to addresses: ArraySlice<SocketAddress>) {
        guard !connection.isClosed else { return }
        guard let address = addresses.first else { return connection.fail(.connectRefused) }
        bootstrap.connect(to: address).assumeIsolated().whenComplete { [self] result in
            switch result {
            case .success(let channel): connection.opened(channel)
            case .failure: connect(connection, to: addresses.dropFirst())
            }
        }
    }

    private var bootstrap: ClientBootstrap {
        ClientBootstrap(group: loop)
            .connectTimeout(.nanoseconds(options.timeouts.connect.wholeNanoseconds))
            .channelOption(.autoRead, value: false)
            .channelOption(.socketOption(.tcp_nodelay), value: 1)
            .channelOption(
                .recvAllocator, value: FixedSizeRecvByteBufferAllocator(capacity: Self.readSize))
    }

    func tlsHandler(for origin: Origin) throws -> NIOSSLClientHandler {
        // RFC 6066 section 3: no literal addresses as server name; the certificate is then checked for the address.
        try NIOSSLClientHandler(
            context: tls.context, serverHostname: IPAddress(origin.host) == nil ? origin.host : nil)
    }

    // MARK: - Taking back

    /// Takes back a connection that is as good as new.
    func release(_ connection: UpstreamConnection) {
        counts.idle += 1
        connection.shelf.idle.append(connection)
        if isShutDown || connection.shelf.idle.count > options.idlePerKeyMax {
            connection.shelf.idle.first?.closeIdle()
        }
    }

    /// Forgets a connection that was closed.
    func removed(_ connection: UpstreamConnection) {
        guard connections.removeValue(forKey: ObjectIdentifier(connection)) != nil else { return }
        let shelf = connection.shelf
        if shelf.take(connection) { counts.idle -= 1 }
        shelf.open -= 1
        counts.open -= 1
        if shelf.open == 0, shelves[shelf.key] === shelf { shelves[shelf.key] = nil }
    }

    func takeBack(_ buffer: inout ByteBuffer) {
        guard spares.count < Self.sparesMax, buffer.capacity > 0 else { return }
        var spare = buffer
        buffer = ByteBuffer()
        spare.clear()
        spares.append(spare)
    }

    func noteWipe(inPlace: Bool) {
        if !inPlace { counts.copiesLeft += 1 }
    }

    /// Makes room at the bound; false where all connections are in use.
    private func evictLongestIdle() -> Bool {
        let idle = connections.values.lazy.filter(\.isIdle)
        guard let longest = idle.min(by: { $0.since < $1.since }) else { return false }
        counts.evicted += 1
        longest.closeIdle()
        return true
    }

    // MARK: - Time

    /// Whether a bound has certainly been passed: one tick more than it amounts to, so never early.
    func hasPassed(_ bound: Duration?, since tick: Int) -> Bool {
        guard let bound else { return false }
        return Int64(ticks - tick - 1) * tickNanoseconds >= bound.wholeNanoseconds
    }

    private func keepTicking() {
        guard !isTicking, !connections.isEmpty else { return }
        isTicking = true
        loop.assumeIsolated().scheduleTask(in: .nanoseconds(tickNanoseconds)) { [weak self] in self?.tick() }
    }

    private func tick() {
        isTicking = false
        ticks += 1
        for connection in Array(connections.values) { connection.tick() }
        keepTicking()
    }

    // MARK: - Closing

    /// Closes what is idle, and what is in use after its exchange: the key was revoked or replaced.
    public func closeConnections(for key: ProviderKeyID) {
        for connection in Array(connections.values) where connection.shelf.key.key == key {
            connection.retire()
        }
    }

    /// Takes no more requests, closes what is idle, and what is in use after its exchange.
    public func shutdown() {
        isShutDown = true
        for connection in Array(connections.values) { connection.retire() }
    }
}
