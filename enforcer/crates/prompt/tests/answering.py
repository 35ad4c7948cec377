"""Clients of the vendors' SDKs whose answers come from files in the folder that is named first, and from no network."""

import sys
import warnings
from pathlib import Path

warnings.simplefilter("ignore")

import anthropic  # noqa: E402
import openai  # noqa: E402
from google import genai  # noqa: E402

try:
    import httpx2 as httpx  # noqa: E402
except ImportError:
    import httpx  # noqa: E402

folder = Path(sys.argv[1])


def transport(name):
    kind = "text/event-stream" if name.endswith(".sse") else "application/json"

    def answer(_):
        return httpx.Response(200, headers={"content-type": kind}, content=(folder / name).read_bytes())

    return httpx.MockTransport(answer)


def of_openai(name):
    return openai.OpenAI(api_key="k", http_client=httpx.Client(transport=transport(name)))


def of_anthropic(name):
    return anthropic.Anthropic(api_key="k", http_client=httpx.Client(transport=transport(name)))


def of_google(name):
    options = genai.types.HttpOptions(client_args={"transport": transport(name)})
    return genai.Client(api_key="k", http_options=options)
