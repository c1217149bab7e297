import Cipher
import Dialects
import Domain
import Locking
import NIOCore
import NIOHTTP1
import Testing

@testable import Providers

/// What every adapter and every preset has to keep, over a socket, against answers in the shape that its provider gives.
@Suite struct AdapterContractTests {
    /// What a caller may send along, and what must stay here.
    private static let callerHeaders: HTTPHeaders = [
        "authorization": "Bearer gh-caller-secret", "x-api-key": "gh-caller-secret",
        "api-key": "gh-caller-secret", "x-goog-api-key": "gh-caller-secret", "cookie": "gh-caller-secret",
        "x-amz-security-token": "gh-caller-secret", "openai-organization": "gh-caller-secret",
        "x-forwarded-for": "gh-caller-secret", "user-agent": "gh-caller-secret",
    ]

    /// One for all tests: reading the machine's certificates takes its time.
    private static let caller = Task { try await Caller() }

    private static func exchange(
        _ entry: AdapterEntry, _ endpoint: (Int) throws -> UpstreamEndpoint, body: String, answer: [UInt8]
    ) async throws -> (seen: ScriptedUpstream.Seen, outcome: Outcome) {
        let seen = Locked<ScriptedUpstream.Seen?>(nil)
        let upstream = try await ScriptedUpstream.start { request in
            seen.withLock { $0 = request }
            return [.sendBytes(answer)]
        }
        let outcome = try await caller.value.send(
            endpoint(upstream.port), secret: entry.key, headers: Self.callerHeaders, body: body)
        try await upstream.stop()
        return (try #require(seen.withLock { $0 }), outcome)
    }

    // MARK: The list

    @Test func `every adapter and every preset is held to the contract, with answers of each sort`() throws {
        #expect(Set(AdapterEntry.all.map(\.kind)) == Set(ProviderList.adapters.map(\.kind)))
        let presets = Set(ProviderList.presets.map(\.name.text))
        #expect(presets.subtracting(AdapterEntry.all.map(\.folder)).isEmpty)
        for entry in AdapterEntry.all {
            let names = try RecordedAnswer.names(in: entry.folder)
            #expect(names.contains("unary.http") && names.contains("stream.http"), "\(entry.folder)")
            #expect(names.filter { $0.hasPrefix("error-") }.count >= 4, "\(entry.folder)")
        }
        // No folder that nobody reads.
        #expect(try RecordedAnswer.names(in: "").sorted() == Set(AdapterEntry.all.map(\.folder)).sorted())
    }

    // MARK: The request

    @Test(arguments: ContractCall.all, [false, true])
    func
        `the request has path, host, key and headers as the provider wants them, and nothing of the caller's`(
            call: ContractCall, streamed: Bool
        ) async throws
    {
        let entry = call.entry
        let body = try call.sent(streamed: streamed)
        let (seen, _) = try await Self.exchange(
            entry, { try call.endpoint(port: $0, streamed: streamed) }, body: body,
            answer: Array(counted("{}").utf8))
        let lines = seen.head.split(separator: "\r\n").map(String.init)
        #expect(lines[0] == "POST \(streamed ? entry.streamPath : entry.path) HTTP/1.1")
        let names = lines.dropFirst().compactMap { $0.split(separator: ":").first.map(String.init) }
        #expect(Set(names).count == names.count, "\(names)")
        #expect(lines.contains { $0.hasPrefix("host: 127.0.0.1:") })
        #expect(lines.contains("content-type: application/json"))
        #expect(lines.contains("accept-encoding: identity"))
        #expect(lines.filter { $0.hasPrefix(entry.keyHeader) }.count == 1)
        for header in entry.defaults { #expect(lines.contains(header)) }
        #expect(!seen.head.contains("gh-caller-secret"))
        let own = names.filter {
            ["authorization", "api-key", "x-api-key", "x-goog-api-key", "cookie"].contains($0)
        }
        #expect(own.count == 1, "\(own)")
        #expect(seen.body == body)
        let secret = entry.key.map { $0.split(separator: ":").last.map(String.init) ?? $0 } ?? ""
        #expect(!lines[0].contains(secret))
        // A signature goes in an access key's place.
        #expect(seen.head.contains(secret) == !entry.keyHeader.contains("AWS4"))
    }

    @Test(arguments: AdapterEntry.all)
    func `without its key nothing is sent, but where none is needed`(entry: AdapterEntry) async throws {
        let call = ContractCall(entry: entry, dialect: .openAIChat)
        let asked = Locked(0)
        let upstream = try await ScriptedUpstream.start { _ in
            asked.withLock { $0 += 1 }
            return [.send(counted("{}"))]
        }
        let outcome = try? await Self.caller.value.send(
            call.endpoint(port: upstream.port, streamed: false), secret: nil, body: "{}")
        try await upstream.stop()
        #expect((outcome?.status == 200) == entry.keyless)
        #expect(asked.withLock { $0 } == (entry.keyless ? 1 : 0))
    }

    @Test(arguments: AdapterEntry.all)
    func `a key is verified by a call that asks the model nothing`(entry: AdapterEntry) async throws {
        let seen = Locked<[ScriptedUpstream.Seen]>([])
        let upstream = try await ScriptedUpstream.start { request in
            seen.withLock { $0.append(request) }
            return [.send(counted(#"{"data":[]}"#)), .close]
        }
        let probe = KeyProbe(pool: try await Self.caller.value.pool)
        let secret: SecretBytes? = try secretBytes(entry.key ?? "")
        let verdict = try await probe.verify(entry.definition(port: upstream.port), secret: secret)
        try await upstream.stop()
        let requests = seen.withLock { $0 }
        guard let path = entry.verification else {
            #expect(requests.isEmpty)
            return
        }
        #expect(verdict == .verified)
        #expect(requests.count == 1)
        #expect(requests[0].head.hasPrefix("GET \(path) HTTP/1.1\r\n") && requests[0].body.isEmpty)
    }

    // MARK: The answers

    @Test(arguments: ContractCall.all)
    func `a whole answer is read with its usage, and said in the caller's words`(
        call: ContractCall
    )
        async throws
    {
        let recorded = try call.entry.answer("unary")
        let (_, outcome) = try await Self.exchange(
            call.entry, { try call.endpoint(port: $0, streamed: false) },
            body: call.sent(streamed: false), answer: recorded.counted)
        #expect(outcome.status == 200 && outcome.failure == nil && outcome.bytes == recorded.body)
        guard let format = call.format else {
            let facts = outcome.bytes.withUnsafeBytes { UnaryReader.read($0, as: call.dialect) }
            #expect(facts.usage == call.entry.usage && !facts.hasError)
            return
        }
        let source = try call.source(streamed: false)
        let said = outcome.bytes.withUnsafeBytes {
            Translator.answer($0, from: format, to: call.dialect, of: source, in: call.context)
        }
        let answer = try #require(said)
        #expect(answer.usage == call.entry.usage)
        #expect(String(decoding: answer.body, as: UTF8.self).contains(#""Hello there""#))
    }

    @Test(arguments: ContractCall.all)
    func `a stream is read with its pieces, its usage and its end`(call: ContractCall) async throws {
        let recorded = try call.entry.answer("stream")
        let (_, outcome) = try await Self.exchange(
            call.entry, { try call.endpoint(port: $0, streamed: true) },
            body: call.sent(streamed: true), answer: recorded.streamed())
        #expect(outcome.status == 200 && outcome.failure == nil && outcome.bytes == recorded.body)
        let (facts, said) = try Self.follow(outcome.bytes, call)
        #expect(facts.ended && facts.sawContent && facts.fault == nil)
        #expect(facts.usage == call.entry.usage && facts.usageIsFinal)
        #expect(facts.deltas >= 2)
        #expect(said.contains("Hello") && said.contains(" there"))
    }

    /// The events behind which nothing of the answer is missing, be it only its usage.
    private static func isWhole(_ events: ArraySlice<[UInt8]>, _ call: ContractCall) -> Bool {
        let last: String =
            switch call.format ?? ProviderList.chatFormat(of: call.entry.kind) ?? .openAIChat {
            case .openAIChat, .openAIResponses: "data: [DONE]"
            case .anthropicMessages: "event: message_stop"
            case .geminiContents: #""finishReason":"STOP""#
            case .bedrockConverse: "messageStop"
            }
        return events.contains { $0.firstRange(of: Array(last.utf8)) != nil }
    }

    @Test(arguments: ContractCall.all)
    func `a stream that breaks off between any two events is never taken for whole`(
        call: ContractCall
    )
        async throws
    {
        let recorded = try call.entry.answer("stream")
        let events = recorded.events
        #expect(events.count >= 3)
        let upstream = try await ScriptedUpstream.start { request in
            let count = request.body.split(separator: "#").last.flatMap { Int($0) } ?? 0
            return [.sendBytes(recorded.streamed(count)), .close]
        }
        let caller = try await Self.caller.value
        for count in 0..<events.count {
            let outcome = try await caller.send(
                call.endpoint(port: upstream.port, streamed: true), secret: call.entry.key, body: "#\(count)")
            #expect(outcome.failure != nil && outcome.endings == 1)
            let (facts, _) = try Self.follow(outcome.bytes, call)
            let isWhole = Self.isWhole(events[..<count], call)
            #expect(facts.ended == isWhole, "after \(count) of \(events.count) events")
            #expect(facts.fault == nil)
            if !facts.ended { #expect(facts.settledUsage(inputEstimate: 7).usage.input > 0) }
        }
        try await upstream.stop()
    }

    /// Follows a stream as the gateway would, and what it has become for the caller.
    private static func follow(
        _ bytes: [UInt8], _ call: ContractCall
    ) throws -> (facts: any StreamFacts, said: String) {
        var out: [UInt8] = []
        guard let format = call.format else {
            var reader = StreamReader(dialect: call.dialect, dropsUsage: false)
            try bytes.withUnsafeBytes { lent in
                try reader.read(lent) { piece in
                    switch piece {
                    case .held(let earlier): out += earlier
                    case .part(let range): out += lent[range]
                    }
                }
            }
            reader.finish { piece in if case .held(let earlier) = piece { out += earlier } }
            return (reader.answer, String(decoding: out, as: UTF8.self))
        }
        var stream = Translator.stream(from: format, to: call.dialect, in: call.context)
        try bytes.withUnsafeBytes { lent in try stream.read(lent, into: &out) }
        stream.finish(into: &out)
        return (stream, String(decoding: out, as: UTF8.self))
    }

    // MARK: Errors

    @Test(arguments: AdapterEntry.all)
    func `each recorded error falls into the row that its file is named after`(
        entry: AdapterEntry
    )
        async throws
    {
        let call = ContractCall(entry: entry, dialect: .openAIChat)
        for file in try RecordedAnswer.names(in: entry.folder) where file.hasPrefix("error-") {
            let name = String(file.dropLast(".http".count))
            let row = String(name.dropFirst("error-".count).prefix { $0 != "-" })
            let expected = try #require(FailureClass(rawValue: row), "\(file)")
            let recorded = try entry.answer(name)
            let (_, outcome) = try await Self.exchange(
                entry, { try call.endpoint(port: $0, streamed: false) }, body: "{}",
                answer: recorded.counted)
            #expect(outcome.status == recorded.status && outcome.bytes == recorded.body, "\(file)")
            let error = outcome.bytes.withUnsafeBytes { UpstreamError.read($0) }
                .labelled(outcome.headers.first(name: "x-amzn-errortype"))
            #expect(error.classify(status: outcome.status, kind: entry.kind) == expected, "\(file)")
        }
    }

    @Test(arguments: [
        ("openai/error-key_rate_limit", Duration.milliseconds(8_640)),
        ("azure/error-key_rate_limit", .seconds(26)), ("anthropic/error-key_rate_limit", .seconds(14)),
        ("gemini/error-key_rate_limit", .nanoseconds(34_074_824_224)),
        ("groq/error-key_rate_limit", .seconds(150)), ("together/error-key_rate_limit", .seconds(7)),
    ])
    func `the longest wait that a recorded limit asks for is found, in its head or its body`(
        name: String, expected: Duration
    ) throws {
        let recorded = try RecordedAnswer("\(name).http")
        let headers = recorded.headers.map { line in
            let parts = line.split(separator: ":", maxSplits: 1)
            return (name: String(parts[0]), value: String(parts[1].dropFirst()))
        }
        let asked = RetryAfter.parse(headers, ofKey: true, now: WallTime(milliseconds: 0))
        let inBody = recorded.body.withUnsafeBytes { UpstreamError.read($0).retryDelay }
        #expect([asked, inBody].compactMap { $0 }.max() == expected)
    }
}
