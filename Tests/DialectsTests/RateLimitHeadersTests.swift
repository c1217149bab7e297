import Dialects
import Domain
import Testing

@Suite struct RateLimitHeadersTests {
    private func read(_ headers: KeyValuePairs<String, String>) -> KeyHeadroom? {
        RateLimitHeaders.read(headers.map { (name: $0.key, value: $0.value) })
    }

    @Test func `OpenAI's and Anthropic's words are understood in any case`() {
        #expect(
            read([
                "x-ratelimit-limit-requests": "500", "X-RateLimit-Remaining-Requests": "480",
                "x-ratelimit-limit-tokens": "30000", "x-ratelimit-remaining-tokens": "28000",
            ]) == KeyHeadroom(requestsLeft: 480, requestsLimit: 500, tokensLeft: 28_000, tokensLimit: 30_000))
        #expect(
            read([
                "anthropic-ratelimit-requests-limit": "50",
                "anthropic-ratelimit-requests-remaining": "0",
                "anthropic-ratelimit-tokens-remaining": "12000",
            ]) == KeyHeadroom(requestsLeft: 0, requestsLimit: 50, tokensLeft: 12_000))
        #expect(
            read(["Anthropic-RateLimit-Tokens-Remaining": "7", "ANTHROPIC-RATELIMIT-TOKENS-LIMIT": "9"])
                == KeyHeadroom(tokensLeft: 7, tokensLimit: 9))
    }

    @Test func `other headers, limits alone and what is no number say nothing`() {
        #expect(read([:]) == nil)
        #expect(read(["content-type": "application/json", "x-request-id-of-the-provider": "1"]) == nil)
        // As long as the names that are meant.
        #expect(read(["x-ratelimit-reset-requests-": "1", "y-ratelimit-remaining-requests": "1"]) == nil)
        #expect(read(["x-ratelimit-limit-requests": "500"]) == nil)
        #expect(read(["x-ratelimit-remaining-requests": "many"]) == nil)
    }
}
