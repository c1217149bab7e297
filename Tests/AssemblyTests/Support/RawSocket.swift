import Glibc
import TestKit

/// One end of a stream as a program without our code would hold it. Reads give up after a minute.
final class RawSocket: Sendable {
    private let descriptor: Int32

    private init(_ descriptor: Int32) { self.descriptor = descriptor }

    deinit { close(descriptor) }

    static func unix(_ path: String) -> RawSocket? {
        var address = sockaddr_un()
        address.sun_family = sa_family_t(AF_UNIX)
        guard path.utf8.count < MemoryLayout.size(ofValue: address.sun_path) else { return nil }
        withUnsafeMutableBytes(of: &address.sun_path) { $0.copyBytes(from: path.utf8) }
        return connected(AF_UNIX, &address)
    }

    static func loopback(port: Int) -> RawSocket? {
        var address = sockaddr_in()
        address.sin_family = sa_family_t(AF_INET)
        address.sin_port = UInt16(port).bigEndian
        address.sin_addr.s_addr = UInt32(0x7f00_0001).bigEndian
        return connected(AF_INET, &address)
    }

    private static func connected<Address>(_ family: Int32, _ address: inout Address) -> RawSocket? {
        let descriptor = socket(family, Int32(SOCK_STREAM.rawValue) | Int32(SOCK_CLOEXEC.rawValue), 0)
        guard descriptor >= 0 else { return nil }
        let made = RawSocket(descriptor)
        var bound = timeval(tv_sec: Int(patience), tv_usec: 0)
        setsockopt(descriptor, SOL_SOCKET, SO_RCVTIMEO, &bound, socklen_t(MemoryLayout<timeval>.size))
        setsockopt(descriptor, SOL_SOCKET, SO_SNDTIMEO, &bound, socklen_t(MemoryLayout<timeval>.size))
        let result = withUnsafePointer(to: &address) { pointer in
            pointer.withMemoryRebound(to: sockaddr.self, capacity: 1) {
                connect(descriptor, $0, socklen_t(MemoryLayout<Address>.size))
            }
        }
        return result == 0 ? made : nil
    }

    /// Sends all of it, or as much as the other end takes before it closes.
    @discardableResult
    func send(_ bytes: some Collection<UInt8>) -> Bool {
        var rest = Array(bytes)[...]
        while !rest.isEmpty {
            let count = rest.withUnsafeBytes {
                Glibc.send(descriptor, $0.baseAddress, $0.count, Int32(MSG_NOSIGNAL))
            }
            guard count > 0 else { return false }
            rest = rest.dropFirst(count)
        }
        return true
    }

    /// Everything up to the other end's close; `closed` is false when it kept the connection open instead.
    func readToEnd() -> (bytes: [UInt8], closed: Bool) { read { _ in false } }

    /// Everything until `isEnough`, or up to the other end's close.
    func read(until isEnough: ([UInt8]) -> Bool) -> (bytes: [UInt8], closed: Bool) {
        var out: [UInt8] = []
        var chunk = [UInt8](repeating: 0, count: 64 << 10)
        while !isEnough(out) {
            let count = Glibc.read(descriptor, &chunk, chunk.count)
            if count < 0, errno == EAGAIN { return (out, false) }
            guard count > 0 else { return (out, true) }
            out.append(contentsOf: chunk[..<count])
        }
        return (out, false)
    }
}
