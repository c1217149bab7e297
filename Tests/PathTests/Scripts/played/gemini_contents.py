"""Google's Gemini API.

After its API reference, "Generating content", "Embeddings", "Counting tokens", and its guides "Function calling",
"Thinking" and "Thought signatures"; the types of the `google-genai` SDK, which know no unknown member.
"""

import base64
import re
import warnings

import pydantic
from google.genai import _common, types

from . import facts, mind, openai_embeddings
from .shape import Fault
from .wire import CUT, Error, sse


class GenerateContentRequest(_common.BaseModel):
    contents: list[types.Content]
    system_instruction: types.Content | None = None
    tools: list[types.Tool] | None = None
    tool_config: types.ToolConfig | None = None
    generation_config: types.GenerationConfig | None = None
    safety_settings: list[types.SafetySetting] | None = None
    cached_content: str | None = None
    # Only inside of a request to count tokens.
    model: str | None = None


class CountTokensRequest(_common.BaseModel):
    contents: list[types.Content] | None = None
    generate_content_request: GenerateContentRequest | None = None


class EmbedContentRequest(_common.BaseModel):
    model: str
    content: types.Content
    task_type: str | None = None
    title: str | None = None
    output_dimensionality: int | None = None


class BatchEmbedContentsRequest(_common.BaseModel):
    requests: list[EmbedContentRequest]


# Of `generationConfig`: what the SDK knows for another product of Google's only.
ELSEWHERE = ("audioTimestamp", "routingConfig", "modelSelectionConfig", "translationConfig", "audioTranscriptionConfig")
# What the guide gives for calls that Gemini did not make itself; it reads as base64 in the alphabet for addresses.
SKIPPED = "skip_thought_signature_validator".replace("_", "/")
NAME = re.compile(r"[a-zA-Z_][a-zA-Z0-9_.:-]{0,127}")


def read(body, kind):
    """Holds a request to its type: unknown members, wrong types and unknown words of enumerations are faults."""
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        try:
            return kind.model_validate(body)
        except (pydantic.ValidationError, UserWarning) as error:
            raise Fault(f"Invalid JSON payload received. {error}") from None


def take(kind, model, body):
    for name in ELSEWHERE:
        if name in (body.get("generationConfig") or {}):
            raise Fault(f'Invalid JSON payload received. Unknown name "{name}"')
    return understand(kind, model, read(body, GenerateContentRequest))


def understand(kind, model, request):
    config = request.generation_config or types.GenerationConfig()
    thinking = config.thinking_config or types.ThinkingConfig()
    if thinking.thinking_budget is not None and thinking.thinking_level is not None:
        raise Fault("You can only set only one of thinking budget and thinking level.")
    thinks = thinking.thinking_budget not in (None, 0) or thinking.thinking_level is not None
    ask = mind.Ask(
        kind,
        model,
        False,
        most=config.max_output_tokens,
        temperature=config.temperature,
        top_p=config.top_p,
        stop=config.stop_sequences or [],
        thinks="thinks" if thinks or thinking.include_thoughts else None,
        seals_calls=True,
        gives_thoughts=bool(thinking.include_thoughts),
    )
    if len(ask.stop) > 5:
        raise Fault("stop_sequences: at most 5")
    if request.system_instruction:
        ask.system = [part.text for part in request.system_instruction.parts]
    take_tools(request, ask)
    take_shape(config, ask)
    take_contents(request.contents, ask)
    return ask


def take_tools(request, ask):
    for tool in request.tools or []:
        if set(tool.model_fields_set) != {"function_declarations"}:
            raise Fault("the played model knows functions only")
        for function in tool.function_declarations:
            if not NAME.fullmatch(function.name or ""):
                raise Fault("Invalid function name.")
            if function.parameters is not None and function.parameters_json_schema is not None:
                raise Fault("parameters and parametersJsonSchema are mutually exclusive.")
            schema = function.parameters_json_schema
            if function.parameters is not None:
                schema = plain_schema(function.parameters)
            ask.tools[function.name] = (function.description, schema)
    config = request.tool_config and request.tool_config.function_calling_config
    if config:
        mode = config.mode and config.mode.value
        if config.allowed_function_names and mode not in ("ANY", "VALIDATED"):
            raise Fault("allowed_function_names should only be set when mode is ANY or VALIDATED")
        ask.choice = {"AUTO": "auto", "ANY": "any", "NONE": "none"}.get(mode, mode)
        if mode == "ANY" and config.allowed_function_names:
            ask.choice = ("named", *config.allowed_function_names)


def plain_schema(schema):
    """A schema of Google's as JSON schema; only what the matrix sends."""
    made = schema.model_dump(by_alias=True, exclude_none=True, mode="json")

    def lower(node):
        if isinstance(node, dict):
            return {k: v.lower() if k == "type" and isinstance(v, str) else lower(v) for k, v in node.items()}
        return node

    return {**lower(made), "additionalProperties": False}


def take_shape(config, ask):
    schema = config.response_json_schema
    if config.response_schema is not None:
        schema = plain_schema(config.response_schema)
    if schema is not None and config.response_mime_type != "application/json":
        raise Fault("response_schema requires response_mime_type to be application/json")
    ask.shape = "json" if schema is None and config.response_mime_type == "application/json" else schema


def take_contents(contents, ask):
    if not contents:
        raise Fault("contents is not specified")
    open_calls = []
    last = None
    for content in contents:
        if content.role not in ("user", "model"):
            raise Fault("Please use a valid role: user, model.")
        if not content.parts:
            raise Fault("contents.parts must not be empty.")
        parts = [part for part in (take_part(part, ask) for part in content.parts) if part]
        answered = [part for part in parts if isinstance(part, mind.Result)]
        if len(answered) != len(open_calls):
            raise Fault(
                "Please ensure that the number of function response parts is equal to the number of function call parts"
                " of the function call turn."
            )
        for call, result in zip(open_calls, answered):
            if (result.name, result.id) != (call.name, call.id):
                raise Fault(f"function response {result} is not of function call {call}")
        open_calls = [part for part in parts if isinstance(part, mind.Call)]
        if open_calls and last != "user":
            raise Fault("Please ensure that function call turn comes immediately after a user turn")
        # Of calls made at once only the first is signed.
        if open_calls and open_calls[0].seal not in (mind.seal(ask.kind, "call"), SKIPPED):
            raise Fault(f"Function call is missing a thought_signature in functionCall parts: {open_calls[0]}")
        last = content.role
        ask.turns.append(("assistant" if content.role == "model" else "user", parts))


def take_part(part, ask):
    seal = part.thought_signature and base64.b64encode(part.thought_signature).decode()
    if part.function_call:
        return mind.Call(part.function_call.id, part.function_call.name, part.function_call.args or {}, seal)
    if part.function_response:
        given = part.function_response
        said = given.response or {}
        failed = "error" in said
        text = said.get("error" if failed else "output", said.get("result"))
        if text is None:
            text = mind.json.dumps(said, ensure_ascii=False)
        images = [take_blob(part.inline_data) for part in given.parts or []]
        return mind.Result(
            given.id,
            given.name,
            text if isinstance(text, str) else mind.json.dumps(text, ensure_ascii=False),
            failed,
            images,
        )
    if part.inline_data:
        return take_blob(part.inline_data)
    if part.file_data:
        return mind.Image(None, part.file_data.file_uri)
    if part.text is not None:
        if part.thought:
            return mind.Thought(part.text)
        return mind.Text(part.text) if part.text else None
    raise Fault("part must have one initialized field")


def take_blob(blob):
    return mind.Image(blob.mime_type, base64.b64encode(blob.data).decode())


# Answers

STOPS = {
    "end": "STOP",
    "tools": "STOP",
    "length": "MAX_TOKENS",
    "sequence": "STOP",
    "filter": "SAFETY",
    "refusal": "SAFETY",
}


def answer(body, kind):
    made = read(body, kind)
    return made.model_dump(by_alias=True, exclude_none=True, mode="json")


def usage(figures):
    prompt = figures["fresh"] + figures["read"] + figures["written"]
    said = figures["output"] - figures["reasoning"]
    return {
        "promptTokenCount": prompt,
        "cachedContentTokenCount": figures["read"],
        "candidatesTokenCount": said,
        "thoughtsTokenCount": figures["reasoning"],
        "totalTokenCount": prompt + figures["output"],
    }


def part(made):
    if isinstance(made, mind.Call):
        found = {"functionCall": {"name": made.name, "args": made.arguments}}
        return {**found, "thoughtSignature": made.seal} if made.seal else found
    if isinstance(made, mind.Thought):
        return {"text": made.text, "thought": True}
    return {"text": made.text}


def chunk(ask, parts, stop, figures):
    candidate = {"content": {"parts": parts, "role": "model"}, "index": 0}
    if stop:
        candidate["finishReason"] = stop
    made = {
        "candidates": [candidate],
        "modelVersion": ask.model,
        "responseId": "resp-1",
        "usageMetadata": usage(figures),
    }
    return answer(made, types.GenerateContentResponse)


def blocked(ask, reply):
    """A prompt that was refused has no candidate."""
    used = {"promptTokenCount": usage(reply.usage)["promptTokenCount"], "totalTokenCount": 0}
    made = {"promptFeedback": {"blockReason": "SAFETY"}, "modelVersion": ask.model, "usageMetadata": used}
    return answer(made, types.GenerateContentResponse)


def whole(ask, reply):
    if reply.stop == "blocked":
        return blocked(ask, reply)
    return chunk(ask, [part(made) for made in reply.parts], STOPS[reply.stop], reply.usage)


def events(ask, reply, body):
    if reply.stop == "blocked":
        return [sse(blocked(ask, reply))]
    pieces = []
    for made in reply.parts:
        if isinstance(made, mind.Call):
            pieces.append([part(made)])
        else:
            pieces += [[part(type(made)(piece))] for piece in mind.cuts(made.text)]
    # Figures grow; the last are the ones.
    partial = {**reply.usage, "output": reply.usage["reasoning"] + 1}
    broken = [sse({"error": {"code": 503, "message": "The model is overloaded.", "status": "UNAVAILABLE"}})]
    if reply.breaks == "inband-first":
        return broken
    found = [sse(chunk(ask, parts, None, partial)) for parts in pieces]
    if reply.breaks == "inband":
        return found + broken
    if reply.breaks:
        return found + ([CUT] if reply.breaks == "cut" else [])
    # The signature of a text comes behind it, with an empty one.
    last = [{"text": "", "thoughtSignature": mind.seal(ask.kind, "text")}]
    return found + [sse(chunk(ask, last, STOPS[reply.stop], reply.usage))]


def count(kind, model, body):
    request = read(body, CountTokensRequest)
    inner = request.generate_content_request
    if (inner is None) == (request.contents is None):
        raise Fault("contents and generate_content_request are mutually exclusive")
    if inner is not None and inner.model not in (f"models/{model}", model):
        raise Fault(f"generate_content_request.model is {inner.model}")
    ask = understand(kind, model, inner or GenerateContentRequest(contents=request.contents))
    if ask.play != "count":
        raise Fault("the played model was to count")
    return answer({"totalTokens": facts.COUNTED}, types.CountTokensResponse)


def embed(kind, model, body):
    request = read(body, BatchEmbedContentsRequest)
    embeddings = []
    for one in request.requests:
        if one.model != f"models/{model}":
            raise Fault("requests.model must match the model of the path")
        text = "".join(made.text for made in one.content.parts)
        numbers = openai_embeddings.vector(text, one.output_dimensionality or 4)
        embeddings.append({"values": numbers})
    return {"embeddings": embeddings}


# Errors


def envelope(code, status, said, details=None):
    error = {"code": code, "message": said, "status": status}
    if details:
        error["details"] = details
    return Error(code, {"error": error})


def malformed(kind, said):
    return envelope(400, "INVALID_ARGUMENT", said)


def unknown_key(kind):
    info = {
        "@type": "type.googleapis.com/google.rpc.ErrorInfo",
        "reason": "API_KEY_INVALID",
        "domain": "googleapis.com",
        "metadata": {"service": "generativelanguage.googleapis.com"},
    }
    return envelope(400, "INVALID_ARGUMENT", "API key not valid. Please pass a valid API key.", [info])


def refused(kind, what):
    if what == "request":
        return envelope(400, "INVALID_ARGUMENT", "the played model refuses this")
    if what == "context":
        said = "The input token count (1048577) exceeds the maximum number of tokens allowed (1048576)."
        return envelope(400, "INVALID_ARGUMENT", said)
    if what in ("rate", "quota"):
        # One message for both; only the hint tells them apart.
        said = "You exceeded your current quota, please check your plan and billing details."
        info = {"@type": "type.googleapis.com/google.rpc.RetryInfo", "retryDelay": f"{facts.RETRY_SECONDS}s"}
        violation = {"quotaMetric": "generativelanguage.googleapis.com/generate_requests", "quotaId": "PerMinute"}
        quota = {"@type": "type.googleapis.com/google.rpc.QuotaFailure", "violations": [violation]}
        return envelope(429, "RESOURCE_EXHAUSTED", said, [quota, info] if what == "rate" else [quota])
    if what == "overloaded":
        return envelope(503, "UNAVAILABLE", "The model is overloaded. Please try again later.")
    return envelope(500, "INTERNAL", "An internal error has occurred.")
