/// The `gatehouse.toml` that `gatehouse init` leaves: every key with its default, as comments.
package enum FirstConfiguration {
    package static func text(keyFile: String?) -> String {
        let vault =
            keyFile.map { "[vault]\nunlock = \"keyfile\"\nkeyfile = \(quoted($0))\n" }
            ?? "[vault]\nunlock = \"passphrase\"           # passphrase | keyfile (then also: keyfile = \"/absolute/path\")\n"
        return """
            # Gatehouse. Changes are picked up while it runs; a bad file is refused whole.
            # instance = "gatehouse"              # the name on the screens

            [listen]
            address = "127.0.0.1:8080"            # anything but loopback needs the two lines below
            # tls_certificate = "/etc/gatehouse/tls.pem"
            # tls_key = "/etc/gatehouse/tls.key"
            # threads = 2                         # event loops for calls; 0 or no line = one per core

            \(vault)
            # Providers that need no entry: openai, anthropic, mistral, groq, deepseek, xai, together.
            # [[provider]]
            # name = "vllm"
            # kind = "openai-compatible"          # openai | openai-compatible | anthropic
            # base_url = "http://127.0.0.1:8000/v1"
            # keyless = true                      # calls go out without any key
            # allow_plain_http = false            # http:// to another machine than this one
            # allow_private = false               # a host name that leads to a private address

            # [[route]]                           # a name for a group of targets
            # model = "smart"
            # targets = ["anthropic/claude-sonnet-5", "openai/gpt-6-sol"]
            # strategy = "priority"               # priority | weighted
            # weights = [3, 1]                    # for weighted, one a target

            # [cache]
            # enabled = true
            # ttl_seconds = 300
            # bytes_max = 67108864

            # [bounds]
            # body_bytes_max = 33554432
            # attempts = 4                        # of one call, over all targets and keys
            # connect_seconds = 5
            # first_byte_seconds = 60
            # idle_seconds = 60                   # between two pieces of an answer
            # total_seconds = 600

            # [breaker]
            # failure_percent = 50                # of at least minimum_calls in 30 s
            # minimum_calls = 10
            # consecutive_failures = 5            # connect failures and time-outs in a row
            # open_seconds = 10                   # doubles with each failed probe
            # open_seconds_max = 120
            # probe_successes = 3

            # [upstream]
            # ca_file = "/etc/gatehouse/ca.pem"   # instead of the system's certificate authorities

            # [console]
            # theme = "ops-dark"                  # see: gatehouse theme list

            """
    }

    /// A TOML basic string (TOML 1.0, "String").
    private static func quoted(_ text: String) -> String {
        var out = "\""
        for scalar in text.unicodeScalars {
            switch scalar.value {
            case 0x22, 0x5c: out += "\\\(scalar)"
            case 0..<0x20, 0x7f:
                let digits = String(scalar.value, radix: 16)
                out += "\\u" + String(repeating: "0", count: 4 - digits.count) + digits
            default: out.unicodeScalars.append(scalar)
            }
        }
        return out + "\""
    }
}
