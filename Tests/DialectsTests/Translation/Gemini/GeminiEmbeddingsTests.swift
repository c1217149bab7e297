import Dialects
import Domain
import Testing

@Suite struct GeminiEmbeddingsTests {
    private let target = WireTarget(model: "gemini-embedding-001")

    private func source(_ json: String) throws -> Translator.Source {
        try GeminiCallers.source(try JSONNode.read(json), .openAIEmbeddings)
    }

    private func sent(_ json: String, to model: String = "gemini-embedding-001") throws -> String {
        let request = try Translator.request(
            try source(json), in: .geminiContents, for: WireTarget(model: model))
        return text(request.body)
    }

    private func refusal(_ json: String) throws -> TranslationRefusal? {
        let source = try source(json)
        do throws(TranslationRefusal) {
            _ = try Translator.request(source, in: .geminiContents, for: target)
            return nil
        } catch {
            return error
        }
    }

    private func answer(_ json: String, to request: String) throws -> Translator.Answer? {
        let source = try source(request)
        return lend(json) {
            Translator.answer(
                $0, from: .geminiContents, to: .openAIEmbeddings, of: source, in: GeminiFixture.context)
        }
    }

    @Test func `a request is said as a batch, each text a content of its own`() throws {
        let request = try Translator.request(
            try source(try GeminiFixture.text("embeddings-request.json")), in: .geminiContents, for: target)
        let body = try lend(request.body) { (lent) throws(JSONFault) in try JSONNode.read(lent) }
        #expect(body == (try GeminiFixture.node("embeddings-sent.json")))
        #expect(request.losses.fields == ["user"])
        #expect(
            try sent(#"{"model":"m","input":"Hi","encoding_format":"float"}"#, to: "tunedModels/mine")
                == #"{"requests":[{"model":"tunedModels/mine","content":{"parts":[{"text":"Hi"}]}}]}"#)
    }

    @Test(arguments: [
        (#"{"input":[1,2]}"#, "input[0]"), (#"{"input":[[1,2],[3]]}"#, "input[0]"),
        (#"{"input":["a",7]}"#, "input[1]"), (#"{"input":{}}"#, "input"), (#"{"model":"m"}"#, "input"),
        (#"{"input":[]}"#, "input"), (#"{"input":""}"#, "input"), (#"{"input":["a",""]}"#, "input[1]"),
        (#"{"input":"a","encoding_format":"int8"}"#, "encoding_format"),
        (#"{"input":"a","encoding_format":1}"#, "encoding_format"),
        (#"{"input":"a","dimensions":0}"#, "dimensions"), (#"{"input":"a","dimensions":1.5}"#, "dimensions"),
        (#"{"input":"a","user":1}"#, "user"), (#"{"input":"a","input_type":"query"}"#, "input_type"),
    ])
    func `what cannot be said is refused by its path`(json: String, field: String) throws {
        #expect(try refusal(json)?.field == field)
    }

    @Test func `no more texts go than a batch may hold`() throws {
        func many(_ count: Int) -> String {
            #"{"input":[\#(Array(repeating: #""a""#, count: count).joined(separator: ","))]}"#
        }
        #expect(try refusal(many(100)) == nil)
        #expect(try refusal(many(101))?.field == "input")
    }

    @Test func `vectors go in base64 where that was asked for: little-endian binary32`() throws {
        let found = try #require(
            try answer(
                try GeminiFixture.text("embeddings-answer.json"),
                to: try GeminiFixture.text("embeddings-request.json")))
        // Python: base64.b64encode(struct.pack('<4f', ...))
        #expect(
            text(found.body)
                == #"{"object":"list","data":[{"object":"embedding","index":0,"embedding":"feOyvHxnpzusxSc3AAAAAA=="},{"object":"embedding","index":1,"embedding":"CtcjPAAAAL+eyX9/AACAgA=="}],"model":"fast","usage":null}"#
        )
        #expect(found.usage == nil)
    }

    @Test func `vectors go as numbers in their own spelling otherwise`() throws {
        for request in [#"{"input":["a","b"]}"#, #"{"input":["a","b"],"encoding_format":"float"}"#] {
            let found = try #require(
                try answer(try GeminiFixture.text("embeddings-answer.json"), to: request))
            #expect(
                text(found.body).contains(
                    #""embedding":[-0.02183699,0.0051087717,1e-05,0]},{"object":"embedding","index":1,"embedding":[0.010,-0.5,3.4e+38,-1.17549435e-38]}"#
                ))
        }
    }

    @Test func `usage is told where the provider tells it`() throws {
        let found = try #require(
            try answer(
                #"{"embeddings":[{"values":[1]}],"usageMetadata":{"promptTokenCount":7,"promptTokenDetails":[]}}"#,
                to: #"{"input":"a"}"#))
        #expect(found.usage == Usage(input: 7))
        #expect(text(found.body).hasSuffix(#""usage":{"prompt_tokens":7,"total_tokens":7}}"#))
    }

    @Test(arguments: [
        "{}", "[]", #"{"embeddings":[]}"#, #"{"embeddings":[{}]}"#, #"{"embeddings":[{"values":["1"]}]}"#,
        #"{"embeddings":[{"values":[1]},{"values":[1]}]}"#, #"{"embedding":{"values":[1]}}"#,
    ])
    func `what is no answer to the request is none`(json: String) throws {
        #expect(try answer(json, to: #"{"input":"a"}"#) == nil)
        #expect(try answer(json, to: #"{"input":"a","encoding_format":"base64"}"#) == nil)
    }

    @Test func `a number that no binary32 holds is not packed`() throws {
        let huge = #"{"embeddings":[{"values":[1e400]}]}"#
        #expect(try answer(huge, to: #"{"input":"a","encoding_format":"base64"}"#) == nil)
    }

    @Test func `vectors of every length are packed without loss`() throws {
        let seed: UInt64 = 0x9e3_0005
        var random = SplitMix(seed: seed)
        for length in 0..<40 {
            let values = (0..<length).map { _ in Float.random(in: -1...1, using: &random) }
            let json = values.map { "\($0)" }.joined(separator: ",")
            let found = try #require(
                try answer(
                    #"{"embeddings":[{"values":[\#(json)]}]}"#,
                    to: #"{"input":"a","encoding_format":"base64"}"#))
            let body = try lend(found.body) { (lent) throws(JSONFault) in try JSONNode.read(lent) }
            let packed = body["data"]?.elements?[0]["embedding"]?.text ?? "-"
            #expect(GeminiBase64.floats(packed) == values, "seed \(seed), length \(length)")
        }
    }
}
