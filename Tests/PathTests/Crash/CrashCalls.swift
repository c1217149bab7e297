import Foundation
import Glibc
import Locking

/// Calls over some connections until the engine is gone, and the ids of those that were answered whole.
final class CrashCalls: Sendable {
    private struct Answered: Sendable {
        var ids: [String] = []
        var sent = 0
    }

    private let answered = Locked(Answered())
    private let callers = DispatchGroup()

    /// - Parameters:
    ///   - tokens: one connection each.
    ///   - pause: between two calls of a connection, in microseconds.
    init(port: Int, tokens: [String], pause: UInt32) {
        for (number, token) in tokens.enumerated() {
            callers.enter()
            // Threads of their own: what else runs in this process takes the pool's.
            Thread { [self] in
                call(port, token, number, pause)
                callers.leave()
            }.start()
        }
    }

    /// Waits until the engine is gone; the ids, and how many calls were begun.
    func end() -> (ids: [String], sent: Int) {
        callers.wait()
        return answered.withLock { ($0.ids, $0.sent) }
    }

    private func call(_ port: Int, _ token: String, _ caller: Int, _ pause: UInt32) {
        guard let wire = try? Wire(port) else { return }
        for number in 0..<5_000 {
            let isStream = number % 3 == 0
            let body = """
                {"model":"openai/gpt-6-sol","stream":\(isStream),"messages":[{"role":"user","content":"\(caller) \(number)"}]}
                """
            answered.withLock { $0.sent += 1 }
            wire.send(
                "POST /v1/chat/completions HTTP/1.1\r\nhost: gatehouse\r\nauthorization: Bearer \(token)\r\n"
                    + "content-type: application/json\r\nx-gatehouse-cache: off\r\n"
                    + "content-length: \(body.utf8.count)\r\n\r\n\(body)")
            guard let answer = wire.answer() else { return }
            // A virtual key that was taken away meanwhile.
            guard answer.status == 200 else { return }
            guard !isStream || answer.body.contains("[DONE]") else { return }
            guard let id = answer.header("x-request-id") else { return }
            answered.withLock { $0.ids.append(id) }
            usleep(pause)
        }
    }
}
