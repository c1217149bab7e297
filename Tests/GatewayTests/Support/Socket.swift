import Glibc
import TestKit

/// A TCP socket on loopback with blocking calls that all have a bound.
///
/// Below any HTTP code, so that a test decides over every byte and sees every byte.
final class Socket {
    private var descriptor: CInt
    private static let bound = timeval(tv_sec: Int(patience), tv_usec: 0)

    init(descriptor: CInt) {
        self.descriptor = descriptor
        var bound = Self.bound
        let size = socklen_t(MemoryLayout<timeval>.size)
        setsockopt(descriptor, SOL_SOCKET, SO_RCVTIMEO, &bound, size)
        setsockopt(descriptor, SOL_SOCKET, SO_SNDTIMEO, &bound, size)
        set(CInt(IPPROTO_TCP), TCP_NODELAY, 1)
    }

    /// Connects to a port of this machine.
    /// - Parameter buffers: bytes the kernel may hold for us each way; small to be a slow reader.
    convenience init(port: Int, buffers: CInt? = nil) throws {
        let descriptor = socket(AF_INET, CInt(SOCK_STREAM.rawValue), 0)
        guard descriptor >= 0 else { throw SocketFault(call: "socket") }
        self.init(descriptor: descriptor)
        if let buffers {
            set(SOL_SOCKET, SO_RCVBUF, buffers)
            set(SOL_SOCKET, SO_SNDBUF, buffers)
        }
        guard withLoopback(port: port, { connect(descriptor, $0, $1) }) == 0 else {
            throw SocketFault(call: "connect")
        }
    }

    deinit { close() }

    func set(_ level: CInt, _ option: CInt, _ value: CInt) {
        var value = value
        setsockopt(descriptor, level, option, &value, socklen_t(MemoryLayout<CInt>.size))
    }

    func send(_ text: String) throws { try send(Array(text.utf8)) }

    func send(_ bytes: [UInt8]) throws {
        var sent = 0
        while sent < bytes.count {
            let count = bytes.withUnsafeBytes {
                Glibc.send(
                    descriptor, $0.baseAddress.map { $0 + sent }, bytes.count - sent,
                    CInt(MSG_NOSIGNAL))
            }
            guard count > 0 else { throw SocketFault(call: "send") }
            sent += count
        }
    }

    /// Whether the kernel takes more bytes within some milliseconds.
    func isWritable(within milliseconds: CInt) -> Bool { isReady(for: POLLOUT, within: milliseconds) }

    /// Whether bytes, or the end, come within some milliseconds.
    func isReadable(within milliseconds: CInt) -> Bool { isReady(for: POLLIN, within: milliseconds) }

    private func isReady(for events: CInt, within milliseconds: CInt) -> Bool {
        var entry = pollfd(fd: descriptor, events: Int16(events), revents: 0)
        return poll(&entry, 1, milliseconds) == 1
    }

    /// What came next; empty at the peer's end.
    func receive(atMost count: Int = 64 << 10) throws -> [UInt8] {
        var failure: CInt = 0
        let bytes = [UInt8](unsafeUninitializedCapacity: count) { buffer, filled in
            let got = recv(descriptor, buffer.baseAddress, count, 0)
            if got < 0 { failure = errno }
            filled = max(0, got)
        }
        // A reset is an end too, only a rude one.
        guard failure == 0 || failure == ECONNRESET else { throw SocketFault(call: "recv", code: failure) }
        return bytes
    }

    /// Reads until the peer closes, which is bounded; says whether it did.
    func sawEnd() -> Bool {
        do {
            while try !receive().isEmpty {}
            return true
        } catch {
            return false
        }
    }

    func close() {
        guard descriptor >= 0 else { return }
        Glibc.close(descriptor)
        descriptor = -1
    }

    /// Closes with a reset: what was not delivered yet is lost.
    func reset() {
        var linger = linger(l_onoff: 1, l_linger: 0)
        setsockopt(descriptor, SOL_SOCKET, SO_LINGER, &linger, socklen_t(MemoryLayout<Glibc.linger>.size))
        close()
    }
}

struct SocketFault: Error, CustomStringConvertible {
    let description: String

    init(call: String, code: CInt = errno) {
        description = "\(call): \(String(cString: strerror(code)))"
    }
}

/// Lends the address of a loopback port to a system call.
func withLoopback<Output>(
    port: Int, _ body: (UnsafePointer<sockaddr>, socklen_t) -> Output
) -> Output {
    var address = sockaddr_in()
    address.sin_family = sa_family_t(AF_INET)
    address.sin_port = in_port_t(port).bigEndian
    address.sin_addr.s_addr = in_addr_t(0x7f00_0001).bigEndian
    let size = socklen_t(MemoryLayout<sockaddr_in>.size)
    return withUnsafePointer(to: &address) {
        $0.withMemoryRebound(to: sockaddr.self, capacity: 1) { body($0, size) }
    }
}
