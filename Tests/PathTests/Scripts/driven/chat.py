"""OpenAI's SDK on chat completions."""

import json

import openai
from openai.types.chat import ChatCompletion, ChatCompletionChunk
from played import facts, shape

from .said import Said, prompt

# What the gateway adds as others did before; OpenAI's own answers have none.
VENDOR = ("reasoning_content", "reasoning_details", "extra_content", "content_filter_results", "prompt_filter_results")


def plain(message):
    made = {"role": "assistant", "content": message.content}
    made |= {name: getattr(message, name) for name in VENDOR if getattr(message, name, None)}
    if message.tool_calls:
        made["tool_calls"] = [
            {
                "id": call.id,
                "type": "function",
                "function": {"name": call.function.name, "arguments": call.function.arguments},
                **(call.model_extra or {}),
            }
            for call in message.tool_calls
        ]
        for call in made["tool_calls"]:
            call.pop("index", None)
    return made


class Chat:
    name = "openai chat"
    format = "openai-chat"
    errors = openai
    STOPS = {"end": "stop", "tools": "tool_calls", "length": "length", "sequence": "stop", "filter": "content_filter"}

    def __init__(self, client, model):
        self.client = client
        self.model = model

    def first(self, play, image=False):
        text = {"type": "text", "text": prompt(play)}
        url = facts.LINK if image == "link" else f"data:image/png;base64,{facts.PNG}"
        picture = {"type": "image_url", "image_url": {"url": url}}
        return [{"role": "user", "content": [text, picture] if image else text["text"]}]

    def go_on(self, messages, said, results, failed=False):
        answers = [
            {"role": "tool", "tool_call_id": call[0], "content": result} for call, result in zip(said.calls, results)
        ]
        return [*messages, said.native, *answers]

    def elsewhere(self, play):
        """A conversation in which another provider's model called the tools."""
        calls = [
            {"id": f"toolu_{index}", "type": "function", "function": {"name": name, "arguments": json.dumps(arguments)}}
            for index, (name, arguments) in enumerate(facts.CALLS)
        ]
        said = {"role": "assistant", "content": facts.LOOKING, "tool_calls": calls}
        results = [
            {"role": "tool", "tool_call_id": f"toolu_{index}", "content": text}
            for index, text in enumerate(facts.RESULTS)
        ]
        return [*self.first(play), said, *results]

    def wishes(self, messages, *, system=None, tools=False, choice=None, schema=False, thinks=False, **others):
        made = {"model": self.model, "messages": messages}
        if system:
            made["messages"] = [{"role": "system", "content": system}, *messages]
        if tools:
            made["tools"] = [
                {"type": "function", "function": {"name": name, "description": said, "parameters": parameters}}
                for name, (said, parameters) in facts.TOOLS.items()
            ]
        if isinstance(choice, tuple):
            made["tool_choice"] = {"type": "function", "function": {"name": choice[1]}}
        elif choice:
            made["tool_choice"] = {"any": "required"}.get(choice, choice)
        if schema:
            named = {"name": "report", "schema": facts.REPORT, "strict": True}
            made["response_format"] = {"type": "json_schema", "json_schema": named}
        if thinks:
            made["reasoning_effort"] = "low"
        names = {"most": "max_completion_tokens"}
        return {**made, **{names.get(name, name): value for name, value in others.items()}}

    def ask(self, messages, stream=False, **wishes):
        made = self.wishes(messages, **wishes)
        if stream:
            return self.stream(made)
        answer = self.client.chat.completions.with_raw_response.create(**made)
        whole = answer.parse()
        shape.answer(json.loads(answer.text if isinstance(answer.text, str) else answer.text()), ChatCompletion, VENDOR)
        return self.said(whole, dict(answer.headers), [])

    def stream(self, made):
        options = {"include_usage": True}
        with self.client.chat.completions.stream(**made, stream_options=options) as stream:
            deltas = []
            for event in stream:
                if event.type == "content.delta":
                    deltas.append(event.delta)
                if event.type == "chunk" and event.chunk.object:
                    shape.answer(event.chunk.model_dump(exclude_unset=True), ChatCompletionChunk, VENDOR)
            said = self.said(stream.get_final_completion(), dict(stream._response.headers), deltas)
        # The helper adds members of its own, which the API would refuse.
        said.native = plain(said.native)
        return said

    def ending(self, messages, stream):
        """Only how it ends: the helper for streams raises on some."""
        if not stream:
            return self.ask(messages).stop
        chunks = self.client.chat.completions.create(stream=True, **self.wishes(messages))
        return [chunk.choices[0].finish_reason for chunk in chunks if chunk.choices][-1]

    def marked(self):
        """A prompt of which the provider may keep the beginning, in the words that others brought into this format."""
        mark = {"cache_control": {"type": "ephemeral"}}
        system = {"role": "system", "content": [{"type": "text", "text": facts.SYSTEM, **mark}]}
        return [system, {"role": "user", "content": [{"type": "text", "text": prompt("marked"), **mark}]}], {}

    def raw(self, messages, **wishes):
        """The bare events."""
        made = self.client.chat.completions.create(stream=True, **self.wishes(messages, **wishes))
        return [chunk.choices[0].delta.content or "" for chunk in made if chunk.choices]

    def said(self, whole, headers, deltas):
        choice = whole.choices[0]
        message = choice.message
        calls = [
            (call.id, call.function.name, json.loads(call.function.arguments)) for call in message.tool_calls or []
        ]
        thought = getattr(message, "reasoning_content", None)
        used = whole.usage
        usage = (
            used.prompt_tokens,
            used.prompt_tokens_details.cached_tokens,
            used.completion_tokens,
            used.completion_tokens_details.reasoning_tokens,
        )
        assert used.total_tokens == used.prompt_tokens + used.completion_tokens, used
        # As the SDK's own examples do: the message goes back as it came.
        return Said(
            message.content or "",
            calls,
            [thought] if thought else [],
            choice.finish_reason,
            usage,
            headers,
            message,
            message.refusal,
            deltas,
        )

    @staticmethod
    def usage(figures, reasoning):
        prompt = figures["fresh"] + figures["read"] + figures["written"]
        return (prompt, figures["read"], figures["output"], reasoning)
