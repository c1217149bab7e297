import Dialects
import Domain
import Testing

@Suite struct GeminiCallersTests {
    private func request(
        _ source: Translator.Source, in format: WireFormat = .geminiContents,
        for target: WireTarget = GeminiFixture.target
    ) throws -> (body: JSONNode, losses: [String]) {
        let request = try Translator.request(source, in: format, for: target)
        return (
            try lend(request.body) { (lent) throws(JSONFault) in try JSONNode.read(lent) },
            request.losses.fields
        )
    }

    @Test(arguments: GeminiCallers.dialects)
    func `callers of every format say the same to Gemini`(dialect: Dialect) throws {
        let source = try GeminiCallers.source(
            try GeminiFixture.node(GeminiCallers.fixture(dialect)), dialect)
        let (body, losses) = try request(source)
        #expect(body == (try GeminiFixture.node("from-callers.json")))
        let marked = dialect == .openAIResponses ? [] : ["cache_control"]
        #expect(losses == ["user"] + marked + ["reasoning"])
    }

    private func answer(_ dialect: Dialect) throws -> JSONNode {
        let source = try GeminiCallers.source(
            try GeminiFixture.node(GeminiCallers.fixture(dialect)), dialect)
        let answer = lend(try GeminiFixture.text("answer.json")) {
            Translator.answer(
                $0, from: .geminiContents, to: dialect, of: source, in: GeminiFixture.context)
        }
        let found = try #require(answer)
        #expect(found.usage == GeminiFixture.usage)
        return try lend(found.body) { (lent) throws(JSONFault) in try JSONNode.read(lent) }
    }

    private func stream(_ dialect: Dialect) throws -> JSONNode {
        var stream = Translator.stream(
            from: .geminiContents, to: dialect, in: GeminiFixture.context)
        var out: [UInt8] = []
        for byte in try GeminiFixture.text("stream.sse").utf8 {
            try lend([byte]) { (lent) throws(StreamFault) in try stream.read(lent, into: &out) }
        }
        stream.finish(into: &out)
        #expect(stream.ended && stream.fault == nil && stream.usageIsFinal)
        #expect(stream.usage == GeminiFixture.usage)
        return try GeminiCallers.whole(out, dialect)
    }

    @Test(arguments: GeminiCallers.dialects)
    func `an answer of Gemini's is said in the caller's format`(dialect: Dialect) throws {
        #expect(try answer(dialect) == (try GeminiFixture.node(GeminiCallers.written(dialect))))
    }

    /// What the second content of a request holds.
    private func said(_ source: Translator.Source) throws -> [String] {
        let (body, losses) = try request(source)
        #expect(losses.isEmpty)
        let results = body["contents"]?.elements?[2]["parts"]?.elements?.map(\.json)
        #expect(
            results == [
                #"{"functionResponse":{"id":"8f2k3jd1","name":"get_weather","response":{"output":"21 degrees"}}}"#,
                #"{"functionResponse":{"id":"\#(GeminiFixture.givenID)","name":"get_time","response":{"output":"noon"}}}"#,
            ])
        return body["contents"]?.elements?[1]["parts"]?.elements?.map(\.json) ?? []
    }

    private let calls = [
        #"{"functionCall":{"id":"8f2k3jd1","name":"get_weather","args":{"city":"Paris","days":1.50}},"thoughtSignature":"CiQBVKhc7g=="}"#,
        #"{"functionCall":{"id":"\#(GeminiFixture.givenID)","name":"get_time","args":{}}}"#,
    ]
    private let thought = #"{"text":"**Weather**\n\nThe user asks for it.","thought":true}"#

    @Test(arguments: GeminiCallers.dialects)
    func `an answer that comes back is what Gemini said, part by part`(dialect: Dialect) throws {
        let signed = #"{"text":"Let me look, \"Grüße\" 🌦","thoughtSignature":"EhIKEA=="}"#
        #expect(
            try said(try GeminiCallers.next(try answer(dialect), dialect)) == [thought, signed] + calls)
    }

    @Test(arguments: GeminiCallers.dialects)
    func `a stream that comes back is what Gemini said, its pieces joined`(dialect: Dialect) throws {
        let text = [#"{"text":"Grüße aus Paris 🌦"}"#, #"{"text":"","thoughtSignature":"EhIKEA=="}"#]
        let second = [#"{"text":"Two tools.","thought":true,"thoughtSignature":"EjQKMgEM"}"#]
        // Chat completions have all reasoning ahead of the text.
        let middle = dialect == .openAIChat ? second + text : text + second
        #expect(
            try said(try GeminiCallers.next(try stream(dialect), dialect)) == [thought] + middle + calls)
    }

    @Test(arguments: GeminiCallers.dialects)
    func `what Gemini signed goes to nobody else`(dialect: Dialect) throws {
        for whole in [try answer(dialect), try stream(dialect)] {
            let source = try GeminiCallers.next(whole, dialect)
            let others: [(WireFormat, String)] = [
                (.openAIChat, "gpt-5"), (.anthropicMessages, "claude-sonnet-4-5"),
                (.bedrockConverse, "amazon.nova-pro-v1:0"),
            ]
            for (format, model) in others {
                let (body, losses) = try request(source, in: format, for: WireTarget(model: model))
                #expect(losses.contains("reasoning"))
                for secret in ["EhIKEA", "CiQBVKhc7g", "EjQKMgEM", "gemini-contents", "Two tools"] {
                    #expect(!body.json.contains(secret), "\(secret) for \(format)")
                }
            }
        }
    }

    @Test func `a signature behind the whole answer is not the last block of Anthropic's stream`() throws {
        var stream = Translator.stream(
            from: .geminiContents, to: .anthropicMessages, in: GeminiFixture.context)
        var out: [UInt8] = []
        let events = [
            GeminiFixture.event(#"{"text":"Hi"}"#),
            GeminiFixture.event(#"{"text":"","thoughtSignature":"AA=="}"#, reason: "STOP"),
        ]
        for event in events {
            try lend("data: \(event)\n\n") { (lent) throws(StreamFault) in
                try stream.read(lent, into: &out)
            }
        }
        stream.finish(into: &out)
        #expect(stream.ended)
        let blocks = try GeminiCallers.whole(out, .anthropicMessages)["content"]?.elements
        #expect(blocks?.map(\.json) == [#"{"text":"Hi","type":"text"}"#])
    }
}
