import Dialects
import Domain
import Testing

@Suite struct GeminiStreamDecoderTests {
    private let own = GeminiFixture.own

    private var expected: [AnswerPiece] {
        let prompt = { (output: Int64, reasoning: Int64) in
            AnswerPiece.usage(
                Usage(input: 86, cacheRead: 1_920, output: output, reasoning: reasoning), isFinal: false)
        }
        return [
            .began(id: "GxKvaPn5CqOtz7IPqYrB8A0"), prompt(0, 40), .reasoning("**Weather**\n\n"),
            prompt(0, 128), .reasoning("The user asks for it."), prompt(12, 128), .reasoningToken(own("")),
            .text("Grüße "), .text("aus Paris 🌦"), .reasoning(""), .reasoningToken(own("end:EhIKEA==")),
            .reasoning("Two tools."), .reasoningToken(own("EjQKMgEM")),
            .callBegan(index: 0, id: "8f2k3jd1", name: "get_weather", signature: own("CiQBVKhc7g==")),
            .callArguments(index: 0, #"{"city":"Paris","days":1.50}"#), .callEnded(index: 0),
            .callBegan(index: 1, id: GeminiFixture.givenID, name: "get_time", signature: nil),
            .callArguments(index: 1, "{}"), .callEnded(index: 1),
            .usage(GeminiFixture.usage, isFinal: false), .stopped(.toolCalls, sequence: nil),
            .usage(GeminiFixture.usage, isFinal: true), .ended,
        ]
    }

    @Test func `a stream with everything in it is read piece by piece`() throws {
        #expect(try GeminiFixture.pieces([Array(try GeminiFixture.text("stream.sse").utf8)]) == expected)
    }

    @Test func `a stream cut at every byte gives the same pieces`() throws {
        let stream = Array(try GeminiFixture.text("stream.sse").utf8)
        for cut in 1..<stream.count {
            let found = try GeminiFixture.pieces([Array(stream[..<cut]), Array(stream[cut...])])
            #expect(found == expected, "cut at \(cut)")
        }
        #expect(try GeminiFixture.pieces(stream.map { [$0] }) == expected)
    }

    @Test func `a stream that ends before its last event has no end`() throws {
        let stream = Array(try GeminiFixture.text("stream.sse").utf8)
        let whole = expected
        for length in 0..<stream.count - 4 {
            let found = try GeminiFixture.pieces([Array(stream[..<length])])
            #expect(found.last != .ended, "\(length) bytes")
            // Half an event is told as an error, and everything before it as it came.
            let told = if case .failed = found.last { found.dropLast() } else { found[...] }
            #expect(whole.starts(with: told), "\(length) bytes")
        }
        #expect(try GeminiFixture.pieces([]) == [])
    }

    private let hi = GeminiFixture.event(#"{"text":"Hi"}"#)

    @Test func `a stream without usage ends all the same`() throws {
        #expect(
            try GeminiFixture.pieces(data: hi, GeminiFixture.event("", reason: "MAX_TOKENS"))
                == [.began(id: nil), .text("Hi"), .stopped(.length, sequence: nil), .ended])
    }

    @Test func `a reason in every event ends the stream once, and the last one counts`() throws {
        #expect(
            try GeminiFixture.pieces(
                data: GeminiFixture.event(#"{"text":"a"}"#, reason: "STOP"),
                GeminiFixture.event(#"{"text":"b"}"#, reason: "STOP"),
                GeminiFixture.event("", reason: "SAFETY"))
                == [
                    .began(id: nil), .text("a"), .text("b"), .stopped(.contentFilter, sequence: nil), .ended,
                ])
    }

    @Test func `usage that comes behind the reason counts, and the last of it is final`() throws {
        let usage = Usage(input: 3, output: 2)
        #expect(
            try GeminiFixture.pieces(
                data: hi, GeminiFixture.event("", reason: "STOP"),
                #"{"usageMetadata":{"promptTokenCount":3,"candidatesTokenCount":2}}"#)
                == [
                    .began(id: nil), .text("Hi"), .usage(usage, isFinal: false),
                    .stopped(.finished, sequence: nil), .usage(usage, isFinal: true), .ended,
                ])
    }

    @Test func `thoughts and texts may alternate, and signatures come on either or alone`() throws {
        #expect(
            try GeminiFixture.pieces(
                data: GeminiFixture.event(
                    #"{"thought":true,"text":"a"},{"thought":true,"text":"b","thoughtSignature":"AA=="},{"text":"c"},{"thought":true,"text":"d"},{"text":"e","thoughtSignature":"BB=="},{"thoughtSignature":"CC=="}"#
                ), GeminiFixture.event(#"{"thought":true,"text":"f"}"#, reason: "STOP")) == [
                    .began(id: nil), .reasoning("a"), .reasoning("b"), .reasoningToken(own("AA==")),
                    .text("c"), .reasoning("d"), .reasoningToken(own("")), .text("e"), .reasoning(""),
                    .reasoningToken(own("end:BB==")), .reasoning(""), .reasoningToken(own("end:CC==")),
                    .reasoning("f"), .reasoningToken(own("")), .stopped(.finished, sequence: nil), .ended,
                ])
    }

    @Test func `several calls across events are counted on`() throws {
        let found = try GeminiFixture.pieces(
            data: GeminiFixture.event(#"{"functionCall":{"name":"f","args":{"a":[1.0]}}}"#),
            GeminiFixture.event(#"{"text":"And "},{"functionCall":{"name":"f"}}"#),
            GeminiFixture.event("", reason: "STOP"))
        let began = found.compactMap { piece in
            if case .callBegan(let index, let id, _, _) = piece { "\(index) \(id)" } else { nil }
        }
        #expect(began.count == 2 && Set(began).count == 2)
        #expect(began[0].hasPrefix("0 ") && began[1].hasPrefix("1 "))
        #expect(found.contains(.callArguments(index: 0, #"{"a":[1.0]}"#)))
        #expect(found.suffix(2) == [.stopped(.toolCalls, sequence: nil), .ended])
    }

    @Test func `an error inside the stream says what it stands for, and nothing follows`() throws {
        let error = UpstreamError(type: "UNAVAILABLE", code: "503", message: "The model is overloaded.")
        let json = #"{"error":{"code":503,"message":"The model is overloaded.","status":"UNAVAILABLE"}}"#
        for data in [json, "[\(json)]"] {
            #expect(
                try GeminiFixture.pieces(data: hi, data, hi, GeminiFixture.event("", reason: "STOP"))
                    == [.began(id: nil), .text("Hi"), .failed(error)])
        }
        #expect(error.classify(status: error.impliedStatus, kind: .gemini) == .overloaded)
        let quota =
            #"{"error":{"code":429,"status":"RESOURCE_EXHAUSTED","details":[{"@type":"type.googleapis.com/google.rpc.ErrorInfo","reason":"RATE_LIMIT_EXCEEDED"}]}}"#
        #expect(
            try GeminiFixture.pieces(data: quota)
                == [
                    .failed(
                        UpstreamError(type: "RESOURCE_EXHAUSTED", code: "429", reason: "RATE_LIMIT_EXCEEDED"))
                ])
    }

    @Test func `a blocked prompt and broken output are failures`() throws {
        let blocked = try GeminiFixture.pieces(
            data: #"{"promptFeedback":{"blockReason":"SAFETY"},"usageMetadata":{"promptTokenCount":9}}"#, hi)
        guard blocked.count == 1, case .failed(let refusal) = blocked[0] else {
            Issue.record("\(blocked)")
            return
        }
        #expect(refusal.classify(status: refusal.impliedStatus, kind: .gemini) == .contentPolicy)
        let broken = try GeminiFixture.pieces(
            data: hi, GeminiFixture.event("", reason: "MALFORMED_FUNCTION_CALL"), hi)
        guard broken.count == 3, case .failed(let fault) = broken[2] else {
            Issue.record("\(broken)")
            return
        }
        #expect(fault.classify(status: fault.impliedStatus, kind: .gemini) == .providerFault)
    }

    @Test(arguments: ["{", "[DONE]", #"{"candidates":[{"content":{"parts":[{"text":1}]}}]}"#])
    func `what is not of the format is an error`(data: String) throws {
        let found = try GeminiFixture.pieces(data: hi, data, hi)
        guard case .failed = found.last else {
            Issue.record("\(found)")
            return
        }
        #expect(found.dropLast() == [.began(id: nil), .text("Hi")])
    }

    @Test(arguments: ["{}", "[]", "1", #"{"candidates":[]}"#, #"{"candidates":[{"index":1}]}"#, #"{"a":1}"#])
    func `an event that says nothing is passed over`(data: String) throws {
        #expect(try GeminiFixture.pieces(data: data) == [])
    }

    @Test func `no model can call tools without end`() throws {
        let call = #"{"functionCall":{"name":"f"}}"#
        let calls = Array(repeating: call, count: 300).joined(separator: ",")
        let found = try GeminiFixture.pieces(data: GeminiFixture.event(calls))
        #expect(found.count == 1 + 3 * 256 + 1)
        #expect(found.last == .failed(UpstreamError(message: "the model called too many tools at once")))
    }

    @Test func `changed events never crash the decoder and keep its promises`() throws {
        let seed: UInt64 = 0x9e3_0003
        var random = SplitMix(seed: seed)
        let events = try GeminiFixture.text("stream.sse").split(separator: "\r\n\r\n").map {
            try JSONNode.read(String($0.dropFirst("data: ".count)))
        }
        var ended = 0
        for round in 0..<1_500 {
            var chunks: [[UInt8]] = []
            for event in events where random.next() % 20 != 0 {
                var event = event
                if random.next() % 5 == 0 { event = ConverseMutation.changed(event, &random) }
                let position = random.next() % 10 == 0 ? chunks.count / 2 : chunks.count
                chunks.insert(Array("data: \(event.json)\n\n".utf8), at: position)
            }
            // Some bytes, too.
            if random.next() % 4 == 0, let last = chunks.indices.last, !chunks[last].isEmpty {
                chunks[last][Int(random.next() % UInt64(chunks[last].count))] = UInt8(random.next() % 256)
            }
            let found = try GeminiFixture.pieces(chunks)
            PieceRules.check(found, "seed \(seed), round \(round)")
            if found.last == .ended { ended += 1 }
        }
        #expect(ended > 0 && ended < 1_500, "seed \(seed)")
    }

    @Test func `random bytes never crash the decoder`() throws {
        let seed: UInt64 = 0x9e3_0004
        var random = SplitMix(seed: seed)
        let words = [
            "data:", "data: ", "\n", "\r\n", "{", "}", "[", "]", #""candidates":"#, #""text":"#, "\"a\"",
            ",", "1", #"{"error":{}}"#, "\u{0}", "é",
        ]
        for round in 0..<2_000 {
            let text = (0..<Int(random.next() % 30)).map { _ in words.randomElement(using: &random) ?? "" }
            PieceRules.check(
                try GeminiFixture.pieces([Array(text.joined().utf8)]), "seed \(seed), round \(round)")
        }
    }
}
