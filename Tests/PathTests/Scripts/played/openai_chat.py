"""OpenAI's chat completions, as OpenAI, Azure OpenAI and a server that speaks like them answer.

After the API reference, "Chat", and the types of the `openai` SDK; Azure's filter results after its REST reference;
`reasoning_content` after DeepSeek's "Reasoning model".
"""

import itertools
import json
import re

from openai.types.chat import ChatCompletion, ChatCompletionChunk, completion_create_params

from . import mind, openai_errors, shape
from .shape import Fault
from .wire import CUT, compact, sse

# What compatible servers add.
VENDOR = ("reasoning_content", "reasoning_details", "extra_content", "content_filter_results", "prompt_filter_results")


def take(kind, model, body):
    # The API takes an answer's message back as it was; compatible servers know their own extension of it.
    lenient = ("annotations", "reasoning_content") if kind == "compatible" else ("annotations",)
    plain = {**body, "messages": [without(message, lenient) for message in body.get("messages", [])]}
    shape.request(plain, completion_create_params.CompletionCreateParams)
    check(kind, model, body)
    ask = mind.Ask(
        kind,
        body["model"],
        body.get("stream") or False,
        most=body.get("max_completion_tokens") or body.get("max_tokens"),
        temperature=body.get("temperature"),
        top_p=body.get("top_p"),
        stop=stops(body.get("stop")),
        thinks=body.get("reasoning_effort"),
        gives_thoughts=kind == "compatible",
        parallel=body.get("parallel_tool_calls"),
        user=body.get("user"),
    )
    if kind == "compatible" and body.get("thinking"):
        ask.thinks = "thinking"
    take_tools(body, ask)
    take_messages(body["messages"], ask)
    return ask


def without(message, names):
    return {key: value for key, value in message.items() if key not in names} if isinstance(message, dict) else message


def stops(stop):
    return [stop] if isinstance(stop, str) else stop or []


def check(kind, model, body):
    """What the API refuses beyond the types of its fields."""
    if body.get("parallel_tool_calls") is not None and not body.get("tools"):
        raise Fault("parallel_tool_calls is only allowed when tools are specified")
    if body.get("tool_choice") is not None and not body.get("tools"):
        raise Fault("tool_choice is only allowed when tools are specified")
    if body.get("stream_options") and not body.get("stream"):
        raise Fault("stream_options is only allowed when stream is enabled")
    if kind != "compatible" and "max_tokens" in body:
        raise Fault("Unsupported parameter: 'max_tokens' is not supported with this model. Use 'max_completion_tokens'")
    if len(stops(body.get("stop"))) > 4:
        raise Fault("stop: at most 4")
    for tool in body.get("tools") or []:
        if not re.fullmatch(r"[a-zA-Z0-9_-]{1,64}", tool["function"]["name"]):
            raise Fault("tools: invalid name")


def take_tools(body, ask):
    for tool in body.get("tools") or []:
        function = tool["function"]
        ask.tools[function["name"]] = (function.get("description"), function.get("parameters"))
    choice = body.get("tool_choice")
    ask.choice = ("named", choice["function"]["name"]) if isinstance(choice, dict) else choice
    if ask.choice == "required":
        ask.choice = "any"
    format = body.get("response_format") or {}
    if format.get("type") == "json_object":
        ask.shape = "json"
    if format.get("type") == "json_schema":
        named = format["json_schema"]
        if not re.fullmatch(r"[a-zA-Z0-9_-]{1,64}", named["name"]):
            raise Fault("response_format.json_schema.name: invalid")
        ask.shape = named["schema"]


def take_messages(messages, ask):
    open_calls = []
    for message in messages:
        role = message["role"]
        if open_calls and role != "tool":
            raise Fault(f"an assistant message with 'tool_calls' must be followed by tool messages: {open_calls}")
        if role in ("system", "developer"):
            ask.system += [part.text for part in parts(message["content"])]
        elif role == "user":
            ask.turns.append(("user", parts(message["content"])))
        elif role == "assistant":
            ask.turns.append(("assistant", said(message)))
            open_calls = [call["id"] for call in message.get("tool_calls") or []]
            if any(len(call) > 40 for call in open_calls):
                raise Fault("messages.tool_calls.id: string too long. Expected a string with maximum length 40")
        elif role == "tool":
            if message["tool_call_id"] not in open_calls:
                raise Fault("messages with role 'tool' must be a response to a preceding message with 'tool_calls'")
            open_calls.remove(message["tool_call_id"])
            text = "".join(part.text for part in parts(message["content"]))
            ask.turns.append(("user", [mind.Result(message["tool_call_id"], None, text)]))
    if open_calls:
        raise Fault(f"tool_call_ids did not have response messages: {open_calls}")


def parts(content):
    if isinstance(content, str):
        return [mind.Text(content)]
    found = []
    for part in content or []:
        if part["type"] == "text":
            found.append(mind.Text(part["text"]))
        elif part["type"] == "refusal":
            found.append(mind.Refusal(part["refusal"]))
        elif part["type"] == "image_url":
            found.append(image(part["image_url"]["url"]))
        else:
            raise Fault(f"content of type {part['type']}")
    return found


def image(url):
    if url.startswith("https://"):
        return mind.Image(None, url)
    match = re.fullmatch(r"data:(image/[a-z]+);base64,(.+)", url)
    if not match:
        raise Fault("image_url.url: invalid")
    return mind.Image(match[1], match[2])


def said(message):
    found = []
    if message.get("reasoning_content"):
        found.append(mind.Thought(message["reasoning_content"]))
    found += [part for part in parts(message.get("content")) if part != mind.Text("")]
    for call in message.get("tool_calls") or []:
        arguments = json.loads(call["function"]["arguments"])
        found.append(mind.Call(call["id"], call["function"]["name"], arguments))
    return found


# Answers

STOPS = {
    "end": "stop",
    "tools": "tool_calls",
    "length": "length",
    "sequence": "stop",
    "filter": "content_filter",
    "refusal": "stop",
}
SAFE = {"hate": {"filtered": False, "severity": "safe"}}


def usage(figures):
    prompt = figures["fresh"] + figures["read"] + figures["written"]
    return {
        "prompt_tokens": prompt,
        "completion_tokens": figures["output"],
        "total_tokens": prompt + figures["output"],
        "prompt_tokens_details": {"cached_tokens": figures["read"], "cache_write_tokens": figures["written"]},
        "completion_tokens_details": {"reasoning_tokens": figures["reasoning"]},
    }


def call(index, made):
    function = {"name": made.name, "arguments": compact(made.arguments)}
    return {"id": made.id, "type": "function", "function": function}


def whole(ask, reply):
    message = {"role": "assistant", "content": None, "refusal": None, "annotations": []}
    for part in reply.parts:
        if isinstance(part, mind.Text):
            message["content"] = (message["content"] or "") + part.text
        elif isinstance(part, mind.Refusal):
            message["refusal"] = part.text
        elif isinstance(part, mind.Thought):
            message["reasoning_content"] = part.text
        else:
            message.setdefault("tool_calls", []).append(call(0, part))
    choice = {"index": 0, "message": message, "logprobs": None, "finish_reason": STOPS[reply.stop]}
    body = {**head(ask, "chat.completion"), "choices": [choice], "usage": usage(reply.usage)}
    if ask.kind.startswith("azure"):
        choice["content_filter_results"] = SAFE
        body["prompt_filter_results"] = [{"prompt_index": 0, "content_filter_results": SAFE}]
    return shape.answer(body, ChatCompletion, VENDOR)


def head(ask, what):
    return {"id": "chatcmpl-1", "object": what, "created": 1764201600, "model": ask.model, "system_fingerprint": None}


def deltas(ask, reply):
    """The answer's pieces; a compatible server lets the arguments of its calls alternate."""
    yield {"role": "assistant", "content": "", "refusal": None}
    calls = [part for part in reply.parts if isinstance(part, mind.Call)]
    for part in reply.parts:
        if isinstance(part, mind.Call):
            continue
        name = {mind.Text: "content", mind.Refusal: "refusal", mind.Thought: "reasoning_content"}[type(part)]
        for piece in mind.cuts(part.text):
            yield {name: piece}
    streams = [list(call_deltas(index, made)) for index, made in enumerate(calls)]
    if ask.kind == "compatible":
        streams = [[piece for pieces in itertools.zip_longest(*streams) for piece in pieces if piece]]
    for stream in streams:
        for piece in stream:
            yield {"tool_calls": [piece]}


def call_deltas(index, made):
    function = {"name": made.name, "arguments": ""}
    yield {"index": index, "id": made.id, "type": "function", "function": function}
    for piece in mind.cuts(compact(made.arguments)):
        yield {"index": index, "function": {"arguments": piece}}


def events(ask, reply, body):
    counts = bool((body.get("stream_options") or {}).get("include_usage"))

    def chunk(choices, used=None):
        made = {**head(ask, "chat.completion.chunk"), "choices": choices}
        if counts:
            made["usage"] = used
        return sse(shape.answer(made, ChatCompletionChunk, VENDOR))

    found = []
    if ask.kind.startswith("azure"):
        filters = [{"prompt_index": 0, "content_filter_results": SAFE}]
        first = {"choices": [], "created": 0, "id": "", "model": "", "object": "", "prompt_filter_results": filters}
        found.append(sse(first))
    if reply.breaks == "inband-first":
        return found + [sse(openai_errors.inband(ask.kind))]
    for delta in deltas(ask, reply):
        found.append(chunk([{"index": 0, "delta": delta, "logprobs": None, "finish_reason": None}]))
    if reply.breaks == "inband":
        return found + [sse(openai_errors.inband(ask.kind))]
    if reply.breaks:
        return found + ([CUT] if reply.breaks == "cut" else [])
    found.append(chunk([{"index": 0, "delta": {}, "logprobs": None, "finish_reason": STOPS[reply.stop]}]))
    if counts:
        found.append(chunk([], usage(reply.usage)))
    return found + [sse("[DONE]")]
