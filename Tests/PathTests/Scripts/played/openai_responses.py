"""OpenAI's responses, as OpenAI and Azure OpenAI answer.

After the API reference, "Responses" and "Streaming events", and the types of the `openai` SDK.
"""

import json

from openai.types.responses import Response, ResponseStreamEvent, response_create_params

from . import mind, openai_chat, openai_errors, shape
from .shape import Fault
from .wire import CUT, compact, sse


def take(kind, model, body):
    shape.request(body, response_create_params.ResponseCreateParams)
    if "model" not in body or "input" not in body:
        raise Fault("Missing required parameter")
    thinks = body.get("reasoning") or {}
    ask = mind.Ask(
        kind,
        body["model"],
        body.get("stream") or False,
        system=[body["instructions"]] if body.get("instructions") else [],
        most=body.get("max_output_tokens"),
        temperature=body.get("temperature"),
        top_p=body.get("top_p"),
        thinks=thinks.get("effort"),
        parallel=body.get("parallel_tool_calls"),
        user=body.get("user"),
    )
    take_tools(body, ask)
    take_input(body["input"], ask)
    return ask


def take_tools(body, ask):
    for tool in body.get("tools") or []:
        if tool["type"] != "function":
            raise Fault(f"tools of type {tool['type']}")
        ask.tools[tool["name"]] = (tool.get("description"), tool.get("parameters"))
    choice = body.get("tool_choice")
    ask.choice = ("named", choice["name"]) if isinstance(choice, dict) else "any" if choice == "required" else choice
    format = (body.get("text") or {}).get("format") or {}
    if format.get("type") == "json_object":
        ask.shape = "json"
    if format.get("type") == "json_schema":
        ask.shape = format["schema"]


def take_input(given, ask):
    if isinstance(given, str):
        ask.turns.append(("user", [mind.Text(given)]))
        return
    open_calls = []
    for item in given:
        kind = item.get("type", "message")
        if kind == "message" and item["role"] in ("system", "developer"):
            ask.system += [part.text for part in parts(item["content"])]
        elif kind == "message":
            ask.turns.append((item["role"], parts(item["content"])))
        elif kind == "reasoning":
            thought = mind.Thought("".join(part["text"] for part in item["summary"]), item.get("encrypted_content"))
            thought.hidden = not item["summary"]
            mind.check_seal(ask.kind, thought)
            ask.turns.append(("assistant", [thought]))
        elif kind == "function_call":
            open_calls.append(item["call_id"])
            made = mind.Call(item["call_id"], item["name"], json.loads(item["arguments"]))
            ask.turns.append(("assistant", [made]))
        elif kind == "function_call_output":
            if item["call_id"] not in open_calls:
                raise Fault(f"No tool call found for function call output with call_id {item['call_id']}.")
            open_calls.remove(item["call_id"])
            said = parts(item["output"])
            text = "".join(part.text for part in said if isinstance(part, mind.Text))
            images = [part for part in said if isinstance(part, mind.Image)]
            ask.turns.append(("user", [mind.Result(item["call_id"], None, text, None, images)]))
        else:
            raise Fault(f"input of type {kind}")
    if open_calls:
        raise Fault(f"No tool output found for function call {open_calls[0]}.")


def parts(content):
    if isinstance(content, str):
        return [mind.Text(content)]
    found = []
    for part in content:
        if part["type"] in ("input_text", "output_text"):
            found.append(mind.Text(part["text"]))
        elif part["type"] == "refusal":
            found.append(mind.Refusal(part["refusal"]))
        elif part["type"] == "input_image":
            found.append(openai_chat.image(part["image_url"]))
        else:
            raise Fault(f"content of type {part['type']}")
    return found


# Answers


def usage(figures):
    prompt = figures["fresh"] + figures["read"] + figures["written"]
    return {
        "input_tokens": prompt,
        "input_tokens_details": {"cached_tokens": figures["read"], "cache_write_tokens": figures["written"]},
        "output_tokens": figures["output"],
        "output_tokens_details": {"reasoning_tokens": figures["reasoning"]},
        "total_tokens": prompt + figures["output"],
    }


def response(ask, status, output, reply=None, error=None):
    reasons = {"length": "max_output_tokens", "filter": "content_filter"}
    reason = reasons.get(reply.stop) if reply and status == "incomplete" else None
    return {
        "id": "resp_1",
        "object": "response",
        "created_at": 1764201600,
        "status": status,
        "error": error,
        "incomplete_details": {"reason": reason} if reason else None,
        "instructions": ask.system[0] if ask.system else None,
        "metadata": {},
        "model": ask.model,
        "output": output,
        "parallel_tool_calls": True,
        "temperature": ask.temperature,
        "tool_choice": "auto",
        "tools": [],
        "top_p": ask.top_p,
        "usage": usage(reply.usage) if reply else None,
    }


def text_part(part):
    if isinstance(part, mind.Refusal):
        return {"type": "refusal", "refusal": part.text}
    return {"type": "output_text", "text": part.text, "annotations": [], "logprobs": []}


def item(index, part, status):
    if isinstance(part, mind.Thought):
        summary = [] if part.hidden else [{"type": "summary_text", "text": part.text}]
        return {"id": f"rs_{index}", "type": "reasoning", "summary": summary, "encrypted_content": part.seal}
    if isinstance(part, mind.Call):
        call = {"type": "function_call", "call_id": part.id, "name": part.name, "arguments": compact(part.arguments)}
        return {"id": f"fc_{index}", "status": status, **call}
    message = {"type": "message", "role": "assistant", "content": [text_part(part)]}
    return {"id": f"msg_{index}", "status": status, **message}


def ending(reply):
    return "incomplete" if reply.stop in ("length", "filter") else "completed"


def whole(ask, reply):
    status = ending(reply)
    output = [item(index, part, status) for index, part in enumerate(reply.parts)]
    return shape.answer(response(ask, status, output, reply), Response)


def events(ask, reply, body):
    found = []

    def say(kind, **members):
        made = {"type": kind, "sequence_number": len(found), **members}
        shape.answer(made, ResponseStreamEvent)
        found.append(sse(made, kind))

    def break_off():
        failure = openai_errors.inband(ask.kind)["error"]
        made = {"type": "error", "sequence_number": len(found), "error": failure, **{**failure, "type": "error"}}
        found.append(sse(made, "error"))
        error = {"code": "server_error", "message": failure["message"]}
        say("response.failed", response=response(ask, "failed", [], error=error))

    say("response.created", response=response(ask, "in_progress", []))
    say("response.in_progress", response=response(ask, "in_progress", []))
    if reply.breaks == "inband-first":
        break_off()
        return found
    for index, part in enumerate(reply.parts):
        grow(index, part, say, ending(reply), whole=reply.breaks is None)
    if reply.breaks == "inband":
        break_off()
    if reply.breaks:
        return found + ([CUT] if reply.breaks == "cut" else [])
    answer = whole(ask, reply)
    say(f"response.{answer['status']}", response=answer)
    return found


def grow(index, part, say, status, whole):
    """The events of one item; without its end where the stream breaks in it."""
    made = item(index, part, status)
    place = {"item_id": made["id"], "output_index": index}
    if isinstance(part, mind.Call):
        say("response.output_item.added", output_index=index, item={**made, "status": "in_progress", "arguments": ""})
        for piece in mind.cuts(made["arguments"]):
            say("response.function_call_arguments.delta", **place, delta=piece)
        say("response.function_call_arguments.done", **place, arguments=made["arguments"])
    elif isinstance(part, mind.Thought):
        say("response.output_item.added", output_index=index, item={**made, "summary": [], "encrypted_content": ""})
        if not part.hidden:
            place = {**place, "summary_index": 0}
            say("response.reasoning_summary_part.added", **place, part={"type": "summary_text", "text": ""})
            for piece in mind.cuts(part.text):
                say("response.reasoning_summary_text.delta", **place, delta=piece)
            say("response.reasoning_summary_text.done", **place, text=part.text)
            say("response.reasoning_summary_part.done", **place, part=made["summary"][0])
    else:
        say("response.output_item.added", output_index=index, item={**made, "status": "in_progress", "content": []})
        place = {**place, "content_index": 0}
        refusal = isinstance(part, mind.Refusal)
        name = "refusal" if refusal else "output_text"
        more = {} if refusal else {"logprobs": []}
        say("response.content_part.added", **place, part=text_part(type(part)("")))
        for piece in mind.cuts(part.text):
            say(f"response.{name}.delta", **place, delta=piece, **more)
        if not whole:
            return
        text = {"refusal": part.text} if refusal else {"text": part.text, "logprobs": []}
        say(f"response.{name}.done", **place, **text)
        say("response.content_part.done", **place, part=text_part(part))
    say("response.output_item.done", output_index=index, item=made)
