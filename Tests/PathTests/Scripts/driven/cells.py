"""What one cell of the matrix tries: a caller's format, a kind of provider, a feature.

Each feature is a function of a cell. It returns nothing where all is well, raises `AssertionError` where it is not, and
`Absent` where the formats have no such thing; then it has shown that the gateway says so.
"""

import dataclasses
import json
import re

from played import facts

from .said import prompt

OPENAI_KINDS = ("openai", "azure", "azure-v1")
CHAT_KINDS = (*OPENAI_KINDS, "compatible")
BEDROCK_KINDS = ("bedrock", "bedrock-key")
FORMATS = {"anthropic": "anthropic-messages", "gemini": "gemini-contents", "compatible": "openai-chat"}
FORMATS |= dict.fromkeys(BEDROCK_KINDS, "bedrock-converse") | dict.fromkeys(OPENAI_KINDS, "openai-chat")
# What goes as it is; all else is translated.
AS_IT_IS = {"openai chat": CHAT_KINDS, "openai responses": OPENAI_KINDS, "anthropic messages": ("anthropic",)}


class Absent(Exception):
    """There is no such thing here."""


@dataclasses.dataclass
class Cell:
    """`make` makes the caller for a model, and for a tenant or with a key of no worth; None as it is directly."""

    make: object
    kind: str
    dialect: type
    direct: bool = False

    def caller(self, tag="", tenant="good"):
        return self.make(facts.model(self.kind, tag), tenant)

    @property
    def translated(self):
        return None if self.direct or self.kind in AS_IT_IS[self.dialect.name] else FORMATS[self.kind]

    @property
    def native(self):
        return self.translated is None


def same(got, wanted, what):
    assert got == wanted, f"{what} is {got!r}, not {wanted!r}"


def head(cell, caller, said):
    if cell.direct:
        return
    same(said.headers.get("x-gatehouse-target"), caller.model, "x-gatehouse-target")
    same(said.headers.get("x-gatehouse-translated"), cell.translated, "x-gatehouse-translated")
    same(said.headers.get("x-gatehouse-attempts"), "1", "x-gatehouse-attempts")
    assert said.headers.get("x-request-id"), "no x-request-id"


def dropped(said):
    given = said.headers.get("x-gatehouse-dropped")
    return sorted(given.split(", ")) if given else []


def ends(caller, said, stop):
    same(said.stop, caller.STOPS[stop], "the end")


def speaks(stream):
    def text(cell):
        caller = cell.caller()
        said = caller.ask(caller.first("plain"), stream=stream)
        same(said.text, facts.HELLO, "the text")
        same((said.calls, said.thoughts), ([], []), "what came besides")
        if stream:
            assert len(said.deltas) > 3, f"the text came in {len(said.deltas)} pieces"
        ends(caller, said, "end")
        head(cell, caller, said)
        same(dropped(said), [], "x-gatehouse-dropped")

    return text


def system(cell):
    caller = cell.caller()
    same(caller.ask(caller.first("system"), system=facts.SYSTEM).text, facts.SYSTEM, "the system's text")


def calls_tools(stream):
    """Two calls at once, both results, the answer."""

    def tools(cell):
        caller = cell.caller()
        talk = caller.first("tools")
        said = caller.ask(talk, stream=stream, tools=True)
        check_calls(said)
        same(said.text, facts.LOOKING, "the text beside the calls")
        ends(caller, said, "tools")
        last = caller.ask(caller.go_on(talk, said, facts.RESULTS), stream=stream, tools=True)
        same((last.text, last.calls), (facts.FOUND, []), "the answer")
        ends(caller, last, "end")
        head(cell, caller, last)

    return tools


def check_calls(said):
    same([(name, arguments) for _, name, arguments in said.calls], facts.CALLS, "the calls")
    ids = [id for id, _, _ in said.calls]
    # Google's SDK goes by order.
    assert len(set(ids)) == 2 or ids == [None, None], f"the calls' ids are {ids}"


def chooses(play, choice, wanted):
    def tool_choice(cell):
        caller = cell.caller()
        if play == "forbidden" and cell.direct and cell.kind in BEDROCK_KINDS:
            raise Absent
        said = caller.ask(caller.first(play), tools=True, choice=choice)
        same([call[1] for call in said.calls], wanted, "the tools called")

    return tool_choice


def failed_tool(cell):
    """Where the caller's format says that a tool failed, the provider's does, or the loss is named."""
    if cell.dialect.name.startswith("openai"):
        raise Absent
    caller = cell.caller()
    talk = caller.first("failed")
    said = caller.ask(talk, tools=True)
    last = caller.ask(caller.go_on(talk, said, ["no such city"], failed=True), tools=True)
    if cell.kind in CHAT_KINDS:
        same(dropped(last), ["is_error"], "x-gatehouse-dropped")
    else:
        same(json.loads(last.text), {"is_error": True}, "what the provider was told")


def made_elsewhere(cell):
    """A conversation goes on at another provider than the one whose model called the tools."""
    if not hasattr(cell.dialect, "elsewhere"):
        raise Absent
    caller = cell.caller()
    # Claude takes no such history while it thinks; the gateway lets it not think then.
    for thinks in (False,) if cell.native else (False, True):
        said = caller.ask(caller.elsewhere("tools"), tools=True, thinks=thinks)
        same(said.text, facts.FOUND, "the answer")


def image(cell):
    caller = cell.caller()
    same(caller.ask(caller.first("image", image=True)).text, facts.SEEN, "what was seen")


def schema(cell):
    caller = cell.caller()
    same(json.loads(caller.ask(caller.first("schema"), schema=True).text), facts.REPORTED, "the report")


def reasons(stream):
    """Reasoning comes, goes back with the tools' results, and is taken for its maker's own."""

    def reasoning(cell):
        caller = cell.caller()
        talk = caller.first("reason")
        said = caller.ask(talk, stream=stream, tools=True, thinks=True)
        # Chat completions of OpenAI's own keep it to themselves; responses do not.
        silent = cell.kind in OPENAI_KINDS and cell.dialect.name != "openai responses"
        same(said.thoughts, [] if silent else [facts.THOUGHT], "the reasoning")
        check_calls(said)
        last = caller.ask(caller.go_on(talk, said, facts.RESULTS), stream=stream, tools=True, thinks=True)
        same(last.text, facts.FOUND, "the answer")
        # A budget has no exact counterpart where only efforts are known.
        about = cell.dialect.name == "anthropic messages" and cell.kind in (*CHAT_KINDS, "gemini")
        same(dropped(last), ["reasoning"] if about else [], "x-gatehouse-dropped")

    return reasoning


def hides(stream):
    def hidden_reasoning(cell):
        if cell.kind not in ("anthropic", *BEDROCK_KINDS):
            raise Absent
        caller = cell.caller()
        talk = caller.first("redacted")
        said = caller.ask(talk, stream=stream, tools=True, thinks=True)
        same(said.thoughts, [], "the reasoning")
        check_calls(said)
        last = caller.ask(caller.go_on(talk, said, facts.RESULTS), stream=stream, tools=True, thinks=True)
        same(last.text, facts.FOUND, "the answer")

    return hidden_reasoning


def sampling(cell):
    caller = cell.caller()
    sent = dict(facts.SAMPLING)
    if cell.kind in ("anthropic", *BEDROCK_KINDS):
        # Claude takes one of the two only, and one that says the default is as good as none.
        sent["top_p"] = 1
    if cell.dialect.name == "openai responses":
        del sent["stop"]
    if cell.dialect.name == "anthropic messages" and cell.native:
        # Gone with the version that the SDK speaks.
        del sent["temperature"], sent["top_p"]
    if cell.direct and cell.kind in BEDROCK_KINDS:
        del sent["top_p"]
    said = caller.ask(caller.first("sampling"), **sent)
    got = json.loads(said.text)
    same(dropped(said), [], "x-gatehouse-dropped")
    if sent.get("top_p") == 1:
        del sent["top_p"]
    same({name: value for name, value in got.items() if name in sent}, sent, "what the model was told")


def counts(stream):
    def usage(cell):
        caller = cell.caller()
        silent = cell.kind in ("anthropic", *BEDROCK_KINDS)
        said = caller.ask(caller.first("usage"), stream=stream)
        same(said.usage, caller.usage(facts.USAGE, 0 if silent else facts.USAGE["reasoning"]), "the usage")
        written = dict(facts.USAGE_WRITTEN)
        if cell.kind == "gemini":
            # Has no word for what it wrote.
            written |= {"fresh": written["fresh"] + written["written"], "written": 0}
        said = caller.ask(caller.first("cached"), stream=stream)
        same(said.usage, caller.usage(written, 0), "the usage with what was written to the cache")

    return usage


def stops(stream):
    def ends_early(cell):
        caller = cell.caller()
        for play in ("length", "sequence", "filter"):
            wanted = play
            if play == "sequence" and cell.kind in (*CHAT_KINDS, "gemini"):
                # They do not tell it from an end like any other.
                wanted = "end"
            same(caller.ending(caller.first(play), stream), caller.STOPS[wanted], "the end")

    return ends_early


def refusal(cell):
    if cell.kind not in CHAT_KINDS:
        raise Absent
    caller = cell.caller()
    for stream in (False, True):
        said = caller.ask(caller.first("refuse"), stream=stream)
        same(said.refusal or said.text, facts.REFUSED, "the refusal")


LOSSES = {
    "openai chat": {"metadata": {"a": "b"}, "store": True, "prompt_cache_key": "k", "safety_identifier": "s"},
    "openai responses": {"metadata": {"a": "b"}, "prompt_cache_key": "k", "safety_identifier": "s"},
    "anthropic messages": {"service_tier": "standard_only"},
}


def losses(cell):
    """What the other format has no word for is named in the answer's head."""
    caller = cell.caller()
    sent = LOSSES[cell.dialect.name]
    for stream in (False, True):
        if stream and cell.dialect.name == "openai responses":
            # The helper for streams keeps these to itself.
            continue
        said = caller.ask(caller.first("plain"), stream=stream, **sent)
        same(dropped(said), [] if cell.native else sorted(sent), "x-gatehouse-dropped")


# Errors


def raised(call, kind=Exception):
    try:
        got = call()
    except kind as error:
        return error
    raise AssertionError(f"no {kind.__name__} but {got!r}")


def check_status(error, status, name, words):
    code = getattr(error, "status_code", None)
    same((type(error).__name__, code), (name, status), f"the error ({error})")
    assert re.search(words, str(error)), f"{words!r} is not in {error}"


def fails(play, status, name, words, key="good"):
    """A call that ends with this status, whole and streamed alike, in the SDK's own class."""

    def failure(cell):
        # Another model for each: what the gateway keeps in mind of it must not reach other cells.
        for stream in (False, True):
            tag = re.sub("[^a-z]", "", f"{play}{cell.dialect.__name__}{stream}".lower())
            caller = cell.caller(tag, key)
            error = raised(lambda: caller.ask(caller.first(play), stream=stream), caller.errors.APIError)
            check_status(error, status, name, words)
            if status == 429:
                # AWS does not say how long.
                wait = 1 if cell.kind in BEDROCK_KINDS else facts.RETRY_SECONDS
                same(error.response.headers.get("retry-after"), str(wait), "retry-after")
            for secret in [*facts.KEYS.values(), *facts.REVOKED.values()]:
                assert secret not in str(error), "a provider key is in the error"

    return failure


def breaks(play):
    """A stream that breaks after its first content never ends as if it were whole."""

    def broken(cell):
        if play == "damaged" and cell.kind not in BEDROCK_KINDS:
            raise Absent
        tag = re.sub("[^a-z]", "", f"{play}{cell.dialect.__name__}".lower())
        caller = cell.caller(tag)
        error = raised(lambda: caller.raw(caller.first(play)), caller.errors.APIError)
        assert "incomplete" in str(error), error
        error = raised(lambda: caller.ask(caller.first(play), stream=True), caller.errors.APIError)
        assert "incomplete" in str(error), error

    return broken


def first_event_fails(cell):
    """An error that is a stream's first event is told by the answer's status."""
    tag = f"first{cell.dialect.__name__}".lower()
    caller = cell.caller(tag)
    error = raised(lambda: caller.ask(caller.first("inband-first"), stream=True), caller.errors.APIStatusError)
    wanted = (429, "RateLimitError") if cell.kind in BEDROCK_KINDS else (502, "InternalServerError")
    same((error.status_code, type(error).__name__), wanted, "the error")


# What both the SDK of the provider itself and callers of the gateway try.
SHARED = {
    "text": speaks(False),
    "text, streamed": speaks(True),
    "system prompt": system,
    "tools": calls_tools(False),
    "tools, streamed": calls_tools(True),
    "tool choice: one by name": chooses("named", ("named", "get_time"), ["get_time"]),
    "tool choice: any": chooses("required", "any", ["get_weather"]),
    "tool choice: none": chooses("forbidden", "none", []),
    "a tool that failed": failed_tool,
    "image": image,
    "JSON schema": schema,
    "reasoning there and back": reasons(False),
    "the same, streamed": reasons(True),
    "hidden reasoning": hides(False),
    "hidden reasoning, streamed": hides(True),
    "sampling": sampling,
    "usage, cached tokens": counts(False),
    "usage, streamed": counts(True),
    "reasons of the end": stops(False),
    "the same of streams": stops(True),
}
GATEWAY = {
    **SHARED,
    "tools called elsewhere": made_elsewhere,
    "refusal": refusal,
    "losses are named": losses,
    "400 of the provider": fails("fail-request", 400, "BadRequestError", "the played model refuses this"),
    "400, context too long": fails("fail-context", 400, "BadRequestError", "(?i)too long|maximum|exceeds"),
    "401 of the gateway": fails("plain", 401, "AuthenticationError", "virtual key", key="unknown"),
    "provider key revoked": fails("plain", 424, "APIStatusError", "provider key", key="revoked"),
    "429 with retry-after": fails("fail-rate", 429, "RateLimitError", "limits the rate"),
    "500 of the provider": fails("fail-server", 502, "InternalServerError", "failed with 500"),
    "overloaded": fails("fail-overloaded", 502, "InternalServerError", "failed with 5"),
    "error as first event": first_event_fails,
    "error within a stream": breaks("inband"),
    "cut stream": breaks("cut"),
    "stream without its end": breaks("vanish"),
    "damaged frame": breaks("damaged"),
}
