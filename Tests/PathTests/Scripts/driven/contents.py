"""Google's SDK on Gemini's API; it only drives the played provider."""

import base64

from google import genai
from google.genai import errors, types
from played import facts

from .said import Said, prompt


class Contents:
    name = "google-genai"
    errors = errors
    STOPS = {"end": "STOP", "tools": "STOP", "length": "MAX_TOKENS", "sequence": "STOP", "filter": "SAFETY"}

    @staticmethod
    def connect(base, key):
        options = types.HttpOptions(base_url=base.removesuffix("/v1beta"), api_version="v1beta")
        return genai.Client(api_key=key, http_options=options)

    def __init__(self, client, model):
        self.client = client
        self.model = model

    def first(self, play, image=False):
        parts = [types.Part.from_text(text=prompt(play))]
        if image:
            parts.append(types.Part.from_bytes(data=base64.b64decode(facts.PNG), mime_type="image/png"))
        return [types.Content(role="user", parts=parts)]

    def go_on(self, messages, said, results, failed=False):
        parts = [
            types.Part.from_function_response(name=call[1], response={"error" if failed else "output": result})
            for call, result in zip(said.calls, results)
        ]
        return [*messages, said.native, types.Content(role="user", parts=parts)]

    def wishes(self, *, system=None, tools=False, choice=None, schema=False, thinks=False, **others):
        names = {"most": "max_output_tokens", "stop": "stop_sequences"}
        made = {names.get(name, name): value for name, value in others.items()}
        if system:
            made["system_instruction"] = system
        if tools:
            functions = [
                types.FunctionDeclaration(name=name, description=said, parameters_json_schema=parameters)
                for name, (said, parameters) in facts.TOOLS.items()
            ]
            made["tools"] = [types.Tool(function_declarations=functions)]
        if choice:
            mode = {"any": "ANY", "none": "NONE"}.get(choice, "ANY")
            calling = types.FunctionCallingConfig(mode=mode)
            if isinstance(choice, tuple):
                calling.allowed_function_names = [choice[1]]
            made["tool_config"] = types.ToolConfig(function_calling_config=calling)
        if schema:
            made |= {"response_mime_type": "application/json", "response_json_schema": facts.REPORT}
        if thinks:
            made["thinking_config"] = types.ThinkingConfig(include_thoughts=True, thinking_level="LOW")
        return types.GenerateContentConfig(**made)

    def ask(self, messages, stream=False, **wishes):
        config = self.wishes(**wishes)
        if not stream:
            whole = self.client.models.generate_content(model=self.model, contents=messages, config=config)
            content = whole.candidates[0].content
            return self.said(content.parts, whole, [])
        chunks = list(self.client.models.generate_content_stream(model=self.model, contents=messages, config=config))
        parts = [part for chunk in chunks for part in chunk.candidates[0].content.parts]
        return self.said(parts, chunks[-1], [part.text for part in parts if part.text and not part.thought])

    def ending(self, messages, stream):
        return self.ask(messages, stream=stream).stop

    def raw(self, messages, **wishes):
        return self.ask(messages, stream=True, **wishes).deltas

    def said(self, parts, last, deltas):
        calls = [(None, part.function_call.name, part.function_call.args) for part in parts if part.function_call]
        text = "".join(part.text for part in parts if part.text and not part.thought)
        thought = "".join(part.text for part in parts if part.text and part.thought)
        used = last.usage_metadata
        usage = (
            used.prompt_token_count,
            used.cached_content_token_count,
            used.candidates_token_count,
            used.thoughts_token_count,
        )
        stop = last.candidates[0].finish_reason
        return Said(
            text,
            calls,
            [thought] if thought else [],
            stop.value if stop else None,
            usage,
            {},
            types.Content(role="model", parts=parts),
            None,
            deltas,
        )

    @staticmethod
    def usage(figures, reasoning):
        prompt = figures["fresh"] + figures["read"] + figures["written"]
        return (prompt, figures["read"], figures["output"] - figures["reasoning"], figures["reasoning"])
