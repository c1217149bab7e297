"""OpenAI's embeddings. After the API reference, "Embeddings"; SDKs ask for base64 and unpack it themselves."""

import array
import base64

from openai.types import CreateEmbeddingResponse, embedding_create_params

from . import shape
from .shape import Fault

USAGE = {"prompt_tokens": 9, "total_tokens": 9}


def vector(text, size=4):
    """Depends on the text, so that mixed-up ones show; exact in single precision."""
    return [len(text) / 8, (ord(text[0]) % 8) / 8, -0.5, 0.25][:size]


def answer(kind, model, body):
    shape.request(body, embedding_create_params.EmbeddingCreateParams)
    given = body["input"]
    texts = [given] if isinstance(given, str) else given
    if not texts or not all(isinstance(text, str) and text for text in texts):
        raise Fault("input: the played model takes texts only")
    data = []
    for index, text in enumerate(texts):
        numbers = vector(text, body.get("dimensions") or 4)
        if body.get("encoding_format") == "base64":
            numbers = base64.b64encode(array.array("f", numbers).tobytes()).decode()
        data.append({"object": "embedding", "index": index, "embedding": numbers})
    made = {"object": "list", "data": data, "model": body["model"], "usage": USAGE}
    if body.get("encoding_format") == "base64":
        # The SDK's type knows the unpacked form only.
        return made
    return shape.answer(made, CreateEmbeddingResponse)
