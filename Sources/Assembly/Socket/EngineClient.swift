import CLinux
public import Domain
import Events
import FoundationEssentials
import Glibc
public import Operations

/// The command line's end of the engine's socket: one connection a request.
public struct EngineClient: Sendable {
    private let path: String
    private let operatorName: String
    private let origin: OperatorOrigin?
    private let ceiling: OperatorRole?

    /// nil when no engine listens there.
    public init?(
        path: String, operatorName: String, origin: OperatorOrigin? = nil, ceiling: OperatorRole? = nil
    ) {
        self.path = path
        self.ceiling = ceiling
        self.origin = origin
        self.operatorName = operatorName
        guard let probe = Self.connect(path) else { return nil }
        Glibc.close(probe)
    }

    public func snapshot() throws(CommandRefusal) -> EngineSnapshot {
        guard case .snapshot(let picture) = try exchange(.snapshot) else { throw Self.strange }
        return picture
    }

    public func perform(
        _ command: EngineCommand, secret: SecretDraft?
    ) throws(CommandRefusal) -> CommandOutcome {
        let bytes = secret?.withBytes { Array($0) }
        guard case .done(let receipt, let issued) = try exchange(.command(command, secret: bytes)) else {
            throw Self.strange
        }
        return CommandOutcome(
            receipt, issued: issued.map { bytes in bytes.withUnsafeBytes { SecretDraft(copying: $0) } })
    }

    public func ask(_ query: EngineQuery) throws(CommandRefusal) -> EngineAnswer {
        guard case .answer(let answer) = try exchange(.query(query)) else { throw Self.strange }
        return answer
    }

    public func admit(_ operation: EngineOperation, on target: String) throws(CommandRefusal) {
        guard case .admitted = try exchange(.admission(operation, target: target)) else {
            throw Self.strange
        }
    }

    /// Refuses a socket that somebody else than the engine's account could have put there: commands carry secrets.
    public static func check(_ path: String) throws {
        var facts = stat()
        guard lstat(path, &facts) == 0 else {
            throw CommandFailure("no engine answers at \(path): \(String(cString: strerror(errno)))")
        }
        try SharedSocket.checkFolder(of: path, owners: [0, facts.st_uid])
        guard let descriptor = connect(path) else {
            let why = String(cString: strerror(errno))
            throw CommandFailure(
                "no engine answers at \(path): \(why)"
                    + (access(path, W_OK) == 0 ? "" : "; its group's members may connect"))
        }
        defer { Glibc.close(descriptor) }
        var peer = gh_peer()
        var size = socklen_t(MemoryLayout<gh_peer>.size)
        guard getsockopt(descriptor, SOL_SOCKET, SO_PEERCRED, &peer, &size) == 0, peer.uid == facts.st_uid
        else {
            throw CommandFailure(
                "what answers at \(path) is not run by the account that the socket belongs to")
        }
    }

    private static let strange = CommandRefusal(
        .unavailable, "the engine answered something else than was asked")

    private func exchange(_ body: SocketRequest.Body) throws(CommandRefusal) -> SocketReply {
        let gone = CommandRefusal(.unavailable, "the engine on \(path) went away; try again")
        guard let socket = Self.connect(path),
            var line = try? JSONEncoder().encode(
                SocketRequest(
                    operatorName: operatorName, origin: origin, ceiling: ceiling, body: body))
        else { throw gone }
        defer { Glibc.close(socket) }
        line.append(UInt8(ascii: "\n"))
        guard line.count <= SocketLimits.requestBytes else {
            throw CommandRefusal(
                .invalid, "the request is longer than \(SocketLimits.requestBytes) bytes; shorten its texts")
        }
        guard Self.writeAll(line, to: socket) else { throw gone }
        guard let reply = Self.readAll(from: socket),
            let decoded = try? JSONDecoder().decode(SocketReply.self, from: reply)
        else { throw gone }
        if case .refused(let refusal) = decoded { throw refusal }
        return decoded
    }

    private static func connect(_ path: String) -> Int32? {
        var address = sockaddr_un()
        guard path.utf8.count < MemoryLayout.size(ofValue: address.sun_path) else { return nil }
        address.sun_family = sa_family_t(AF_UNIX)
        withUnsafeMutableBytes(of: &address.sun_path) { $0.copyBytes(from: path.utf8) }
        let descriptor = socket(AF_UNIX, Int32(SOCK_STREAM.rawValue) | Int32(SOCK_CLOEXEC.rawValue), 0)
        guard descriptor >= 0 else { return nil }
        let result = withUnsafePointer(to: &address) { pointer in
            pointer.withMemoryRebound(to: sockaddr.self, capacity: 1) {
                Glibc.connect(descriptor, $0, socklen_t(MemoryLayout<sockaddr_un>.size))
            }
        }
        guard result == 0 else {
            Glibc.close(descriptor)
            return nil
        }
        return descriptor
    }

    private static func writeAll(_ bytes: Data, to descriptor: Int32) -> Bool {
        bytes.withUnsafeBytes { buffer in
            var sent = 0
            while sent < buffer.count {
                let rest = UnsafeRawBufferPointer(rebasing: buffer[sent...])
                let count = send(descriptor, rest.baseAddress, rest.count, Int32(MSG_NOSIGNAL))
                if count < 0, errno == EINTR { continue }
                guard count > 0 else { return false }
                sent += count
            }
            return true
        }
    }

    private static func readAll(from descriptor: Int32) -> Data? {
        var out = Data()
        var chunk = [UInt8](repeating: 0, count: 64 << 10)
        while out.count < SocketLimits.replyBytes {
            let count = read(descriptor, &chunk, chunk.count)
            if count < 0, errno == EINTR { continue }
            guard count > 0 else { return out.isEmpty ? nil : out }
            out.append(contentsOf: chunk[..<count])
        }
        return nil
    }
}
