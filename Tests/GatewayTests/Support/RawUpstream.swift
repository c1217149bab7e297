import Foundation
import Glibc

/// A provider on loopback whose every byte a script decides over; one thread a connection.
final class RawUpstream: Sendable {
    /// One request as the provider saw it.
    struct Request: Sendable {
        let head: String
        let body: String

        func header(_ name: String) -> String? {
            head.split(separator: "\r\n").dropFirst().first { $0.lowercased().hasPrefix("\(name): ") }
                .map { String($0.dropFirst(name.count + 2)) }
        }
    }

    /// Answers one request. What it does not send is not sent; the next request follows on the same connection.
    typealias Script = @Sendable (Socket, Request) throws -> Void

    private struct State {
        var requests: [Request] = []
        var connections = 0
        var open: Set<CInt> = []
        var stopped = false
        /// Why scripts ended early, such as a send to a gateway that had closed.
        var faults: [String] = []
    }

    let port: Int
    private let listener: CInt
    private let script: Script
    private let keeps: Bool
    private let state = Watched(State())

    /// - Parameter keeps: whether requests and faults can be looked at; they are many where load is made.
    init(keeps: Bool = true, _ script: @escaping Script) throws {
        self.script = script
        self.keeps = keeps
        let listener = socket(AF_INET, CInt(SOCK_STREAM.rawValue), 0)
        self.listener = listener
        guard listener >= 0 else { throw SocketFault(call: "socket") }
        var address = sockaddr_in()
        var size = socklen_t(MemoryLayout<sockaddr_in>.size)
        guard withLoopback(port: 0, { bind(listener, $0, $1) }) == 0, listen(listener, 64) == 0 else {
            throw SocketFault(call: "bind")
        }
        let named = withUnsafeMutablePointer(to: &address) {
            $0.withMemoryRebound(to: sockaddr.self, capacity: 1) { getsockname(listener, $0, &size) }
        }
        guard named == 0 else { throw SocketFault(call: "getsockname") }
        port = Int(in_port_t(bigEndian: address.sin_port))
        Thread.detachNewThread { [self] in acceptAll() }
    }

    /// Requests so far, in the order in which they came.
    var requests: [Request] { state.read(\.requests) }
    var connections: Int { state.read(\.connections) }
    /// Connections that stand now.
    var open: Int { state.read(\.open.count) }
    var faults: [String] { state.read(\.faults) }

    /// Waits until so many requests have come, and returns the last of them.
    func request(_ number: Int = 1) throws -> Request {
        try state.wait(for: "request \(number)") {
            $0.requests.count >= number ? $0.requests[number - 1] : nil
        }
    }

    func stop() {
        state.update { state in
            state.stopped = true
            // Wakes the threads that wait for bytes; each closes its own.
            for descriptor in state.open { shutdown(descriptor, CInt(SHUT_RDWR)) }
        }
        shutdown(listener, CInt(SHUT_RDWR))
    }

    private func acceptAll() {
        while true {
            let descriptor = accept(listener, nil, nil)
            guard descriptor >= 0 else { break }
            let goes = state.update { state in
                guard !state.stopped else { return false }
                state.connections += 1
                state.open.insert(descriptor)
                return true
            }
            guard goes else {
                close(descriptor)
                break
            }
            Thread.detachNewThread { [self] in serve(descriptor) }
        }
        close(listener)
    }

    private func serve(_ descriptor: CInt) {
        let link = Socket(descriptor: descriptor)
        do {
            var received: [UInt8] = []
            while let request = try Self.next(&received, from: link) {
                if keeps { state.update { $0.requests.append(request) } }
                try script(link, request)
            }
        } catch {
            if keeps { state.update { $0.faults.append("\(error)") } }
        }
        // Out of the set before it is closed: its number may be given to another socket at once.
        state.update { _ = $0.open.remove(descriptor) }
        link.close()
    }

    /// Splits by content length, which is all that our client writes.
    private static func next(_ received: inout [UInt8], from link: Socket) throws -> Request? {
        while true {
            if let end = received.firstRange(of: Array("\r\n\r\n".utf8)) {
                let head = String(decoding: received[..<end.lowerBound], as: UTF8.self)
                let length =
                    head.split(separator: "\r\n").first { $0.hasPrefix("content-length: ") }
                    .flatMap { Int($0.dropFirst(16)) } ?? 0
                if received.count >= end.upperBound + length {
                    let body = received[end.upperBound..<(end.upperBound + length)]
                    let request = Request(head: head, body: String(decoding: body, as: UTF8.self))
                    received.removeFirst(end.upperBound + length)
                    return request
                }
            }
            let more = try link.receive()
            guard !more.isEmpty else { return nil }
            received += more
        }
    }
}
