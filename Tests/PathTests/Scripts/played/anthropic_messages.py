"""Anthropic's messages.

After the API reference, "Messages", "Streaming messages", "Errors", "Versions" and "Extended thinking"; types of the
`anthropic` SDK, which speaks the version of 2026-10-21. Sampling parameters belong to the version before.
"""

import re

from anthropic.types import (
    Message,
    MessageTokensCount,
    RawMessageStreamEvent,
    message_count_tokens_params,
    message_create_params,
)

from . import facts, mind, shape
from .shape import Fault
from .wire import CUT, Error, compact, sse

OLD, NEW = VERSIONS = "2023-06-01", "2026-10-21"
SAMPLING = ("temperature", "top_p", "top_k")
EARLY = re.compile(r"claude-(2|3|instant|(opus|sonnet|haiku)-4-[0-5]\b)")


def take(kind, model, body, version):
    plain = {name: value for name, value in body.items() if version == NEW or name not in SAMPLING}
    shape.request(plain, message_create_params.MessageCreateParams)
    if not all(isinstance(body.get(name, 0), (int, float)) for name in SAMPLING):
        raise Fault("sampling parameters: must be numbers")
    if body["max_tokens"] < 1:
        raise Fault("max_tokens: must be at least 1")
    return read(kind, body)


def count(kind, model, body, version):
    shape.request(body, message_count_tokens_params.MessageCountTokensParams)
    ask = read(kind, body)
    if ask.play != "count":
        raise Fault("the played model was to count")
    return shape.answer({"input_tokens": facts.COUNTED}, MessageTokensCount)


def read(kind, body):
    check(body)
    thinking = body.get("thinking") or {}
    output = body.get("output_config") or {}
    ask = mind.Ask(
        kind,
        body["model"],
        body.get("stream") or False,
        most=body.get("max_tokens"),
        temperature=body.get("temperature"),
        top_p=body.get("top_p"),
        stop=body.get("stop_sequences") or [],
        thinks=thinking.get("type") if thinking.get("type") != "disabled" else None,
    )
    system = body.get("system") or []
    blocks = [{"type": "text", "text": system}] if isinstance(system, str) else system
    ask.system = [text(block, ask).text for block in blocks]
    for tool in body.get("tools") or []:
        if not re.fullmatch(r"[a-zA-Z0-9_-]{1,128}", tool["name"]):
            raise Fault("tools.0.custom.name: String should match pattern '^[a-zA-Z0-9_-]{1,128}$'")
        ask.tools[tool["name"]] = (tool.get("description"), tool["input_schema"])
        mark(tool, ask)
    choice = body.get("tool_choice") or {}
    if choice.get("disable_parallel_tool_use"):
        ask.parallel = False
    ask.user = (body.get("metadata") or {}).get("user_id")
    ask.choice = ("named", choice["name"]) if choice.get("type") == "tool" else choice.get("type")
    if output.get("format"):
        ask.shape = output["format"]["schema"]
    read_messages(body["messages"], ask)
    if ask.cached > 4:
        raise Fault("A maximum of 4 blocks with cache_control may be provided.")
    return ask


def check(body):
    """What the API refuses beyond the types of its fields."""
    thinking = body.get("thinking") or {}
    early = EARLY.match(body["model"])
    if thinking.get("type") == "enabled":
        if not early:
            raise Fault("thinking.type.enabled is not supported for this model. Use adaptive thinking")
        if not 1024 <= thinking["budget_tokens"] < body["max_tokens"]:
            raise Fault("thinking.enabled.budget_tokens: must be from 1024 on and below max_tokens")
        if body.get("temperature", 1) != 1 or "top_k" in body or body.get("top_p", 1) < 0.95:
            raise Fault("`temperature` may only be set to 1 when thinking is enabled")
        if (body.get("tool_choice") or {}).get("type") in ("any", "tool"):
            raise Fault("Thinking may not be enabled when tool_choice forces tool use.")
    if thinking.get("type") == "adaptive" and early:
        raise Fault("adaptive thinking is not supported on this model")
    if (body.get("output_config") or {}).get("effort") and early:
        raise Fault("This model does not support the effort parameter.")
    if not early and {"temperature", "top_p", "top_k"} & set(body):
        raise Fault("`temperature` is deprecated for this model.")
    if early and "temperature" in body and "top_p" in body:
        raise Fault("`temperature` and `top_p` cannot both be specified for this model. Please use only one.")
    if body.get("tool_choice") and not body.get("tools"):
        raise Fault("tool_choice may only be specified while providing tools.")
    if not 0 <= body.get("temperature", 1) <= 1:
        raise Fault("temperature: range: 0..1")
    if any(not stop.strip() for stop in body.get("stop_sequences") or []):
        raise Fault("stop_sequences: each stop sequence must contain non-whitespace")


def mark(block, ask):
    if block.get("cache_control"):
        ask.cached += 1


def text(block, ask):
    mark(block, ask)
    if not block["text"].strip():
        raise Fault("text content blocks must contain non-whitespace text")
    return mind.Text(block["text"])


def read_messages(messages, ask):
    open_calls = []
    for message in messages:
        content = message["content"]
        blocks = [{"type": "text", "text": content}] if isinstance(content, str) else content
        if not blocks:
            raise Fault("all messages must have non-empty content")
        parts = [read_block(block, ask) for block in blocks]
        role = message["role"]
        if role not in ("user", "assistant"):
            raise Fault("the played model takes no system messages")
        answered = [part.id for part in parts if isinstance(part, mind.Result)]
        if not ask.turns and role != "user":
            raise Fault('messages: first message must use the "user" role')
        if sorted(answered) != sorted(open_calls):
            raise Fault("`tool_use` ids were found without `tool_result` blocks immediately after")
        if not all(isinstance(part, mind.Result) for part in parts[: len(answered)]):
            raise Fault("tool_result blocks must come first")
        open_calls = [part.id for part in parts if isinstance(part, mind.Call)]
        if ask.thinks == "enabled" and open_calls and not isinstance(parts[0], mind.Thought):
            raise Fault("Expected `thinking` or `redacted_thinking`, but found `tool_use`.")
        ask.turns.append((role, parts))
    if open_calls:
        raise Fault("`tool_use` ids were found without `tool_result` blocks immediately after")


def read_block(block, ask):
    kind = block["type"]
    if kind == "text":
        return text(block, ask)
    if kind == "image":
        mark(block, ask)
        source = block["source"]
        if source["type"] == "url":
            return mind.Image(None, source["url"])
        return mind.Image(source["media_type"], source["data"])
    if kind == "tool_use":
        mark(block, ask)
        if not re.fullmatch(r"[a-zA-Z0-9_-]+", block["id"]):
            raise Fault("tool_use.id: String should match pattern '^[a-zA-Z0-9_-]+$'")
        return mind.Call(block["id"], block["name"], block["input"])
    if kind == "tool_result":
        mark(block, ask)
        content = block.get("content") or ""
        said = [mind.Text(content)] if isinstance(content, str) else [read_block(part, ask) for part in content]
        texts = "".join(part.text for part in said if isinstance(part, mind.Text))
        images = [part for part in said if isinstance(part, mind.Image)]
        return mind.Result(block["tool_use_id"], None, texts, block.get("is_error", False), images)
    if kind in ("thinking", "redacted_thinking"):
        hidden = kind == "redacted_thinking"
        thought = (
            mind.Thought("", block["data"], True) if hidden else mind.Thought(block["thinking"], block["signature"])
        )
        mind.check_seal(ask.kind, thought)
        return thought
    raise Fault(f"content of type {kind}")


# Answers

STOPS = {
    "end": "end_turn",
    "tools": "tool_use",
    "length": "max_tokens",
    "sequence": "stop_sequence",
    "filter": "refusal",
    "refusal": "refusal",
}


def usage(figures):
    hour = figures["written_hour"]
    return {
        "input_tokens": figures["fresh"],
        "cache_creation_input_tokens": figures["written"],
        "cache_read_input_tokens": figures["read"],
        "cache_creation": {"ephemeral_5m_input_tokens": figures["written"] - hour, "ephemeral_1h_input_tokens": hour},
        "output_tokens": figures["output"],
        "service_tier": "standard",
    }


def block(part):
    if isinstance(part, mind.Call):
        return {"type": "tool_use", "id": part.id, "name": part.name, "input": part.arguments}
    if isinstance(part, mind.Thought) and part.hidden:
        return {"type": "redacted_thinking", "data": part.seal}
    if isinstance(part, mind.Thought):
        return {"type": "thinking", "thinking": part.text, "signature": part.seal}
    return {"type": "text", "text": part.text}


def message(ask, reply, content):
    sequence = reply.sequence if reply.stop == "sequence" else None
    return {
        "id": "msg_1",
        "type": "message",
        "role": "assistant",
        "model": ask.model,
        "content": content,
        "stop_reason": STOPS[reply.stop],
        "stop_sequence": sequence,
        "usage": usage(reply.usage),
    }


def whole(ask, reply):
    return shape.answer(message(ask, reply, [block(part) for part in reply.parts]), Message)


def events(ask, reply, body):
    found = []

    def say(kind, **members):
        made = {"type": kind, **members}
        found.append(sse(shape.answer(made, RawMessageStreamEvent), kind))

    def break_off():
        error = {"type": "overloaded_error", "message": "Overloaded"}
        found.append(sse({"type": "error", "error": error, "request_id": "req_1"}, "error"))

    begun = message(ask, reply, [])
    # The output is a placeholder until the end.
    begun |= {"stop_reason": None, "stop_sequence": None, "usage": {**begun["usage"], "output_tokens": 1}}
    say("message_start", message=begun)
    found.append(sse({"type": "ping"}, "ping"))
    if reply.breaks == "inband-first":
        break_off()
        return found
    for index, part in enumerate(reply.parts):
        whole = block(part)
        empty = {"text": "", "thinking": "", "signature": "", "input": {}}
        say(
            "content_block_start",
            index=index,
            content_block={**whole, **{k: v for k, v in empty.items() if k in whole}},
        )
        for delta in deltas(part):
            say("content_block_delta", index=index, delta=delta)
        if reply.breaks is None:
            say("content_block_stop", index=index)
    if reply.breaks == "inband":
        break_off()
    if reply.breaks:
        return found + ([CUT] if reply.breaks == "cut" else [])
    delta = {"stop_reason": STOPS[reply.stop], "stop_sequence": reply.sequence if reply.stop == "sequence" else None}
    say("message_delta", delta=delta, usage={"output_tokens": reply.usage["output"]})
    say("message_stop")
    return found


def deltas(part):
    if isinstance(part, mind.Call):
        return [
            {"type": "input_json_delta", "partial_json": piece} for piece in ["", *mind.cuts(compact(part.arguments))]
        ]
    if isinstance(part, mind.Thought) and part.hidden:
        return []
    if isinstance(part, mind.Thought):
        pieces = [{"type": "thinking_delta", "thinking": piece} for piece in mind.cuts(part.text)]
        return [*pieces, {"type": "signature_delta", "signature": part.seal}]
    return [{"type": "text_delta", "text": piece} for piece in mind.cuts(part.text)]


# Errors


def envelope(status, kind, said, headers=None):
    body = {"type": "error", "error": {"type": kind, "message": said}, "request_id": "req_1"}
    return Error(status, body, {"request-id": "req_1", **(headers or {})})


def malformed(kind, said):
    return envelope(400, "invalid_request_error", said)


def unknown_key(kind):
    return envelope(401, "authentication_error", "invalid x-api-key")


def refused(kind, what):
    if what == "request":
        return envelope(400, "invalid_request_error", "the played model refuses this")
    if what == "context":
        return envelope(400, "invalid_request_error", "prompt is too long: 200001 tokens > 200000 maximum")
    if what == "rate":
        later = {"retry-after": str(facts.RETRY_SECONDS)}
        return envelope(429, "rate_limit_error", "This request would exceed your rate limit.", later)
    if what == "quota":
        return envelope(400, "invalid_request_error", "Your credit balance is too low to access the Anthropic API.")
    if what == "overloaded":
        return envelope(529, "overloaded_error", "Overloaded")
    return envelope(500, "api_error", "Internal server error")
