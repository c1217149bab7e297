"""What only a gateway between formats can get right or wrong."""

import json

from played import facts

from .cells import BEDROCK_KINDS, CHAT_KINDS, Absent, dropped, refuses, same


def made_elsewhere(cell):
    """A conversation goes on at another provider than the one whose model called the tools."""
    if not hasattr(cell.dialect, "elsewhere"):
        raise Absent
    caller = cell.caller()
    # Claude takes no such history while it thinks; the gateway lets it not think then.
    for thinks in (False,) if cell.native else (False, True):
        said = caller.ask(caller.elsewhere("tools"), tools=True, thinks=thinks)
        same(said.text, facts.FOUND, "the answer")


def one_call_at_a_time(cell):
    caller = cell.caller()
    wish = {"parallel_tool_calls": False}
    if cell.dialect.name == "anthropic messages":
        wish = {"tool_choice": {"type": "auto", "disable_parallel_tool_use": True}}

    def ask():
        return caller.ask(caller.first("single"), tools=True, **wish)

    if cell.kind in ("gemini", *BEDROCK_KINDS):
        refuses(ask, caller, "parallel_tool_calls", "cannot be switched off")
    same([call[1] for call in ask().calls], ["get_weather"], "the tools called")


def picture_of_a_tool(cell):
    if not hasattr(cell.dialect, "chart"):
        raise Absent
    caller = cell.caller()
    talk = caller.first("shown")
    said = caller.ask(talk, tools=True)
    same(caller.ask(caller.go_on(talk, said, [caller.chart()]), tools=True).text, facts.SEEN, "what was seen")


def image_link(cell):
    caller = cell.caller()

    def ask():
        return caller.ask(caller.first("link", image="link"))

    if cell.kind in BEDROCK_KINDS:
        # It follows none; the gateway says so and fetches nothing itself.
        field = "input" if cell.dialect.name == "openai responses" else "messages"
        refuses(ask, caller, field, "send the image itself as base64")
    same(ask().text, facts.SEEN, "what was seen")


def json_mode(cell):
    """Any JSON object: providers that know schemas only are not asked for one of the gateway's making."""
    wish = {"openai chat": {"response_format": {"type": "json_object"}}}
    wish["openai responses"] = {"text": {"format": {"type": "json_object"}}}
    if cell.dialect.name not in wish:
        raise Absent
    caller = cell.caller()

    def ask():
        return caller.ask(caller.first("json"), **wish[cell.dialect.name])

    if cell.kind in ("anthropic", *BEDROCK_KINDS):
        field = "text.format" if cell.dialect.name == "openai responses" else "response_format"
        refuses(ask, caller, field, "must name a JSON schema")
    same(json.loads(ask().text), facts.REPORTED, "the report")


def end_user(cell):
    caller = cell.caller()
    wish = {"metadata": {"user_id": "u-1"}} if cell.dialect.name == "anthropic messages" else {"user": "u-1"}
    said = caller.ask(caller.first("who"), **wish)
    if cell.kind in ("gemini", *BEDROCK_KINDS):
        field = "metadata.user_id" if cell.dialect.name == "anthropic messages" else "user"
        same(dropped(said), [field], "x-gatehouse-dropped")
    else:
        same(json.loads(said.text), "u-1", "whom the provider was told of")


def cache_marks(cell):
    if not hasattr(cell.dialect, "marked") or (cell.native and cell.kind in CHAT_KINDS):
        raise Absent
    caller = cell.caller()
    talk, wishes = caller.marked()
    said = caller.ask(talk, **wishes)
    if cell.kind in ("anthropic", *BEDROCK_KINDS):
        same(json.loads(said.text), {"marks": 2}, "what the provider was told")
    else:
        same(dropped(said), ["cache_control"], "x-gatehouse-dropped")


def usage_unasked(cell):
    """Who does not ask for the usage of a stream gets no chunk with it, whoever answers."""
    if cell.dialect.name != "openai chat" or cell.kind.startswith("azure"):
        raise Absent
    caller = cell.caller()
    chunks = list(caller.client.chat.completions.create(stream=True, **caller.wishes(caller.first("plain"))))
    same([chunk for chunk in chunks if chunk.usage or not chunk.choices], [], "chunks of usage")
    same("".join(chunk.choices[0].delta.content or "" for chunk in chunks), facts.HELLO, "the text")


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


UNSAID = {
    "openai chat": ({"n": 2}, "n"),
    "openai responses": ({"previous_response_id": "resp_0"}, "previous_response_id"),
    "anthropic messages": ({"container": "container_1"}, "container"),
}


def cannot_be_said(cell):
    if cell.native:
        raise Absent
    caller = cell.caller()
    wish, field = UNSAID[cell.dialect.name]
    try:
        refuses(lambda: caller.ask(caller.first("plain"), **wish), caller, field, f"'{field}'")
    except Absent:
        # Here that is what was wanted.
        return


TRANSLATIONS = {
    "tools called elsewhere": made_elsewhere,
    "one call at a time": one_call_at_a_time,
    "picture of a tool": picture_of_a_tool,
    "image by link": image_link,
    "JSON without a schema": json_mode,
    "the caller's user": end_user,
    "cache marks": cache_marks,
    "usage of a stream, unasked": usage_unasked,
    "what cannot be said": cannot_be_said,
    "refusal": refusal,
    "losses are named": losses,
}
