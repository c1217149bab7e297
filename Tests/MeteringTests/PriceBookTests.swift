import Domain
import Metering
import Testing

@Suite struct PriceBookTests {
    private let head = """
        # source: a list
        # date of data: a list 1.0, obtained 2026-11-23; converted
        provider,model,input_per_mtok,output_per_mtok,cache_read_per_mtok,cache_write_per_mtok,context,max_output

        """

    private func price(
        _ provider: String, _ model: String, _ kind: ProviderKind, in book: PriceBook = .builtIn
    ) throws -> ModelPrice? {
        book.price(provider: try ProviderName(provider), model: try ModelName(model), kind: kind)
    }

    private func refusal(_ csv: String) -> PriceFault? {
        do throws(PriceFault) {
            _ = try PriceBook.parse(csv: csv)
            return nil
        } catch {
            return error
        }
    }

    @Test func `the built-in book is whole and says where it comes from`() throws {
        #expect(PriceBook.builtIn.count == 184)
        #expect(PriceBook.builtIn.version == "litellm 1.109.1, obtained 2026-11-23")
        #expect(PriceBook.builtIn.source.contains("BerriAI/litellm (MIT)"))
        let price = try #require(try price("openai", "gpt-4o-mini", .openai))
        #expect(price.input.picoUSD == 150_000)
        #expect(price.output.picoUSD == 600_000)
        #expect(price.cacheRead.picoUSD == 75_000)
        #expect(price.cacheWrite == price.input)
        #expect(price.context == 128_000 && price.maxOutput == 16_384)
    }

    /// BerriAI/litellm#9812: 3 input, 12,304 cache writes and 550 output at 3 / 3.75 / 15 dollars.
    @Test func `cache writes are billed once`() throws {
        let price = try #require(try price("anthropic", "claude-sonnet-4-5", .anthropic))
        let cost = PriceBook.builtIn.cost(of: Usage(input: 3, cacheWrite: 12_304, output: 550), at: price)
        #expect(cost == Money(nanoUSD: 54_399_000))
        #expect(cost.description == "0.054399000")
    }

    /// Wei-Shaw/sub2api#5771: a bill of 232,856,000 ticks of 10^-10 dollars.
    @Test func `an xAI bill comes out to the cent's millionth`() throws {
        let price = try #require(try price("xai", "grok-4.20", .openaiCompatible))
        let usage = Usage(input: 9_992, cacheRead: 128, output: 1_499, reasoning: 2_809)
        #expect(PriceBook.builtIn.cost(of: usage, at: price) == Money(nanoUSD: 23_285_600))
    }

    @Test func `one-hour cache writes cost twice the input at Anthropic's models`() throws {
        let own = try #require(try price("anthropic", "claude-sonnet-4-5", .anthropic))
        #expect(own.cacheWriteHour.picoUSD == 6_000_000 && own.cacheWrite.picoUSD == 3_750_000)
        let bedrock = try #require(
            try price("bedrock", "us.anthropic.claude-haiku-4-5-20251001-v1:0", .openaiCompatible))
        #expect(bedrock.cacheWriteHour.picoUSD == 2_200_000)
        let other = try #require(try price("openai", "gpt-6-sol", .openai))
        #expect(other.cacheWriteHour == other.cacheWrite)
    }

    @Test func `a price that is not known is nil and never zero`() throws {
        #expect(try price("openai", "gpt-99", .openai) == nil)
        #expect(try price("local", "llama", .openaiCompatible) == nil)
        #expect(try price("openai", "GPT-4o", .openai) == nil)
        // Free by the source is something else.
        #expect(try price("deepseek", "deepseek-flash", .openaiCompatible)?.cacheWrite.picoUSD == 0)
    }

    @Test func `a provider of another name is priced by its kind`() throws {
        #expect(try price("openai-eu", "gpt-4o", .openai) == price("openai", "gpt-4o", .openai))
        #expect(
            try price("claude2", "claude-opus-5", .anthropic)
                == price("anthropic", "claude-opus-5", .anthropic))
        #expect(try price("mirror", "gpt-4o", .openaiCompatible) == nil)
        // Its own row comes first.
        #expect(try price("azure", "text-embedding-3-small", .openai)?.input.picoUSD == 22_000)
    }

    @Test func `a bare model name resolves to its sellers in order`() throws {
        #expect(PriceBook.builtIn.providers(for: try ModelName("gpt-4o")).map(\.text) == ["openai", "azure"])
        #expect(PriceBook.builtIn.providers(for: try ModelName("claude-opus-5")).map(\.text) == ["anthropic"])
        #expect(
            PriceBook.builtIn.providers(for: try ModelName("openai/gpt-oss-120b")).map(\.text) == [
                "groq", "together",
            ])
        #expect(PriceBook.builtIn.providers(for: try ModelName("nobody")).isEmpty)
    }

    @Test func `an empty cache rate is the input rate`() throws {
        let book = try PriceBook.parse(csv: head + "p,m,2,8,,,,\np,e,0.1,,,,8192,\n")
        let price = try #require(try price("p", "m", .openaiCompatible, in: book))
        #expect(price.cacheRead == price.input && price.cacheWrite == price.input)
        #expect(price.context == nil)
        let embedding = try #require(try self.price("p", "e", .openaiCompatible, in: book))
        #expect(embedding.output == embedding.input)
    }

    @Test func `decimals are exact and the cost is rounded once`() throws {
        let book = try PriceBook.parse(csv: head + "p,m,0.008,0.0375,0.000001,999999.999999,,\r\n")
        let price = try #require(try price("p", "m", .openaiCompatible, in: book))
        #expect(price.input.picoUSD == 8_000)
        #expect(price.output.picoUSD == 37_500)
        #expect(price.cacheRead.picoUSD == 1)
        #expect(price.cacheWrite.picoUSD == 999_999_999_999)
        #expect(book.cost(of: Usage(cacheRead: 499), at: price) == .zero)
        #expect(book.cost(of: Usage(cacheRead: 500), at: price) == Money(nanoUSD: 1))
        // 0.4 + 0.4 nano-dollars are one nano-dollar, not two noughts.
        #expect(book.cost(of: Usage(input: 0, cacheRead: 800), at: price) == Money(nanoUSD: 1))
        #expect(book.cost(of: Usage(cacheWrite: .max), at: price) == Money(nanoUSD: .max))
        #expect(book.cost(of: Usage(), at: price) == .zero)
    }

    @Test(arguments: [
        ("p,m,1,2", 4, "8 fields"), ("p,m,1,2,,,,,", 4, "8 fields"), ("P,m,1,2,,,,", 4, "provider name"),
        ("p,m m,1,2,,,,", 4, "model name"), ("p,m,,2,,,,", 4, "input_per_mtok"),
        ("p,m,1e3,2,,,,", 4, "input_per_mtok"),
        ("p,m,-1,2,,,,", 4, "input_per_mtok"), ("p,m,1.,2,,,,", 4, "input_per_mtok"),
        ("p,m,.5,2,,,,", 4, "input_per_mtok"), ("p,m,1.0000001,2,,,,", 4, "input_per_mtok"),
        ("p,m,1,2.0.0,,,,", 4, "output_per_mtok"), ("p,m,1,2, 3,,,", 4, "cache_read_per_mtok"),
        ("p,m,1,2,,٣,,", 4, "cache_write_per_mtok"), ("p,m,1,2,,,many,", 4, "context"),
        ("p,m,1,2,,,,9.5", 4, "max_output"), ("p,a,1,2,,,,\np,a,1,2,,,,", 5, "twice"),
    ])
    func `a bad row is refused with its line`(row: String, line: Int, says: String) throws {
        let fault = try #require(refusal(head + row))
        #expect(fault.line == line)
        #expect(fault.problem.contains(says), "\(fault)")
    }

    @Test func `a table must say what it is`() {
        #expect(refusal("")?.problem.contains("# source") == true)
        #expect(refusal("# source: x\n")?.problem.contains("date of data") == true)
        #expect(refusal("# source: x\n# date of data: y\n")?.problem.contains("column names") == true)
        #expect(refusal("# source: x\n# date of data: y\nprovider,model\n")?.line == 3)
    }
}
