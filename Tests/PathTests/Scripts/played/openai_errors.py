"""Errors of OpenAI, Azure OpenAI and compatible servers.

After OpenAI's "Error codes" and Azure OpenAI's "Quotas and limits"; the in-band form is the one that OpenAI's SDKs
raise on.
"""

from . import facts
from .wire import Error


def envelope(status, message, kind, code=None, param=None, headers=None):
    body = {"error": {"message": message, "type": kind, "param": param, "code": code}}
    return Error(status, body, headers or {})


def malformed(kind, message):
    return envelope(400, message, "invalid_request_error", "invalid_value")


def unknown_key(kind):
    if kind.startswith("azure"):
        message = "Access denied due to invalid subscription key or wrong API endpoint."
        return Error(401, {"error": {"code": "401", "message": message}})
    message = "Incorrect API key provided: sk-good-********cdef. You can find your API key at the provider's site."
    return envelope(401, message, "invalid_request_error", "invalid_api_key")


def refused(kind, what):
    azure = kind.startswith("azure")
    later = {"retry-after": str(facts.RETRY_SECONDS), "retry-after-ms": str(facts.RETRY_SECONDS * 1000)}
    if what == "request":
        return envelope(400, "the played model refuses this", "invalid_request_error", "invalid_value", "messages")
    if what == "context":
        message = "This model's maximum context length is 128000 tokens. Please reduce the length of the messages."
        return envelope(400, message, "invalid_request_error", "context_length_exceeded", "messages")
    if what == "blocked":
        said = "The response was filtered due to the prompt triggering Azure OpenAI's content management policy."
        inner = {"code": "ResponsibleAIPolicyViolation", "content_filter_result": {"hate": {"filtered": True}}}
        error = {"message": said, "type": None, "param": "prompt", "code": "content_filter", "status": 400}
        return Error(400, {"error": {**error, "innererror": inner}})
    if what == "rate" and azure:
        message = "Requests to the operation have exceeded the call rate limit of your current pricing tier."
        return Error(429, {"error": {"code": "429", "message": message}}, later)
    if what == "rate":
        resets = {"x-ratelimit-reset-requests": f"{facts.RETRY_SECONDS}s", "x-ratelimit-remaining-requests": "0"}
        message = "Rate limit reached for the model on requests per min."
        return envelope(429, message, "requests", "rate_limit_exceeded", headers={**later, **resets})
    if what == "quota":
        message = "You exceeded your current quota, please check your plan and billing details."
        return envelope(429, message, "insufficient_quota", "insufficient_quota")
    if what == "overloaded":
        message = "The engine is currently overloaded, please try again later"
        return envelope(503, message, "server_error", "server_overloaded")
    if azure:
        return Error(500, {"error": {"code": "InternalServerError", "message": "The server had an error."}})
    return envelope(500, "The server had an error while processing your request.", "server_error")


def inband(kind):
    return {
        "error": {
            "message": "The server had an error in its stream.",
            "type": "server_error",
            "param": None,
            "code": None,
        }
    }
