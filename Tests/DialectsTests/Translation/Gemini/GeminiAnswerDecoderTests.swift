import Dialects
import Domain
import Testing

@Suite struct GeminiAnswerDecoderTests {
    private func decoded(_ json: String) throws -> TranslatedAnswer? {
        GeminiAnswerDecoder.decode(try JSONNode.read(json))
    }

    private func failure(_ json: String) -> UpstreamError? {
        lend(json) { Translator.failure($0, from: .geminiContents) }
    }

    @Test func `an answer with everything in it is read part by part`() throws {
        let own = GeminiFixture.own
        let answer = try #require(try decoded(try GeminiFixture.text("answer.json")))
        #expect(
            answer
                == TranslatedAnswer(
                    id: "GxKvaPn5CqOtz7IPqYrB8A0",
                    parts: [
                        .reasoning(.init(text: "**Weather**\n\nThe user asks for it.", token: own(""))),
                        .reasoning(.init(text: "", token: own("text:EhIKEA=="))),
                        .text("Let me look, \"Grüße\" 🌦"),
                        .toolCall(
                            .init(
                                id: "8f2k3jd1", name: "get_weather",
                                arguments: #"{"city":"Paris","days":1.50}"#, signature: own("CiQBVKhc7g=="))),
                        .toolCall(.init(id: GeminiFixture.givenID, name: "get_time", arguments: "{}")),
                    ], stop: .toolCalls, usage: GeminiFixture.usage))
    }

    @Test(
        arguments: [
            ("STOP", .finished), ("MAX_TOKENS", .length), ("CONTINUATION", .length),
            ("SAFETY", .contentFilter), ("RECITATION", .contentFilter), ("LANGUAGE", .contentFilter),
            ("BLOCKLIST", .contentFilter), ("PROHIBITED_CONTENT", .contentFilter), ("SPII", .contentFilter),
            ("IMAGE_SAFETY", .contentFilter), ("IMAGE_PROHIBITED_CONTENT", .contentFilter),
            ("IMAGE_RECITATION", .contentFilter), ("MODEL_ARMOR", .contentFilter),
            ("ESCALATION", .contentFilter), ("PUP_LIMITED_DISABLED", .contentFilter),
            ("OTHER", .contentFilter), ("FINISH_REASON_UNSPECIFIED", .finished), ("NEW", .finished),
            ("MALFORMED_FUNCTION_CALL", nil), ("MALFORMED_RESPONSE", nil), ("UNEXPECTED_TOOL_CALL", nil),
            ("TOO_MANY_TOOL_CALLS", nil), ("MISSING_THOUGHT_SIGNATURE", nil), ("NO_IMAGE", nil),
            ("IMAGE_OTHER", nil),
        ] as [(String, StopReason?)])
    func `a finish reason has its meaning, and broken output is no answer`(
        reason: String, meaning: StopReason?
    ) throws {
        let body = GeminiFixture.event(#"{"text":"Hi"}"#, reason: reason)
        #expect(try decoded(body)?.stop == meaning)
        #expect((failure(body) == nil) == (meaning != nil))
        // Filters leave nothing of the content.
        let bare = #"{"candidates":[{"finishReason":"\#(reason)","index":0}]}"#
        #expect(try decoded(bare)?.stop == meaning)
        #expect(try decoded(bare)?.parts.isEmpty ?? true)
        let call = GeminiFixture.event(#"{"functionCall":{"name":"f"}}"#, reason: reason)
        #expect(try decoded(call)?.stop == (meaning == .finished ? .toolCalls : meaning))
    }

    @Test func `a blocked prompt is a refusal of its content, and no answer`() throws {
        let blocked =
            #"{"promptFeedback":{"blockReason":"PROHIBITED_CONTENT"},"usageMetadata":{"promptTokenCount":9}}"#
        #expect(try decoded(blocked) == nil)
        let error = try #require(failure(blocked))
        #expect(
            error
                == UpstreamError(
                    type: "content_filter", code: "400",
                    message: "the prompt was blocked by Gemini: PROHIBITED_CONTENT",
                    reason: "PROHIBITED_CONTENT"))
        #expect(error.classify(status: error.impliedStatus, kind: .gemini) == .contentPolicy)
        let worded = failure(
            #"{"promptFeedback":{"blockReason":"SAFETY","blockReasonMessage":"No\u0007 way."}}"#)
        #expect(worded?.message == "No way.")
        #expect(failure(#"{"promptFeedback":{}}"#) == nil)
    }

    @Test func `broken output is the provider's fault, but for signatures that the caller dropped`() {
        func classified(_ reason: String) -> FailureClass? {
            failure(GeminiFixture.event("", reason: reason)).map {
                $0.classify(status: $0.impliedStatus, kind: .gemini)
            }
        }
        #expect(classified("MALFORMED_FUNCTION_CALL") == .providerFault)
        #expect(classified("UNEXPECTED_TOOL_CALL") == .providerFault)
        #expect(classified("MISSING_THOUGHT_SIGNATURE") == .callerFault)
        #expect(classified("SAFETY") == nil)
        let error = #"[{"error":{"code":429,"message":"Slow down.","status":"RESOURCE_EXHAUSTED"}}]"#
        #expect(
            failure(error)
                == UpstreamError(type: "RESOURCE_EXHAUSTED", code: "429", message: "Slow down."))
        #expect(lend(error) { Translator.failure($0, from: .openAIChat) } == nil)
    }

    @Test func `the signature behind a text is handed on before it`() throws {
        let parts = try decoded(
            GeminiFixture.event(
                #"{"text":"a"},{"text":"b"},{"text":"","thoughtSignature":"AA=="},{"thoughtSignature":"BB=="}"#
            ))?
            .parts
        #expect(
            parts == [
                .text("a"), .reasoning(.init(text: "", token: GeminiFixture.own("end:AA=="))),
                .reasoning(.init(text: "", token: GeminiFixture.own("end:BB=="))), .text("b"),
            ])
    }

    @Test func `calls without ids get ones that differ by answer and place, and are the same each time`()
        throws
    {
        func ids(_ answer: String, _ calls: String) throws -> [String] {
            let parts = try decoded(
                #"{"responseId":"\#(answer)","candidates":[{"content":{"parts":[\#(calls)]}}]}"#)?.parts
            return (parts ?? []).compactMap { if case .toolCall(let call, _) = $0 { call.id } else { nil } }
        }
        let twice = #"{"functionCall":{"name":"f"}},{"functionCall":{"name":"f","id":""}}"#
        let first = try ids("a", twice)
        #expect(Set(first).count == 2)
        #expect(try ids("a", twice) == first)
        #expect(Set(try ids("b", twice)).isDisjoint(with: first))
        let bare = try ids("", twice)
        #expect(Set(bare).count == 2)
        #expect(try ids("", twice) == bare)
        #expect(
            Set(try ids("", twice.replacing("}}", with: #"},"thoughtSignature":"AA=="}"#))).isDisjoint(
                with: bare))
        // OpenAI takes 40 characters, Anthropic these.
        for id in first + bare {
            #expect(id.utf8.count <= 40)
            #expect(
                id.utf8.allSatisfy { (0x30...0x39).contains($0) || (0x61...0x7a).contains($0) || $0 == 0x5f })
        }
    }

    @Test func `an answer without usage has none, and odd figures are held in bounds`() throws {
        func usage(_ json: String) throws -> Usage? {
            try decoded(#"{"candidates":[{"finishReason":"STOP"}],"usageMetadata":\#(json)}"#)?.usage
        }
        #expect(try decoded(#"{"candidates":[{"finishReason":"STOP"}]}"#)?.usage == nil)
        #expect(try usage("{}") == nil)
        #expect(try usage("[]") == nil)
        #expect(
            try usage(
                #"{"promptTokenCount":-1,"candidatesTokenCount":9223372036854775807,"thoughtsTokenCount":"x"}"#
            )
                == Usage(output: 1 << 32))
        // No more of the prompt can be cached than there is.
        #expect(
            try usage(#"{"promptTokenCount":5,"cachedContentTokenCount":9,"toolUsePromptTokenCount":2}"#)
                == Usage(input: 2, cacheRead: 5))
    }

    @Test(arguments: [
        "{}", "[]", "null", #"{"candidates":[]}"#, #"{"candidates":[{}]}"#, #"{"candidates":{}}"#,
        #"{"candidates":[{"index":1,"finishReason":"STOP"}]}"#,
        #"{"candidates":[{"content":{"parts":[{"text":1}]},"finishReason":"STOP"}]}"#,
        #"{"candidates":[{"content":{"parts":[1]},"finishReason":"STOP"}]}"#,
        #"{"candidates":[{"content":{"parts":[{"functionCall":{}}]},"finishReason":"STOP"}]}"#,
        #"{"candidates":[{"content":{"parts":[{"functionCall":{"name":""}}]},"finishReason":"STOP"}]}"#,
        #"{"candidates":[{"content":{"parts":[{"functionCall":{"name":"f","args":[]}}]}}]}"#,
    ])
    func `what is no answer is none`(json: String) throws {
        #expect(try decoded(json) == nil)
    }

    @Test func `changed answers never crash the decoder`() throws {
        let seed: UInt64 = 0x9e3_0002
        var random = SplitMix(seed: seed)
        let whole = try GeminiFixture.node("answer.json")
        var read = 0
        for _ in 0..<3_000 {
            var changed = whole
            for _ in 0...random.next() % 3 { changed = ConverseMutation.changed(changed, &random) }
            let isAnswer = GeminiAnswerDecoder.decode(changed) != nil
            let isFailure = lend(changed.bytes) { Translator.failure($0, from: .geminiContents) } != nil
            if isAnswer { read += 1 }
            #expect(!(isAnswer && isFailure) || changed["error"] != nil, "seed \(seed)")
        }
        #expect(read > 0 && read < 3_000, "seed \(seed)")
    }
}
