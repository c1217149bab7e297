import Dialects
import Domain
import Testing

@Suite struct GeminiTokenCountTests {
    private func source(_ json: String) throws -> Translator.Source {
        try GeminiCallers.source(try JSONNode.read(json), .anthropicCountTokens)
    }

    private func answer(_ json: String) throws -> Translator.Answer? {
        let source = try source(try GeminiFixture.text("count-request.json"))
        return lend(json) {
            Translator.answer(
                $0, from: .geminiContents, to: .anthropicCountTokens, of: source, in: GeminiFixture.context)
        }
    }

    @Test func `a count is asked for the whole request, under the model's resource name`() throws {
        let request = try Translator.request(
            try source(try GeminiFixture.text("count-request.json")), in: .geminiContents,
            for: GeminiFixture.target)
        let body = try lend(request.body) { (lent) throws(JSONFault) in try JSONNode.read(lent) }
        #expect(body == (try GeminiFixture.node("count-sent.json")))
        #expect(request.losses.fields.isEmpty)
    }

    @Test func `what cannot be said is refused here too`() throws {
        let gif =
            #"{"messages":[{"role":"user","content":[{"type":"image","source":{"type":"base64","media_type":"image/gif","data":"AA=="}}]}]}"#
        let source = try source(gif)
        #expect(throws: TranslationRefusal.self) {
            try Translator.request(source, in: .geminiContents, for: GeminiFixture.target)
        }
    }

    @Test func `the total is the answer, and free of charge`() throws {
        let found = try #require(try answer(try GeminiFixture.text("count-answer.json")))
        #expect(text(found.body) == #"{"input_tokens":31}"#)
        #expect(found.usage == Usage())
        #expect(try text(#require(try answer(#"{"totalTokens":0}"#)).body) == #"{"input_tokens":0}"#)
    }

    @Test(arguments: ["{}", "[]", #"{"totalTokens":"31"}"#, #"{"totalTokens":-1}"#, #"{"totalTokens":1.5}"#])
    func `what is no count is none`(json: String) throws {
        #expect(try answer(json) == nil)
    }
}
