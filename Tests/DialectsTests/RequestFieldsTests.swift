import Dialects
import Domain
import Foundation
import Testing

@Suite struct RequestFieldsTests {
    private func scan(_ body: String, as dialect: Dialect = .openAIChat) throws(CallFailure) -> RequestFields
    {
        try lend(body) { (lent) throws(CallFailure) in try RequestFields.scan(lent, as: dialect) }
    }

    private func refusal(_ body: String, as dialect: Dialect = .openAIChat) -> CallFailure? {
        do throws(CallFailure) {
            _ = try scan(body, as: dialect)
            return nil
        } catch {
            return error
        }
    }

    @Test func `the fields of a chat call are found`() throws {
        let body = """
            {"messages":[{"role":"user","content":"say \\"model\\": 1"}], "model" : "gpt-4o-mini",
             "stream":true,"max_completion_tokens":77,"stream_options":{"include_usage":true}}
            """
        let fields = try scan(body)
        #expect(fields.model.text == "gpt-4o-mini")
        #expect(text(Array(Array(body.utf8)[fields.modelRange])) == "\"gpt-4o-mini\"")
        #expect(fields.stream)
        #expect(fields.maxOutputTokens == 77)
        #expect(fields.callerAskedForUsage)
        #expect(fields.estimatedInputTokens == Int64(body.utf8.count + 3) / 4)
    }

    @Test func `null means not given`() throws {
        let fields = try scan(#"{"model":"m","stream":null,"max_tokens":null,"stream_options":null}"#)
        #expect(!fields.stream)
        #expect(fields.maxOutputTokens == nil)
        #expect(fields.streamOptions?.isNull == true)
    }

    @Test func `the larger of two output limits counts`() throws {
        #expect(try scan(#"{"model":"m","max_tokens":9,"max_completion_tokens":8}"#).maxOutputTokens == 9)
    }

    @Test func `an escaped spelling of a name is that name`() throws {
        #expect(try scan(#"{"mod\u0065l":"m"}"#).model.text == "m")
        #expect(refusal(#"{"model":"a","mod\u0065l":"b"}"#)?.field == "model")
    }

    @Test(arguments: [
        (#"{"stream":true}"#, "model", "missing"),
        (#"{"model":7}"#, "model", "must be a string"),
        (#"{"model":null}"#, "model", "must be a string"),
        (#"{"model":"a b"}"#, "model", "model name"),
        (#"{"model":"caf\u00e9"}"#, "model", "model name"),
        (#"{"model":"m\r\n"}"#, "model", "model name"),
        (#"{"model":""}"#, "model", "empty"),
        (#"{"model":"m","stream":"true"}"#, "stream", "true or false"),
        (#"{"model":"m","stream":1}"#, "stream", "true or false"),
        (#"{"model":"m","max_tokens":1.5}"#, "max_tokens", "whole number"),
        (#"{"model":"m","max_tokens":-1}"#, "max_tokens", "whole number"),
        (#"{"model":"m","max_completion_tokens":"9"}"#, "max_completion_tokens", "whole number"),
        (#"{"model":"m","stream_options":true}"#, "stream_options", "object"),
        (
            #"{"model":"m","stream_options":{"include_usage":1}}"#, "stream_options.include_usage",
            "true or false"
        ),
        (
            #"{"model":"m","stream_options":{"Include_Usage":true}}"#, "stream_options.include_usage",
            "lower case"
        ),
        (#"{"model":"m","stream_options":{"a":1,"a":2}}"#, "a", "twice"),
        (#"{"model":"m","model":"m"}"#, "model", "twice"),
        (#"{"model":"m","messages":[],"messages":[]}"#, "messages", "twice"),
        (#"{"Model":"m"}"#, "model", "lower case"),
        (#"{"model":"m","MODEL":"n"}"#, "model", "lower case"),
        (#"{"model":"m","m\u004fdel":"n"}"#, "model", "lower case"),
        (#"{"model":"m","Max_Tokens":1}"#, "max_tokens", "lower case"),
        (#"{"model":"m","streaM":true}"#, "stream", "lower case"),
    ])
    func `a wrong field is refused by its name`(body: String, field: String, says: String) throws {
        let failure = try #require(refusal(body))
        #expect(failure.code == .invalidRequest)
        #expect(failure.source == .caller)
        #expect(failure.status == 400)
        #expect(failure.field == field)
        #expect(failure.message.contains(says) && failure.message.contains("byte"), "\(failure.message)")
    }

    @Test(arguments: [
        "", "[]", "\"model\"", "{\"model\":\"m\"", "{\"model\":\"m\"} x", "{\"model\":\"m\"}{}",
        "{\"model\":\"m\",}",
        "\u{feff}{\"model\":\"m\"}", "{\"model\":\"m\",\"ſtream\":true}", "{\"model\":\"m\",\"ｍodel\":\"n\"}",
        #"{"model":"m","max_to\u212aens":1}"#, #"{"model":"m","model\u0000":"n"}"#,
    ])
    func `a body that readers may take differently is refused`(body: String) throws {
        #expect(refusal(body)?.code == .invalidRequest)
    }

    @Test func `a body cut at any byte is refused`() {
        let body = Array(
            #"{"model":"m\u002f\ud834\udd1e","stream":true,"max_tokens":12,"x":[-1.5e+3,{"é":null}]}"#.utf8)
        for length in 0..<body.count {
            #expect(refusal(text(Array(body[..<length]))) != nil, "\(length)")
        }
    }

    @Test func `members and names are bounded`() {
        let many = (0..<MemberNames.most).map { "\"f\($0)\":0" }.joined(separator: ",")
        #expect(refusal("{\"model\":\"m\",\(many)}")?.message.contains("more than") == true)
        let long = String(repeating: "x", count: MemberNames.longest + 1)
        #expect(refusal("{\"model\":\"m\",\"\(long)\":0}")?.message.contains("bytes") == true)
    }

    @Test func `other dialects rely on fewer fields`() throws {
        #expect(try scan(#"{"model":"m","input":"x","stream":7}"#, as: .openAIEmbeddings).model.text == "m")
        let anthropic = try scan(
            #"{"model":"claude","max_tokens":5,"stream":true,"stream_options":1}"#, as: .anthropicMessages)
        #expect(anthropic.stream && anthropic.maxOutputTokens == 5 && anthropic.streamOptions == nil)
        #expect(refusal("{}", as: .openAIModels) != nil)
    }

    /// Foundation's two decoders take different ones of two equal members, so a body with a repeated name must not
    /// pass; one that passes means the same to all three.
    @Test func `what passes means the same to every reader`() throws {
        let seed: UInt64 = 28_29
        var generator = SplitMix(seed: seed)
        let spellings = ["model", "mod\\u0065l", "a", "\\u0061", "b", "c\\n", "messages"]
        let meaning = ["model", "model", "a", "a", "b", "c\n", "messages"]
        var passed = 0
        for _ in 0..<5_000 {
            let picks =
                [Int.random(in: 0...1, using: &generator)]
                + (0..<Int.random(in: 0...3, using: &generator)).map { _ in
                    Int.random(in: 0..<spellings.count, using: &generator)
                }
            let names = picks.map { meaning[$0] }
            let members = picks.enumerated().map { "\"\(spellings[$1])\":\"v\($0)\"" }.shuffled(
                using: &generator)
            let body = "{\(members.joined(separator: ","))}"
            let mustPass = Set(names).count == names.count && !names.contains("c\n")
            guard let fields = try? scan(body) else {
                #expect(!mustPass, "seed \(seed): \(body)")
                continue
            }
            #expect(mustPass, "seed \(seed): \(body)")
            passed += 1
            let decoded = try JSONDecoder().decode([String: String].self, from: Data(body.utf8))
            let parsed = try #require(
                try JSONSerialization.jsonObject(with: Data(body.utf8)) as? [String: String])
            #expect(decoded["model"] == fields.model.text && parsed["model"] == fields.model.text)
        }
        #expect(passed > 1_000)
    }
}
