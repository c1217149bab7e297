import Dialects
import Domain
import Testing

@Suite struct CallersNamesTests {
    @Test(arguments: [
        (Dialect.openAIChat, ["messages", "messages", "max_tokens", "response_format", "stop"]),
        (.openAIResponses, ["input", "instructions", "max_output_tokens", "text.format", "stop"]),
        (.anthropicMessages, ["messages", "system", "max_tokens", "output_config.format", "stop_sequences"]),
    ])
    func `a refusal names the field as its caller wrote it`(dialect: Dialect, names: [String]) {
        let fields = ["messages", "system", "max_tokens", "response_format", "stop"]
        #expect(fields.map { TranslationRefusal($0, "is wrong").named(in: dialect).field } == names)
    }

    @Test func `a path that a caller wrote stays as it is, and a loss is named once`() {
        let refusal = TranslationRefusal("messages[2].content", "is wrong")
        #expect(refusal.named(in: .openAIResponses) == refusal)
        var losses = Losses()
        for name in ["user", "metadata.user_id", "seed"] { losses.note(name) }
        #expect(losses.named(in: .anthropicMessages).fields == ["metadata.user_id", "seed"])
    }

    @Test func `an encoder's refusal reaches a caller of another format in his words`() throws {
        let body =
            #"{"model":"m","input":[{"role":"user","content":"hi"}],"text":{"format":{"type":"json_object"}}}"#
        let source = try Array(body.utf8).withUnsafeBytes { try Translator.read($0, as: .openAIResponses) }
        #expect(
            throws: TranslationRefusal(
                "text.format", "must name a JSON schema for Anthropic, which has no free JSON mode")
        ) {
            do throws(TranslationRefusal) {
                _ = try Translator.request(source, in: .anthropicMessages, for: WireTarget(model: "m"))
            } catch {
                throw error.named(in: .openAIResponses)
            }
        }
    }
}
