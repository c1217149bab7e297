"""What one cell of the matrix is: a caller's format, a kind of provider, and what is asked of the answer.

A feature is a function of a cell. It returns nothing where all is well, raises `AssertionError` where it is not, and
`Absent` where the formats have no such thing; then it has shown that the gateway says so.
"""

import dataclasses
import re

from played import facts

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


def refuses(call, caller, field, words):
    """What the other format cannot say is a fault of the caller's, with its field."""
    error = raised(call, caller.errors.APIError)
    check_status(error, 400, "BadRequestError", words)
    if caller.errors.__name__ == "openai":
        same(error.param, field, "the field")
    raise Absent
