"""Amazon Bedrock's Converse and ConverseStream.

After its API reference and the service model that botocore carries; framing after AWS, "Event stream encoding".
"""

import base64
import binascii
import json
import re
import struct
import zlib

import botocore.session
from botocore.validate import ParamValidator

from . import mind
from .shape import Fault
from .wire import CUT, Error, compact

SERVICE = botocore.session.get_session().get_service_model("bedrock-runtime")
INPUT = SERVICE.operation_model("ConverseStream").input_shape
OUTPUT = SERVICE.operation_model("Converse").output_shape
EVENTS = SERVICE.operation_model("ConverseStream").output_shape.members["stream"].members


def native(value, shape, path=""):
    """JSON as botocore has it in Python: blobs as bytes. Also checks what botocore leaves to the service."""
    if getattr(shape, "is_document_type", False):
        return value
    if shape.type_name == "structure" and isinstance(value, dict):
        known = shape.members
        strange = [name for name in value if name not in known]
        if strange:
            raise Fault(f"{path}: extraneous key {strange} is not permitted")
        return {name: native(item, known[name], f"{path}.{name}") for name, item in value.items()}
    if shape.type_name == "list" and isinstance(value, list):
        bound(len(value), shape, path)
        return [native(item, shape.member, f"{path}[{index}]") for index, item in enumerate(value)]
    if shape.type_name == "map" and isinstance(value, dict):
        return {name: native(item, shape.value, f"{path}.{name}") for name, item in value.items()}
    if shape.type_name == "blob" and isinstance(value, str):
        try:
            return base64.b64decode(value, validate=True)
        except binascii.Error:
            raise Fault(f"{path}: not base64") from None
    if shape.type_name == "string" and isinstance(value, str):
        bound(len(value), shape, path)
        if getattr(shape, "enum", None) and value not in shape.enum:
            raise Fault(f"{path}: Value at failed to satisfy enum value set: {shape.enum}")
        pattern = shape.metadata.get("pattern")
        if pattern and not re.fullmatch(pattern, value):
            raise Fault(f"{path}: Value failed to satisfy regular expression pattern: {pattern}")
    if shape.type_name in ("integer", "float") and isinstance(value, (int, float)):
        bound(value, shape, path)
    return value


def bound(value, shape, path):
    least, most = shape.metadata.get("min"), shape.metadata.get("max")
    if least is not None and value < least or most is not None and value > most:
        raise Fault(f"{path}: {value} is not between {least} and {most}")


def hold(value, shape):
    made = native(value, shape)
    report = ParamValidator().validate(made, shape)
    if report.has_errors():
        raise Fault(report.generate_report())
    return made


# Requests


def take(kind, model, body):
    request = hold({**body, "modelId": model}, INPUT)
    if "modelId" in body or "messages" not in body:
        raise Fault("extraneous or missing key")
    inference = request.get("inferenceConfig") or {}
    fields = request.get("additionalModelRequestFields") or {}
    thinking = check_fields(fields, inference)
    ask = mind.Ask(
        "bedrock",
        model,
        False,
        most=inference.get("maxTokens"),
        temperature=inference.get("temperature"),
        top_p=inference.get("topP"),
        stop=inference.get("stopSequences") or [],
        thinks=thinking.get("type") if thinking.get("type") != "disabled" else None,
    )
    for block in request.get("system") or []:
        one(block)
        if "cachePoint" in block:
            ask.cached += 1
        else:
            ask.system.append(block["text"])
    take_tools(request, ask, thinking)
    output = request.get("outputConfig") or {}
    if output.get("effort") and "-4-5" in model and "opus" not in model:
        raise Fault("This model does not support the effort parameter.")
    if output.get("textFormat"):
        ask.shape = json.loads(output["textFormat"]["structure"]["jsonSchema"]["schema"])
    take_messages(request["messages"], ask)
    check_tool_blocks(request, ask)
    return ask


def check_fields(fields, inference):
    """What Anthropic's models take besides."""
    strange = set(fields) - {"thinking", "top_k", "anthropic_beta"}
    if strange:
        raise Fault(f"The model returned the following errors: {strange}: Extra inputs are not permitted")
    thinking = fields.get("thinking") or {}
    if thinking.get("type") == "adaptive":
        raise Fault("The model returned the following errors: adaptive thinking is not supported on this model")
    if thinking.get("type") == "enabled":
        if not 1024 <= thinking["budget_tokens"] < inference.get("maxTokens", 4096):
            raise Fault(
                "The model returned the following errors: `max_tokens` must be greater than `thinking.budget_tokens`."
            )
        if inference.get("temperature", 1) != 1 or "top_k" in fields:
            raise Fault(
                "The model returned the following errors: `temperature` may only be set to 1 when thinking is enabled."
            )
    if "temperature" in inference and "topP" in inference:
        said = "`temperature` and `top_p` cannot both be specified for this model."
        raise Fault(f"The model returned the following errors: {said}")
    return thinking


def one(block):
    if len(block) != 1:
        raise Fault(f"a block must hold one member, but {sorted(block)}")


def take_tools(request, ask, thinking):
    config = request.get("toolConfig") or {}
    for tool in config.get("tools") or []:
        one(tool)
        if "cachePoint" in tool:
            ask.cached += 1
            continue
        spec = tool["toolSpec"]
        ask.tools[spec["name"]] = (spec.get("description"), spec["inputSchema"]["json"])
    choice = config.get("toolChoice") or {}
    ask.choice = ("named", choice["tool"]["name"]) if "tool" in choice else next(iter(choice), None)
    if thinking.get("type") == "enabled" and ask.choice not in (None, "auto"):
        raise Fault(
            "The model returned the following errors: Thinking may not be enabled when tool_choice forces tool use."
        )


def take_messages(messages, ask):
    open_calls = []
    for message in messages:
        role = message["role"]
        wanted = "user" if len(ask.turns) % 2 == 0 else "assistant"
        if role != wanted:
            raise Fault("A conversation must alternate between user and assistant roles.")
        if not message["content"]:
            raise Fault("The content field is empty")
        parts = [made for made in (take_block(block, ask) for block in message["content"]) if made]
        answered = [made.id for made in parts if isinstance(made, mind.Result)]
        if sorted(answered) != sorted(open_calls):
            raise Fault("Expected toolResult blocks for the following Ids: " + ", ".join(open_calls))
        open_calls = [made.id for made in parts if isinstance(made, mind.Call)]
        if ask.thinks == "enabled" and open_calls and not isinstance(parts[0], mind.Thought):
            raise Fault("Expected `thinking` or `redacted_thinking`, but found `tool_use`.")
        ask.turns.append((role, parts))


def take_block(block, ask):
    one(block)
    ((name, value),) = block.items()
    if name == "text":
        if not value.strip():
            raise Fault("The text field in the ContentBlock object is blank.")
        return mind.Text(value)
    if name == "image":
        data = base64.b64encode(value["source"]["bytes"]).decode()
        return mind.Image(f"image/{value['format']}", data)
    if name == "toolUse":
        if not isinstance(value["input"], dict):
            raise Fault("The format of the value at toolUse.input is invalid. Provide a json object")
        return mind.Call(value["toolUseId"], value["name"], value["input"])
    if name == "toolResult":
        for part in value["content"]:
            one(part)
        texts = [part["text"] for part in value["content"] if "text" in part]
        images = [take_block({"image": part["image"]}, ask) for part in value["content"] if "image" in part]
        return mind.Result(value["toolUseId"], None, "".join(texts), value.get("status") == "error", images)
    if name == "cachePoint":
        ask.cached += 1
        return None
    if name == "reasoningContent":
        if "redactedContent" in value:
            made = mind.Thought("", base64.b64encode(value["redactedContent"]).decode(), True)
        else:
            made = mind.Thought(value["reasoningText"]["text"], value["reasoningText"].get("signature"))
        mind.check_seal(ask.kind, made)
        return made
    raise Fault(f"content {name}")


def check_tool_blocks(request, ask):
    used = any(isinstance(part, (mind.Call, mind.Result)) for _, parts in ask.turns for part in parts)
    if used and not request.get("toolConfig"):
        raise Fault("The toolConfig field must be defined when using toolUse and toolResult content blocks.")


# Answers

STOPS = {
    "end": "end_turn",
    "tools": "tool_use",
    "length": "max_tokens",
    "sequence": "stop_sequence",
    "filter": "guardrail_intervened",
    "refusal": "refusal",
}


def usage(figures):
    hour = figures["written_hour"]
    made = {
        "inputTokens": figures["fresh"],
        "outputTokens": figures["output"],
        "totalTokens": figures["fresh"] + figures["read"] + figures["written"] + figures["output"],
        "cacheReadInputTokens": figures["read"],
        "cacheWriteInputTokens": figures["written"],
    }
    if hour:
        made["cacheDetails"] = [
            {"ttl": "5m", "inputTokens": figures["written"] - hour},
            {"ttl": "1h", "inputTokens": hour},
        ]
    return made


def block(part):
    if isinstance(part, mind.Call):
        return {"toolUse": {"toolUseId": part.id, "name": part.name, "input": part.arguments}}
    if isinstance(part, mind.Thought) and part.hidden:
        return {"reasoningContent": {"redactedContent": part.seal}}
    if isinstance(part, mind.Thought):
        return {"reasoningContent": {"reasoningText": {"text": part.text, "signature": part.seal}}}
    return {"text": part.text}


def whole(ask, reply):
    message = {"role": "assistant", "content": [block(part) for part in reply.parts]}
    body = {
        "output": {"message": message},
        "stopReason": STOPS[reply.stop],
        "usage": usage(reply.usage),
        "metrics": {"latencyMs": 12},
    }
    hold(body, OUTPUT)
    return body


def frame(headers, payload):
    packed = b"".join(
        struct.pack(">B", len(name)) + name.encode() + b"\x07" + struct.pack(">H", len(value)) + value.encode()
        for name, value in headers.items()
    )
    prelude = struct.pack(">II", 16 + len(packed) + len(payload), len(packed))
    message = prelude + struct.pack(">I", zlib.crc32(prelude)) + packed + payload
    return message + struct.pack(">I", zlib.crc32(message))


def event(name, payload):
    hold(payload, EVENTS[name])
    headers = {":event-type": name, ":content-type": "application/json", ":message-type": "event"}
    # The service pads its events, so that their lengths say nothing.
    return frame(headers, json.dumps({**payload, "p": "abcdefgh"}, ensure_ascii=False).encode())


def exception(name, said):
    headers = {":exception-type": name, ":content-type": "application/json", ":message-type": "exception"}
    return frame(headers, json.dumps({"message": said}).encode())


def events(ask, reply, body):
    broken = exception("modelStreamErrorException", "The system encountered an unexpected error during processing.")
    if reply.breaks == "inband-first":
        return [exception("throttlingException", "Too many requests, please wait before trying again.")]
    found = [event("messageStart", {"role": "assistant"})]
    for index, part in enumerate(reply.parts):
        place = {"contentBlockIndex": index}
        if isinstance(part, mind.Call):
            start = {"toolUse": {"toolUseId": part.id, "name": part.name}}
            found.append(event("contentBlockStart", {**place, "start": start}))
        found += [event("contentBlockDelta", {**place, "delta": delta}) for delta in deltas(part)]
        if reply.breaks is None:
            found.append(event("contentBlockStop", place))
    if reply.breaks == "inband":
        return found + [broken]
    if reply.breaks == "damaged":
        last = bytearray(event("contentBlockDelta", {"contentBlockIndex": 0, "delta": {"text": "lost"}}))
        last[-6] ^= 1
        return found + [bytes(last)]
    if reply.breaks:
        return found + ([CUT] if reply.breaks == "cut" else [])
    found.append(event("messageStop", {"stopReason": STOPS[reply.stop]}))
    return found + [event("metadata", {"usage": usage(reply.usage), "metrics": {"latencyMs": 12}})]


def deltas(part):
    if isinstance(part, mind.Call):
        return [{"toolUse": {"input": piece}} for piece in mind.cuts(compact(part.arguments))]
    if isinstance(part, mind.Thought) and part.hidden:
        return [{"reasoningContent": {"redactedContent": part.seal}}]
    if isinstance(part, mind.Thought):
        texts = [{"reasoningContent": {"text": piece}} for piece in mind.cuts(part.text)]
        return [*texts, {"reasoningContent": {"signature": part.seal}}]
    return [{"text": piece} for piece in mind.cuts(part.text)]


# Errors


def envelope(status, kind, said):
    return Error(status, {"message": said}, {"x-amzn-errortype": f"{kind}:http://internal.amazon.com/coral/"})


def malformed(kind, said):
    return envelope(400, "ValidationException", said)


def unknown_key(kind):
    if kind == "bedrock-key":
        # Seen in public bug reports; the only error of this service whose `Message` has a capital.
        said = "Authentication failed: Please make sure your API Key is valid."
        return Error(403, {"Message": said}, {"x-amzn-errortype": "AccessDeniedException"})
    return envelope(403, "UnrecognizedClientException", "The security token included in the request is invalid.")


def refused(kind, what):
    if what == "request":
        return envelope(400, "ValidationException", "the played model refuses this")
    if what == "context":
        return envelope(400, "ValidationException", "Input is too long for requested model.")
    if what == "rate":
        return envelope(429, "ThrottlingException", "Too many requests, please wait before trying again.")
    if what == "quota":
        return envelope(
            400, "ServiceQuotaExceededException", "Your request exceeds the service quota for your account."
        )
    if what == "overloaded":
        return envelope(503, "ServiceUnavailableException", "Bedrock is unable to process your request.")
    return envelope(500, "InternalServerException", "The system encountered an unexpected error during processing.")
