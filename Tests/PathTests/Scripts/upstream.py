"""A provider on loopback for the path tests: OpenAI's and Anthropic's formats, and faults by model name.

Prints its port, writes each request as a JSON line to the file named by the first argument. Shapes follow the
providers' public API references (seen 2026-11-23).
"""

import base64
import gzip
import json
import socket
import sys
import time
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

RECORD = sys.argv[1]
OPENAI_USAGE = {
    "prompt_tokens": 100,
    "completion_tokens": 20,
    "total_tokens": 120,
    "prompt_tokens_details": {"cached_tokens": 40},
}
ANTHROPIC_USAGE = {
    "input_tokens": 3,
    "cache_creation_input_tokens": 12304,
    "cache_read_input_tokens": 0,
    "output_tokens": 550,
}


# A gzip file may have several members (RFC 1952 section 2.2): 1 KB that opens to 1 MiB, 1,200 times.
BOMB = gzip.compress(bytes(1 << 20)) * 1200
BOMBS = {"gzip": BOMB, "nested": gzip.compress(BOMB), "deflate": BOMB, "br": BOMB}


def sse(data, event=None):
    head = f"event: {event}\n" if event else ""
    return head + "data: " + (data if isinstance(data, str) else json.dumps(data)) + "\n\n"


def openai_chunk(model, delta, finish=None):
    return sse(
        {
            "id": "c",
            "object": "chat.completion.chunk",
            "created": 1,
            "model": model,
            "choices": [{"index": 0, "delta": delta, "finish_reason": finish}],
        }
    )


def openai_events(model, body):
    events = [openai_chunk(model, {"role": "assistant", "content": ""})]
    if "inband-first" in model:
        return [sse({"error": {"message": "no capacity", "type": "server_error"}})]
    events += [openai_chunk(model, {"content": f"w{i} "}) for i in range(5)]
    if "cut" in model:
        return events
    if "inband" in model:
        return events + [sse({"error": {"message": "oops", "type": "server_error"}})]
    events.append(openai_chunk(model, {}, "stop"))
    if (body.get("stream_options") or {}).get("include_usage"):
        usage = {"id": "c", "object": "chat.completion.chunk", "created": 1, "model": model, "choices": []}
        events.append(sse({**usage, "usage": OPENAI_USAGE}))
    return events + [sse("[DONE]")]


def anthropic_events(model):
    start = {
        "type": "message_start",
        "message": {
            "id": "m",
            "type": "message",
            "role": "assistant",
            "content": [],
            "model": model,
            "stop_reason": None,
            "stop_sequence": None,
            "usage": {**ANTHROPIC_USAGE, "output_tokens": 1},
        },
    }
    block = {"type": "content_block_start", "index": 0, "content_block": {"type": "text", "text": ""}}
    delta = {"type": "content_block_delta", "index": 0, "delta": {"type": "text_delta", "text": "hi"}}
    events = [sse(start, "message_start"), sse(block, "content_block_start"), sse(delta, "content_block_delta")]
    if "cut" in model:
        return events
    end = {
        "type": "message_delta",
        "delta": {"stop_reason": "end_turn", "stop_sequence": None},
        "usage": {"output_tokens": 550},
    }
    return events + [
        sse({"type": "content_block_stop", "index": 0}, "content_block_stop"),
        sse(end, "message_delta"),
        sse({"type": "message_stop"}, "message_stop"),
    ]


def response(model, status, text):
    """A `response` object (OpenAI API reference, "Responses")."""
    content = [{"type": "output_text", "text": text, "annotations": []}]
    message = {"id": "m", "type": "message", "role": "assistant", "status": status, "content": content}
    facts = {"id": "r", "object": "response", "created_at": 1, "model": model, "status": status, "tools": []}
    done = status == "completed"
    usage = {
        "input_tokens": 100,
        "input_tokens_details": {"cached_tokens": 40},
        "output_tokens": 20,
        "output_tokens_details": {"reasoning_tokens": 0},
        "total_tokens": 120,
    }
    choice = {"parallel_tool_calls": True, "tool_choice": "auto"}
    return {**facts, **choice, "output": [message] if done else [], "usage": usage if done else None}


def responses_events(model):
    begun, whole = response(model, "in_progress", ""), response(model, "completed", "hello")
    item = {"id": "m", "type": "message", "role": "assistant", "status": "in_progress", "content": []}
    part = {"type": "output_text", "text": "", "annotations": []}
    place = {"item_id": "m", "output_index": 0, "content_index": 0}
    events = [
        {"type": "response.created", "response": begun},
        {"type": "response.output_item.added", "output_index": 0, "item": item},
        {"type": "response.content_part.added", **place, "part": part},
        {"type": "response.output_text.delta", **place, "delta": "hel", "logprobs": []},
        {"type": "response.output_text.delta", **place, "delta": "lo", "logprobs": []},
        {"type": "response.completed", "response": whole},
    ]
    numbered = [sse({**event, "sequence_number": n}, event["type"]) for n, event in enumerate(events)]
    return numbered[:-1] if "cut" in model else numbered


class Provider(BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"

    def log_message(self, *arguments):
        pass

    def key(self):
        return self.headers.get("authorization") or self.headers.get("x-api-key") or ""

    def answer(self, status, value, **headers):
        data = json.dumps(value).encode()
        self.send_response(status)
        self.send_header("content-type", "application/json")
        self.send_header("content-length", str(len(data)))
        for name, text in headers.items():
            self.send_header(name.replace("_", "-"), text)
        self.end_headers()
        self.wfile.write(data)

    def do_GET(self):
        if "BAD" in self.key():
            message = "Incorrect API key provided: " + self.key()
            return self.answer(401, {"error": {"message": message, "code": "invalid_api_key"}})
        self.answer(200, {"object": "list", "data": []})

    def do_POST(self):
        body = json.loads(self.rfile.read(int(self.headers["content-length"])))
        model = body.get("model", "")
        with open(RECORD, "a") as record:
            record.write(json.dumps({"path": self.path, "key": self.key(), "body": body}) + "\n")
        if "slow" in model:
            time.sleep(1)
        if "packed-" in self.path + model:
            return self.packed(self.path + model, body)
        if "echo-" in model:
            return self.echo(model, body)
        if "parrot" in model and not body.get("stream"):
            said = body["messages"][-1]["content"]
            choice = {"index": 0, "message": {"role": "assistant", "content": said}, "finish_reason": "stop"}
            chat = {"id": "c", "object": "chat.completion", "created": 1, "model": model, "choices": [choice]}
            return self.answer(200, {**chat, "usage": OPENAI_USAGE})
        if "fail-500" in model:
            return self.answer(500, {"error": {"message": "boom", "type": "server_error"}})
        if "fail-429" in model:
            error = {"message": "slow down", "type": "rate_limit_error"}
            return self.answer(429, {"error": error}, retry_after="7")
        if "fail-401" in model:
            return self.answer(401, {"error": {"message": "Incorrect API key provided: " + self.key()}})
        if "fail-400" in model:
            message = "bad \x1b[31mfield\u202e " + self.key()
            return self.answer(400, {"error": {"message": message, "type": "invalid_request_error"}})
        if self.path.endswith("/embeddings"):
            usage = {"prompt_tokens": 9, "total_tokens": 9}
            data = [{"object": "embedding", "index": 0, "embedding": [0.1, 0.2]}]
            return self.answer(200, {"object": "list", "data": data, "model": model, "usage": usage})
        if self.path.endswith("/messages/count_tokens"):
            return self.answer(200, {"input_tokens": 14})
        if self.path.endswith("/responses"):
            if body.get("stream"):
                return self.stream(responses_events(model), model)
            return self.answer(200, response(model, "completed", "hello"))
        if body.get("stream"):
            anthropic = self.path.endswith("/messages")
            return self.stream(anthropic_events(model) if anthropic else openai_events(model, body), model)
        if self.path.endswith("/messages"):
            message = {"id": "m", "type": "message", "role": "assistant", "model": model}
            content = {"content": [{"type": "text", "text": "hi"}], "stop_reason": "end_turn", "stop_sequence": None}
            return self.answer(200, {**message, **content, "usage": ANTHROPIC_USAGE})
        choice = {"index": 0, "message": {"role": "assistant", "content": "hello"}, "finish_reason": "stop"}
        chat = {"id": "c", "object": "chat.completion", "created": 1, "model": model, "choices": [choice]}
        self.answer(200, {**chat, "usage": OPENAI_USAGE})

    def echo(self, model, body):
        """Gives the key back, in the form and the place that the model's name says: echo-FORM-PLACE."""
        form, place = model.split("echo-")[1].split("-")
        key = self.key().removeprefix("Bearer ").encode()
        text = {
            "plain": key.decode(),
            "part": key[-12:].decode(),
            "base64": base64.b64encode(key).decode(),
            "header": base64.b64encode(b"Bearer " + key).decode(),
            "urlsafe": base64.urlsafe_b64encode(b"x" + key).decode().rstrip("="),
            "hex": key.hex(),
            "capitals": key.hex().upper(),
            "percent": "".join(f"%{byte:02X}" for byte in key),
            "spaced": " ".join(key.decode()),
            "dashed": "-".join(key.decode()),
            "numbers": str(list(key)),
        }[form]
        names = "x_echo set_cookie retry_after x_request_id request_id openai_organization x_ratelimit_limit_requests"
        headers = {name: text for name in names.split()}
        error = {"error": {"message": "Wrong: " + text, "type": "invalid_request_error", "code": text, "param": text}}
        if place.isdigit():
            return self.answer(int(place), error, **headers)
        if place == "head":
            choice = {"index": 0, "message": {"role": "assistant", "content": "hello"}, "finish_reason": "stop"}
            chat = {"id": "c", "object": "chat.completion", "created": 1, "model": model, "choices": [choice]}
            return self.answer(200, {**chat, "usage": OPENAI_USAGE}, **headers)
        events = [] if place == "first" else openai_events("inband", body)[:-1]
        self.stream(events + [sse(error)], model)

    def packed(self, model, body):
        """A decompression bomb: packed-FORM, packed-FORM-error; whoever asks for a stream gets it as one."""
        form = next(form for form in BOMBS if f"packed-{form}" in model)
        streams = body.get("stream") or "stream" in self.path
        self.send_response(400 if "-error" in model else 200)
        self.send_header("content-type", "text/event-stream" if streams else "application/json")
        self.send_header("content-encoding", "gzip, gzip" if form == "nested" else form)
        self.send_header("content-length", str(len(BOMBS[form])))
        self.end_headers()
        try:
            self.wfile.write(BOMBS[form])
        except OSError:
            self.close_connection = True

    def flood(self, model):
        """As many events as the connection takes, up to 64 MiB; how many went out is recorded at the end."""
        event = openai_chunk(model, {"content": "x" * 8000}).encode()
        chunk = b"%x\r\n%s\r\n" % (len(event), event)
        sent = 0
        try:
            while sent < 64 << 20:
                self.wfile.write(chunk)
                sent += len(event)
                if "trickle" in model:
                    time.sleep(0.05)
            self.wfile.write(b"0\r\n\r\n")
        except OSError:
            self.close_connection = True
        with open(RECORD, "a") as record:
            record.write(json.dumps({"flooded": sent}) + "\n")

    def stream(self, events, model):
        self.send_response(200)
        self.send_header("content-type", "text/event-stream")
        self.send_header("transfer-encoding", "chunked")
        self.end_headers()
        if "flood" in model:
            return self.flood(model)
        for event in events:
            data = event.encode()
            self.wfile.write(b"%x\r\n%s\r\n" % (len(data), data))
            self.wfile.flush()
        if "cut" in model:
            self.close_connection = True
            self.connection.shutdown(socket.SHUT_RDWR)
            return
        self.wfile.write(b"0\r\n\r\n")


server = ThreadingHTTPServer(("127.0.0.1", 0), Provider)
server.daemon_threads = True
print(server.server_address[1], flush=True)
server.serve_forever()
