"""Drives the gateway with the official, unmodified openai and anthropic SDKs; any failed assertion fails the test."""

import sys

import anthropic
import openai

base, token = sys.argv[1], sys.stdin.readline().strip()
client = openai.OpenAI(base_url=base + "/v1", api_key=token, max_retries=0)
claude = anthropic.Anthropic(base_url=base, api_key=token, max_retries=0)
ask = [{"role": "user", "content": "hi"}]


def refused(kind, status, call):
    try:
        call()
    except kind as error:
        assert error.status_code == status, (error.status_code, error.body)
        return error
    raise AssertionError(f"no {kind.__name__}")


chat = client.chat.completions.with_raw_response.create(model="openai/gpt-6-sol", messages=ask, user="u-1")
assert chat.parse().choices[0].message.content == "hello"
assert chat.headers["x-gatehouse-target"] == "openai/gpt-6-sol", chat.headers
assert chat.headers["x-gatehouse-cache"] == "miss"
assert chat.headers["x-gatehouse-cost-usd"] == "0.000328000", chat.headers["x-gatehouse-cost-usd"]
again = client.chat.completions.with_raw_response.create(model="openai/gpt-6-sol", messages=ask, user="u-1")
assert again.headers["x-gatehouse-cache"] == "hit-exact"

plain = list(client.chat.completions.create(model="openai/gpt-6-sol", messages=ask, stream=True))
assert "".join(c.choices[0].delta.content or "" for c in plain if c.choices) == "w0 w1 w2 w3 w4 "
assert all(c.choices for c in plain), "a usage chunk came that was not asked for"
counted = list(
    client.chat.completions.create(
        model="openai/gpt-6-sol", messages=ask, stream=True, stream_options={"include_usage": True}
    )
)
assert counted[-1].usage.total_tokens == 120

assert client.embeddings.create(model="openai/text-embedding-3-small", input="x").data[0].embedding == [0.1, 0.2]
assert "failover" in [model.id for model in client.models.list()]
moved = client.chat.completions.with_raw_response.create(model="failover", messages=ask)
assert moved.headers["x-gatehouse-target"] == "openai/gpt-6-sol" and moved.headers["x-gatehouse-attempts"] == "2"
client.chat.completions.create(model="openai/nobody-knows-the-price", messages=ask)

message = claude.messages.create(model="anthropic/claude-sonnet-4-5", max_tokens=9, messages=ask)
assert message.content[0].text == "hi" and message.usage.output_tokens == 550
with claude.messages.stream(model="anthropic/claude-sonnet-4-5", max_tokens=9, messages=ask) as stream:
    assert "".join(stream.text_stream) == "hi"
    assert stream.get_final_message().usage.output_tokens == 550

written = client.responses.create(model="openai/gpt-6-luna", input="x")
assert written.output_text == "hello" and written.usage.total_tokens == 120
with client.responses.stream(model="openai/gpt-6-luna", input="x") as events:
    assert "".join(e.delta for e in events if e.type == "response.output_text.delta") == "hello"
    assert events.get_final_response().usage.input_tokens_details.cached_tokens == 40
counted = claude.messages.count_tokens(model="anthropic/claude-sonnet-5", messages=ask)
assert counted.input_tokens == 14

stranger = openai.OpenAI(base_url=base + "/v1", api_key="gth_wrong", max_retries=0)
refused(openai.AuthenticationError, 401, lambda: stranger.models.list())
error = refused(
    openai.BadRequestError, 400, lambda: client.chat.completions.create(model="openai/fail-400", messages=ask)
)
assert "sk-" not in str(error) and "\x1b" not in str(error), "an upstream's text went through"
error = refused(
    openai.RateLimitError, 429, lambda: client.chat.completions.create(model="openai/fail-429", messages=ask)
)
assert error.response.headers["retry-after"] == "7"

for model in ("openai/cut", "openai/inband"):
    try:
        pieces = list(client.chat.completions.create(model=model, messages=ask, stream=True))
        raise AssertionError(f"{model} ended cleanly: {pieces[-1]}")
    except openai.APIError as broken:
        assert "incomplete" in str(broken), broken
try:
    with claude.messages.stream(model="anthropic/cut", max_tokens=9, messages=ask) as stream:
        list(stream.text_stream)
    raise AssertionError("a cut Anthropic stream ended cleanly")
except anthropic.APIError as broken:
    assert "incomplete" in str(broken), broken
print("SDKs satisfied", openai.__version__, anthropic.__version__)
