"""Anthropic's SDK on messages."""

import json

import anthropic
from anthropic.types import Message
from played import facts, shape

from .said import Said, prompt


class Messages:
    name = "anthropic messages"
    format = "anthropic-messages"
    errors = anthropic
    STOPS = {
        "end": "end_turn",
        "tools": "tool_use",
        "length": "max_tokens",
        "sequence": "stop_sequence",
        "filter": "refusal",
    }

    def __init__(self, client, model):
        self.client = client
        self.model = model

    def first(self, play, image=False):
        text = {"type": "text", "text": prompt(play)}
        source = {"type": "base64", "media_type": "image/png", "data": facts.PNG}
        if image == "link":
            source = {"type": "url", "url": facts.LINK}
        picture = {"type": "image", "source": source}
        return [{"role": "user", "content": [text, picture] if image else text["text"]}]

    @staticmethod
    def chart():
        """What a tool says that answers with a picture."""
        source = {"type": "base64", "media_type": "image/png", "data": facts.PNG}
        return [{"type": "text", "text": "a chart"}, {"type": "image", "source": source}]

    def marked(self):
        """A prompt of which the provider may keep the beginning."""
        mark = {"cache_control": {"type": "ephemeral"}}
        talk = [{"role": "user", "content": [{"type": "text", "text": prompt("marked"), **mark}]}]
        return talk, {"system": [{"type": "text", "text": facts.SYSTEM, **mark}]}

    def go_on(self, messages, said, results, failed=False):
        answers = [
            {"type": "tool_result", "tool_use_id": call[0], "content": result, **({"is_error": True} if failed else {})}
            for call, result in zip(said.calls, results)
        ]
        return [*messages, {"role": "assistant", "content": said.native}, {"role": "user", "content": answers}]

    def elsewhere(self, play):
        calls = [
            {"type": "tool_use", "id": f"call_{index}", "name": name, "input": arguments}
            for index, (name, arguments) in enumerate(facts.CALLS)
        ]
        results = [
            {"type": "tool_result", "tool_use_id": f"call_{index}", "content": text}
            for index, text in enumerate(facts.RESULTS)
        ]
        said = [{"type": "text", "text": facts.LOOKING}, *calls]
        return [*self.first(play), {"role": "assistant", "content": said}, {"role": "user", "content": results}]

    def wishes(self, messages, *, system=None, tools=False, choice=None, schema=False, thinks=False, **others):
        made = {"model": self.model, "messages": messages, "max_tokens": others.pop("most", facts.MOST)}
        if system:
            made["system"] = system
        if tools:
            made["tools"] = [
                {"name": name, "description": said, "input_schema": parameters}
                for name, (said, parameters) in facts.TOOLS.items()
            ]
        if isinstance(choice, tuple):
            made["tool_choice"] = {"type": "tool", "name": choice[1]}
        elif choice:
            made["tool_choice"] = {"type": choice}
        if schema:
            made["output_config"] = {"format": {"type": "json_schema", "schema": facts.REPORT}}
        if thinks:
            made["thinking"] = {"type": "enabled", "budget_tokens": 1024}
        names = {"stop": "stop_sequences"}
        made |= {names.get(name, name): value for name, value in others.items()}
        # The SDK of today has no word for these; callers who want them say them so.
        extra = {name: made.pop(name) for name in ("temperature", "top_p") if name in made}
        return {**made, "extra_body": extra} if extra else made

    def ask(self, messages, stream=False, **wishes):
        made = self.wishes(messages, **wishes)
        if stream:
            return self.stream(made)
        answer = self.client.messages.with_raw_response.create(**made)
        whole = answer.parse()
        shape.answer(json.loads(answer.text if isinstance(answer.text, str) else answer.text()), Message)
        return self.said(whole, dict(answer.headers), [])

    def stream(self, made):
        with self.client.messages.stream(**made) as stream:
            deltas = []
            for event in stream:
                if event.type == "text":
                    deltas.append(event.text)
            return self.said(stream.get_final_message(), dict(stream.response.headers), deltas)

    def ending(self, messages, stream):
        return self.ask(messages, stream=stream).stop

    def raw(self, messages, **wishes):
        made = self.client.messages.create(stream=True, **self.wishes(messages, **wishes))
        return [
            event.delta.text
            for event in made
            if event.type == "content_block_delta" and event.delta.type == "text_delta"
        ]

    def said(self, whole, headers, deltas):
        calls = [(block.id, block.name, block.input) for block in whole.content if block.type == "tool_use"]
        thoughts = [block.thinking for block in whole.content if block.type == "thinking" and block.thinking]
        text = "".join(block.text for block in whole.content if block.type == "text")
        used = whole.usage
        usage = (used.input_tokens, used.cache_read_input_tokens, used.cache_creation_input_tokens, used.output_tokens)
        return Said(text, calls, thoughts, whole.stop_reason, usage, headers, whole.content, None, deltas)

    @staticmethod
    def usage(figures, reasoning):
        return (figures["fresh"], figures["read"], figures["written"], figures["output"])
