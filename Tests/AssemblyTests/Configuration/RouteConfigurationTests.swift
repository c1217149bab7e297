import Domain
import Providers
import Testing

@testable import Assembly

/// What `[[route]]`, `[[model]]`, `[platform]`, `[drill]` and the newer keys of `[[provider]]` mean, and what of them is
/// refused, where and in which words.
@Suite struct RouteConfigurationTests {
    typealias Key = ConfigurationTests.Key
    typealias Bad = ConfigurationProblemTests.Bad

    private static let route = "[[route]]\nmodel = \"smart\"\ntargets = [\"openai/a\", \"groq/b\"]\n"
    private static let own = "[[provider]]\nname = \"own\"\nbase_url = \"https://x.io\"\n"

    private static func smart(_ configuration: Configuration) -> Route? {
        configuration.routes.values.first { $0.model.text == "smart" }
    }

    private static func own(_ configuration: Configuration) -> ProviderDefinition? {
        configuration.providers.values.first { $0.name.text == "own" }
    }

    static let keys: [Key] =
        RoutingStrategyName.allCases.map { strategy in
            Key(route + "strategy = \"\(strategy.rawValue)\"") { smart($0)?.strategy == strategy }
        } + [
            Key(route) {
                smart($0)?.strategy == .priority && smart($0)?.constraints.isEmpty == true
                    && smart($0)?.lastResort == nil && smart($0)?.hedgeAfter == nil
            },
            Key(route + "weights = [0, 10000]") { smart($0)?.choices.map(\.weight) == [0, 10_000] },
            Key(route + "allow = [\"openai\", \"groq\"]") {
                smart($0)?.constraints.allowedProviders.map(\.text) == ["openai", "groq"]
            },
            Key(route + "deny = [\"groq\"]") {
                smart($0)?.constraints.deniedProviders.map(\.text) == ["groq"]
            },
            Key(route + "regions = [\"eu\", \"us-east-1\"]") {
                smart($0)?.constraints.regions == ["eu", "us-east-1"]
            },
            Key(route + "retention = [\"none\"]") { smart($0)?.constraints.retention == ["none"] },
            Key(route + "max_usd = \"0.05\"") {
                smart($0)?.constraints.costMost == Money(nanoUSD: 50_000_000)
            },
            Key(route + "requires = [\"tools\", \"vision\", \"json_schema\"]") {
                smart($0)?.constraints.requires == [.tools, .vision, .jsonSchema]
            },
            Key(route + "min_context = 200000") { smart($0)?.constraints.contextLeast == 200_000 },
            Key(route + "min_context = 0") { smart($0)?.constraints.contextLeast == nil },
            Key(route + "last_resort = \"mistral/c\"") { smart($0)?.lastResort?.description == "mistral/c" },
            Key(route + "on_context_overflow = [\"gemini/d\", \"openai/e\"]") {
                smart($0)?.onContextOverflow.map(\.description) == ["gemini/d", "openai/e"]
            },
            Key(route + "on_content_policy = [\"mistral/c\"]") {
                smart($0)?.onContentPolicy.map(\.description) == ["mistral/c"]
            },
            Key(route + "hedge_ms = 800") { smart($0)?.hedgeAfter == .milliseconds(800) },
            Key(route + "hedge_ms = 0") { smart($0)?.hedgeAfter == nil },
            Key("[[model]]\ntarget = \"openai/gpt-*\"\nlacks = [\"vision\", \"tools\"]\ncontext = 8192") {
                $0.routing.traits
                    == [ModelTraits(pattern: "openai/gpt-*", lacks: [.vision, .tools], context: 8_192)]
            },
            Key("[[model]]\ntarget = \"groq/x\"\n[[model]]\ntarget = \"groq/*\"\ncontext = 0") {
                $0.routing.traits == [ModelTraits(pattern: "groq/x"), ModelTraits(pattern: "groq/*")]
            },
            Key("[platform]\ntenant = \"house\"") { $0.routing.platform?.text == "house" },
            Key("[drill]\ntenants = [\"acme\", \"globex\"]") {
                $0.routing.drillTenants.map(\.text) == ["acme", "globex"]
            },
            Key(own + "kind = \"azure\"\napi_version = \"2024-10-21\"\nregion = \"eu\"") {
                own($0)?.apiVersion == "2024-10-21" && own($0)?.region == "eu" && own($0)?.retention == nil
            },
            Key(own + "kind = \"azure\"") { own($0)?.apiVersion == nil && own($0)?.region == nil },
            Key(own + "kind = \"gemini\"\nretention = \"30d\"") {
                own($0)?.kind == .gemini && own($0)?.retention == "30d"
            },
            Key(own + "kind = \"bedrock\"\nregion = \"eu-west-1\"") { own($0)?.region == "eu-west-1" },
            Key(
                "[[provider]]\nname = \"own\"\nkind = \"bedrock\"\n"
                    + "base_url = \"https://bedrock-runtime.us-east-2.amazonaws.com\""
            ) { own($0)?.region == "us-east-2" },
            Key(own + "kind = \"openai\"\nprobe = \"30s\"") {
                $0.probes.map { ($0.key.text, $0.value) }.elementsEqual([("own", .seconds(30))], by: ==)
            },
            Key("[[provider]]\nname = \"openai\"\nprobe = \"1h\"") {
                $0.probes.values.first == .seconds(3_600)
            },
            Key(own + "kind = \"openai\"") { $0.probes.isEmpty },
            // What runs on this machine needs only its name.
            Key("[[provider]]\nname = \"ollama\"") {
                $0.providers.values.first { $0.name.text == "ollama" }?.keyless == true
            },
        ]

    @Test(arguments: keys)
    func `a key sets what it names`(key: Key) throws {
        #expect(try key.holds(Configuration.parse(key.text, file: "t")))
    }

    // MARK: What is refused

    static let unknownKeys: [Bad] = [
        Bad(route + "strategie = \"priority\"", line: 4, "[route[0]]", "\"strategy\""),
        Bad(route + "weight = [1, 1]", line: 4, "[route[0]]", "\"weights\""),
        Bad(route + "max_dollars = \"1\"", line: 4, "[route[0]]", "did you mean"),
        Bad(route + "on_context = []", line: 4, "\"on_context_overflow\""),
        Bad(route + "hedge = 3", line: 4, "\"hedge_ms\""),
        Bad(route + "min_contxt = 3", line: 4, "\"min_context\""),
        Bad(route + "\n" + route + "region = [\"eu\"]", line: 8, "[route[1]]", "\"regions\""),
        Bad("[[model]]\ntarget = \"groq/x\"\nlack = []", line: 3, "[model[0]]", "\"lacks\""),
        Bad("[platform]\ntenants = \"house\"", line: 2, "[platform]", "\"tenant\""),
        Bad("[drill]\ntenant = \"acme\"", line: 2, "[drill]", "\"tenants\""),
        Bad("[drills]\ntenants = []", line: 1, "\"drill\""),
        Bad("[[routes]]\nmodel = \"x\"", line: 1, "\"route\""),
        Bad("[[models]]\ntarget = \"groq/x\"", line: 1, "\"model\""),
        Bad(own + "kind = \"azure\"\napi = \"2024-10-21\"", line: 5, "\"api_version\""),
        Bad(own + "kind = \"azure\"\nregoin = \"eu\"", line: 5, "\"region\""),
    ]

    static let wrongTypes: [Bad] = [
        Bad(route + "strategy = 1", line: 4, "strategy", "text in quotes"),
        Bad(route + "allow = \"openai\"", line: 4, "allow", "list of texts"),
        Bad(route + "regions = [1]", line: 4, "regions", "list of texts"),
        Bad(route + "retention = \"none\"", line: 4, "retention", "list of texts"),
        Bad(route + "max_usd = 0.05", line: 4, "max_usd", "text in quotes"),
        Bad(route + "requires = \"tools\"", line: 4, "requires", "list of texts"),
        Bad(route + "min_context = \"8k\"", line: 4, "min_context", "whole number"),
        Bad(route + "last_resort = [\"openai/x\"]", line: 4, "last_resort", "text in quotes"),
        Bad(route + "on_content_policy = \"openai/x\"", line: 4, "on_content_policy", "list of texts"),
        Bad(route + "hedge_ms = 60001", line: 4, "hedge_ms", "from 0 to 60000"),
        Bad(route + "hedge_ms = -1", line: 4, "hedge_ms", "from 0 to 60000"),
        Bad("[[model]]\ntarget = 3", line: 2, "target", "text in quotes"),
        Bad("[[model]]\ntarget = \"groq/x\"\ncontext = 1.5", line: 3, "context", "whole number"),
        Bad("[platform]\ntenant = [\"house\"]", line: 2, "tenant", "text in quotes"),
        Bad("[drill]\ntenants = \"acme\"", line: 2, "tenants", "list of texts"),
    ]

    static let contradictions: [Bad] = [
        Bad(route + "strategy = \"quickest\"", line: 4, "\"quickest\"", "fastest", "least_busy", "sticky"),
        Bad(route + "weights = [1]", line: 4, "2 targets need as many weights"),
        Bad(route + "allow = [\"nobody\"]", line: 4, "\"nobody\"", "no such provider"),
        Bad(route + "deny = [\"Open AI\"]", line: 4, "\"Open AI\"", "no such provider"),
        Bad(route + "max_usd = \"free\"", line: 4, "US dollars", "\"0.05\""),
        Bad(route + "max_usd = \"0\"", line: 4, "US dollars"),
        Bad(route + "max_usd = \"-1\"", line: 4, "US dollars"),
        Bad(route + "requires = [\"audio\"]", line: 4, "\"audio\"", "tools, vision, json_schema"),
        Bad(route + "last_resort = \"gpt-6\"", line: 4, "\"gpt-6\"", "PROVIDER/MODEL"),
        Bad(route + "last_resort = \"nobody/x\"", line: 4, "no provider nobody"),
        Bad(route + "on_context_overflow = [\"nobody/x\"]", line: 4, "no provider nobody"),
        Bad(
            route + "on_content_policy = ["
                + (0...16).map { "\"openai/m\($0)\"" }.joined(separator: ", ") + "]", line: 4,
            "on_content_policy takes at most 16"),
        Bad("[[model]]\nlacks = [\"tools\"]", line: 1, "needs a target"),
        Bad("[[model]]\ntarget = \"gpt-6\"", line: 2, "PROVIDER/MODEL"),
        Bad("[[model]]\ntarget = \"nobody/x\"", line: 2, "no provider nobody"),
        Bad("[[model]]\ntarget = \"openai/*-mini\"", line: 2, "at the end only"),
        Bad("[[model]]\ntarget = \"groq/x\"\nlacks = [\"speech\"]", line: 3, "\"speech\"", "tools, vision"),
        Bad("[platform]\ntenant = \"My House\"", line: 2, "tenant"),
        Bad("[drill]\ntenants = [\"acme\", \"\"]", line: 2, "\"\""),
        Bad(own + "kind = \"openai\"\napi_version = \"2024-10-21\"", line: 5, "kind azure"),
        Bad(own + "kind = \"azure\"\napi_version = \"2024/10\"", line: 5, "a date such as 2024-10-21"),
        Bad(own + "kind = \"bedrock\"", line: 2, "region = \"us-east-1\""),
        Bad(
            own + "kind = \"bedrock\"\nregion = \"us-east-1\"\nprobe = \"30s\"", line: 6, "bedrock",
            "no free call"
        ),
        Bad(own + "kind = \"openai\"\nprobe = \"4s\"", line: 5, "\"30s\"", "from 5 to 3600 seconds"),
        Bad(own + "kind = \"openai\"\nprobe = \"2h\"", line: 5, "from 5 to 3600"),
        Bad(own + "kind = \"openai\"\nprobe = \"30\"", line: 5, "a time such as"),
        Bad(own + "kind = \"openai\"\nprobe = \"9223372036854775807h\"", line: 5, "a time such as"),
        Bad(own + "kind = \"openai\"\nprobe = 30", line: 5, "text in quotes"),
        Bad(own + "kind = \"azure\"\nregion = \"West Europe\"", line: 5, "region is a word"),
        Bad(own + "kind = \"gemini\"\nretention = \"\"", line: 5, "retention is a word such as none or 30d"),
    ]

    @Test(arguments: unknownKeys + wrongTypes + contradictions)
    func `what cannot be meant is refused with its line and what would be right`(bad: Bad) {
        do {
            _ = try Configuration.parse(bad.text, file: "/etc/g.toml")
            Issue.record("accepted:\n\(bad.text)")
        } catch {
            #expect(error.line == bad.line, "\(error)")
            for word in bad.words { #expect(error.sentence.contains(word), "\(error)") }
        }
    }
}
