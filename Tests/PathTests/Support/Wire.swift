import Foundation
import Glibc
import TestKit

/// A plain connection to the gateway: bytes as they are, nothing repaired by a client library.
final class Wire {
    private let descriptor: Int32

    init(_ port: Int) throws {
        descriptor = socket(AF_INET, Int32(SOCK_STREAM.rawValue), 0)
        var address = sockaddr_in()
        address.sin_family = sa_family_t(AF_INET)
        address.sin_port = UInt16(port).bigEndian
        address.sin_addr.s_addr = UInt32(0x7f00_0001).bigEndian
        let connected = withUnsafePointer(to: &address) {
            $0.withMemoryRebound(to: sockaddr.self, capacity: 1) {
                connect(descriptor, $0, socklen_t(MemoryLayout<sockaddr_in>.size))
            }
        }
        guard connected == 0 else { throw Tool.Failure(description: "no connection to port \(port)") }
    }

    deinit { hangUp() }

    private var isOpen = true

    func hangUp() {
        if isOpen { close(descriptor) }
        isOpen = false
    }

    func send(_ text: String) { send(Array(text.utf8)) }

    func send(_ bytes: [UInt8]) {
        var rest = bytes[...]
        while !rest.isEmpty {
            // A refused request's connection may be closed while its rest is still sent.
            let count = rest.withUnsafeBytes {
                Glibc.send(descriptor, $0.baseAddress, $0.count, Int32(MSG_NOSIGNAL))
            }
            guard count > 0 else { return }
            rest = rest.dropFirst(count)
        }
    }

    /// Reads until a text has come, the other end closes, or the time is over.
    func read(until text: String? = nil, seconds: Double = 30) -> String {
        let wanted = text.map { Array($0.utf8) }
        var all: [UInt8] = []
        receive(seconds: seconds) { piece in
            all += piece
            return wanted.map { all.suffix(piece.count + $0.count).contains($0) } ?? false
        }
        return String(decoding: all, as: UTF8.self)
    }

    /// One answer with its body, by its length or to its last chunk; nil when the connection ends before.
    func answer(seconds: Double = 30) -> Answer? {
        var received: [UInt8] = []
        var answer: Answer?
        receive(seconds: seconds) { piece in
            received += piece
            answer = Answer(received)
            return answer != nil
        }
        return answer
    }

    /// Gives what comes, piece by piece, until that is enough, the other end closes, or the time is over.
    private func receive(seconds: Double, _ isEnough: (ArraySlice<UInt8>) -> Bool) {
        let deadline = Date().addingTimeInterval(seconds)
        var buffer = [UInt8](repeating: 0, count: 65_536)
        while Date() < deadline {
            var wait = pollfd(fd: descriptor, events: Int16(POLLIN), revents: 0)
            guard poll(&wait, 1, 100) > 0 else { continue }
            let count = recv(descriptor, &buffer, buffer.count, 0)
            guard count > 0, !isEnough(buffer.prefix(count)) else { return }
        }
    }

    /// Whether the other end has closed, or does within the time.
    func isClosed(seconds: Double = 20) -> Bool {
        let deadline = Date().addingTimeInterval(seconds)
        var buffer = [UInt8](repeating: 0, count: 65_536)
        while Date() < deadline {
            var wait = pollfd(fd: descriptor, events: Int16(POLLIN), revents: 0)
            guard poll(&wait, 1, 100) > 0 else { continue }
            if recv(descriptor, &buffer, buffer.count, 0) <= 0 { return true }
        }
        return false
    }

    /// Takes bytes for a while and counts them.
    func count(until end: String, seconds: Double) -> Int {
        var count = 0
        var tail: [UInt8] = []
        let deadline = Date().addingTimeInterval(seconds)
        var buffer = [UInt8](repeating: 0, count: 1 << 20)
        while Date() < deadline {
            let read = recv(descriptor, &buffer, buffer.count, 0)
            guard read > 0 else { break }
            count += read
            tail = Array((tail + buffer.prefix(read)).suffix(64))
            if String(decoding: tail, as: UTF8.self).hasSuffix(end) { break }
        }
        return count
    }
}

/// One whole HTTP answer.
struct Answer {
    let status: Int
    /// In lower case.
    let head: String
    /// With the marks of its chunks, if it came in chunks.
    let body: String

    /// nil as long as a part of it is missing.
    init?(_ bytes: [UInt8]) {
        let text = String(decoding: bytes, as: UTF8.self)
        guard let end = text.range(of: "\r\n\r\n") else { return nil }
        head = text[..<end.lowerBound].lowercased()
        body = String(text[end.upperBound...])
        status = Int(head.split(separator: " ").dropFirst().first ?? "") ?? 0
        if let length = header("content-length").flatMap({ Int($0) }) {
            guard body.utf8.count >= length else { return nil }
        } else if header("transfer-encoding") == "chunked" {
            guard body.hasSuffix("\r\n0\r\n\r\n") else { return nil }
        }
    }

    func header(_ name: String) -> String? {
        let line = head.components(separatedBy: "\r\n").first { $0.hasPrefix(name + ":") }
        return line.map { $0.dropFirst(name.count + 1).trimmingCharacters(in: .whitespaces) }
    }
}
