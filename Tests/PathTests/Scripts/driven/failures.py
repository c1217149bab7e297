"""Calls that fail, in each way in which they can."""

import re

from played import facts

from .cells import BEDROCK_KINDS, Absent, check_status, raised, same


def fails(play, status, name, words, key="good"):
    """A call that ends with this status, whole and streamed alike, in the SDK's own class."""

    def failure(cell):
        # Another model for each: what the gateway keeps in mind of it must not reach other cells.
        for stream in (False, True):
            tag = re.sub("[^a-z]", "", f"{play}{cell.dialect.__name__}{stream}".lower())
            caller = cell.caller(tag, key)
            error = raised(lambda: caller.ask(caller.first(play), stream=stream), caller.errors.APIError)
            check_status(error, status, name, words)
            if status == 429:
                # AWS does not say how long.
                wait = 1 if cell.kind in BEDROCK_KINDS else facts.RETRY_SECONDS
                same(error.response.headers.get("retry-after"), str(wait), "retry-after")
            for secret in [*facts.KEYS.values(), *facts.REVOKED.values()]:
                assert secret not in str(error), "a provider key is in the error"

    return failure


def breaks(play):
    """A stream that breaks after its first content never ends as if it were whole."""

    def broken(cell):
        if play == "damaged" and cell.kind not in BEDROCK_KINDS:
            raise Absent
        tag = re.sub("[^a-z]", "", f"{play}{cell.dialect.__name__}".lower())
        caller = cell.caller(tag)
        error = raised(lambda: caller.raw(caller.first(play)), caller.errors.APIError)
        assert "incomplete" in str(error), error
        error = raised(lambda: caller.ask(caller.first(play), stream=True), caller.errors.APIError)
        assert "incomplete" in str(error), error

    return broken


def prompt_blocked(cell):
    """A prompt that the provider's filter refuses: with an error, or with a 200 that holds no answer."""
    if cell.kind not in ("gemini", "azure", "azure-v1"):
        raise Absent
    for stream in (False, True):
        caller = cell.caller(f"blocked{cell.dialect.__name__}".lower())
        error = raised(lambda: caller.ask(caller.first("blocked"), stream=stream), caller.errors.APIError)
        check_status(error, 400, "BadRequestError", "(?i)filtered|blocked|safety")


def first_event_fails(cell):
    """An error that is a stream's first event is told by the answer's status."""
    tag = f"first{cell.dialect.__name__}".lower()
    caller = cell.caller(tag)
    error = raised(lambda: caller.ask(caller.first("inband-first"), stream=True), caller.errors.APIStatusError)
    wanted = (429, "RateLimitError") if cell.kind in BEDROCK_KINDS else (502, "InternalServerError")
    same((error.status_code, type(error).__name__), wanted, "the error")


FAILURES = {
    "400 of the provider": fails("fail-request", 400, "BadRequestError", "the played model refuses this"),
    "400, context too long": fails("fail-context", 400, "BadRequestError", "(?i)too long|maximum|exceeds"),
    "400, prompt blocked": prompt_blocked,
    "401 of the gateway": fails("plain", 401, "AuthenticationError", "virtual key", key="unknown"),
    "provider key revoked": fails("plain", 424, "APIStatusError", "provider key", key="revoked"),
    "429 with retry-after": fails("fail-rate", 429, "RateLimitError", "limits the rate"),
    "500 of the provider": fails("fail-server", 502, "InternalServerError", "failed with 500"),
    "overloaded": fails("fail-overloaded", 502, "InternalServerError", "failed with 5"),
    "error as first event": first_event_fails,
    "error within a stream": breaks("inband"),
    "cut stream": breaks("cut"),
    "stream without its end": breaks("vanish"),
    "damaged frame": breaks("damaged"),
}
