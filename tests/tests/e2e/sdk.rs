//! The OpenAI SDKs as they are published, run as an agent: what rules refuse reaches a program as the exception it knows.
//!
//! They are looked for in `target/sdks` (or `ENFORCER_SDKS`), where `cargo xtask test` installs them: a virtual environment of
//! Python with `openai[realtime]`, and Node's `openai`. Without them the tests skip, and say so.

use std::path::PathBuf;

use enforcer_tests::binaries::workspace;
use serde_json::Value;

use crate::stage::{PATIENCE, Stage};

const POLICY: &str = r#"
version: 1
name: sdk
rules:
  - id: models
    effect: allow
    match:
      host: api.openai.com
      path: [/v1/chat/completions, /v1/responses, /v1/realtime]
      model: [gpt-4.1, gpt-5]
  - id: no-salaries
    effect: deny
    reason: salaries stay in the house
    match: { host: api.openai.com, messages: { contains: [salary] } }
  - id: no-shell
    effect: deny
    reason: nobody runs commands here
    match: { host: api.openai.com, answer: { tool_call: shell } }
  - id: not-said
    effect: deny
    reason: this is not said here
    match: { host: api.openai.com, answer: { text: [forbidden words] } }
  - id: no-mail
    effect: deny
    action: strip
    reason: mail is for people
    match: { host: api.openai.com, answer: { tool_call: send_mail } }
"#;

const PYTHON: &str = r#"
import json, openai, websockets
client = openai.OpenAI(api_key="sk-test", max_retries=0)
said = {}
def tool(name):
    shape = {"type": "object", "properties": {"x": {"type": "string"}}}
    return [{"type": "function", "function": {"name": name, "parameters": shape}}]
def flat(name):
    return [{"type": "function", "name": name, "parameters": {"type": "object", "properties": {"x": {"type": "string"}}}}]
def messages(text):
    return [{"role": "user", "content": text}]
def ask(case, call):
    try:
        said[case] = call()
    except openai.APIError as error:
        said[case] = [type(error).__name__, str(error)]
def chat(text, model="gpt-4.1", **more):
    return client.chat.completions.create(model=model, messages=messages(text), **more)
def calls(text, name):
    message = chat(text, tools=tool(name)).choices[0].message
    return [call.function.name for call in message.tool_calls or []]
def streamed(name):
    seen = []
    for chunk in chat("go", tools=tool(name), stream=True):
        for choice in chunk.choices:
            seen += [call.function.name for call in choice.delta.tool_calls or [] if call.function.name]
    return seen
def responses(name):
    seen = []
    for event in client.responses.create(model="gpt-5", input="go", tools=flat(name), stream=True):
        if event.type == "response.output_item.done" and event.item.type == "function_call":
            seen.append(event.item.name)
        if event.type in ("error", "response.failed"):
            raise openai.APIError("event: " + event.model_dump_json(), request=None, body=None)
    return seen
ask("allowed", lambda: chat("hello").choices[0].message.content)
ask("streamed", lambda: "".join(c.choices[0].delta.content or "" for c in chat("hello", stream=True) if c.choices))
ask("model", lambda: chat("hello", model="gpt-3").model)
ask("words", lambda: chat("my salary").model)
ask("response_words", lambda: client.responses.create(model="gpt-5", input="my salary").id)
ask("tool", lambda: calls("go", "weather"))
ask("blocked", lambda: calls("go", "shell"))
ask("stripped", lambda: calls("go", "send_mail"))
ask("stream_tool", lambda: streamed("weather"))
ask("stream_blocked", lambda: streamed("shell"))
ask("stream_stripped", lambda: streamed("send_mail"))
ask("response_tool", lambda: responses("weather"))
ask("response_blocked", lambda: responses("shell"))
ask("response_stripped", lambda: responses("send_mail"))
def item(text):
    content = [{"type": "input_text", "text": text}]
    return {"type": "conversation.item.create", "item": {"type": "message", "role": "user", "content": content}}
with client.realtime.connect(model="gpt-5") as connection:
    connection.send(item("hello"))
    said["realtime"] = json.loads(connection.recv_bytes())["item"]["content"][0]["text"]
    connection.send(item("my salary"))
    said["realtime_words"] = json.loads(connection.recv_bytes())
    try:
        connection.recv_bytes()
        said["realtime_close"] = None
    except Exception as error:
        said["realtime_close"] = error.rcvd.code
def session(model, name):
    seen = []
    with client.realtime.connect(model=model) as connection:
        try:
            connection.send({"type": "session.update", "session": {"type": "realtime", "tools": flat(name)}})
            connection.send(item("go"))
            connection.send({"type": "response.create", "response": {"instructions": "be short"}})
        except websockets.exceptions.ConnectionClosed:
            pass  # Refused while it still speaks; what it was told is read below.
        while True:
            event = json.loads(connection.recv_bytes())
            if event["type"] == "response.output_item.done":
                seen.append(event["item"].get("name"))
            if event["type"] == "error":
                return ["error", event["error"]["message"]]
            if event["type"] == "response.done":
                return seen
def rejected(model):
    try:
        with client.realtime.connect(model=model):
            return "opened"
    except websockets.exceptions.InvalidStatus as error:
        told = json.loads(error.response.body)
        return [f"HTTP {error.response.status_code}", told["error"]["message"]]
def over_socket(text, name=None, model="gpt-5"):
    with client.responses.connect() as connection:
        more = {"tools": flat(name)} if name else {}
        connection.send({"type": "response.create", "model": model, "input": text, **more})
        while True:
            event = json.loads(connection.recv_bytes())
            if event["type"] in ("error", "response.failed"):
                return ["error", json.dumps(event)]
            if event["type"] == "response.completed":
                output = event["response"]["output"]
                return [item.get("name") or item["content"][0]["text"] for item in output]
ask("session_tool", lambda: session("gpt-5", "weather"))
ask("session_blocked", lambda: session("gpt-5", "shell"))
ask("session_model", lambda: rejected("gpt-3"))
ask("socket", lambda: over_socket("hello"))
ask("socket_words", lambda: over_socket("my salary"))
ask("socket_tool", lambda: over_socket("go", "weather"))
ask("socket_blocked", lambda: over_socket("go", "shell"))
ask("socket_model", lambda: over_socket("hello", model="gpt-3"))
ask("socket_heard", lambda: over_socket("say forbidden words"))
print(json.dumps(said))
"#;

const NODE: &str = r#"
import OpenAI from 'openai';
const client = new OpenAI({ apiKey: 'sk-test', maxRetries: 0 });
const said = {};
const tools = (name) => [{ type: 'function', function: { name, parameters: { type: 'object', properties: { x: { type: 'string' } } } } }];
const chat = (text, more = {}) =>
  client.chat.completions.create({ model: 'gpt-4.1', messages: [{ role: 'user', content: text }], ...more });
const ask = async (name, call) => {
  try { said[name] = await call(); } catch (error) { said[name] = [error.constructor.name, error.message]; }
};
await ask('allowed', async () => (await chat('hello')).choices[0].message.content);
await ask('model', async () => (await chat('hello', { model: 'gpt-3' })).id);
await ask('words', async () => (await chat('my salary')).id);
const stream = async (name) => {
  const seen = [];
  for await (const chunk of await chat('go', { stream: true, tools: tools(name) }))
    for (const choice of chunk.choices)
      for (const call of choice.delta.tool_calls ?? []) if (call.function?.name) seen.push(call.function.name);
  return seen;
};
await ask('stream_tool', () => stream('weather'));
await ask('stream_blocked', () => stream('shell'));
await ask('stream_stripped', () => stream('send_mail'));
console.log(JSON.stringify(said));
"#;

/// Programs that use SDKs.
#[derive(Clone, Copy, Debug)]
pub(crate) enum Program {
    Node,
    Python,
}

impl Program {
    /// What runs it; without it the test is skipped.
    pub(crate) fn found(self) -> Option<PathBuf> {
        match self {
            Self::Node => installed("node_modules/openai").map(|_| PathBuf::from("node")),
            Self::Python => installed("venv/bin/python"),
        }
    }

    /// A stage for it.
    pub(crate) fn stage(self, policy: &str) -> Option<Stage> {
        self.found()?;
        Stage::with(policy, |setup| setup)
    }

    /// What it says last, as the agent of a stage.
    pub(crate) fn says(self, stage: &Stage, script: &str, arguments: &[&str]) -> Value {
        let mut command = stage.agent.command(self.found().expect("the program"));
        match self {
            // Modules are looked for where it runs.
            Self::Node => command
                .args(["--input-type=module", "--eval", script, "--"])
                .current_dir(sdks()),
            Self::Python => command.arg(stage.sandbox.write("agent.py", script).expect("a script")),
        };
        let program = stage.agent.start(command.args(arguments));
        let finished = program.expect("a program").finish(PATIENCE * 3);
        let finished = finished.expect("an end");
        let line = finished.stdout.lines().last().unwrap_or_default();
        serde_json::from_str(line).unwrap_or_else(|error| panic!("{error}: {finished:?}"))
    }
}

fn sdks() -> PathBuf {
    std::env::var_os("ENFORCER_SDKS").map_or_else(|| workspace().join("target/sdks"), PathBuf::from)
}

#[expect(clippy::print_stdout, reason = "a skipped test says why")]
fn installed(name: &str) -> Option<PathBuf> {
    let path = sdks().join(name);
    if path.exists() {
        return Some(path);
    }
    println!("skipped: no `{}`", path.display());
    None
}

#[test]
fn the_python_sdk_raises_what_rules_refuse() {
    let Some(stage) = Program::Python.stage(POLICY) else {
        return;
    };
    let said = Program::Python.says(&stage, PYTHON, &[]);
    assert_eq!(said["allowed"], "You said: hello");
    assert_eq!(said["streamed"], "You said: hello");
    refused(&said, "model", "PermissionDeniedError", "no rule allows it");
    let words = "salaries stay in the house";
    refused(&said, "words", "PermissionDeniedError", words);
    refused(&said, "response_words", "PermissionDeniedError", words);
    let shell = "nobody runs commands here";
    refused(&said, "blocked", "PermissionDeniedError", shell);
    refused(&said, "stream_blocked", "APIError", shell);
    refused(&said, "response_blocked", "APIError", shell);
    for case in ["tool", "stream_tool", "response_tool"] {
        assert_eq!(said[case], serde_json::json!(["weather"]), "{case}");
    }
    for case in ["stripped", "stream_stripped", "response_stripped"] {
        assert_eq!(said[case], serde_json::json!([]), "{case}: {said}");
    }
    assert_eq!(said["realtime"], "hello");
    let error = said["realtime_words"]["error"]["message"].to_string();
    assert!(error.contains(words), "{said}");
    assert_eq!(said["realtime_close"], 1008);
    assert_eq!(said["session_tool"], serde_json::json!(["weather"]));
    assert_eq!(said["socket"], serde_json::json!(["You said: hello"]));
    assert_eq!(said["socket_tool"], serde_json::json!(["weather"]));
    refused(&said, "session_blocked", "error", shell);
    refused(&said, "socket_blocked", "error", shell);
    refused(&said, "socket_words", "error", words);
    refused(&said, "socket_heard", "error", "not said here");
    refused(&said, "socket_model", "error", "no rule allows it");
    // The handshake itself is refused.
    refused(&said, "session_model", "HTTP 403", "no rule allows it");
    assert!(!stage.ledger().text().contains("my salary"));
    stage.recorded("answer_blocked", |entry| entry["name"] == "shell");
    stage.recorded("answer_edited", |entry| entry["name"] == "send_mail");
    stage.recorded("message_denied", |entry| entry["rule"] == "sdk/no-salaries");
}

#[test]
fn the_node_sdk_raises_what_rules_refuse() {
    let Some(stage) = Program::Node.stage(POLICY) else {
        return;
    };
    let said = Program::Node.says(&stage, NODE, &[]);
    assert_eq!(said["allowed"], "You said: hello");
    refused(&said, "model", "PermissionDeniedError", "no rule allows it");
    let words = "salaries stay in the house";
    refused(&said, "words", "PermissionDeniedError", words);
    assert_eq!(said["stream_tool"], serde_json::json!(["weather"]));
    let shell = "nobody runs commands here";
    refused(&said, "stream_blocked", "APIError", shell);
    assert_eq!(said["stream_stripped"], serde_json::json!([]), "{said}");
}

/// Whether a case raised an exception of this class with this in its words.
fn refused(said: &Value, case: &str, class: &str, words: &str) {
    let told = &said[case];
    assert_eq!(told[0], class, "{case}: {said}");
    let message = told[1].as_str().unwrap_or_default();
    assert!(message.contains(words), "{case}: {message}");
}
