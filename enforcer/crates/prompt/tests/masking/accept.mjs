// Has OpenAI's SDK for Node read masked answers, and prints what they say. No network: answers come from files.
// Arguments: the folder of the answers, and one that has the SDK installed.

import fs from "node:fs";
import { createRequire } from "node:module";
import path from "node:path";

const [folder, modules] = process.argv.slice(2);
const { OpenAI } = createRequire(path.join(modules, "any.js"))("openai");

const of = (name) =>
  new OpenAI({
    apiKey: "k",
    fetch: async () =>
      new Response(fs.readFileSync(path.join(folder, name)), {
        headers: { "content-type": name.endsWith(".sse") ? "text/event-stream" : "application/json" },
      }),
  });

const messages = [{ role: "user", content: "hi" }];
const chat = of("chat.sse").chat.completions.stream({ model: "m", messages });
const completion = await chat.finalChatCompletion();
for (const { index, message, finish_reason } of completion.choices) {
  console.log("chat", index, message.content, "|", message.refusal, "|", finish_reason);
  for (const { id, function: called } of message.tool_calls ?? []) {
    console.log("chat call", id, called.name, called.arguments);
  }
}

const said = {};
for await (const { choices } of await of("completions.sse").completions.create({ model: "m", prompt: "hi", stream: true })) {
  for (const { index, text } of choices) said[index] = (said[index] ?? "") + text;
}
console.log("completions", JSON.stringify(said));

const stream = of("responses.sse").responses.stream({ model: "m", input: "hi" });
let deltas = "";
stream.on("response.output_text.delta", ({ delta }) => (deltas += delta));
const response = await stream.finalResponse();
console.log("responses", response.output_text, "|", deltas === response.output_text, "|", response.status);

const run = of("assistants.sse").beta.threads.runs.stream("t", { assistant_id: "a" });
const [message] = await run.finalMessages();
console.log("assistants", message.content[0].text.value);
