"""What the played formats share: events on the wire, errors, and how a stream breaks."""

import dataclasses
import json


@dataclasses.dataclass
class Error(Exception):
    """An answer that is no success."""

    status: int
    body: object
    headers: dict = dataclasses.field(default_factory=dict)


# Ends a stream's list of pieces: the connection is torn without the last chunk.
CUT = object()


def sse(data, event=None):
    head = f"event: {event}\n" if event else ""
    return (
        head + "data: " + (data if isinstance(data, str) else json.dumps(data, ensure_ascii=False)) + "\n\n"
    ).encode()


def compact(value):
    return json.dumps(value, ensure_ascii=False, separators=(",", ":"))
