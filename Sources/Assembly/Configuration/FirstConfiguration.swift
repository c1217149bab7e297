import Imports

/// The `gatehouse.toml` that `gatehouse init` leaves: every key with its default, as comments.
public enum FirstConfiguration {
    public static func text(keyFile: String?) -> String {
        let vault =
            keyFile.map { "[vault]\nunlock = \"keyfile\"\nkeyfile = \(TOMLText.quoted($0))\n" }
            ?? "[vault]\nunlock = \"passphrase\"           # passphrase | keyfile (then also: keyfile = \"/absolute/path\")\n"
        return """
            # Gatehouse. Changes are picked up while it runs; a bad file is refused whole.
            # instance = "gatehouse"              # the name on the screens

            [listen]
            address = "127.0.0.1:8080"            # anything but loopback needs the two lines below
            # tls_certificate = "/etc/gatehouse/tls.pem"
            # tls_key = "/etc/gatehouse/tls.key"
            # threads = 2                         # event loops for calls; 0 or no line = one per core

            \(vault)# credential = "vault.key"            # with unlock = "credential": a file in $CREDENTIALS_DIRECTORY
            # variable = "GATEHOUSE_PASSPHRASE"   # with unlock = "environment", which also needs insecure = true
            # insecure = false
            # [vault.pkcs11]                      # with unlock = "pkcs11", and for slots that a token's key keeps
            # module = "/usr/lib/softhsm/libsofthsm2.so"
            # token = "gatehouse"                 # the token's label
            # key = "vault"                       # the label of an AES key of 256 bits on it, not extractable
            # pin_file = "/etc/gatehouse/pin"     # or pin_credential = "vault.pin"; no line = it is asked for
            # [vault.kms]                         # with unlock = "kms": a key of AWS KMS, or of what speaks as it does
            # key = "alias/gatehouse"             # ARN, id or alias of a symmetric key
            # region = "eu-central-1"
            # endpoint = "https://kms.eu-central-1.amazonaws.com"   # no line = the region's own
            # credentials_file = "/etc/gatehouse/aws"   # or credential = "aws"; no line = AWS_ACCESS_KEY_ID and so on
            # profile = "default"
            # allow_private = false               # an endpoint at a private address

            # Providers that need no entry: openai, anthropic, gemini, mistral, groq, deepseek, xai, together, openrouter;
            # ollama and vllm on this machine need only their name. An entry adds a provider or changes one.
            # [[provider]]
            # name = "house-vllm"
            # like = "vllm"                       # one of those above: takes its requests as that one does
            # kind = "openai-compatible"          # openai | openai-compatible | anthropic | gemini | bedrock | azure
            # base_url = "http://127.0.0.1:8001/v1"
            # keyless = true                      # calls go out without any key
            # allow_plain_http = false            # http:// to another machine than this one
            # allow_private = false               # a host name that leads to a private address
            # retention = "none"                  # how long it keeps what it is sent, for routes; no line = not known
            # probe = "30s"                       # asks it so often, free and without a key, whether it answers;
            #                                     # no line = never

            # [[provider]]                        # one per Azure resource; models are its deployments
            # name = "azure-eu"
            # kind = "azure"
            # base_url = "https://my-resource.openai.azure.com/openai"
            # api_version = "2024-10-21"          # no line = its v1 addresses, whose base_url ends in /openai/v1
            # region = "eu"                       # for routes; no line = not known

            # [[provider]]                        # one per Bedrock region
            # name = "bedrock-us"
            # kind = "bedrock"
            # base_url = "https://bedrock-runtime.us-east-1.amazonaws.com"
            # region = "us-east-1"                # no line = as the host says

            # [[route]]                           # a name for a group of targets
            # model = "smart"
            # targets = ["anthropic/claude-sonnet-5", "openai/gpt-6-sol"]
            # strategy = "priority"               # priority | weighted | cheapest | fastest | throughput | least_busy |
            #                                     # sticky (a conversation stays where its prompt is cached)
            # weights = [1, 1]                    # one a target, for weighted and sticky
            # allow = []                          # the only providers that may take a call; none named = all
            # deny = []                           # providers that may not
            # regions = []                        # "eu" covers eu-west-1 too; none named = anywhere
            # retention = []                      # such as "none"; none named = any
            # max_usd = "0.05"                    # the most that a call may cost by estimate; no line = anything
            # requires = []                       # tools, vision, json_schema: whatever a call itself shows it needs
            # min_context = 0                     # tokens that a model reads at least
            # last_resort = "openai/gpt-6-luna"   # tried when nothing else can take the call; no line = none
            # on_context_overflow = []            # targets to try when one says that the call is too long
            # on_content_policy = []              # targets to try when one refuses the content
            # hedge_ms = 0                        # a second attempt runs beside one that is silent so long; 0 = never

            # [[model]]                           # what you know of models and the price table does not
            # target = "house-vllm/*"             # a * at the end stands for anything
            # lacks = []                          # tools, vision, json_schema: such calls go elsewhere
            # context = 0                         # tokens that it reads; 0 = what the price table says

            # [platform]                          # whose keys serve tenants without keys of their own:
            # tenant = "house"                    # gatehouse tenant platform-keys NAME on; no line = nobody's

            # [drill]
            # tenants = []                        # those that made faults are allowed for: gatehouse drill start

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

            # [[operator]]                        # one per person: who may do what; none = this account and root, everything
            # user = "mira"                       # an account of this machine
            # role = "admin"                      # viewer | operator | admin; at least one is admin

            # [socket]                            # for [[operator]]s of other accounts: they give commands here
            # path = "/run/gatehouse/engine.sock" # in a folder that only this account or root may write
            # group = "gatehouse"                 # its members may connect; this account is one

            # [console]
            # theme = "ops-dark"                  # see: gatehouse theme list

            [audit]
            # checkpoints = "/mnt/elsewhere/gatehouse.checkpoints"
            #                                     # a file outside the data folder, better of another user or machine: to it
            #                                     # signed checkpoints are appended; no line = an administrator can cut off
            #                                     # the audit's end unseen

            """
    }
}
