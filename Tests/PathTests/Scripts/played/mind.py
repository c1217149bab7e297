"""The model behind every played provider, in no provider's words.

What it does is named in the first text of the user, as `PLAY name`: so the play itself shows that texts arrive. It
checks what a real model's provider checks of a conversation, and answers with what `facts` says.
"""

import base64
import dataclasses
import hashlib
import json
import re

from . import facts
from .shape import Fault


@dataclasses.dataclass
class Text:
    text: str


@dataclasses.dataclass
class Image:
    """Base64, or a link without a type."""

    media: str | None
    data: str


@dataclasses.dataclass
class Call:
    id: str
    name: str
    arguments: dict
    seal: str | None = None


@dataclasses.dataclass
class Result:
    id: str
    name: str | None
    text: str
    is_error: bool | None = None
    images: list = dataclasses.field(default_factory=list)


@dataclasses.dataclass
class Thought:
    text: str
    seal: str | None = None
    hidden: bool = False


@dataclasses.dataclass
class Refusal:
    text: str


@dataclasses.dataclass
class Ask:
    kind: str
    model: str
    stream: bool
    system: list = dataclasses.field(default_factory=list)
    # Pairs of `user` or `assistant` and a list of the above.
    turns: list = dataclasses.field(default_factory=list)
    # From the name to description, schema.
    tools: dict = dataclasses.field(default_factory=dict)
    choice: str | tuple | None = None
    # `json` where any object will do.
    shape: dict | str | None = None
    parallel: bool | None = None
    user: str | None = None
    most: int | None = None
    temperature: float | None = None
    top_p: float | None = None
    stop: list = dataclasses.field(default_factory=list)
    thinks: str | None = None
    cached: int = 0
    # Formats whose calls carry the seal that others have on their thoughts.
    seals_calls: bool = False
    gives_thoughts: bool = True

    @property
    def play(self):
        for role, parts in self.turns:
            for part in parts:
                if role == "user" and isinstance(part, Text):
                    match = re.match(r"PLAY (\S+)", part.text)
                    if match:
                        return match[1]
        raise Fault("no text of the user says what to play")


@dataclasses.dataclass
class Reply:
    parts: list
    stop: str = "end"
    sequence: str | None = None
    usage: dict = dataclasses.field(default_factory=lambda: facts.USAGE)
    # How a stream breaks: `inband`, `cut`, `vanish`, `inband-first`, `damaged`.
    breaks: str | None = None


class Refused(Exception):
    """The call is refused with this kind of error."""


REFUSALS = {"fail-request", "fail-rate", "fail-server", "fail-context", "fail-overloaded", "fail-quota"}
BREAKS = {"inband", "cut", "vanish", "inband-first", "damaged"}


def seal(kind, text):
    """What only the maker can have written; base64, as all the real ones are."""
    return base64.b64encode(hashlib.sha256(f"secret of {kind}: {text}".encode()).digest()).decode()


def check_seal(kind, thought):
    wanted = seal(kind, "hidden" if thought.hidden else thought.text)
    if thought.seal != wanted:
        raise Fault(f"invalid signature of reasoning: {thought.seal!r}")


def cuts(text, size=7):
    return [text[start : start + size] for start in range(0, len(text), size)] or [""]


def reply(ask):
    play = ask.play
    if play in REFUSALS:
        raise Refused(play.removeprefix("fail-"))
    if play in BREAKS:
        return Reply([Text(facts.HELLO)], breaks=play)
    if play == "blocked" and ask.kind.startswith("azure"):
        raise Refused("blocked")
    return PLAYS[play](ask)


def need(condition, what):
    if not condition:
        raise Fault(f"the played model did not get {what}")


def plain(ask):
    return Reply([Text(facts.HELLO)], usage={**facts.USAGE, "reasoning": 0})


def system(ask):
    return Reply([Text("|".join(ask.system))])


def sampling(ask):
    # Formats may keep the numbers' spelling or not: only the value counts.
    got = {"most": ask.most, "temperature": ask.temperature, "top_p": ask.top_p, "stop": ask.stop}
    return Reply([Text(json.dumps(got))])


def image(ask):
    images = [part for _, parts in ask.turns for part in parts if isinstance(part, Image)]
    need(images == [Image("image/png", facts.PNG)], f"the image, but {images}")
    return Reply([Text(facts.SEEN)])


def link(ask):
    images = [part for _, parts in ask.turns for part in parts if isinstance(part, Image)]
    need(images == [Image(None, facts.LINK)], f"the link, but {images}")
    return Reply([Text(facts.SEEN)])


def shown(ask):
    """The tool answers with a picture, which some formats have beside the result only."""
    check_tools(ask)
    if not results(ask):
        return Reply(calls(ask)[:1], stop="tools")
    (result,) = results(ask)
    need(result.text.startswith("a chart"), f"the tool's words, but {result}")
    images = result.images + [part for _, parts in ask.turns for part in parts if isinstance(part, Image)]
    need(images == [Image("image/png", facts.PNG)], f"the tool's image, but {images}")
    return Reply([Text(facts.SEEN)])


def json_only(ask):
    need(ask.shape == "json", f"the wish for JSON, but {ask.shape}")
    return Reply([Text(json.dumps(facts.REPORTED))])


def single(ask):
    check_tools(ask)
    need(ask.parallel is False, f"the wish for one call at a time, but {ask.parallel}")
    return Reply(calls(ask)[:1], stop="tools")


def who(ask):
    return Reply([Text(json.dumps(ask.user))])


def schema(ask):
    need(ask.shape == facts.REPORT, f"the schema, but {ask.shape}")
    return Reply([Text(json.dumps(facts.REPORTED, ensure_ascii=False))])


def check_tools(ask):
    need(ask.tools == facts.TOOLS, f"the tools, but {ask.tools}")


def calls(ask):
    sealed = seal(ask.kind, "call") if ask.seals_calls else None
    return [
        Call(f"call_{index}_{ask.kind}", name, arguments, seal=sealed if index == 0 else None)
        for index, (name, arguments) in enumerate(facts.CALLS)
    ]


def results(ask):
    return [part for _, parts in ask.turns for part in parts if isinstance(part, Result)]


def check_results(ask):
    """That the calls came back as they were made, each with its own result."""
    made = [part for role, parts in ask.turns if role == "assistant" for part in parts if isinstance(part, Call)]
    need([(call.name, call.arguments) for call in made] == facts.CALLS, f"its own calls, but {made}")
    found = results(ask)
    need([result.text for result in found] == facts.RESULTS, f"the results, but {found}")
    need([call.id for call in made] == [result.id for result in found], f"results of its calls {made}, but {found}")
    for call, result in zip(made, found):
        need(result.name in (None, call.name), f"the name of its tool, but {result}")


def tools(ask):
    check_tools(ask)
    if not results(ask):
        return Reply([Text(facts.LOOKING), *calls(ask)], stop="tools")
    check_results(ask)
    said = [part.text for role, parts in ask.turns if role == "assistant" for part in parts if isinstance(part, Text)]
    need("".join(said) == facts.LOOKING, f"what it said beside its calls, but {said}")
    return Reply([Text(facts.FOUND)])


def failed(ask):
    """The tool failed: what the caller's format says of that has to arrive in one form or another."""
    check_tools(ask)
    if not results(ask):
        return Reply(calls(ask)[:1], stop="tools")
    (result,) = results(ask)
    need(result.text == "no such city", f"the tool's own words, but {result}")
    return Reply([Text(json.dumps({"is_error": result.is_error}))])


def named(ask):
    check_tools(ask)
    need(ask.choice == ("named", "get_time"), f"the choice of a tool, but {ask.choice}")
    return Reply(calls(ask)[1:], stop="tools")


def required(ask):
    check_tools(ask)
    need(ask.choice == "any", f"the demand for a tool, but {ask.choice}")
    return Reply(calls(ask)[:1], stop="tools")


def forbidden(ask):
    need(ask.choice == "none" or not ask.tools, f"the ban of tools, but {ask.choice}")
    return Reply([Text(facts.NO_TOOLS_NEEDED)])


def reason(ask):
    need(ask.thinks, "the wish for reasoning")
    check_tools(ask)
    thought = Thought(facts.THOUGHT, seal=None if ask.seals_calls else seal(ask.kind, facts.THOUGHT))
    if not results(ask):
        return Reply([thought, *calls(ask)] if ask.gives_thoughts else calls(ask), stop="tools")
    check_results(ask)
    came = [part for role, parts in ask.turns if role == "assistant" for part in parts if isinstance(part, Thought)]
    if ask.kind == "compatible":
        need([part.text for part in came] == [facts.THOUGHT], f"its reasoning, but {came}")
    elif ask.gives_thoughts and not ask.seals_calls:
        need(came == [thought], f"its reasoning, but {came}")
        first = next(part for role, parts in ask.turns if role == "assistant" for part in parts)
        need(first == thought, "its reasoning before all else")
    return Reply([Text(facts.FOUND)])


def redacted(ask):
    need(ask.thinks, "the wish for reasoning")
    hidden = Thought("", seal=seal(ask.kind, "hidden"), hidden=True)
    if not results(ask):
        return Reply([hidden, *calls(ask)], stop="tools")
    check_results(ask)
    came = [part for role, parts in ask.turns if role == "assistant" for part in parts if isinstance(part, Thought)]
    need(came == [hidden], f"its hidden reasoning, but {came}")
    return Reply([Text(facts.FOUND)])


def usage(ask):
    return Reply([Text(facts.HELLO)])


def cached(ask):
    return Reply([Text(facts.HELLO)], usage=facts.USAGE_WRITTEN)


def marked(ask):
    """The caller marks what the provider may keep."""
    return Reply([Text(json.dumps({"marks": ask.cached}))], usage=facts.USAGE_WRITTEN)


def length(ask):
    return Reply([Text(facts.HELLO)], stop="length")


def sequence(ask):
    return Reply([Text(facts.HELLO)], stop="sequence", sequence="END")


def cut_off(ask):
    return Reply([Text("Up to here")], stop="filter")


def refuse(ask):
    return Reply([Refusal(facts.REFUSED)], stop="refusal")


PLAYS = {
    made.__name__: made
    for made in (
        plain,
        system,
        sampling,
        image,
        link,
        shown,
        single,
        who,
        schema,
        tools,
        failed,
        named,
        required,
        forbidden,
        reason,
        redacted,
        usage,
        cached,
        marked,
        length,
        sequence,
        refuse,
    )
}
PLAYS["blocked"] = lambda ask: Reply([], stop="blocked")
PLAYS["filter"] = cut_off
PLAYS["json"] = json_only
