"""Has the vendors' SDKs read stripped answers, and prints which tool calls they saw. No network: answers come from files."""

import sys
from pathlib import Path

sys.dont_write_bytecode = True
sys.path.insert(0, str(Path(__file__).parents[1]))

from answering import anthropic, of_anthropic, of_google, of_openai, openai  # noqa: E402


def show(name, calls, finish):
    shown = " ".join(f"{call}({arguments})" for call, arguments in calls)
    print(f"{name}: {shown or '-'} [{finish}]")


hello = [{"role": "user", "content": "hi"}]

for name in ["chat.sse", "chat-only.sse", "chat-legacy.sse"]:
    with of_openai(name).chat.completions.stream(model="m", messages=hello) as stream:
        for _ in stream:
            pass
        choice = stream.get_final_completion().choices[0]
    calls = [(c.function.name, c.function.arguments) for c in choice.message.tool_calls or []]
    assert choice.message.function_call is None
    show(name, calls, choice.finish_reason)

choice = of_openai("chat.json").chat.completions.create(model="m", messages=hello).choices[0]
show("chat.json", [(c.function.name, c.function.arguments) for c in choice.message.tool_calls], choice.finish_reason)

with of_openai("responses.sse").responses.stream(model="m", input="hi") as stream:
    for _ in stream:
        pass
    response = stream.get_final_response()
show("responses.sse", [(i.name, i.arguments) for i in response.output if i.type == "function_call"], response.status)

response = of_openai("responses.json").responses.create(model="m", input="hi")
show("responses.json", [(i.name, i.arguments) for i in response.output if i.type == "function_call"], response.status)

for name in ["anthropic.sse", "anthropic-only.sse"]:
    with of_anthropic(name).messages.stream(model="m", max_tokens=9, messages=hello) as stream:
        for _ in stream:
            pass
        message = stream.get_final_message()
    show(name, [(b.name, b.input) for b in message.content if b.type == "tool_use"], message.stop_reason)

message = of_anthropic("anthropic.json").messages.create(model="m", max_tokens=9, messages=hello)
show("anthropic.json", [(b.name, b.input) for b in message.content if b.type == "tool_use"], message.stop_reason)

calls = []
google = of_google("gemini.sse")
for chunk in google.models.generate_content_stream(model="m", contents="hi"):
    calls += [(c.name, c.args) for c in chunk.function_calls or []]
    finish = chunk.candidates[0].finish_reason
show("gemini.sse", calls, finish.name)

google = of_google("gemini-whole.json")
answer = google.models.generate_content(model="m", contents="hi")
show("gemini-whole.json", [(c.name, c.args) for c in answer.function_calls or []], "-")

# What ends a blocked answer is raised, with the reason in it.
for name, client in [("blocked-chat.sse", of_openai), ("blocked-responses.sse", of_openai)]:
    try:
        if "chat" in name:
            for _ in client(name).chat.completions.create(model="m", messages=hello, stream=True):
                pass
        else:
            for _ in client(name).responses.create(model="m", input="hi", stream=True):
                pass
        print(f"{name}: nothing was raised")
    except openai.APIError as error:
        print(f"{name}: {type(error).__name__} {error.message}")
try:
    for _ in of_anthropic("blocked-anthropic.sse").messages.create(model="m", max_tokens=9, messages=hello, stream=True):
        pass
    print("blocked-anthropic.sse: nothing was raised")
except anthropic.APIError as error:
    print(f"blocked-anthropic.sse: {type(error).__name__} {error.body['error']['message']}")
