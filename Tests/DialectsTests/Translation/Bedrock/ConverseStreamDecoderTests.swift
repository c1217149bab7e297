import Dialects
import Domain
import Testing

@Suite struct ConverseStreamDecoderTests {
    private func pieces(_ chunks: [[UInt8]]) throws -> [AnswerPiece] {
        var decoder = ConverseStreamDecoder()
        var pieces: [AnswerPiece] = []
        for chunk in chunks {
            try lend(chunk) { (lent) throws(StreamFault) in try decoder.read(lent) { pieces.append($0) } }
        }
        decoder.finish { pieces.append($0) }
        return pieces
    }

    private func pieces(_ messages: [UInt8]...) throws -> [AnswerPiece] { try pieces(messages) }

    private let usage = Usage(
        input: 30, cacheRead: 3_000, cacheWrite: 12_000, cacheWriteHour: 304, output: 628)

    private var expected: [AnswerPiece] {
        [
            .began(id: nil), .reasoning("The user "), .reasoning("asks."),
            .reasoningToken(OpaqueToken("EqoBCkgIBBABGAI=", of: .bedrockConverse)),
            .hiddenReasoning(OpaqueToken("RW5jcnlwdGVk", of: .bedrockConverse)),
            .text("Grüße "), .text("aus Paris 🌦"),
            .callBegan(index: 0, id: "tooluse_1", name: "get_weather", signature: nil),
            .callArguments(index: 0, #"{"city":"#),
            .callBegan(index: 1, id: "tooluse_2", name: "get_time", signature: nil),
            .callArguments(index: 0, #""Paris"}"#), .callEnded(index: 0), .callEnded(index: 1),
            .stopped(.toolCalls, sequence: nil), .usage(usage, isFinal: true), .ended,
        ]
    }

    @Test func `a stream with everything in it is read piece by piece`() throws {
        #expect(try pieces(try BedrockFixture.messages("stream.events")) == expected)
    }

    @Test func `a stream cut at every byte gives the same pieces`() throws {
        let stream = try BedrockFixture.messages("stream.events").flatMap { $0 }
        #expect(try pieces([stream]) == expected)
        for cut in 1..<stream.count {
            let found = try pieces([Array(stream[..<cut]), Array(stream[cut...])])
            #expect(found == expected, "cut at \(cut)")
        }
        #expect(try pieces(stream.map { [$0] }) == expected)
    }

    private let start = AWSEventStreamEncoder.event("messageStart", #"{"role":"assistant"}"#)
    private let hi = AWSEventStreamEncoder.event(
        "contentBlockDelta", #"{"contentBlockIndex":0,"delta":{"text":"Hi"}}"#)
    private func stop(_ reason: String) -> [UInt8] {
        AWSEventStreamEncoder.event("messageStop", #"{"stopReason":"\#(reason)"}"#)
    }
    private let metadata = AWSEventStreamEncoder.event(
        "metadata", #"{"usage":{"inputTokens":1,"outputTokens":2,"totalTokens":3},"metrics":{"latencyMs":1}}"#
    )

    @Test func `a stream without metadata ends with the connection`() throws {
        #expect(
            try pieces(start, hi, stop("end_turn"))
                == [.began(id: nil), .text("Hi"), .stopped(.finished, sequence: nil), .ended])
    }

    @Test func `a stream that was cut has no end`() throws {
        #expect(try pieces(start, hi) == [.began(id: nil), .text("Hi")])
        #expect(
            try pieces(start, hi, stop("end_turn"), Array(metadata.dropLast()))
                == [.began(id: nil), .text("Hi"), .stopped(.finished, sequence: nil)])
        #expect(
            try pieces(start, hi, metadata)
                == [.began(id: nil), .text("Hi"), .usage(Usage(input: 1, output: 2), isFinal: true)])
    }

    @Test func `nothing is reported behind the end`() throws {
        let whole = try pieces(start, hi, stop("max_tokens"), metadata)
        #expect(whole.last == .ended)
        #expect(
            try pieces(start, hi, stop("max_tokens"), hi, stop("end_turn"), metadata, hi, metadata) == whole)
    }

    @Test func `calls that stay open are ended with the message`() throws {
        let call = AWSEventStreamEncoder.event(
            "contentBlockStart", #"{"contentBlockIndex":0,"start":{"toolUse":{"toolUseId":"a","name":"f"}}}"#)
        #expect(
            try pieces(start, call, stop("tool_use")) == [
                .began(id: nil), .callBegan(index: 0, id: "a", name: "f", signature: nil),
                .callEnded(index: 0),
                .stopped(.toolCalls, sequence: nil), .ended,
            ])
    }

    @Test func `a signature without reasoning belongs to an empty one`() throws {
        let signature = AWSEventStreamEncoder.event(
            "contentBlockDelta", #"{"contentBlockIndex":0,"delta":{"reasoningContent":{"signature":"abc"}}}"#)
        let end = AWSEventStreamEncoder.event("contentBlockStop", #"{"contentBlockIndex":0}"#)
        #expect(
            try pieces(start, signature, end, hi) == [
                .began(id: nil), .reasoning(""), .reasoningToken(OpaqueToken("abc", of: .bedrockConverse)),
                .text("Hi"),
            ])
    }

    /// Statuses of the API reference, "ConverseStream".
    @Test(arguments: [
        ("internalServerException", 500), ("modelStreamErrorException", 424),
        ("serviceUnavailableException", 503),
        ("throttlingException", 429), ("validationException", 400), ("modelTimeoutException", 408),
        ("ThrottlingException", 429), ("accessDeniedException", 403), ("resourceNotFoundException", 404),
        ("modelNotReadyException", 429), ("serviceQuotaExceededException", 400),
        ("somethingNewException", 500),
    ])
    func `an exception in the stream says what it stands for`(name: String, status: Int) throws {
        let found = try pieces(
            start, AWSEventStreamEncoder.exception(name, #"{"message":"Too many\u0007 requests"}"#), hi,
            metadata)
        guard found.count == 2, case .failed(let error) = found[1] else {
            Issue.record("\(found)")
            return
        }
        #expect(error.type == name)
        #expect(error.impliedStatus == status)
        #expect(error.code == (name.hasPrefix("somethingNew") ? nil : String(status)))
        #expect(error.message == "Too many requests")
    }

    @Test func `an error of the framing itself is an error too`() throws {
        let found = try pieces(start, hi, AWSEventStreamEncoder.error("InternalFailure", "It broke."))
        #expect(found.last == .failed(UpstreamError(type: "InternalFailure", message: "It broke.")))
        let bare = try pieces(AWSEventStreamEncoder.exception("throttlingException", "not JSON"))
        #expect(bare == [.failed(UpstreamError(type: "throttlingException", code: "429"))])
        let none = try pieces(AWSEventStreamEncoder.error("", ""))
        #expect(none == [.failed(UpstreamError())])
    }

    @Test func `broken output of the model is an error behind its usage`() throws {
        let error = AnswerPiece.failed(
            UpstreamError(
                type: "malformed_tool_use", code: "424", message: "the model's output was malformed"))
        #expect(
            try pieces(start, hi, stop("malformed_tool_use"), metadata)
                == [.began(id: nil), .text("Hi"), .usage(Usage(input: 1, output: 2), isFinal: true), error])
        #expect(try pieces(start, hi, stop("malformed_tool_use")) == [.began(id: nil), .text("Hi"), error])
    }

    @Test func `a payload that is not JSON breaks the stream`() {
        #expect(throws: StreamFault.brokenFrame) {
            try pieces(start, AWSEventStreamEncoder.event("contentBlockDelta", "{"))
        }
    }

    @Test func `no model can open calls without end`() throws {
        let calls = (0..<300).map { index in
            AWSEventStreamEncoder.event(
                "contentBlockStart",
                #"{"contentBlockIndex":\#(index),"start":{"toolUse":{"toolUseId":"a","name":"f"}}}"#)
        }
        let found = try pieces([start] + calls)
        #expect(found.count == 258)
        #expect(found.last == .failed(UpstreamError(message: "the model called too many tools at once")))
    }

    @Test func `a signature has a longest length`() throws {
        let piece = String(repeating: "a", count: 700_000)
        let delta = AWSEventStreamEncoder.event(
            "contentBlockDelta", #"{"delta":{"reasoningContent":{"signature":"\#(piece)"}}}"#)
        let found = try pieces(start, delta, delta, hi)
        #expect(
            found == [
                .began(id: nil),
                .failed(UpstreamError(message: "the signature of the model's reasoning is too long")),
            ])
    }

    @Test func `changed events never crash the decoder and keep its promises`() throws {
        let seed: UInt64 = 0xbed_0004
        var random = SplitMix(seed: seed)
        let lines = try BedrockFixture.text("stream.events").split(separator: "\n").map(String.init)
        var ended = 0
        for round in 0..<1_500 {
            var messages: [[UInt8]] = []
            for line in lines where random.next() % 20 != 0 {
                let parts = line.split(separator: " ", maxSplits: 1).map(String.init)
                var payload = try JSONNode.read(parts[1])
                if random.next() % 4 == 0 { payload = ConverseMutation.changed(payload, &random) }
                let message = AWSEventStreamEncoder.event(parts[0], payload.json)
                messages.insert(message, at: random.next() % 10 == 0 ? messages.count / 2 : messages.count)
            }
            let found = try pieces(messages)
            PieceRules.check(found, "seed \(seed), round \(round)")
            if found.last == .ended { ended += 1 }
        }
        #expect(ended > 0 && ended < 1_500, "seed \(seed)")
    }
}
