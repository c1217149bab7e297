"""What callers of the gateway and the providers' own SDKs try alike."""

import json

from played import facts

from .cells import BEDROCK_KINDS, CHAT_KINDS, OPENAI_KINDS, Absent, dropped, ends, head, same


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
        same(dropped(last), ["thinking"] if about else [], "x-gatehouse-dropped")

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
