import Domain
import Testing

@testable import Imports

/// What a LiteLLM proxy's configuration becomes here, and what is said of the rest.
@Suite struct LiteLLMImportTests {
    private func toml(_ yaml: String, _ values: [String: String] = [:]) throws -> String {
        try LiteLLMImport.read(yaml, values: values).toml(from: "config.yaml")
    }

    private func notes(_ yaml: String) throws -> [String] {
        try LiteLLMImport.read(yaml).notes.map { "\($0.line) \($0.place): \($0.what)" }
    }

    /// The shape of the samples in LiteLLM's "Config.yaml" and "Reliability" pages, with names of its own.
    private static let whole = """
        model_list:
          - model_name: gpt-4o
            litellm_params:
              model: azure/gpt-4o-eu
              api_base: https://house-eu.openai.azure.com/
              api_key: "os.environ/AZURE_API_KEY_EU"
              api_version: "2024-10-21"
              rpm: 6
          - model_name: gpt-4o
            litellm_params:
              model: azure/gpt-4o-ca
              api_base: https://house-ca.openai.azure.com/
              api_key: "os.environ/AZURE_API_KEY_CA"
              rpm: 12
          - model_name: claude
            litellm_params:
              model: anthropic/claude-sonnet-5
              api_key: os.environ/ANTHROPIC_API_KEY
            model_info:
              mode: chat
              supports_vision: false
              max_input_tokens: 200000
          - model_name: nova
            litellm_params:
              model: bedrock/converse/amazon.nova-pro-v1:0
              aws_region_name: eu-west-1
          - model_name: house
            litellm_params:
              model: hosted_vllm/llama
              api_base: http://gpu-1:8000/v1
          - model_name: sheet
            litellm_params:
              model: vertex_ai/gemini-pro
              vertex_project: p
        litellm_settings:
          drop_params: true
          num_retries: 3
          request_timeout: 10
          fallbacks: [{"claude": ["gpt-4o"]}, {"gpt-4o": ["claude", "gone"]}]
          context_window_fallbacks: [{"house": ["claude"]}]
          default_key_generate_params:
            rpm_limit: 60
            max_budget: 10
        router_settings:
          routing_strategy: simple-shuffle
          model_group_alias: {"gpt-4": "gpt-4o"}
          redis_host: os.environ/REDIS_HOST
        general_settings:
          master_key: sk-MARKED-master
          database_url: "postgresql://u:MARKED-password@db/litellm"
        """

    @Test func `deployments become targets and providers, groups become routes`() throws {
        #expect(
            try toml(Self.whole) == """

                # Imported from config.yaml.

                [[provider]]
                name = "azure-house-eu"
                kind = "azure"
                base_url = "https://house-eu.openai.azure.com/openai"
                api_version = "2024-10-21"

                [[provider]]
                name = "azure-house-ca"
                kind = "azure"
                base_url = "https://house-ca.openai.azure.com/openai/v1"

                [[provider]]
                name = "bedrock-eu-west-1"
                kind = "bedrock"
                base_url = "https://bedrock-runtime.eu-west-1.amazonaws.com"
                region = "eu-west-1"

                [[provider]]
                name = "vllm-gpu-1-8000"
                like = "vllm"
                base_url = "http://gpu-1:8000/v1"
                keyless = true
                allow_plain_http = true
                allow_private = true

                [[model]]
                target = "anthropic/claude-sonnet-5"
                lacks = ["vision"]
                context = 200000

                [[route]]
                model = "gpt-4o"
                targets = ["azure-house-eu/gpt-4o-eu", "azure-house-ca/gpt-4o-ca", "anthropic/claude-sonnet-5"]
                strategy = "weighted"
                weights = [6, 12, 0]

                [[route]]
                model = "claude"
                targets = ["anthropic/claude-sonnet-5", "azure-house-eu/gpt-4o-eu", "azure-house-ca/gpt-4o-ca"]
                strategy = "priority"

                [[route]]
                model = "nova"
                targets = ["bedrock-eu-west-1/amazon.nova-pro-v1:0"]
                strategy = "priority"

                [[route]]
                model = "house"
                targets = ["vllm-gpu-1-8000/llama"]
                strategy = "priority"
                on_context_overflow = ["anthropic/claude-sonnet-5"]

                [[route]]
                model = "gpt-4"
                targets = ["azure-house-eu/gpt-4o-eu", "azure-house-ca/gpt-4o-ca", "anthropic/claude-sonnet-5"]
                strategy = "weighted"
                weights = [6, 12, 0]

                [bounds]
                attempts = 4
                total_seconds = 10

                """)
    }

    @Test func `what is not taken over is said with its line, in the file's order`() throws {
        let notes = try notes(Self.whole)
        for expected in [
            "8 model_list[0].litellm_params.rpm: limits are no part of a route",
            "30 model_list[4].litellm_params.api_base: plain HTTP to another machine",
            "33 model_list[5].litellm_params: vertex_ai/gemini-pro: Vertex AI is not served here",
            "39 litellm_settings.fallbacks[1].gpt-4o: falls back to gone, which was not taken over",
            "43 litellm_settings.default_key_generate_params.max_budget: there are no budgets here yet",
            "47 router_settings.redis_host: state is per process",
            "49 general_settings.master_key: operators use the console",
            "50 general_settings.database_url: LiteLLM's virtual keys are in its database",
        ] {
            #expect(notes.contains { $0.hasPrefix(expected) }, "\(expected) in \(notes)")
        }
        let lines = try LiteLLMImport.read(Self.whole).notes.map(\.line)
        #expect(lines == lines.sorted() && lines.allSatisfy { $0 > 0 })
    }

    @Test func `keys are named for gatehouse key add, and never copied`() throws {
        let read = try LiteLLMImport.read(
            Self.whole.replacing("os.environ/ANTHROPIC_API_KEY", with: "sk-ant-MARKED-in-the-file"))
        #expect(
            read.commands == [
                "gatehouse key add TENANT azure-house-eu --label azure-api-key-eu    # the key in AZURE_API_KEY_EU",
                "gatehouse key add TENANT azure-house-ca --label azure-api-key-ca    # the key in AZURE_API_KEY_CA",
                "gatehouse key add TENANT anthropic --label imported    # a key that stands in the file",
                "gatehouse key add TENANT bedrock-eu-west-1 --label main    # its key",
                "gatehouse token issue TENANT --name NAME --rpm 60    # default_key_generate_params",
            ])
        let all = read.toml(from: "f") + read.commands.joined() + read.notes.map(\.what).joined()
        #expect(!all.contains("MARKED"))
        #expect(read.notes.contains { $0.what.contains("a key stands in the file") && $0.line == 18 })
    }

    @Test func `a variable is not read, but its value can be given where no key is meant`() throws {
        let yaml = """
            model_list:
              - model_name: a
                litellm_params:
                  model: azure/dep
                  api_base: os.environ/AZURE_API_BASE
                  api_key: os.environ/AZURE_API_KEY
            """
        #expect(
            try notes(yaml) == [
                "5 model_list[0].litellm_params.api_base: stands in the variable AZURE_API_BASE, which is not read: give --value AZURE_API_BASE=..."
            ])
        #expect(try LiteLLMImport.read(yaml).routes.isEmpty)
        let given = try toml(
            yaml, ["AZURE_API_BASE": "https://x.openai.azure.com", "AZURE_API_KEY": "MARKED"])
        #expect(
            given.contains("base_url = \"https://x.openai.azure.com/openai/v1\"") && !given.contains("MARKED")
        )
    }

    @Test(arguments: [
        ("gpt-4o", "openai/gpt-4o"), ("claude-opus-5", "anthropic/claude-opus-5"),
        ("openai/gpt-4o", "openai/gpt-4o"), ("gemini/gemini-3-pro", "gemini/gemini-3-pro"),
        ("together_ai/meta/llama", "together/meta/llama"), ("openrouter/x/y:free", "openrouter/x/y:free"),
        ("ollama_chat/llama3", "ollama/llama3"), ("groq/llama", "groq/llama"),
    ])
    func `prefixes name known providers`(model: String, target: String) throws {
        let yaml = "model_list:\n- model_name: m\n  litellm_params:\n    model: \(model)\n"
        #expect(try LiteLLMImport.read(yaml).routes.first?.targets.map(\.description) == [target])
    }

    @Test func `strategies, orders and duplicates are said in our words`() throws {
        func route(_ strategy: String, _ more: String = "") throws -> ImportedRoute? {
            try LiteLLMImport.read(
                """
                model_list:
                - {model_name: m, litellm_params: {model: openai/a, api_key: os.environ/A\(more)}}
                - {model_name: m, litellm_params: {model: groq/b, weight: 3}}
                - {model_name: m, litellm_params: {model: openai/a, api_key: os.environ/B}}
                router_settings: {routing_strategy: \(strategy)}
                """
            ).routes.first
        }
        #expect(try route("simple-shuffle")?.weights == [2, 3])
        #expect(try route("least-busy")?.strategy == .leastBusy)
        #expect(try route("latency-based-routing")?.strategy == .fastest)
        #expect(try route("cost-based-routing")?.strategy == .cheapest)
        #expect(try route("usage-based-routing-v2")?.strategy == .weighted)
        let ordered = try route("least-busy", ", order: 2")
        #expect(ordered?.strategy == .priority && ordered?.targets.first?.description == "groq/b")
        #expect(try route("simple-shuffle", ", rpm: 60000")?.weights == [10_000, 1])
    }

    @Test func `a hostile or foreign file is refused or read within bounds`() throws {
        for text in ["", "# nothing", "[]", "a: [", "x: y", "model_list: {}", "model_list: 7"] {
            #expect(throws: ImportFailure.self, "\(text)") { _ = try LiteLLMImport.read(text) }
        }
        #expect(throws: ImportFailure.self) {
            _ = try LiteLLMImport.read("a: " + String(repeating: "x", count: 1 << 20))
        }
        let strange = """
            model_list:
            - 7
            - {model_name: "a\\"b\\u001b[2J", litellm_params: {model: openai/x}}
            - {model_name: n, litellm_params: {model: "openai/x y"}}
            - {model_name: n, litellm_params: {model: 12}}
            - {model_name: "*", litellm_params: {model: "*"}}
            - {model_name: ok, litellm_params: {model: openai/ok, api_base: "http://10.0.0.1:1/v1"}}
            extra: 1
            """
        let read = try LiteLLMImport.read(strange)
        #expect(
            read.routes.map(\.model.text) == ["ok"]
                && read.providers.map(\.name.text) == ["openai-10-0-0-1-1"])
        #expect(read.notes.count >= 6 && read.notes.contains { $0.place == "extra" })
    }
}
