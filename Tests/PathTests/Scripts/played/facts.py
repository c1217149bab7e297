"""What both ends of the matrix know: the driver asks for it, the played model answers with it."""

# One red pixel.
PNG = "iVBORw0KGgoAAAANSUhEUgAAAAEAAAABCAYAAAAfFcSJAAAADUlEQVR42mP8z8BQDwAEhQGAhKmMIQAAAABJRU5ErkJggg=="
LINK = "https://example.com/pixel.png"
HELLO = 'Grüße aus Zürich, 世界 🌍: "all" is \\well.\nA second line.'
SYSTEM = "You are terse.\nNever say Grüezi."
SEEN = "a red pixel"
THOUGHT = "The user wants figures, so I look them up first.\nÜberlegt."
LOOKING = "Let me look. "
FOUND = "Zürich has 21 °C at 12:00."
REFUSED = "I cannot help with that."
NO_TOOLS_NEEDED = "No tool was called."


def schema(**properties):
    return {
        "type": "object",
        "properties": properties,
        "required": list(properties),
        "additionalProperties": False,
    }


# From a tool's name to its description and the schema of its arguments.
TOOLS = {
    "get_weather": (
        "The weather of a city.",
        schema(city={"type": "string", "description": "its name"}, unit={"type": "string", "enum": ["c", "f"]}),
    ),
    "get_time": ("The time of day in a zone.", schema(zone={"type": "string"})),
}
# What the model calls at once, and what the tools say to it.
CALLS = [("get_weather", {"city": "Zürich", "unit": "c"}), ("get_time", {"zone": "Europe/Zurich"})]
RESULTS = ['{"celsius": 21}', "12:00"]

REPORT = schema(city={"type": "string"}, celsius={"type": "integer"})
REPORTED = {"city": "Zürich", "celsius": 21}

# Of every answer but the `cached` play's: tokens, disjoint but for those of reasoning, which are among the output.
USAGE = {"fresh": 60, "read": 40, "written": 0, "written_hour": 0, "output": 20, "reasoning": 8}
USAGE_WRITTEN = {"fresh": 60, "read": 40, "written": 24, "written_hour": 4, "output": 20, "reasoning": 0}
COUNTED = 42

RETRY_SECONDS = 7
SAMPLING = {"most": 2048, "temperature": 0.5, "top_p": 0.9, "stop": ["END", "停"]}
# Where a test says nothing: no provider but OpenAI's takes `None` for an answer's length.
MOST = 4096

REGION = "eu-central-1"
API_VERSION = "2024-10-21"
# A provider key is good if it is the one of its kind; one that was revoked still passes the free check of a key.
KEYS = {
    "openai": "sk-good-0123456789abcdef",
    "anthropic": "sk-ant-good-0123456789abcdef",
    "gemini": "AIzaSyGood-0123456789abcdefghijklmnopqr",
    "bedrock": "AKIAGOOD0123456789AB:wJalrXUtnFEMI/K7MDENG/bPxRfiCYEXAMPLEKEY",
    "bedrock-key": "bedrock-api-key-good0123456789abcdef",
    "azure": "0123456789abcdef0123456789abcdef",
    "azure-v1": "0123456789abcdef0123456789abcdef",
    "compatible": "sk-compatible-0123456789abcdef",
}
REVOKED = {
    "openai": "sk-REVOKED-0123456789abcdef",
    "anthropic": "sk-ant-REVOKED-0123456789abcdef",
    "gemini": "AIzaSyREVOKED-0123456789abcdefghijklmno",
    "bedrock": "AKIAREVOKED456789AB0:wJalrXUtnFEMI/K7MDENG/bPxRfiCYREVOKEDKEY",
    "bedrock-key": "bedrock-api-key-REVOKED456789abcdef",
    "azure": "REVOKED789abcdef0123456789abcdef",
    "azure-v1": "REVOKED789abcdef0123456789abcdef",
    "compatible": "sk-REVOKED-0123456789abcdef",
}
MODELS = {
    "openai": "gpt-6-luna",
    "anthropic": "claude-sonnet-4-5",
    "gemini": "gemini-3-pro",
    "bedrock": "eu.anthropic.claude-sonnet-4-5-20250929-v1:0",
    "bedrock-key": "eu.anthropic.claude-sonnet-4-5-20250929-v1:0",
    "azure": "luna-deployment",
    "azure-v1": "luna-deployment",
    "compatible": "deepseek-reasoner",
}
# Whom the driver's columns reach, and under which path.
PATHS = {
    "openai": "/openai/v1",
    "anthropic": "/anthropic/v1",
    "gemini": "/gemini/v1beta",
    "bedrock": "/bedrock",
    "bedrock-key": "/bedrock-key",
    "azure": "/azure/openai",
    "azure-v1": "/azure-v1/openai/v1",
    "compatible": "/compatible/v1",
}


def model(kind, tag=""):
    """A model of this kind's; a tag makes it another one, which the gateway judges apart."""
    name = MODELS[kind]
    if not tag:
        return name
    return name.replace("-v1:0", f"-{tag}-v1:0") if kind.startswith("bedrock") else f"{name}-{tag}"


def base(kind, ports):
    """The base address of a kind; `ports` are those for HTTP and for HTTPS."""
    if kind == "bedrock-key":
        return f"https://127.0.0.1:{ports[1]}{PATHS[kind]}"
    return f"http://127.0.0.1:{ports[0]}{PATHS[kind]}"


def configuration(ports, authority):
    """What a gateway is told to reach all kinds, each also by a route's name."""
    kinds = {"azure-v1": "azure", "bedrock-key": "bedrock", "compatible": "openai-compatible"}
    lines = ["[upstream]", f'ca_file = "{authority}"']
    for name in PATHS:
        lines += ["[[provider]]", f'name = "{name}"', f'kind = "{kinds.get(name, name)}"']
        lines.append(f'base_url = "{base(name, ports)}"')
        if name.startswith("bedrock"):
            lines.append(f'region = "{REGION}"')
        if name == "azure":
            lines.append(f'api_version = "{API_VERSION}"')
        lines += ["[[route]]", f'model = "route-{name}"', f'targets = ["{name}/{model(name)}"]']
    return "\n".join(lines) + "\n"
