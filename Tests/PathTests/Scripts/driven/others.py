"""The endpoints beside chat: embeddings, counting, lists of models; and errors of the providers' own SDKs."""

import anthropic
import boto3
import google.genai.version
import openai
from played import facts
from played.openai_embeddings import vector

from . import cells
from .cells import Absent, raised, same
from .chat import Chat
from .contents import Contents
from .converse import Converse
from .messages import Messages
from .responses import Responses
from .said import prompt

TEXTS = ["Zürich", "Bern", "a longer text"]


def versions():
    return f"google-genai {google.genai.version.__version__}, boto3 {boto3.__version__}"


def no_such_endpoint(call, kind, errors):
    """What cannot go to a kind of provider is refused, naming it."""
    error = raised(call, errors.APIStatusError)
    same((error.status_code, type(error).__name__), (404, "NotFoundError"), f"the refusal ({error})")
    assert kind in str(error) and "in this format" in str(error), error
    raise Absent


def embeds(given, **wishes):
    def embeddings(matrix, kind):
        # Held to its type the SDK refuses what it unpacks itself.
        client = matrix.openai("good", strict=False)
        model = f"{kind}/{facts.model(kind)}"

        def call():
            return client.embeddings.with_raw_response.create(model=model, input=given, **wishes)

        if kind not in (*cells.CHAT_KINDS, "gemini"):
            no_such_endpoint(call, kind, openai)
        answer = call()
        made = answer.parse()
        texts = given if isinstance(given, list) else [given]
        size = wishes.get("dimensions", 4)
        same([one.embedding for one in made.data], [vector(text, size) for text in texts], "the vectors")
        same([one.index for one in made.data], list(range(len(texts))), "their places")
        same(answer.headers["x-gatehouse-target"], model, "x-gatehouse-target")
        same(
            answer.headers.get("x-gatehouse-translated"),
            "gemini-contents" if kind == "gemini" else None,
            "x-gatehouse-translated",
        )
        if kind != "gemini":
            same(made.usage.prompt_tokens, 9, "the usage")

    return embeddings


def count_tokens(matrix, kind):
    client = matrix.anthropic("good")
    model = f"{kind}/{facts.model(kind)}"
    tools = [{"name": name, "description": said, "input_schema": made} for name, (said, made) in facts.TOOLS.items()]

    def call():
        talk = [{"role": "user", "content": prompt("count")}]
        return client.messages.count_tokens(model=model, messages=talk, system=facts.SYSTEM, tools=tools)

    if kind not in ("anthropic", "gemini"):
        no_such_endpoint(call, kind, anthropic)
    same(call().input_tokens, facts.COUNTED, "the count")


def models_of_openai(matrix, kind):
    page = matrix.openai("good").models.list()
    assert f"route-{kind}" in [model.id for model in page], page


def models_of_anthropic(matrix, kind):
    page = matrix.anthropic("good").models.list()
    assert f"route-{kind}" in [model.id for model in page], page


def route(matrix, kind):
    """A name of the gateway's own leads there, too."""
    caller = Chat(matrix.openai("good"), f"route-{kind}")
    said = caller.ask(caller.first("plain"))
    same(said.text, facts.HELLO, "the text")
    same(said.headers["x-gatehouse-target"], f"{kind}/{facts.model(kind)}", "x-gatehouse-target")


# Directly: that the played providers' errors are what the SDKs know.


def direct_error(play, names):
    def trial(matrix, kind):
        for dialect in matrix.native(kind):
            caller = matrix.directly(dialect, kind)(facts.model(kind), "good")
            error = raised(lambda: caller.ask(caller.first(play)))
            name = type(error).__name__
            same(name if dialect is not Converse else error.response["Error"]["Code"], names[dialect], "the error")

    return trial


def names(openai_name, anthropic_name, google_name, aws_name):
    return {
        Chat: openai_name,
        Responses: openai_name,
        Messages: anthropic_name,
        Contents: google_name,
        Converse: aws_name,
    }


def direct_bad_key(matrix, kind):
    for dialect in matrix.native(kind):
        caller = matrix.directly(dialect, kind)(facts.model(kind), "revoked")
        error = raised(lambda: caller.ask(caller.first("plain")))
        if dialect is Converse:
            wanted = "AccessDeniedException" if kind == "bedrock-key" else "UnrecognizedClientException"
            same(error.response["Error"]["Code"], wanted, "the error")
        else:
            same(type(error).__name__, "ClientError" if dialect is Contents else "AuthenticationError", "the error")


def direct_broken_stream(matrix, kind):
    """An error within a stream raises, each SDK in its own way."""
    for dialect in matrix.native(kind):
        caller = matrix.directly(dialect, kind)(facts.model(kind), "good")
        error = raised(lambda: caller.raw(caller.first("inband")))
        known = {Converse: "EventStreamError", Contents: ("ServerError", "APIError", "UnknownApiResponseError")}
        wanted = known.get(dialect, "APIError" if dialect is not Messages else ("APIStatusError", "OverloadedError"))
        assert type(error).__name__ in wanted, repr(error)


DIRECT = {
    "400": direct_error(
        "fail-request", names("BadRequestError", "BadRequestError", "ClientError", "ValidationException")
    ),
    "a key that was revoked": direct_bad_key,
    "429": direct_error("fail-rate", names("RateLimitError", "RateLimitError", "ClientError", "ThrottlingException")),
    "500": direct_error(
        "fail-server", names("InternalServerError", "InternalServerError", "ServerError", "InternalServerException")
    ),
    "error within a stream": direct_broken_stream,
}
GATEWAY = {
    "embeddings": embeds(TEXTS),
    "embeddings as numbers": embeds(TEXTS[0], encoding_format="float", dimensions=2),
    "count_tokens": count_tokens,
    "a route's name": route,
    "models, openai": models_of_openai,
    "models, anthropic": models_of_anthropic,
}
