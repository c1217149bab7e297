"""All kinds of providers on loopback, strict about what they receive and faithful in what they answer.

Prints its ports, for HTTP and for HTTPS: AWS's SDK gives a bearer to HTTPS only. Into the folder named by its argument
go the authority of its certificate, what the gateway's configuration has to say of it, and the provider keys.
`GET /faults` hands out, and forgets, what was wrong with requests since it was last asked: so a request that only a
lenient provider would take fails the test though it was answered.
"""

import json
import re
import socket
import sys
import threading
import traceback
import urllib.parse
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

from played import (
    anthropic_messages,
    bedrock_converse,
    certificates,
    facts,
    gemini_contents,
    keys,
    mind,
    openai_chat,
    openai_embeddings,
    openai_errors,
    openai_responses,
)
from played.shape import Fault
from played.wire import CUT

STREAM = "text/event-stream"
AWS_STREAM = "application/vnd.amazon.eventstream"
ERRORS = {"anthropic": anthropic_messages, "gemini": gemini_contents, "bedrock": bedrock_converse}
ERRORS["bedrock-key"] = bedrock_converse


def whole(answer):
    return lambda *asked: (answer(*asked), None)


def said(format, streams=None):
    """Asks the model; `streams` says whether the path decides, else the body does."""

    def answer(kind, model, body, *version):
        ask = format.take(kind, model, body, *version)
        ask.stream = ask.stream if streams is None else streams
        reply = mind.reply(ask)
        return (None, format.events(ask, reply, body)) if ask.stream else (format.whole(ask, reply), None)

    return answer


def models(kind, model, body):
    # Who asks for this wants to know whether a key is good.
    return {"object": "list", "data": [], "models": []}, None


OPENAI = [
    ("POST", r"/chat/completions", said(openai_chat)),
    ("POST", r"/embeddings", whole(openai_embeddings.answer)),
    ("GET", r"/models", models),
]
RESPONSES = [("POST", r"/responses", said(openai_responses))]
VERSION = rf"\?api-version={facts.API_VERSION}"
DEPLOYMENT = r"/deployments/(?P<model>[^/]+)"
CONVERSE = [
    ("POST", r"/model/(?P<model>[^/]+)/converse", said(bedrock_converse, False)),
    ("POST", r"/model/(?P<model>[^/]+)/converse-stream", said(bedrock_converse, True)),
]
ROUTES = {
    "openai": OPENAI + RESPONSES,
    "compatible": OPENAI,
    "azure-v1": OPENAI + RESPONSES,
    "azure": [
        ("POST", rf"{DEPLOYMENT}/chat/completions{VERSION}", said(openai_chat)),
        ("POST", rf"{DEPLOYMENT}/embeddings{VERSION}", whole(openai_embeddings.answer)),
        ("POST", rf"/responses{VERSION}", said(openai_responses)),
        ("GET", rf"/models{VERSION}", models),
    ],
    "anthropic": [
        ("POST", r"/messages", said(anthropic_messages)),
        ("POST", r"/messages/count_tokens", whole(anthropic_messages.count)),
        ("GET", r"/models", models),
    ],
    "gemini": [
        ("POST", r"/models/(?P<model>[^/:]+):generateContent", said(gemini_contents, False)),
        ("POST", r"/models/(?P<model>[^/:]+):streamGenerateContent\?alt=sse", said(gemini_contents, True)),
        ("POST", r"/models/(?P<model>[^/:]+):countTokens", whole(gemini_contents.count)),
        ("POST", r"/models/(?P<model>[^/:]+):batchEmbedContents", whole(gemini_contents.embed)),
        ("GET", r"/models", models),
    ],
    "bedrock": CONVERSE,
    "bedrock-key": CONVERSE,
}


class Faults:
    """What was wrong with requests."""

    def __init__(self):
        self.lock = threading.Lock()
        self.found = []

    def note(self, text):
        with self.lock:
            self.found.append(text)

    def take(self):
        with self.lock:
            found, self.found = self.found, []
            return found


FAULTS = Faults()


class Provider(BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"
    # Pieces of a stream go out as they are written.
    disable_nagle_algorithm = True

    def log_message(self, *arguments):
        pass

    def do_GET(self):
        if self.path == "/faults":
            return self.send(200, FAULTS.take())
        self.serve(b"")

    def do_POST(self):
        if self.headers.get("transfer-encoding"):
            FAULTS.note("a body without a length")
        self.serve(self.rfile.read(int(self.headers["content-length"] or 0)))

    def serve(self, data):
        kind, rest = self.kind()
        errors = ERRORS.get(kind, openai_errors)
        try:
            keys.check(kind, self, data)
            answer, events = self.answer(kind, rest, data)
        except keys.UnknownKey:
            return self.refuse(errors.unknown_key(kind))
        except mind.Refused as refusal:
            return self.refuse(errors.refused(kind, str(refusal)))
        except Fault as fault:
            FAULTS.note(f"{kind} {rest}: {fault}")
            return self.refuse(errors.malformed(kind, str(fault)))
        except Exception:
            FAULTS.note(f"{kind} {rest}: {traceback.format_exc()} {data[:2000]!r}")
            return self.refuse(errors.refused(kind, "server"))
        if events is None:
            return self.send(200, answer)
        self.stream(events, AWS_STREAM if kind.startswith("bedrock") else STREAM)

    def kind(self):
        # The longest first: one name begins like another.
        for kind in sorted(facts.PATHS, key=len, reverse=True):
            base = facts.PATHS[kind]
            if self.path.startswith(base + "/"):
                return kind, self.path[len(base) :]
        return "openai", self.path

    def answer(self, kind, rest, data):
        for method, pattern, answer in ROUTES[kind]:
            match = re.fullmatch(pattern, rest)
            if match and method == self.command:
                break
        else:
            raise Fault("no such path")
        if self.command == "GET":
            return answer(kind, None, None)
        if not (self.headers.get("content-type") or "").startswith("application/json"):
            raise Fault("content-type: must be application/json")
        model = match.groupdict().get("model")
        body = json.loads(data)
        if not isinstance(body, dict):
            raise Fault("the body is no object")
        return answer(kind, model and urllib.parse.unquote(model), body, *self.version(kind))

    def version(self, kind):
        """What only Anthropic wants to know."""
        if kind != "anthropic":
            return []
        if self.headers.get("anthropic-version") not in anthropic_messages.VERSIONS:
            raise Fault("anthropic-version: header is required")
        return [self.headers["anthropic-version"]]

    # Writing

    def refuse(self, error):
        self.send(error.status, error.body, error.headers)

    def send(self, status, value, headers=None):
        data = json.dumps(value, ensure_ascii=False).encode()
        self.send_response(status)
        self.send_header("content-type", "application/json")
        self.send_header("content-length", str(len(data)))
        for name, text in (headers or {}).items():
            self.send_header(name, text)
        self.end_headers()
        self.wfile.write(data)

    def stream(self, events, kind):
        self.send_response(200)
        self.send_header("content-type", kind)
        self.send_header("transfer-encoding", "chunked")
        self.end_headers()
        torn = events[-1:] == [CUT]
        # Pieces have nothing to do with events, nor with characters.
        data = b"".join(events[:-1] if torn else events)
        sizes = [1, 64, 7, 501, 33]
        start = turn = 0
        while start < len(data):
            piece = data[start : start + sizes[turn % len(sizes)]]
            self.wfile.write(b"%x\r\n%s\r\n" % (len(piece), piece))
            self.wfile.flush()
            start += len(piece)
            turn += 1
        if torn:
            self.close_connection = True
            self.connection.shutdown(socket.SHUT_RDWR)
        else:
            self.wfile.write(b"0\r\n\r\n")


def main():
    plain = ThreadingHTTPServer(("127.0.0.1", 0), Provider)
    secure = ThreadingHTTPServer(("127.0.0.1", 0), Provider)
    folder = sys.argv[1]
    secure.socket = certificates.context(folder).wrap_socket(secure.socket, server_side=True)
    ports = (plain.server_address[1], secure.server_address[1])
    with open(f"{folder}/providers.toml", "w") as file:
        file.write(facts.configuration(ports, f"{folder}/authority.pem"))
    with open(f"{folder}/keys.json", "w") as file:
        json.dump({"good": facts.KEYS, "revoked": facts.REVOKED}, file)
    for server in (plain, secure):
        server.daemon_threads = True
    print(*ports, flush=True)
    threading.Thread(target=secure.serve_forever, daemon=True).start()
    plain.serve_forever()


if __name__ == "__main__":
    main()
