"""Has the vendors' SDKs read masked answers, and prints what they say. No network: answers come from files."""

import sys
from pathlib import Path

sys.dont_write_bytecode = True
sys.path.insert(0, str(Path(__file__).parents[1]))

from answering import of_anthropic, of_google, of_openai, openai  # noqa: E402

hello = [{"role": "user", "content": "hi"}]

try:
    with of_openai("chat.sse").chat.completions.stream(model="m", messages=hello) as stream:
        for event in stream:
            pass
        stream.get_final_completion()
except openai.LengthFinishReasonError as error:
    for choice in error.completion.choices:
        print("chat", choice.index, choice.message.content, "|", choice.message.refusal, "|", choice.finish_reason)
        for call in choice.message.tool_calls or []:
            print("chat call", call.id, call.function.name, call.function.arguments)
    print("chat usage", error.completion.usage.total_tokens)

said = {}
for chunk in of_openai("completions.sse").completions.create(model="m", prompt="hi", stream=True):
    for choice in chunk.choices:
        said[choice.index] = said.get(choice.index, "") + choice.text
print("completions", said)

with of_openai("responses.sse").responses.stream(model="m", input="hi") as stream:
    deltas = "".join(event.delta for event in stream if event.type == "response.output_text.delta")
    response = stream.get_final_response()
print("responses", response.output_text, "|", deltas == response.output_text, "|", response.status)
for item in response.output:
    if item.type == "function_call":
        print("responses call", item.call_id, item.name, item.arguments)
    if item.type == "reasoning":
        print("responses summary", item.summary[0].text)
    if item.type == "message":
        print("responses citations", [(a.start_index, a.end_index) for a in item.content[0].annotations])

with of_openai("assistants.sse").beta.threads.runs.stream(thread_id="t", assistant_id="a") as stream:
    stream.until_done()
    print("assistants", [part.text.value for message in stream.get_final_messages() for part in message.content])
    print("assistants step", [step.step_details.tool_calls[0].code_interpreter.input for step in stream.get_final_run_steps()])

with of_anthropic("anthropic.sse").messages.stream(model="m", max_tokens=9, messages=hello) as stream:
    for _ in stream:
        pass
    message = stream.get_final_message()
for block in message.content:
    print("anthropic", getattr(block, block.type if block.type != "tool_use" else "input"))
print("anthropic", message.stop_reason, message.usage.output_tokens)

for name in ["gemini.sse"]:
    text, calls, finish = "", [], None
    google = of_google(name)
    for chunk in google.models.generate_content_stream(model="m", contents="hi"):
        for part in chunk.candidates[0].content.parts:
            if part.text and not part.thought:
                text += part.text
        calls += [call.args for call in chunk.function_calls or []]
        finish = chunk.candidates[0].finish_reason or finish
    print(name, text, "|", calls, "|", finish.value)

print("chat.json", of_openai("chat.json").chat.completions.create(model="m", messages=hello).choices[0].message.content)
print("responses.json", of_openai("responses.json").responses.create(model="m", input="hi").output_text)
message = of_anthropic("anthropic.json").messages.create(model="m", max_tokens=9, messages=hello)
print("anthropic.json", message.content[0].text, message.content[1].input)
google = of_google("gemini-whole.json")
print("gemini-whole.json", google.models.generate_content(model="m", contents="hi").text)
