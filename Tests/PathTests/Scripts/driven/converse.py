"""AWS's SDK on Bedrock's Converse; it only drives the played provider."""

import base64
import json
import os

import boto3
import botocore.exceptions
from botocore.config import Config
from played import facts

from .said import Said, prompt


class Converse:
    name = "boto3"
    errors = botocore.exceptions
    STOPS = {
        "end": "end_turn",
        "tools": "tool_use",
        "length": "max_tokens",
        "sequence": "stop_sequence",
        "filter": "guardrail_intervened",
    }

    @staticmethod
    def connect(base, key, authority):
        keys = {}
        # A bearer can be said in the environment only, which is asked again for each call; so the other is told what to
        # prefer.
        config = {"retries": {"total_max_attempts": 1}, "region_name": facts.REGION}
        if ":" in key:
            access, secret = key.split(":")
            keys = {"aws_access_key_id": access, "aws_secret_access_key": secret}
            config["auth_scheme_preference"] = "sigv4"
        else:
            os.environ["AWS_BEARER_TOKEN_BEDROCK"] = key
        config = Config(**config)
        return boto3.client("bedrock-runtime", endpoint_url=base, verify=authority, config=config, **keys)

    def __init__(self, client, model):
        self.client = client
        self.model = model

    def first(self, play, image=False):
        content = [{"text": prompt(play)}]
        if image:
            content.append({"image": {"format": "png", "source": {"bytes": base64.b64decode(facts.PNG)}}})
        return [{"role": "user", "content": content}]

    def go_on(self, messages, said, results, failed=False):
        status = {"status": "error"} if failed else {}
        blocks = [
            {"toolResult": {"toolUseId": call[0], "content": [{"text": result}], **status}}
            for call, result in zip(said.calls, results)
        ]
        return [*messages, {"role": "assistant", "content": said.native}, {"role": "user", "content": blocks}]

    def wishes(self, messages, *, system=None, tools=False, choice=None, schema=False, thinks=False, **others):
        made = {"modelId": self.model, "messages": messages}
        names = {"most": "maxTokens", "stop": "stopSequences", "top_p": "topP"}
        if others:
            made["inferenceConfig"] = {names.get(name, name): value for name, value in others.items()}
        if system:
            made["system"] = [{"text": system}]
        if tools:
            specs = [
                {"toolSpec": {"name": name, "description": said, "inputSchema": {"json": parameters}}}
                for name, (said, parameters) in facts.TOOLS.items()
            ]
            made["toolConfig"] = {"tools": specs}
            if choice:
                named = {"tool": {"name": choice[1]}} if isinstance(choice, tuple) else {choice: {}}
                made["toolConfig"]["toolChoice"] = named
        if schema:
            structure = {"jsonSchema": {"schema": json.dumps(facts.REPORT), "name": "report"}}
            made["outputConfig"] = {"textFormat": {"type": "json_schema", "structure": structure}}
        if thinks:
            made["additionalModelRequestFields"] = {"thinking": {"type": "enabled", "budget_tokens": 1024}}
        return made

    def ask(self, messages, stream=False, **wishes):
        made = self.wishes(messages, **wishes)
        if stream:
            return self.stream(made)
        whole = self.client.converse(**made)
        return self.said(whole["output"]["message"]["content"], whole["stopReason"], whole["usage"], [])

    def stream(self, made):
        blocks, deltas, stop, used = {}, [], None, None
        for event in self.client.converse_stream(**made)["stream"]:
            ((name, value),) = event.items()
            if name == "contentBlockStart":
                blocks[value["contentBlockIndex"]] = {"toolUse": {**value["start"]["toolUse"], "input": ""}}
            elif name == "contentBlockDelta":
                self.grow(blocks.setdefault(value["contentBlockIndex"], {}), value["delta"], deltas)
            elif name == "messageStop":
                stop = value["stopReason"]
            elif name == "metadata":
                used = value["usage"]
        for block in blocks.values():
            if "toolUse" in block:
                block["toolUse"]["input"] = json.loads(block["toolUse"]["input"])
        return self.said([blocks[index] for index in sorted(blocks)], stop, used, deltas)

    @staticmethod
    def grow(block, delta, deltas):
        if "text" in delta:
            block["text"] = block.get("text", "") + delta["text"]
            deltas.append(delta["text"])
        elif "toolUse" in delta:
            block["toolUse"]["input"] += delta["toolUse"]["input"]
        elif "reasoningContent" in delta:
            inner = block.setdefault("reasoningContent", {})
            for name, value in delta["reasoningContent"].items():
                if name == "redactedContent":
                    inner[name] = value
                else:
                    text = inner.setdefault("reasoningText", {})
                    text[name] = text.get(name, "") + value

    def ending(self, messages, stream):
        return self.ask(messages, stream=stream).stop

    def raw(self, messages, **wishes):
        return self.ask(messages, stream=True, **wishes).deltas

    def said(self, blocks, stop, used, deltas):
        calls = [
            (block["toolUse"]["toolUseId"], block["toolUse"]["name"], block["toolUse"]["input"])
            for block in blocks
            if "toolUse" in block
        ]
        thoughts = [
            block["reasoningContent"]["reasoningText"]["text"]
            for block in blocks
            if "reasoningText" in block.get("reasoningContent", {})
        ]
        text = "".join(block.get("text", "") for block in blocks)
        usage = (used["inputTokens"], used["cacheReadInputTokens"], used["cacheWriteInputTokens"], used["outputTokens"])
        return Said(text, calls, thoughts, stop, usage, {}, blocks, None, deltas)

    @staticmethod
    def usage(figures, reasoning):
        return (figures["fresh"], figures["read"], figures["written"], figures["output"])
