import Dialects
import Domain
import Testing

@Suite struct CallTraitsTests {
    private func conversation(_ body: String, _ dialect: Dialect = .openAIChat) -> UInt64? {
        Array(body.utf8).withUnsafeBytes { CallTraits.conversation($0, as: dialect) }
    }

    private func needs(_ body: String) -> Capabilities {
        Array(body.utf8).withUnsafeBytes { CallTraits.needs($0, as: .openAIChat) }
    }

    private static let system = #"{"role":"system","content":"You are terse."}"#
    private static let hello = #"{"role":"user","content":"Hello"}"#

    @Test func `later calls of a conversation have its number, other conversations another`() throws {
        let first = try #require(conversation(#"{"messages":[\#(Self.system),\#(Self.hello)]}"#))
        let second = conversation(
            #"{"model":"m","messages":[\#(Self.system),\#(Self.hello),{"role":"assistant","content":"Hi"},{"role":"user","content":"More"}]}"#
        )
        #expect(first == second)
        let other = conversation(
            #"{"messages":[\#(Self.system),{"role":"user","content":"Bye"},\#(Self.hello)]}"#)
        #expect(other != nil && other != first)
        #expect(conversation(#"{"messages":[]}"#) == nil)
        #expect(conversation(#"{"model":"m"}"#) == nil)
    }

    @Test func `the caller's own cache key names the conversation`() throws {
        let one = try #require(conversation(#"{"prompt_cache_key":"abc","messages":[\#(Self.hello)]}"#))
        #expect(conversation(#"{"messages":[],"prompt_cache_key":"abc"}"#) == one)
        #expect(conversation(#"{"messages":[\#(Self.hello)],"prompt_cache_key":"abd"}"#) != one)
        #expect(conversation(#"{"messages":[\#(Self.hello)],"prompt_cache_key":7}"#) != one)
    }

    @Test func `an input of the responses format is a conversation as well`() {
        let text = conversation(#"{"input":"Hello"}"#, .openAIResponses)
        #expect(text != nil && text == conversation(#"{"input":"Hello","model":"m"}"#, .openAIResponses))
        let items = conversation(#"{"input":[\#(Self.hello),{"type":"reasoning"}]}"#, .openAIResponses)
        #expect(items != nil && items == conversation(#"{"input":[\#(Self.hello)]}"#, .openAIResponses))
    }

    @Test func `tools, pictures and schemas are needs, and words in a text are not`() {
        #expect(needs(#"{"messages":[\#(Self.hello)]}"#) == [])
        #expect(needs(#"{"tools":[],"messages":[]}"#) == [])
        #expect(needs(#"{"tools":[{"type":"function"}],"messages":[]}"#) == .tools)
        #expect(needs(#"{"response_format":{"type":"json_schema","json_schema":{}}}"#) == .jsonSchema)
        #expect(needs(#"{"response_format":{"type":"json_object"}}"#) == [])
        #expect(
            needs(#"{"messages":[{"content":[{"type":"image_url","image_url":{"url":"x"}}]}]}"#) == .vision)
        #expect(needs(#"{"messages":[{"content":"say \"image_url\" twice"}]}"#) == [])
    }

    @Test func `what is no JSON has no traits`() {
        for body in ["", "{", "[]", #"{"messages":["#, #"{"messages":[{]}"#] {
            _ = conversation(body)
            _ = needs(body)
        }
    }

    @Test(arguments: [
        (#"{"messages":[{"image_url":{"url":"data:image/png;base64,AAAA"}}]}"#, true),
        (#"{"messages":[{"source":{"type":"base64","data":"AAAA"}}]}"#, true),
        (#"{"messages":[{"type":"input_audio"}]}"#, true),
        (#"{"messages":[{"content":"what is \"base64\"?"}]}"#, false),
        (#"{"messages":[{"image_url":{"url":"https://example.com/a.png"}}]}"#, false),
    ])
    func `files inside a body are noticed, words about them are not`(body: String, expected: Bool) {
        #expect(Array(body.utf8).withUnsafeBytes { CallTraits.inlinesData($0) } == expected)
    }
}
