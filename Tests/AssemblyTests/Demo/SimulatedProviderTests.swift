import Dialects
import Domain
import Foundation
import Glibc
import NIOCore
import NIOPosix
import Testing

@testable import Assembly

/// The simulated provider over real loopback connections, read by the same readers as a real one's answers.
@Suite struct SimulatedProviderTests {
    private static let chat = #"{"model":"gpt-6","messages":[]}"#
    private static let chatStream =
        #"{"model":"gpt-6","stream":true,"stream_options":{"include_usage":true},"messages":[]}"#
    private static let message = #"{"model":"claude","max_tokens":9,"messages":[]}"#
    private static let messageStream = #"{"model":"claude","max_tokens":9,"stream":true,"messages":[]}"#

    private struct Answer: Sendable {
        let status: Int
        let head: String
        let body: [UInt8]
    }

    /// Starts a provider in one mood, asks it once, and stops it.
    private func ask(
        _ mood: DemoScript.Mood, _ path: String, _ body: String, method: String = "POST",
        key: String = "sk-good", until isEnough: (@Sendable ([UInt8]) -> Bool)? = nil
    ) async throws -> Answer {
        let group = MultiThreadedEventLoopGroup(numberOfThreads: 1)
        let provider = try await SimulatedProvider.start(
            on: group, behaviour: .init(seed: 1, doomedKey: "-doomed") { mood })
        let port = provider.port
        let request =
            "\(method) \(path) HTTP/1.1\r\nhost: 127.0.0.1\r\nauthorization: Bearer \(key)\r\n"
            + "content-length: \(body.utf8.count)\r\n\r\n\(body)"
        let all = try await awayFromPool {
            let socket = try #require(RawSocket.loopback(port: port))
            socket.send(Array(request.utf8))
            return socket.read(until: isEnough ?? isWhole).bytes
        }
        await provider.stop()
        try await group.shutdownGracefully()
        let text = String(decoding: all, as: UTF8.self)
        let end = try #require(text.firstRange(of: "\r\n\r\n"))
        let head = text[..<end.lowerBound].lowercased()
        let rest = text[end.upperBound...]
        return Answer(
            status: Int(head.split(separator: " ")[1]) ?? 0, head: head,
            body: Array((head.contains("transfer-encoding: chunked") ? unchunked(rest) : String(rest)).utf8))
    }

    /// The length that the head announces is there, or the last chunk is.
    private func isWhole(_ bytes: [UInt8]) -> Bool {
        let text = String(decoding: bytes, as: UTF8.self).lowercased()
        guard let end = text.firstRange(of: "\r\n\r\n") else { return false }
        guard let field = text.firstRange(of: "content-length: ") else {
            return text.hasSuffix("\r\n0\r\n\r\n")
        }
        let length = Int(text[field.upperBound...].prefix { $0.isNumber }) ?? 0
        return text[end.upperBound...].utf8.count >= length
    }

    /// Takes RFC 9112 section 7.1 apart; the pieces are ASCII.
    private func unchunked(_ text: Substring) -> String {
        var out = ""
        var rest = text.utf8
        while let line = rest.firstIndex(of: 0x0d), let size = Int(String(rest[..<line]) ?? "", radix: 16),
            size > 0
        {
            let start = rest.index(line, offsetBy: 2)
            let end = rest.index(start, offsetBy: size, limitedBy: rest.endIndex) ?? rest.endIndex
            out += String(rest[start..<end]) ?? ""
            rest = rest[end...].dropFirst(2)
        }
        return out
    }

    private func stream(_ bytes: [UInt8], _ dialect: Dialect) throws -> StreamedAnswer {
        var reader = StreamReader(dialect: dialect, dropsUsage: false)
        try bytes.withUnsafeBytes { try reader.read($0) { _ in } }
        reader.finish { _ in }
        return reader.answer
    }

    private let calm = DemoScript.Mood(latency: 1)

    @Test func `an answer in one piece has the format's shape and its usage`() async throws {
        for (path, body, dialect) in [
            ("/v1/chat/completions", Self.chat, Dialect.openAIChat),
            ("/v1/messages", Self.message, .anthropicMessages),
            ("/v1/embeddings", #"{"model":"e","input":"x"}"#, .openAIEmbeddings),
        ] {
            let answer = try await ask(calm, path, body)
            #expect(answer.status == 200 && answer.head.contains("application/json"), "\(path)")
            #expect(answer.head.contains("content-length: \(answer.body.count)"), "\(path)")
            #expect(throws: Never.self) { try JSONSerialization.jsonObject(with: Data(answer.body)) }
            let usage = try #require(answer.body.withUnsafeBytes { UnaryReader.usage(in: $0, as: dialect) })
            #expect((40..<1_600).contains(usage.totalInput), "\(path): \(usage)")
            #expect(dialect == .openAIEmbeddings ? usage.output == 0 : (12..<400).contains(usage.output))
        }
    }

    @Test func `a streamed answer is read to its end with its usage`() async throws {
        for (path, body, dialect) in [
            ("/v1/chat/completions", Self.chatStream, Dialect.openAIChat),
            ("/v1/messages", Self.messageStream, .anthropicMessages),
        ] {
            let answer = try await ask(calm, path, body)
            #expect(answer.status == 200 && answer.head.contains("text/event-stream"), "\(path)")
            let read = try stream(answer.body, dialect)
            #expect(read.ended && read.fault == nil && read.usageIsFinal, "\(path)")
            #expect((6..<20).contains(read.deltas), "\(path): \(read.deltas)")
            #expect((read.usage?.output ?? 0) >= 12, "\(path)")
        }
    }

    @Test func `a stream that is cut ends without its last event`() async throws {
        let mood = DemoScript.Mood(latency: 1, cut: 1)
        let openAI = try stream(
            try await ask(mood, "/v1/chat/completions", Self.chatStream).body, .openAIChat)
        #expect(!openAI.ended && openAI.usage == nil)
        let anthropic = try stream(
            try await ask(mood, "/v1/messages", Self.messageStream).body, .anthropicMessages)
        #expect(!anthropic.ended && !anthropic.usageIsFinal)
    }

    @Test func `a stream that stalls stands still behind its second event`() async throws {
        let mood = DemoScript.Mood(latency: 1, stalled: 1)
        let answer = try await ask(
            mood, "/v1/messages", Self.messageStream,
            until: { String(decoding: $0, as: UTF8.self).contains("event: content_block_start") })
        let text = String(decoding: answer.body, as: UTF8.self)
        #expect(text.contains("event: message_start") && !text.contains("content_block_delta"))
        let whole = try await ask(mood, "/v1/messages", Self.message)
        #expect(whole.status == 200, "an answer in one piece cannot stand still")
    }

    @Test func `one key is refused while it is doomed, in free calls too`() async throws {
        let mood = DemoScript.Mood(latency: 1, refusesKey: true)
        for method in ["POST", "GET"] {
            for (key, status) in [("sk-doomed", 401), ("sk-doomed-2", 200)] {
                let answer = try await ask(mood, "/v1/chat/completions", Self.chat, method: method, key: key)
                #expect(answer.status == status, "\(method) \(key)")
            }
        }
        let calm = try await ask(self.calm, "/v1/chat/completions", Self.chat, key: "sk-doomed")
        #expect(calm.status == 200)
    }

    @Test func `a slow answer comes many times later`() async throws {
        let began = ContinuousClock.now
        let slow = DemoScript.Mood(latency: 50, slow: 1)
        #expect(try await ask(slow, "/v1/chat/completions", Self.chat).status == 200)
        // Twelve times the least that 50 ms are spread to.
        #expect(ContinuousClock.now - began >= .milliseconds(350))
    }

    @Test func `answers tell what the key has left, in the names of both formats`() async throws {
        for body in [Self.chat, Self.chatStream] {
            let answer = try await ask(calm, "/v1/chat/completions", body)
            #expect(answer.head.contains("x-ratelimit-remaining-requests: 499\r\n"), "\(answer.head)")
            #expect(answer.head.contains("anthropic-ratelimit-requests-limit: 500\r\n"))
        }
        var limits = SimulatedLimits()
        func left(_ key: String, _ what: String, minute: UInt64 = 0) -> String? {
            let now = NIODeadline.uptimeNanoseconds(minute * 60_000_000_000)
            return limits.spend(400, of: key, at: now).first { $0.name == "x-ratelimit-remaining-\(what)" }?
                .value
        }
        for _ in 0..<600 { _ = left("a", "requests") }
        #expect(left("a", "requests") == "0" && left("a", "tokens") == "0")
        #expect(left("b", "tokens") == "199600" && left("a", "requests", minute: 1) == "499")
    }

    @Test func `each kind of failure has its status and a body that says so`() async throws {
        for (mood, status, type) in [
            (DemoScript.Mood(latency: 1, overloaded: 1), 529, "overloaded_error"),
            (DemoScript.Mood(latency: 1, failed: 1), 500, "server_error"),
            (DemoScript.Mood(latency: 1, rateLimited: 1), 429, "rate_limit_error"),
        ] {
            for path in ["/v1/messages", "/v1/chat/completions"] {
                let answer = try await ask(mood, path, Self.message)
                #expect(answer.status == status)
                #expect(answer.head.contains("retry-after: 4") == (status == 429))
                let object = try JSONSerialization.jsonObject(with: Data(answer.body)) as? [String: Any]
                #expect((object?["error"] as? [String: Any])?["type"] as? String == type)
            }
        }
    }

    @Test func `what cannot be read is refused, and a free call is answered whatever the mood`() async throws
    {
        #expect(try await ask(calm, "/v1/messages", "{").status == 400)
        #expect(try await ask(calm, "/v1/chat/completions", "").status == 400)
        let down = DemoScript.Mood(latency: 1, overloaded: 1)
        let models = try await ask(down, "/v1/models", "", method: "GET")
        #expect(models.status == 200 && String(decoding: models.body, as: UTF8.self).contains("\"data\""))
    }
}
