"""The SDK matrix: every caller's format at every kind of provider, through the gateway, with the official SDKs.

Takes the gateway's address, the played providers' ports and the file of their authority, and reads virtual keys from
standard input: of a tenant with good provider keys, and of one whose provider keys were revoked. Prints a table; ends
with 1 where a cell fails.
"""

import functools
import json
import sys
import time
import traceback
import urllib.request

import anthropic
import openai
from driven import cells, others
from driven.chat import Chat
from driven.contents import Contents
from driven.converse import Converse
from driven.failures import FAILURES
from driven.features import SHARED
from driven.messages import Messages
from driven.responses import Responses
from driven.translations import TRANSLATIONS
from played import facts

KINDS = list(facts.PATHS)
KEYS = {"good": facts.KEYS, "revoked": facts.REVOKED}
OK, ABSENT, FAIL = "ok", "-", "FAIL"


class Matrix:
    def __init__(self, gateway, ports, authority, keys):
        self.gateway = gateway
        self.ports = ports
        self.authority = authority
        self.keys = keys
        self.rows = []
        self.failures = []

    # Clients

    def settings(self, key, strict):
        # The SDK refuses an answer that is not of its type; Azure begins its streams with such a one.
        return {"api_key": key, "max_retries": 0, "timeout": 120, "_strict_response_validation": strict}

    @functools.cache
    def openai(self, tenant, strict=True):
        return openai.OpenAI(base_url=self.gateway + "/v1", **self.settings(self.keys[tenant], strict))

    @functools.cache
    def anthropic(self, tenant, strict=True):
        return anthropic.Anthropic(base_url=self.gateway, **self.settings(self.keys[tenant], strict))

    def through(self, dialect, kind):
        """Makes callers of a format that go through the gateway."""
        client = self.anthropic if dialect is Messages else self.openai
        strict = not kind.startswith("azure")
        return lambda model, tenant: dialect(client(tenant, strict), f"{kind}/{model}")

    def directly(self, dialect, kind):
        """Makes callers that ask the played provider itself, with the provider's own SDK."""
        return lambda model, tenant: dialect(self.own(kind, tenant), model)

    @functools.cache
    def own(self, kind, tenant):
        base, key = facts.base(kind, self.ports), KEYS[tenant][kind]
        settings = self.settings(key, not kind.startswith("azure"))
        if kind == "gemini":
            return Contents.connect(base, key)
        if kind.startswith("bedrock"):
            return Converse.connect(base, key, self.authority)
        if kind == "anthropic":
            # This SDK adds the version to the address itself.
            return anthropic.Anthropic(base_url=base.removesuffix("/v1"), **settings)
        if kind == "azure":
            endpoint = base.removesuffix("/openai")
            return openai.AzureOpenAI(azure_endpoint=endpoint, api_version=facts.API_VERSION, **settings)
        return openai.OpenAI(base_url=base, **settings)

    def native(self, kind):
        """The formats that a kind of provider speaks itself."""
        if kind == "gemini":
            return [Contents]
        if kind.startswith("bedrock"):
            return [Converse]
        if kind == "anthropic":
            return [Messages]
        return [Chat] if kind == "compatible" else [Chat, Responses]

    # Running

    def faults(self):
        with urllib.request.urlopen(f"http://127.0.0.1:{self.ports[0]}/faults") as answer:
            return json.load(answer)

    def mark(self, name, kind, trial):
        try:
            trial()
            result = OK
        except cells.Absent:
            result = ABSENT
        except Exception as error:
            result = FAIL
            trace = "".join(traceback.format_tb(error.__traceback__)[-3:])
            self.failures.append(f"{name} at {kind}: {type(error).__name__}: {str(error)[:1500]}\n{trace}")
        # A fault counts even where the caller was content with the answer.
        faults = self.faults()
        if faults:
            result = FAIL
            self.failures += [f"{name} at {kind}: the provider refused: {fault[:1500]}" for fault in faults]
        return result

    def row(self, name, trials):
        self.rows.append((name, [self.mark(name, kind, trial) for kind, trial in zip(KINDS, trials)]))

    def heading(self, text):
        self.rows.append((text, None))

    def run_direct(self):
        self.heading("direct: each provider's own SDK at the played provider")
        for name, feature in SHARED.items():
            self.row(name, [lambda kind=kind: self.try_direct(feature, kind) for kind in KINDS])
        for name, trial in others.DIRECT.items():
            self.row(name, [lambda kind=kind: trial(self, kind) for kind in KINDS])

    def try_direct(self, feature, kind):
        absent = 0
        formats = self.native(kind)
        for dialect in formats:
            try:
                feature(cells.Cell(self.directly(dialect, kind), kind, dialect, direct=True))
            except cells.Absent:
                absent += 1
        if absent == len(formats):
            raise cells.Absent

    def run_gateway(self):
        for dialect in (Chat, Responses, Messages):
            self.heading(f"{dialect.name} through the gateway")
            for name, feature in {**SHARED, **TRANSLATIONS, **FAILURES}.items():
                made = [cells.Cell(self.through(dialect, kind), kind, dialect) for kind in KINDS]
                self.row(name, [lambda cell=cell: feature(cell) for cell in made])
        self.heading("other endpoints through the gateway")
        for name, trial in others.GATEWAY.items():
            self.row(name, [lambda kind=kind: trial(self, kind) for kind in KINDS])

    # Telling

    def table(self):
        width = max(len(name) for name, _ in self.rows if _ is not None) + 2
        columns = [max(len(kind), 4) for kind in KINDS]
        lines = []
        for name, marks in self.rows:
            if marks is None:
                titles = "  ".join(kind.ljust(size) for kind, size in zip(KINDS, columns))
                lines += ["", name, " " * width + titles]
            else:
                cells_text = "  ".join(mark.ljust(size) for mark, size in zip(marks, columns))
                lines.append((name.ljust(width) + cells_text).rstrip())
        return "\n".join(lines)


def main():
    gateway, plain, secure, authority = sys.argv[1:]
    keys = {name: sys.stdin.readline().strip() for name in ("good", "revoked")}
    keys["unknown"] = "gth_unknown"
    began = time.monotonic()
    matrix = Matrix(gateway, (int(plain), int(secure)), authority, keys)
    matrix.run_direct()
    matrix.run_gateway()
    print(matrix.table())
    marks = [mark for _, row in matrix.rows if row for mark in row]
    print(f"\n{marks.count(OK)} ok, {marks.count(ABSENT)} not to be had, {marks.count(FAIL)} failed", end="")
    print(f" in {time.monotonic() - began:.0f} s with", end=" ")
    print(f"openai {openai.__version__}, anthropic {anthropic.__version__}, {others.versions()}")
    for failure in matrix.failures:
        print("\nFAIL", failure)
    sys.exit(1 if matrix.failures else 0)


if __name__ == "__main__":
    main()
