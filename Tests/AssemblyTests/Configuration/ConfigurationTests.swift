import Cache
import Domain
import Engine
import Keepers
import Operations
import Providers
import Routing
import Testing

@testable import Assembly

/// What every table and key of the configuration means, and what holds where a key is absent.
@Suite struct ConfigurationTests {
    /// One key: a text that sets it, and whether the configuration then says so.
    struct Key: Sendable, CustomTestStringConvertible {
        let text: String
        let holds: @Sendable (Configuration) -> Bool
        var testDescription: String { text }

        init(_ text: String, _ holds: @escaping @Sendable (Configuration) -> Bool) {
            self.text = text
            self.holds = holds
        }
    }

    private static let kms = "[vault.kms]\nkey = \"alias/gate\"\nregion = \"eu-central-1\"\n"
    private static let pkcs11 = "[vault.pkcs11]\nmodule = \"/m.so\"\ntoken = \"t\"\nkey = \"k\"\n"

    static let keys: [Key] = [
        Key(
            "[[operator]]\nuser = \"mira\"\nrole = \"admin\"\n[[operator]]\nuser = \"jo.x\"\nrole = \"viewer\""
        ) {
            $0.roster == OperatorRoster(["mira": .admin, "jo.x": .viewer])
        },
        Key(
            "[socket]\npath = \"/run/x/e.sock\"\ngroup = \"ops\"\n[[operator]]\nuser = \"mira\"\nrole = \"admin\""
        ) {
            $0.sharedSocket == SharedSocket(path: "/run/x/e.sock", group: "ops")
        },
        Key("instance = \"east-1\"") { $0.instance == "east-1" },
        Key("[listen]\naddress = \"127.0.0.1:9000\"") {
            $0.listenHost == "127.0.0.1" && $0.listenPort == 9_000
        },
        Key("[listen]\naddress = \"[::1]:0\"") { $0.listenHost == "::1" && $0.listenPort == 0 },
        Key("[listen]\naddress = \"localhost:65535\"") {
            $0.listenHost == "localhost" && $0.listenPort == 65_535
        },
        Key("[listen]\naddress = \"0.0.0.0:443\"\ntls_certificate = \"/c.pem\"\ntls_key = \"/k.pem\"") {
            $0.listenHost == "0.0.0.0" && $0.certificate == "/c.pem" && $0.certificateKey == "/k.pem"
        },
        Key("[listen]\nthreads = 2") { $0.listenThreads == 2 },
        Key("[listen]\nthreads = 0") { $0.listenThreads == nil },
        Key("[vault]\nunlock = \"passphrase\"") { $0.unlock == .passphrase },
        Key("[vault]\nunlock = \"keyfile\"\nkeyfile = \"/run/key\"") {
            $0.unlock == .keyFile(path: "/run/key")
        },
        Key("[vault]\nunlock = \"credential\"\ncredential = \"vault.key\"") {
            $0.unlock == .credential(name: "vault.key")
        },
        Key("[vault]\nunlock = \"environment\"\nvariable = \"VAULT\"\ninsecure = true") {
            $0.unlock == .environment(variable: "VAULT")
        },
        Key("[vault]\nunlock = \"pkcs11\"\n\(pkcs11)pin_file = \"/run/pin\"") {
            $0.unlock == .outside(.token) && $0.tokenPIN == .file("/run/pin")
                && $0.token == TokenPlace(module: "/m.so", token: "t", key: "k")
        },
        Key("\(pkcs11)pin_credential = \"pin\"") {
            $0.unlock == .passphrase && $0.tokenPIN == .credential(name: "pin")
        },
        Key("[vault]\nunlock = \"kms\"\n\(kms)") {
            $0.unlock == .outside(.keyService) && $0.keyService?.region == "eu-central-1"
                && $0.keyService?.base.origin.host == "kms.eu-central-1.amazonaws.com"
                && $0.keyServiceCredential == nil
        },
        Key("\(kms)endpoint = \"http://127.0.0.1:5000\"\nallow_private = true") {
            $0.keyService?.base.origin.port == 5_000 && $0.keyServiceIsPrivate
        },
        Key("\(kms)credentials_file = \"/c\"\nprofile = \"gate\"") {
            $0.keyServiceCredential == .file("/c") && $0.keyServiceProfile == "gate"
        },
        Key("\(kms)credential = \"aws\"") { $0.keyServiceCredential == .credential(name: "aws") },
        Key("[vault]\nkeyfile = \"/run/key\"") { $0.unlock == .keyFile(path: "/run/key") },
        Key("[audit]\ncheckpoints = \"/mnt/share/checkpoints\"") {
            $0.checkpoints == "/mnt/share/checkpoints"
        },
        Key("[cache]\nenabled = false") { !$0.cacheEnabled && !$0.path.cacheEnabled },
        Key("[cache]\nttl_seconds = 86400") {
            $0.cacheSeconds == 86_400 && $0.cache.timeToLive == .seconds(86_400)
        },
        Key("[cache]\nbytes_max = 1_048_576") { $0.cacheBytes == 1 << 20 && $0.cache.bytesMax == 1 << 20 },
        Key("[bounds]\nbody_bytes_max = 1024") { $0.bodyBytes == 1_024 },
        Key("[bounds]\nattempts = 16") { $0.attempts == 16 && $0.path.attempts == 16 },
        Key("[bounds]\nconnect_seconds = 1") {
            $0.connectSeconds == 1 && $0.upstream.timeouts.connect == .seconds(1)
        },
        Key("[bounds]\nfirst_byte_seconds = 7") {
            $0.firstByteSeconds == 7 && $0.upstream.timeouts.firstByte == .seconds(7)
        },
        Key("[bounds]\nidle_seconds = 8") { $0.idleSeconds == 8 && $0.upstream.timeouts.idle == .seconds(8) },
        Key("[bounds]\ntotal_seconds = 7200") {
            $0.totalSeconds == 7_200 && $0.path.total == .seconds(7_200)
        },
        Key("[breaker]\nfailure_percent = 100") { $0.breaker.failurePercent == 100 },
        Key("[breaker]\nminimum_calls = 3") { $0.breaker.callsMin == 3 },
        Key("[breaker]\nconsecutive_failures = 2") { $0.breaker.silentRunMax == 2 },
        Key("[breaker]\nopen_seconds = 5") {
            $0.breaker.openFirst == .seconds(5) && $0.breaker.openLongest == .seconds(120)
        },
        Key("[breaker]\nopen_seconds = 600") {
            $0.breaker.openFirst == .seconds(600) && $0.breaker.openLongest == .seconds(600)
        },
        Key("[breaker]\nopen_seconds_max = 60") { $0.breaker.openLongest == .seconds(60) },
        Key("[breaker]\nprobe_successes = 1") { $0.breaker.probesToClose == 1 },
        Key("[upstream]\nca_file = \"/ca.pem\"") { $0.authorities == "/ca.pem" },
        Key("[console]\ntheme = \"mono\"") { $0.theme == "mono" },
    ]

    @Test(arguments: keys)
    func `a key sets what it names`(key: Key) throws {
        #expect(try key.holds(Configuration.parse(key.text, file: "t")))
        #expect(try key.holds(Configuration.parse("\u{FEFF}" + crlf(key.text), file: "t")))
    }

    @Test func `every key that the first configuration lists has its default in force without a file`() throws
    {
        let none = Configuration()
        #expect(try Configuration.parse("", file: "t") == none)
        #expect(try Configuration.parse("# nothing\n\n", file: "t") == none)
        #expect(try Configuration.load("/nonexistent/gatehouse.toml") == none)
        #expect(none.instance == "gatehouse" && none.theme == nil && none.authorities == nil)
        #expect(none.listenHost == "127.0.0.1" && none.listenPort == 8_080)
        #expect(none.certificate == nil && none.certificateKey == nil && none.unlock == .passphrase)
        #expect(none.cacheEnabled && none.cacheSeconds == 300 && none.cacheBytes == 67_108_864)
        #expect(none.bodyBytes == 33_554_432 && none.attempts == 4)
        #expect(none.connectSeconds == 5 && none.firstByteSeconds == 60)
        #expect(none.idleSeconds == 60 && none.totalSeconds == 600)
        #expect(none.breaker.failurePercent == 50 && none.breaker.callsMin == 10)
        #expect(none.breaker.silentRunMax == 5 && none.breaker.probesToClose == 3)
        #expect(none.breaker.openFirst == .seconds(10) && none.breaker.openLongest == .seconds(120))
        #expect(none.routes.isEmpty && none.privateHosts.isEmpty)
        #expect(
            none.providers.keys.map(\.text).sorted()
                == [
                    "anthropic", "deepseek", "gemini", "groq", "mistral", "openai", "openrouter", "together",
                    "xai",
                ])
    }

    @Test func `a provider of its own has all that its entry says`() throws {
        let configuration = try Configuration.parse(
            """
            [[provider]]
            name = "vllm"
            kind = "openai-compatible"
            base_url = "http://10.0.0.7:8000/v1"
            keyless = true
            allow_plain_http = true
            allow_private = true
            """, file: "t")
        let vllm = try #require(configuration.providers[try ProviderName("vllm")])
        #expect(vllm.kind == .openaiCompatible && vllm.keyless && vllm.pathPrefix == "/v1")
        #expect(vllm.origin == Origin(secure: false, host: "10.0.0.7", port: 8_000))
        #expect(configuration.privateHosts == ["10.0.0.7"])
        #expect(configuration.upstream.addressRule.allowances.keys.sorted() == ["10.0.0.7"])
        #expect(configuration.providers.count == Configuration().providers.count + 1)
    }

    @Test func `an entry for a preset changes only what it names`() throws {
        let name = try ProviderName("openai")
        let before = try #require(Configuration().providers[name])
        let same = try Configuration.parse("[[provider]]\nname = \"openai\"", file: "t")
        #expect(same.providers[name] == before)
        let moved = try Configuration.parse(
            "[[provider]]\nname = \"openai\"\nbase_url = \"https://eu.example.com/openai/v1\"", file: "t")
        let after = try #require(moved.providers[name])
        #expect(after.kind == before.kind && after.keyless == before.keyless)
        #expect(after.origin == Origin(secure: true, host: "eu.example.com", port: 443))
        #expect(after.pathPrefix == "/openai/v1")
    }

    @Test func `a provider like a known one takes over what its entry does not say`() throws {
        func own(_ entry: String) throws -> ProviderDefinition? {
            try Configuration.parse("[[provider]]\nname = \"own\"\n\(entry)", file: "t")
                .providers[try ProviderName("own")]
        }
        let mistral = try #require(Configuration().providers[try ProviderName("mistral")])
        let second = try #require(try own(#"like = "mistral""#))
        #expect(second.origin == mistral.origin && second.pathPrefix == mistral.pathPrefix)
        #expect(second.quirks == mistral.quirks && !second.asksForUsage)
        let vllm = try #require(
            try own("like = \"vllm\"\nbase_url = \"https://gpu.example.com/v1\"\nkeyless = false"))
        #expect(vllm.kind == .openaiCompatible && !vllm.keyless && vllm.quirks != .compatible)
        #expect(vllm.origin.host == "gpu.example.com")
        // Of another kind it has nothing to take over.
        let other = try #require(try own("like = \"mistral\"\nkind = \"openai\""))
        #expect(other.quirks == .openAI)
    }

    @Test func `plain HTTP to this machine needs no allowance`() throws {
        for host in ["127.0.0.1", "localhost", "[::1]"] {
            let text =
                "[[provider]]\nname = \"own\"\nkind = \"openai-compatible\"\nbase_url = \"http://\(host):1/v1\""
            #expect(throws: Never.self) { try Configuration.parse(text, file: "t") }
        }
    }

    @Test func `a route keeps its targets in order with their weights`() throws {
        let configuration = try Configuration.parse(
            """
            [[route]]
            model = "smart"
            targets = ["openai/gpt-6-sol", "anthropic/claude-sonnet-5"]
            [[route]]
            model = "chat"
            strategy = "weighted"
            targets = ["openai/a/b", "mistral/c"]
            weights = [0, 10000]
            """, file: "t")
        let smart = try #require(configuration.routes[try ModelName("smart")])
        #expect(smart.strategy == .priority)
        #expect(smart.choices.map(\.target.description) == ["openai/gpt-6-sol", "anthropic/claude-sonnet-5"])
        #expect(smart.choices.map(\.weight) == [1, 1])
        let chat = try #require(configuration.routes[try ModelName("chat")])
        #expect(chat.strategy == .weighted && chat.choices.map(\.weight) == [0, 10_000])
        #expect(chat.choices.first?.target.model.text == "a/b")
    }

    @Test func `what is read at start alone is named in the file's words`() throws {
        let old = Configuration()
        for (text, name) in [
            ("instance = \"x\"", "instance"), ("[listen]\naddress = \"127.0.0.1:1\"", "[listen]"),
            ("[listen]\nthreads = 3", "[listen]"), ("[vault]\nkeyfile = \"/k\"", "[vault]"),
            ("[upstream]\nca_file = \"/c\"", "[upstream]"), ("[breaker]\nminimum_calls = 1", "[breaker]"),
            ("[[provider]]\nname = \"openai\"\nallow_private = true", "allow_private"),
            ("[cache]\nbytes_max = 2000000", "[cache] bytes_max"),
            ("[bounds]\nbody_bytes_max = 2000", "[bounds] body_bytes_max"),
            ("[bounds]\nconnect_seconds = 60", "[bounds] connect_seconds"),
            ("[console]\ntheme = \"x\"", "[console] theme"),
        ] {
            let next = try Configuration.parse(text, file: "t")
            #expect(next.changesAtNextStart(after: old) == [name], "\(text)")
        }
        for text in ["", "[cache]\nttl_seconds = 1", "[bounds]\nattempts = 1\nconnect_seconds = 1"] {
            #expect(try Configuration.parse(text, file: "t").changesAtNextStart(after: old) == [], "\(text)")
        }
    }

    private func crlf(_ text: String) -> String {
        text.split(separator: "\n", omittingEmptySubsequences: false).joined(separator: "\r\n")
    }
}
