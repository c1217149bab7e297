import Domain
import Testing

@Suite struct RouteConstraintsTests {
    private func provider(
        _ name: String, region: String? = nil, retention: String? = nil
    ) throws -> ProviderDefinition {
        ProviderDefinition(
            name: try ProviderName(name), kind: .openai, origin: Origin(secure: true, host: "x", port: 443),
            pathPrefix: "", region: region, retention: retention)
    }

    @Test func `no constraints object to nothing`() throws {
        #expect(RouteConstraints().isEmpty)
        #expect(RouteConstraints().objection(to: try provider("a"), cost: nil) == nil)
    }

    @Test func `allowed and denied providers`() throws {
        var some = RouteConstraints()
        some.allowedProviders = [try ProviderName("a"), try ProviderName("b")]
        some.deniedProviders = [try ProviderName("b")]
        #expect(some.objection(to: try provider("a"), cost: nil) == nil)
        #expect(some.objection(to: try provider("b"), cost: nil)?.contains("denied") == true)
        #expect(some.objection(to: try provider("c"), cost: nil)?.contains("not among") == true)
    }

    @Test func `a region covers its parts, and a provider that states none is in none`() throws {
        var some = RouteConstraints()
        some.regions = ["eu"]
        #expect(some.objection(to: try provider("a", region: "eu-west-1"), cost: nil) == nil)
        #expect(some.objection(to: try provider("a", region: "eu"), cost: nil) == nil)
        #expect(some.objection(to: try provider("a", region: "europe"), cost: nil) != nil)
        #expect(some.objection(to: try provider("a"), cost: nil)?.contains("not known") == true)
        some.regions = []
        some.retention = ["none"]
        #expect(some.objection(to: try provider("a", retention: "none"), cost: nil) == nil)
        #expect(some.objection(to: try provider("a", retention: "30d"), cost: nil) != nil)
        #expect(some.objection(to: try provider("a"), cost: nil) != nil)
    }

    @Test func `a price above the ceiling, or not known, is an objection`() throws {
        var some = RouteConstraints()
        some.costMost = Money(dollars: "0.05")
        #expect(some.objection(to: try provider("a"), cost: Money(dollars: "0.05")) == nil)
        #expect(
            some.objection(to: try provider("a"), cost: Money(dollars: "0.0501"))?.contains("$0.0501") == true
        )
        #expect(some.objection(to: try provider("a"), cost: nil) != nil)
    }

    @Test func `a required ability that a model lacks, and a context too short or not known, are objections`()
    {
        var some = RouteConstraints()
        #expect(some.objection(lacks: .vision, context: nil) == nil && some.isEmpty)
        some.requires = [.tools, .vision]
        #expect(some.objection(lacks: .jsonSchema, context: nil) == nil)
        #expect(some.objection(lacks: .vision, context: nil)?.hasSuffix("vision") == true)
        some.requires = []
        some.contextLeast = 200_000
        #expect(some.objection(lacks: [], context: 200_000) == nil)
        #expect(some.objection(lacks: [], context: 199_999)?.contains("199999") == true)
        #expect(some.objection(lacks: [], context: nil)?.contains("unknown") == true)
        #expect(Capabilities(words: ["tools", "vision"]) == [.tools, .vision])
        #expect(Capabilities(words: ["tools", "magic"]) == nil)
    }

    @Test func `dollars are read exactly or not at all`() {
        #expect(Money(dollars: "0.05") == Money(nanoUSD: 50_000_000))
        #expect(Money(dollars: "12") == Money(nanoUSD: 12_000_000_000))
        #expect(Money(dollars: "0.000000001") == Money(nanoUSD: 1))
        for bad in ["", ".", "1.", ".5", "-1", "1,5", "1e3", "0.0000000001", "2000000000", " 1"] {
            #expect(Money(dollars: bad) == nil, "\(bad)")
        }
    }

    @Test func `traits cover a model or all that begin alike`() throws {
        let one = ModelTraits(pattern: "groq/llama-3", lacks: .vision)
        #expect(try one.covers(try Target("groq/llama-3")) && !one.covers(try Target("groq/llama-3.1")))
        let all = ModelTraits(pattern: "groq/llama*")
        #expect(try all.covers(try Target("groq/llama-3.1")) && !all.covers(try Target("groq/qwen")))
        #expect(Capabilities([.tools, .jsonSchema]).text == "tools, json_schema")
    }
}
