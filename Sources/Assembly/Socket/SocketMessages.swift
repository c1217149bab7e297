public import Domain
public import Operations

/// What a command asks of a running engine: one line of JSON over the data folder's socket.
public struct SocketRequest: Codable, Sendable {
    /// What is asked; secrets travel beside a command, as a list of numbers, because JSON cannot hold raw bytes.
    public enum Body: Codable, Sendable {
        case snapshot
        case command(EngineCommand, secret: [UInt8]?)
        case query(EngineQuery)
        /// Whether the operator may do something that the engine has no part in.
        case admission(EngineOperation, target: String)
    }
    public var operatorName: String
    public var body: Body
    /// Where the operator came from; of it the engine believes only what the kernel says too.
    public var origin: OperatorOrigin?
    /// The most that the operator wants to be able to do; it never adds to what the account may.
    public var ceiling: OperatorRole?

    public init(
        operatorName: String, origin: OperatorOrigin? = nil, ceiling: OperatorRole? = nil, body: Body
    ) {
        self.ceiling = ceiling
        self.operatorName = operatorName
        self.origin = origin
        self.body = body
    }
}

/// What the engine answers: one line of JSON.
public enum SocketReply: Codable, Sendable {
    case snapshot(EngineSnapshot)
    case done(CommandReceipt, issued: [UInt8]?)
    case answer(EngineAnswer)
    case admitted
    case refused(CommandRefusal)
}

/// Bounds of the socket: a request holds at most a secret and a few names; a reply at most a snapshot.
public enum SocketLimits {
    public static let requestBytes = 64 << 10
    public static let replyBytes = 64 << 20
    /// How long a peer may take to send its line, and again to read its answer.
    public static let peerSeconds: Int64 = 10
    /// Peers at one socket at the same time.
    public static let peersMost = 64
    /// `sockaddr_un` has 108 bytes for the path and its zero byte (unix(7)).
    public static let pathBytes = 107
}
