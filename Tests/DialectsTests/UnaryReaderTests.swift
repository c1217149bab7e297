import Dialects
import Domain
import Testing

@Suite struct UnaryReaderTests {
    private func usage(_ body: String, _ dialect: Dialect) -> Usage? {
        lend(body) { UnaryReader.usage(in: $0, as: dialect) }
    }

    @Test func `cached tokens leave the input and reasoning leaves the output`() {
        let body = """
            {"id":"chatcmpl-1","choices":[{"message":{"content":"usage: \\"usage\\""}}],"usage":{"prompt_tokens":100,
            "completion_tokens":30,"total_tokens":130,"prompt_tokens_details":{"cached_tokens":64,"audio_tokens":0},
            "completion_tokens_details":{"reasoning_tokens":10}},"service_tier":"default"}
            """
        #expect(usage(body, .openAIChat) == Usage(input: 36, cacheRead: 64, output: 20, reasoning: 10))
    }

    @Test func `reasoning that stands beside the completion is added`() {
        // xAI: the four figures of a public report (Wei-Shaw/sub2api#5771), whose bill they match.
        let body = """
            {"usage":{"prompt_tokens":10120,"completion_tokens":1499,"total_tokens":14428,
            "prompt_tokens_details":{"cached_tokens":128},"completion_tokens_details":{"reasoning_tokens":2809}}}
            """
        #expect(
            usage(body, .openAIChat) == Usage(input: 9_992, cacheRead: 128, output: 1_499, reasoning: 2_809))
    }

    @Test func `DeepSeek's cache hits are cache reads`() {
        let body = """
            {"usage":{"prompt_tokens":20,"completion_tokens":5,"total_tokens":25,"prompt_cache_hit_tokens":12,
            "prompt_cache_miss_tokens":8}}
            """
        #expect(usage(body, .openAIChat) == Usage(input: 8, cacheRead: 12, output: 5))
    }

    @Test func `embeddings have input only`() {
        let body =
            #"{"object":"list","data":[{"embedding":[0.1,-2e-3]}],"usage":{"prompt_tokens":8,"total_tokens":8}}"#
        #expect(usage(body, .openAIEmbeddings) == Usage(input: 8))
    }

    @Test func `Anthropic's input holds no cached tokens`() {
        // The call of BerriAI/litellm#9812, which was billed twice there.
        let body = """
            {"type":"message","content":[{"type":"text","text":"x"}],"usage":{"input_tokens":3,
            "cache_creation_input_tokens":12304,"cache_read_input_tokens":0,"output_tokens":550}}
            """
        #expect(usage(body, .anthropicMessages) == Usage(input: 3, cacheWrite: 12_304, output: 550))
    }

    @Test func `cache writes are split by lifetime where the provider says so`() {
        let body = """
            {"usage":{"input_tokens":1,"cache_creation":{"ephemeral_5m_input_tokens":5,"ephemeral_1h_input_tokens":7},
            "cache_creation_input_tokens":12,"output_tokens":2}}
            """
        #expect(
            usage(body, .anthropicMessages) == Usage(input: 1, cacheWrite: 5, cacheWriteHour: 7, output: 2))
    }

    @Test(arguments: [
        "", "<html>", "{}", #"{"usage":null}"#, #"{"usage":{}}"#, #"{"usage":7}"#,
        #"{"usage":{"prompt_tokens":-1}}"#,
        #"{"x":{"usage":{"prompt_tokens":1}}}"#, #"{"usage":{"prompt_tokens":1}"#,
    ])
    func `no usage is nil and not zero`(body: String) {
        #expect(usage(body, .openAIChat) == nil)
        #expect(usage(body, .anthropicMessages) == nil)
    }

    @Test func `what OpenAI wrote to its cache is apart from the rest of the prompt`() {
        let chat = """
            {"usage":{"prompt_tokens":124,"completion_tokens":20,
            "prompt_tokens_details":{"cached_tokens":40,"cache_write_tokens":24}}}
            """
        let expected = Usage(input: 60, cacheRead: 40, cacheWrite: 24, output: 20)
        #expect(usage(chat, .openAIChat) == expected)
        let response = """
            {"usage":{"input_tokens":124,"input_tokens_details":{"cache_write_tokens":24,"cached_tokens":40},
            "output_tokens":20,"total_tokens":144}}
            """
        #expect(usage(response, .openAIResponses) == expected)
    }

    @Test func `absurd figures stay in disjoint buckets`() {
        let body = """
            {"usage":{"prompt_tokens":5,"completion_tokens":3,"prompt_tokens_details":{"cached_tokens":9},
            "completion_tokens_details":{"reasoning_tokens":9}}}
            """
        #expect(usage(body, .openAIChat) == Usage(input: 0, cacheRead: 5, output: 0, reasoning: 3))
        let written = """
            {"usage":{"prompt_tokens":5,"completion_tokens":3,
            "prompt_tokens_details":{"cached_tokens":2,"cache_write_tokens":9}}}
            """
        #expect(usage(written, .openAIChat) == Usage(input: 0, cacheRead: 2, cacheWrite: 3, output: 3))
    }
}
