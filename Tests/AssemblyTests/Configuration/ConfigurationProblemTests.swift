import Domain
import Foundation
import Testing

@testable import Assembly

/// What is refused, and whether the refusal says what, where and what to do.
@Suite struct ConfigurationProblemTests {
    /// A bad text, the line that is to be named, and words of the sentence.
    struct Bad: Sendable, CustomTestStringConvertible {
        let text: String
        let line: Int
        let words: [String]
        var testDescription: String { String(text.prefix(120)) }

        init(_ text: String, line: Int, _ words: String...) {
            self.text = text
            self.line = line
            self.words = words
        }
    }

    private static let provider = "[[provider]]\nname = \"own\"\nkind = \"openai-compatible\"\n"
    private static let route = "[[route]]\nmodel = \"smart\"\n"

    static let unknownKeys: [Bad] = [
        Bad("instnace = \"x\"", line: 1, "\"instnace\"", "top level", "did you mean \"instance\"?"),
        Bad("\n[lisen]\naddress = \"127.0.0.1:1\"", line: 2, "\"lisen\"", "\"listen\""),
        Bad("[listen]\n\nadress = \"127.0.0.1:1\"", line: 3, "[listen]", "\"address\""),
        Bad("[vault]\nkey_file = \"/k\"", line: 2, "[vault]", "\"keyfile\""),
        Bad(provider + "base_uri = \"https://x.io\"", line: 4, "[provider[0]]", "\"base_url\""),
        Bad(route + "target = [\"openai/x\"]", line: 3, "[route[0]]", "\"targets\""),
        Bad("[cache]\nttl = 3", line: 2, "[cache]", "\"ttl_seconds\""),
        Bad("[bounds]\nattempt = 3", line: 2, "[bounds]", "\"attempts\""),
        Bad("[breaker]\nfailure_percentage = 3", line: 2, "[breaker]", "\"failure_percent\""),
        Bad("[upstream]\ncafile = \"/c\"", line: 2, "[upstream]", "\"ca_file\""),
        Bad("[console]\nthemes = \"x\"", line: 2, "[console]", "\"theme\""),
        Bad(
            "[[provider]]\nname = \"openai\"\n[[provider]]\nname = \"groq\"\nkeyless_ = true", line: 5,
            "[provider[1]]", "\"keyless\""),
        Bad("[cache]\r\nenabled = true\r\nttl = 3\r\n", line: 3, "\"ttl_seconds\""),
        Bad("listen.adress = \"127.0.0.1:1\"", line: 1, "[listen]", "\"address\""),
        Bad("\ncache = { ttl = 3 }", line: 2, "[cache]", "\"ttl_seconds\""),
        Bad("\nprovider = [{ name = \"openai\", kid = \"x\" }]", line: 2, "\"kind\""),
    ]

    private static let admin = "[[operator]]\nuser = \"mira\"\nrole = \"admin\"\n"

    static let operators: [Bad] = [
        Bad("[[operator]]\nuser = \"jo\"\nrole = \"viewer\"", line: 3, "no [[operator]]", "admin"),
        Bad(admin + "[[operator]]\nrole = \"viewer\"", line: 4, "needs a user"),
        Bad(admin + "[[operator]]\nuser = \"jo\"", line: 4, "operator jo needs a role", "viewer, operator"),
        Bad(admin + "[[operator]]\nuser = \"jo\"\nrole = \"root\"", line: 6, "\"root\"", "viewer"),
        Bad(admin + "[[operator]]\nuser = \"jo\"\nrole = \"Admin\"", line: 6, "\"Admin\""),
        Bad(admin + "[[operator]]\nuser = \"mira\"\nrole = \"viewer\"", line: 5, "mira already"),
        Bad(admin + "[[operator]]\nuser = \"jo x\"\nrole = \"viewer\"", line: 5, "name of an account"),
        Bad(admin + "[[operator]]\nuser = \"\u{212A}im\"\nrole = \"viewer\"", line: 5, "name of an account"),
        Bad(admin + "[[operator]]\nuser = \"-jo\"\nrole = \"viewer\"", line: 5, "name of an account"),
        Bad(admin + "[[operator]]\nuser = \"\"\nrole = \"viewer\"", line: 5, "name of an account"),
        Bad(admin + "[[operator]]\nuser = \"jo\"\nroles = \"viewer\"", line: 6, "\"role\""),
        Bad(admin + "[socket]\npath = \"/run/x/e.sock\"", line: 5, "path and group"),
        Bad(admin + "[socket]\ngroup = \"ops\"", line: 5, "path and group"),
        Bad(admin + "[socket]\npath = \"e.sock\"\ngroup = \"ops\"", line: 5, "absolute"),
        Bad(admin + "[socket]\npath = \"/run/e.sock\"\ngroup = \"a b\"", line: 6, "name of a group"),
        Bad("[socket]\npath = \"/run/e.sock\"\ngroup = \"ops\"", line: 2, "needs [[operator]]"),
        Bad(admin + "[[operator]]\nuser = \"nobody\"\nrole = \"viewer\"", line: 5, "name another"),
        Bad("[operator]\nuser = \"jo\"", line: 1, "[[operator]]", "double brackets"),
    ]

    static let wrongTypes: [Bad] = [
        Bad("instance = 3", line: 1, "instance", "text in quotes"),
        Bad("listen = 3", line: 1, "[listen]", "table"),
        Bad("[listen]\naddress = 8080", line: 2, "address", "text in quotes"),
        Bad("[listen]\ntls_certificate = true\ntls_key = \"/k\"", line: 2, "tls_certificate"),
        Bad("[vault]\nunlock = 1979-05-27", line: 2, "unlock", "text in quotes"),
        Bad("provider = 3", line: 1, "[[provider]]", "double brackets"),
        Bad("provider = [3]", line: 1, "[[provider]]", "table"),
        Bad("[provider]\nname = \"x\"", line: 1, "[[provider]]", "double brackets"),
        Bad(provider + "base_url = 3", line: 4, "base_url", "text in quotes"),
        Bad(provider + "base_url = \"https://x.io\"\nkeyless = \"yes\"", line: 5, "keyless", "true or false"),
        Bad(provider + "base_url = \"https://x.io\"\nallow_private = 1", line: 5, "allow_private"),
        Bad(route + "targets = \"openai/x\"", line: 3, "targets", "list of texts"),
        Bad(route + "targets = [1]", line: 3, "targets", "list of texts"),
        Bad(route + "targets = [\"openai/x\"]\nweights = 1", line: 4, "weights", "list of whole numbers"),
        Bad(route + "targets = [\"openai/x\"]\nweights = [0.5]", line: 4, "weights", "from 0 to 10000"),
        Bad("[cache]\nenabled = 1", line: 2, "enabled", "true or false"),
        Bad("[cache]\nttl_seconds = 1.0", line: 2, "ttl_seconds", "whole number"),
        Bad("[cache]\nttl_seconds = \"5\"", line: 2, "ttl_seconds", "whole number"),
        Bad("[console]\ntheme = [\"x\"]", line: 2, "theme", "text in quotes"),
    ]

    private static let ranges: [(table: String, key: String, least: Int, most: Int)] = [
        ("listen", "threads", 0, 256),
        ("cache", "ttl_seconds", 1, 86_400), ("cache", "bytes_max", 1 << 20, 16 << 30),
        ("bounds", "body_bytes_max", 1_024, 256 << 20), ("bounds", "attempts", 1, 16),
        ("bounds", "connect_seconds", 1, 60), ("bounds", "first_byte_seconds", 1, 3_600),
        ("bounds", "idle_seconds", 1, 3_600), ("bounds", "total_seconds", 1, 7_200),
        ("breaker", "failure_percent", 1, 100), ("breaker", "minimum_calls", 1, 10_000),
        ("breaker", "consecutive_failures", 1, 1_000), ("breaker", "open_seconds", 1, 3_600),
        ("breaker", "open_seconds_max", 10, 86_400), ("breaker", "probe_successes", 1, 100),
    ]

    static let outOfRange: [Bad] = ranges.flatMap { range in
        [range.least - 1, range.most + 1, -1, Int.max].map { number in
            Bad(
                "[\(range.table)]\n\(range.key) = \(number)", line: 2, range.key,
                "whole number from \(range.least) to \(range.most)")
        }
    }

    static let contradictions: [Bad] = [
        Bad("[listen]\naddress = \"127.0.0.1\"", line: 2, "HOST:PORT"),
        Bad("[listen]\naddress = \":8080\"", line: 2, "HOST:PORT"),
        Bad("[listen]\naddress = \"127.0.0.1:65536\"", line: 2, "HOST:PORT"),
        Bad("[listen]\naddress = \"127.0.0.1:-1\"", line: 2, "HOST:PORT"),
        Bad("[listen]\naddress = \"0.0.0.0:8080\"", line: 2, "tls_certificate", "in clear"),
        Bad("[listen]\naddress = \"192.168.0.9:8080\"", line: 2, "loopback", "tls_key"),
        Bad("[listen]\ntls_certificate = \"/c\"", line: 2, "go together"),
        Bad("[listen]\ntls_key = \"/k\"", line: 1, "go together"),
        Bad("[vault]\nunlock = \"magic\"", line: 2, "\"passphrase\"", "\"keyfile\""),
        Bad("[vault]\nunlock = \"credential\"\ncredential = \"../key\"", line: 2, "without a path"),
        Bad("[vault]\nunlock = \"credential\"", line: 2, "credential = \"NAME\""),
        Bad("[vault]\nunlock = \"environment\"\nvariable = \"V\"", line: 2, "insecure = true"),
        Bad("[vault]\nunlock = \"environment\"", line: 2, "variable = \"NAME\""),
        Bad("[vault]\nunlock = \"pkcs11\"", line: 2, "[vault.pkcs11]"),
        Bad("[vault.pkcs11]\nmodule = \"m.so\"", line: 2, "/path/of/the/library.so"),
        Bad("[vault.pkcs11]\nmodul = \"/m.so\"", line: 2, "[vault.pkcs11]", "\"module\""),
        Bad(
            "[vault.pkcs11]\nmodule = \"/m\"\ntoken = \"t\"\nkey = \"k\"\npin_file = \"p\"", line: 5,
            "absolute path"),
        Bad("[vault]\nunlock = \"kms\"", line: 2, "[vault.kms]"),
        Bad("[vault.kms]\nkey = \"a\"\nregion = \"EU\"", line: 3, "eu-central-1"),
        Bad(
            "[vault.kms]\nkey = \"a\"\nregion = \"r\"\nendpoint = \"http://kms.example\"", line: 4,
            "plain HTTP"),
        Bad(
            "[vault.kms]\nkey = \"a\"\nregion = \"r\"\ncredential = \"a\"\ncredentials_file = \"/a\"",
            line: 5, "not both"),
        Bad("[vault]\nunlock = \"keyfile\"", line: 2, "keyfile = \"/absolute/path\""),
        Bad("[vault]\nkeyfile = \"relative\"", line: 1, "/absolute/path"),
        Bad("[vault]\nunlock = \"passphrase\"\nkeyfile = \"/k\"", line: 3, "unlock = \"keyfile\""),
        Bad("[[provider]]\nkind = \"openai\"", line: 1, "needs a name"),
        Bad("[[provider]]\nname = \"own\"\nlike = \"mistrel\"", line: 3, "mistrel", "groq, mistral, ollama"),
        Bad("[[provider]]\nname = \"Own\"", line: 2, "provider name"),
        Bad("[[provider]]\nname = \"own\"\nbase_url = \"https://x.io\"", line: 2, "needs a kind"),
        Bad(provider, line: 2, "needs a base_url"),
        Bad(
            "[[provider]]\nname = \"own\"\nkind = \"gpt\"", line: 3, "\"gpt\"", "openai-compatible, anthropic"
        ),
        Bad(provider + "base_url = \"http://10.0.0.1/v1\"", line: 4, "plain HTTP", "write https"),
        Bad(provider + "base_url = \"http://example.com/v1\"", line: 4, "plain HTTP", "write https"),
        Bad(provider + "base_url = \"ftp://x\"", line: 4, "https://"),
        Bad(provider + "base_url = \"https://me:pw@x.io\"", line: 4, "vault"),
        Bad(
            "[[provider]]\nname = \"groq\"\n[[provider]]\nname = \"groq\"\nkeyless = true", line: 4,
            "there is an entry for provider groq already"),
        Bad("[[route]]\ntargets = [\"openai/x\"]", line: 1, "needs a model"),
        Bad("[[route]]\nmodel = \"\"", line: 2, "empty"),
        Bad(route + "targets = [\"openai/x\"]\n" + route, line: 5, "there is a route \"smart\" already"),
        Bad(route + "targets = []", line: 3, "1 to 16 targets"),
        Bad(route, line: 1, "1 to 16 targets"),
        Bad(
            route + "targets = [" + (0...16).map { "\"openai/m\($0)\"" }.joined(separator: ", ") + "]",
            line: 3,
            "1 to 16 targets"),
        Bad(route + "targets = [\"nobody/x\"]", line: 3, "\"nobody/x\"", "no provider nobody"),
        Bad(route + "targets = [\"gpt-6\"]", line: 3, "PROVIDER/MODEL"),
        Bad(route + "targets = [\"openai/\"]", line: 3, "empty"),
        Bad(
            route + "targets = [\"openai/x\"]\nstrategy = \"best\"", line: 4, "\"best\"", "priority, weighted"
        ),
        Bad(route + "targets = [\"openai/x\"]\nweights = [1, 2]", line: 4, "1 targets need as many weights"),
        Bad(route + "targets = [\"openai/x\"]\nweights = [10001]", line: 4, "from 0 to 10000"),
        Bad("[breaker]\nopen_seconds = 100\nopen_seconds_max = 50", line: 3, "from 100 to 86400"),
        Bad("instance = \"\"", line: 1, "label is empty"),
    ]

    static let notTOML: [Bad] = [
        Bad("instance", line: 1),
        Bad("\ninstance = ", line: 2),
        Bad("instance = \"a\"\ninstance = \"b\"", line: 2),
        Bad("[cache]\nttl_seconds = 1\n[cache]\nenabled = true", line: 3),
        Bad("[cache]\nttl_seconds = 1\nttl_seconds = 2", line: 3),
        Bad("[cache]\nttl_seconds = 99999999999999999999", line: 2),
        Bad("[cache\nttl_seconds = 1", line: 1),
        Bad("instance = \"open", line: 1),
        Bad("\n[=cache]", line: 2, "a key is expected"),
        Bad("\n\t[[ .provider]]", line: 2, "a key is expected"),
        Bad("[\ncache]", line: 1, "a key is expected"),
        Bad("\u{FEFF}[é]", line: 1, "a key is expected"),
        Bad("\n[]", line: 2),
        Bad("\nweights = [}", line: 2, "a value is expected"),
        Bad("d = [1979-05-27T:07:32:00Z]", line: 1, "unknown key"),
        Bad("x = " + String(repeating: "[", count: 100_000), line: 1, "nested deeper than 8"),
        Bad("x = " + String(repeating: "{x=", count: 100_000), line: 1, "nested deeper than 8"),
        Bad("instance = east", line: 1, "a text in quotes"),
        Bad("instance = \"\"\"east\"\"\"", line: 1, "one line"),
        Bad("instance = \"a\\xb\"", line: 1, "escape"),
        Bad("instance = \"a\" theme = \"b\"", line: 1, "begin a new line"),
        Bad("[cache] x = 1", line: 1, "begin a new line"),
        Bad("[[cache]\nx = 1", line: 1, "closed with ]]"),
        Bad("cache.enabled = true\n[cache]", line: 2, "already, on line 1"),
        Bad("cache = { enabled = true }\ncache.ttl_seconds = 1", line: 2, "already, on line 1"),
        Bad("[provider]\n[[provider]]", line: 2, "something else before"),
        Bad("\u{0B}instance = \"a\"", line: 1, "control character"),
        Bad("\ninstance = \"a\"\rx", line: 2, "control character"),
        Bad("\n[", line: 2),
        Bad("# fine\n# \u{0}\n[bogus]\nx = 1", line: 2, "control character"),
        Bad("\ninstance = \"a\\u0000b\"", line: 2, "escape"),
        Bad("\ninstance = \"a\\U00000000b\"", line: 2, "escape"),
        Bad("\n" + String(repeating: "a.", count: 100_000) + "a = 1", line: 2, "more than 8 parts"),
    ]

    @Test(arguments: unknownKeys + wrongTypes + operators)
    func `an unknown key or a wrong type is refused at its line`(bad: Bad) { check(bad) }

    @Test(arguments: outOfRange)
    func `a number out of its range is refused with the range`(bad: Bad) { check(bad) }

    @Test(arguments: contradictions)
    func `what contradicts itself or names nothing is refused`(bad: Bad) { check(bad) }

    @Test(arguments: notTOML)
    func `what is no TOML is refused at its line`(bad: Bad) { check(bad) }

    private func check(_ bad: Bad) {
        do {
            _ = try Configuration.parse(bad.text, file: "/etc/g.toml")
            Issue.record("accepted:\n\(bad.text)")
        } catch {
            #expect(error.file == "/etc/g.toml")
            #expect(error.line == bad.line, "\(error)")
            #expect(error.description.hasPrefix("/etc/g.toml:\(bad.line): "))
            #expect(!error.sentence.isEmpty)
            for word in bad.words { #expect(error.sentence.contains(word), "\(error)") }
        }
    }

    @Test func `one bad line among good ones refuses the file whole`() throws {
        let folder = try TemporaryFolder()
        let path = folder.path + "/gatehouse.toml"
        let good = "[cache]\nttl_seconds = 9\n[console]\ntheme = \"mono\"\n"
        try Data(good.utf8).write(to: URL(filePath: path))
        #expect(try Configuration.load(path).cacheSeconds == 9)
        try Data((good + "colour = \"red\"\n").utf8).write(to: URL(filePath: path))
        let problem = #expect(throws: ConfigurationProblem.self) { try Configuration.load(path) }
        #expect(problem?.file == path && problem?.line == 5)
    }

    @Test func `a file that is too large or not UTF-8 is refused rather than repaired`() throws {
        let folder = try TemporaryFolder()
        let path = folder.path + "/gatehouse.toml"
        try Data(repeating: UInt8(ascii: "#"), count: (1 << 20) + 1).write(to: URL(filePath: path))
        let large = #expect(throws: ConfigurationProblem.self) { try Configuration.load(path) }
        #expect(large?.sentence.contains("1 MiB") == true)
        try (Data("instance = \"x\"\n# ".utf8) + Data([0xc3, 0x28])).write(to: URL(filePath: path))
        let bytes = #expect(throws: ConfigurationProblem.self) { try Configuration.load(path) }
        #expect(bytes?.sentence.contains("UTF-8") == true)
    }
}
