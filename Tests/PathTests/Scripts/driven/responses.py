"""OpenAI's SDK on responses."""

import json

import openai
from openai.types.responses import Response
from played import facts, shape

from .said import Said, prompt

# What the API has and the SDK's types do not: the response's `store`, and the `name` of a call whose arguments are
# done; `snapshot` is the helper's.
ADDED = ("store", "name", "snapshot")


class Responses:
    name = "openai responses"
    format = "openai-responses"
    errors = openai
    # The status, and why it is incomplete.
    STOPS = {
        "end": "completed",
        "tools": "completed",
        "length": "max_output_tokens",
        "sequence": "completed",
        "filter": "content_filter",
    }

    def __init__(self, client, model):
        self.client = client
        self.model = model

    def first(self, play, image=False):
        text = {"type": "input_text", "text": prompt(play)}
        url = facts.LINK if image == "link" else f"data:image/png;base64,{facts.PNG}"
        picture = {"type": "input_image", "image_url": url, "detail": "auto"}
        return [{"role": "user", "content": [text, picture] if image else text["text"]}]

    @staticmethod
    def chart():
        """What a tool says that answers with a picture."""
        picture = {"type": "input_image", "image_url": f"data:image/png;base64,{facts.PNG}", "detail": "auto"}
        return [{"type": "input_text", "text": "a chart"}, picture]

    def go_on(self, messages, said, results, failed=False):
        answers = [
            {"type": "function_call_output", "call_id": call[0], "output": result}
            for call, result in zip(said.calls, results)
        ]
        return [*messages, *said.native, *answers]

    def elsewhere(self, play):
        items = [{"role": "assistant", "content": facts.LOOKING}]
        for index, (name, arguments) in enumerate(facts.CALLS):
            call = {"type": "function_call", "call_id": f"toolu_{index}", "name": name}
            items.append({**call, "arguments": json.dumps(arguments)})
        for index, text in enumerate(facts.RESULTS):
            items.append({"type": "function_call_output", "call_id": f"toolu_{index}", "output": text})
        return [*self.first(play), *items]

    def wishes(self, messages, *, system=None, tools=False, choice=None, schema=False, thinks=False, **others):
        made = {"model": self.model, "input": messages, "store": False}
        if system:
            made["instructions"] = system
        if tools:
            made["tools"] = [
                {"type": "function", "name": name, "description": said, "parameters": parameters, "strict": True}
                for name, (said, parameters) in facts.TOOLS.items()
            ]
        if isinstance(choice, tuple):
            made["tool_choice"] = {"type": "function", "name": choice[1]}
        elif choice:
            made["tool_choice"] = {"any": "required"}.get(choice, choice)
        if schema:
            format = {"type": "json_schema", "name": "report", "schema": facts.REPORT, "strict": True}
            made["text"] = {"format": format}
        if thinks:
            made["reasoning"] = {"effort": "low", "summary": "auto"}
            made["include"] = ["reasoning.encrypted_content"]
        names = {"most": "max_output_tokens"}
        return {**made, **{names.get(name, name): value for name, value in others.items()}}

    def ask(self, messages, stream=False, **wishes):
        made = self.wishes(messages, **wishes)
        if stream:
            return self.stream(made)
        answer = self.client.responses.with_raw_response.create(**made)
        whole = answer.parse()
        shape.answer(json.loads(answer.text if isinstance(answer.text, str) else answer.text()), Response, ADDED)
        return self.said(whole, dict(answer.headers), [])

    def stream(self, made):
        with self.client.responses.stream(**made) as stream:
            deltas, final, numbers = [], None, []
            for event in stream:
                numbers.append(event.sequence_number)
                strange = [name for name in shape.strays(event) if name.rsplit(".")[-1] not in ADDED]
                assert not strange, strange
                if event.type == "response.output_text.delta":
                    deltas.append(event.delta)
                if event.type in ("response.completed", "response.incomplete"):
                    final = event.response
            assert numbers == list(range(len(numbers))), numbers
            # Says nothing of incomplete ones.
            if final.status == "completed":
                final = stream.get_final_response()
            return self.said(final, dict(stream._response.headers), deltas)

    def ending(self, messages, stream):
        return self.ask(messages, stream=stream).stop

    def raw(self, messages, **wishes):
        made = self.client.responses.create(stream=True, **self.wishes(messages, **wishes))
        return [event.delta for event in made if event.type == "response.output_text.delta"]

    def said(self, whole, headers, deltas):
        calls = [
            (item.call_id, item.name, json.loads(item.arguments))
            for item in whole.output
            if item.type == "function_call"
        ]
        thoughts = [
            part.text for item in whole.output if item.type == "reasoning" for part in item.summary if part.text
        ]
        parts = [part for item in whole.output if item.type == "message" for part in item.content]
        refusals = [part.refusal for part in parts if part.type == "refusal"]
        used = whole.usage
        usage = (
            used.input_tokens,
            used.input_tokens_details.cached_tokens,
            used.output_tokens,
            used.output_tokens_details.reasoning_tokens,
        )
        assert used.total_tokens == used.input_tokens + used.output_tokens, used
        stop = whole.incomplete_details.reason if whole.status == "incomplete" else whole.status
        return Said(
            whole.output_text,
            calls,
            thoughts,
            stop,
            usage,
            headers,
            list(whole.output),
            "".join(refusals) or None,
            deltas,
        )

    @staticmethod
    def usage(figures, reasoning):
        prompt = figures["fresh"] + figures["read"] + figures["written"]
        return (prompt, figures["read"], figures["output"], reasoning)
