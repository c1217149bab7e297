/// An application that speaks to the gateway in bytes.
final class RawCaller {
    /// One answer as it came.
    struct Answer {
        let status: Int
        let head: String
        /// Without the chunks' framing.
        let body: String
        /// Whether the last chunk, or as many bytes as were promised, came.
        let isWhole: Bool

        func header(_ name: String) -> String? {
            head.split(separator: "\r\n").dropFirst().first { $0.lowercased().hasPrefix("\(name):") }
                .map { $0.dropFirst(name.count + 1).trimmingPrefix(" ") }.map(String.init)
        }
    }

    private let socket: Socket
    private var received: [UInt8] = []
    private(set) var isAtEnd = false

    init(port: Int, buffers: CInt? = nil) throws { socket = try Socket(port: port, buffers: buffers) }

    func send(_ text: String) throws { try socket.send(text) }
    func send(_ bytes: [UInt8]) throws { try socket.send(bytes) }

    /// Sends what the gateway may already refuse to take: a caller whose request was refused half-way.
    func sendAsFarAsTaken(_ bytes: [UInt8]) { try? socket.send(bytes) }

    /// Sends a text again and again until the gateway has taken nothing for half a second, at most so many times;
    /// says how often it was sent.
    func sendUntilStalled(_ text: String, most: Int) throws -> Int {
        for count in 0..<most {
            guard socket.isWritable(within: 500) else { return count }
            try socket.send(text)
        }
        return most
    }

    /// Sends a byte every 50 ms until the gateway says something, or closes; false when it never does.
    func trickle(most: Int) -> Bool {
        for _ in 0..<most {
            if socket.isReadable(within: 50) { return true }
            do { try socket.send("x") } catch { return true }
        }
        return false
    }

    /// Whether nothing comes for some milliseconds.
    func isSilent(for milliseconds: CInt) -> Bool { !socket.isReadable(within: milliseconds) }

    func leave() { socket.close() }

    /// Whether nothing more comes and the gateway has closed.
    func sawEnd() throws -> Bool {
        while try more() {}
        return received.isEmpty
    }

    /// Reads until a text has come; it stays there for the answer.
    func waitFor(_ text: String) throws {
        let wanted = Array(text.utf8)
        while received.firstRange(of: wanted) == nil {
            guard try more() else { throw Overdue(description: "the end came before \(text)") }
        }
    }

    /// The next answer; its body ends where its framing, or the connection, ends.
    func answer() throws -> Answer {
        var end = received.firstRange(of: Array("\r\n\r\n".utf8))
        while end == nil {
            guard try more() else {
                throw Overdue(
                    description: "the end came before an answer: \(String(decoding: received, as: UTF8.self))"
                )
            }
            end = received.firstRange(of: Array("\r\n\r\n".utf8))
        }
        let head = String(decoding: received[..<(end?.lowerBound ?? 0)], as: UTF8.self)
        received.removeFirst(end?.upperBound ?? 0)
        let status = Int(head.dropFirst(9).prefix(3)) ?? 0
        let probe = Answer(status: status, head: head, body: "", isWhole: false)
        if status == 100 { return probe }
        if probe.header("transfer-encoding") == "chunked" {
            let (body, isWhole) = try chunks()
            return Answer(status: status, head: head, body: body, isWhole: isWhole)
        }
        let length = probe.header("content-length").flatMap { Int($0) } ?? 0
        while received.count < length, try more() {}
        let body = received.prefix(length)
        received.removeFirst(body.count)
        return Answer(
            status: status, head: head, body: String(decoding: body, as: UTF8.self),
            isWhole: body.count == length)
    }

    private func chunks() throws -> (String, Bool) {
        var body: [UInt8] = []
        var position = 0
        defer { received.removeFirst(min(position, received.count)) }
        while true {
            var line = received[position...].firstRange(of: Array("\r\n".utf8))
            while line == nil {
                guard try more() else { return (String(decoding: body, as: UTF8.self), false) }
                line = received[position...].firstRange(of: Array("\r\n".utf8))
            }
            guard let line,
                let count = Int(
                    String(decoding: received[position..<line.lowerBound], as: UTF8.self), radix: 16)
            else { throw Overdue(description: "a chunk's size is not a number") }
            while received.count < line.upperBound + count + 2 {
                guard try more() else {
                    body += received[line.upperBound...]
                    position = received.count
                    return (String(decoding: body, as: UTF8.self), false)
                }
            }
            body += received[line.upperBound..<(line.upperBound + count)]
            position = line.upperBound + count + 2
            if count == 0 { return (String(decoding: body, as: UTF8.self), true) }
            // Keeps the rest short, so that a long stream does not cost its square.
            received.removeFirst(position)
            position = 0
        }
    }

    private func more() throws -> Bool {
        guard !isAtEnd else { return false }
        let bytes = try socket.receive(atMost: 256 << 10)
        isAtEnd = bytes.isEmpty
        received += bytes
        return !isAtEnd
    }
}
