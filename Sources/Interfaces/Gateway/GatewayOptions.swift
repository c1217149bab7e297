/// Bounds and addresses of the HTTP server.
public struct GatewayOptions: Sendable, Hashable {
    public var host: String
    /// 0 = any free port.
    public var port: Int
    public var bodyBytesMax: Int
    /// Bytes of large bodies that are held at one time: those of all callers, and those of one tenant's. From their
    /// coming in to the end of their calls.
    public var bodiesBytesMax = 1 << 30
    public var tenantBodiesBytesMax = 256 << 20
    /// An answer up to this size is sent whole, with its cost in a header; a larger one passes through.
    public var wholeAnswerBytesMax: Int
    /// Connections that send nothing for this long, between requests or in the middle of one, are closed.
    public var idleSeconds: Int64
    /// A request's body may take this long to come in.
    public var bodySeconds: Int64 = 300
    /// How long a caller waits for its next refusal when it comes back before `refusalRest` is over: so long that sixteen
    /// connections cost less than two hundred refusals a second.
    public var refusalPause = Duration.milliseconds(100)
    /// From one refusal on a connection to the next that comes at once: the second that `retry-after` asks for at least.
    public var refusalRest = Duration.seconds(1)
    /// Callers' connections at one time; one more is closed at once.
    public var connectionsMax = 16_384
    public var certificatePath: String?
    public var certificateKeyPath: String?

    /// Bounds on a request's head. SDKs send about 1 KiB in 20 fields; nginx takes 32 KiB and Apache 100 fields.
    static let headBytesMax = 64 << 10
    static let fieldBytesMax = 16 << 10
    static let fieldsMax = 100

    public init(
        host: String = "127.0.0.1", port: Int = 8080, bodyBytesMax: Int = 32 << 20,
        wholeAnswerBytesMax: Int = 1 << 20,
        idleSeconds: Int64 = 75, certificatePath: String? = nil, certificateKeyPath: String? = nil
    ) {
        self.host = host
        self.port = port
        self.bodyBytesMax = bodyBytesMax
        self.wholeAnswerBytesMax = wholeAnswerBytesMax
        self.idleSeconds = idleSeconds
        self.certificatePath = certificatePath
        self.certificateKeyPath = certificateKeyPath
    }
}
