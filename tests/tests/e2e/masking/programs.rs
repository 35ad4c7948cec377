//! The OpenAI SDKs as they are published: what was masked reads like any other answer to them, what was blocked is an
//! exception. Where they are looked for, and what happens without them, is said in `sdk.rs`.

use serde_json::{Value, json};

use crate::masking::{CANARY, CUSTOMER, EMAIL, KEY, SSN};
use crate::sdk::Program;
use crate::stage::Stage;

/// What is asked for is said back. Social security numbers are looked for in answers only, so that the upstream has one to
/// say.
const POLICY: &str = r#"
version: 1
name: office
detectors:
  customer: { words: [Maria Lindqvist] }
  planted: { canary: [wren-42-orchard-lantern] }
rules:
  - id: models
    effect: allow
    match:
      host: api.openai.com
      path: [/v1/chat/completions, /v1/responses, /v1/realtime]
    mask:
      - { detect: [customer, email], action: tokenize }
      - { detect: us_ssn, direction: answer }
      - { detect: [secret, planted], direction: request, action: block }
"#;

const PYTHON: &str = r#"
import json, sys, openai
ssn, customer, email, key, planted = sys.argv[1:]
client = openai.OpenAI(api_key="sk-test", max_retries=0)
said = {}
def ask(case, call):
    try:
        said[case] = call()
    except openai.APIError as error:
        said[case] = [type(error).__name__, getattr(error, "status_code", None), str(error)]
def messages(text):
    return [{"role": "system", "content": "be brief"}, {"role": "user", "content": text}]
def chat(text, **more):
    return client.chat.completions.create(model="gpt-4.1", messages=messages(text), **more)
def streamed(text):
    deltas, end, usage = [], None, None
    for chunk in chat(text, stream=True, stream_options={"include_usage": True}):
        usage = chunk.usage or usage
        for choice in chunk.choices:
            deltas.append(choice.delta.content or "")
            end = choice.finish_reason or end
    return {"text": "".join(deltas), "deltas": len(deltas), "end": end, "tokens": usage.completion_tokens > 0}
def gathered(text):
    with client.chat.completions.stream(model="gpt-4.1", messages=messages(text)) as stream:
        for _ in stream:
            pass
        return stream.get_final_completion().choices[0].message.content
def responses(text):
    deltas, done, last = [], None, None
    for event in client.responses.create(model="gpt-5", input=text, stream=True):
        if event.type == "response.output_text.delta":
            deltas.append(event.delta)
        if event.type == "response.output_text.done":
            done = event.text
        if event.type == "response.completed":
            last = event.response.output_text
    return {"text": "".join(deltas), "deltas": len(deltas), "done": done, "last": last}
def tool(text):
    shape = {"type": "object", "properties": {"to": {"type": "string"}}}
    tools = [{"type": "function", "function": {"name": "mail", "parameters": shape}}]
    seen = []
    for chunk in chat(text, tools=tools, stream=True):
        for choice in chunk.choices:
            for call in choice.delta.tool_calls or []:
                seen.append(call.function.arguments or "")
    return json.loads("".join(seen))["to"]
def over_socket(text):
    with client.responses.connect() as connection:
        connection.send({"type": "response.create", "model": "gpt-5", "input": text})
        deltas = []
        while True:
            event = json.loads(connection.recv_bytes())
            if event["type"] == "response.output_text.delta":
                deltas.append(event["delta"])
            if event["type"] in ("error", "response.failed"):
                return ["error", None, json.dumps(event)]
            if event["type"] == "response.completed":
                return {"text": "".join(deltas), "last": event["response"]["output"][0]["content"][0]["text"]}
number = f"slowly, the number is {ssn}, she said"
letter = f"slowly, to {customer} at {email}, today"
ask("chat", lambda: streamed(number))
ask("chat_whole", lambda: chat(number).choices[0].message.content)
ask("chat_gathered", lambda: gathered(number))
ask("response", lambda: responses(number))
ask("socket", lambda: over_socket(number))
ask("letter", lambda: streamed(letter))
ask("letter_whole", lambda: chat(letter).choices[0].message.content)
ask("letter_response", lambda: responses(letter))
ask("letter_socket", lambda: over_socket(letter))
ask("tool", lambda: tool(f"mail=to:{email};today"))
ask("nothing", lambda: streamed("slowly, about the weather"))
ask("key", lambda: chat(f"use {key} for it").id)
ask("key_streamed", lambda: streamed(f"use {key} for it"))
ask("key_response", lambda: client.responses.create(model="gpt-5", input=f"use {key} for it").id)
ask("key_socket", lambda: over_socket(f"use {key} for it"))
ask("planted", lambda: chat(f"the word is {planted}").id)
print(json.dumps(said))
"#;

const NODE: &str = r#"
import OpenAI from 'openai';
const [ssn, customer, email, key] = process.argv.slice(1);
const client = new OpenAI({ apiKey: 'sk-test', maxRetries: 0 });
const said = {};
const ask = async (name, call) => {
  try { said[name] = await call(); } catch (error) { said[name] = [error.constructor.name, error.status ?? null, error.message]; }
};
const request = (text) => ({ model: 'gpt-4.1', messages: [{ role: 'user', content: text }] });
const chat = async (text) => {
  let all = '', end = null;
  for await (const chunk of await client.chat.completions.create({ ...request(text), stream: true }))
    for (const choice of chunk.choices) { all += choice.delta.content ?? ''; end = choice.finish_reason ?? end; }
  return { text: all, end };
};
const responses = async (text) => {
  const stream = client.responses.stream({ model: 'gpt-5', input: text });
  let all = '';
  for await (const event of stream) if (event.type === 'response.output_text.delta') all += event.delta;
  return { text: all, last: (await stream.finalResponse()).output_text };
};
const number = `slowly, the number is ${ssn}, she said`;
const letter = `slowly, to ${customer} at ${email}, today`;
await ask('chat', () => chat(number));
await ask('response', () => responses(number));
await ask('letter', () => chat(letter));
await ask('letter_response', () => responses(letter));
await ask('key', () => chat(`use ${key} for it`));
console.log(JSON.stringify(said));
"#;

#[test]
fn the_python_sdk_reads_masked_streams_and_gets_its_values_back() {
    let Some(stage) = Program::Python.stage(POLICY) else {
        return;
    };
    let arguments = [SSN, CUSTOMER, EMAIL, KEY, CANARY];
    let said = Program::Python.says(&stage, PYTHON, &arguments);
    let number = "You said: slowly, the number is [US_SSN], she said";
    let letter = format!("You said: slowly, to {CUSTOMER} at {EMAIL}, today");
    for (case, expected) in [
        ("chat", number),
        ("response", number),
        ("socket", number),
        ("letter", &letter),
        ("letter_response", &letter),
        ("letter_socket", &letter),
        ("nothing", "You said: slowly, about the weather"),
    ] {
        assert_eq!(said[case]["text"], expected, "{case}: {said}");
    }
    for (case, expected) in [
        ("chat_whole", number),
        ("chat_gathered", number),
        ("letter_whole", &letter),
        ("tool", &format!("mail=to:{EMAIL};today")),
    ] {
        assert_eq!(said[case], *expected, "{case}");
    }
    // What is said again at the end is what was said in pieces.
    for case in ["response", "letter_response"] {
        assert_eq!(said[case]["done"], said[case]["text"], "{case}");
        assert_eq!(said[case]["last"], said[case]["text"], "{case}");
    }
    for case in ["socket", "letter_socket"] {
        assert_eq!(said[case]["last"], said[case]["text"], "{case}");
    }
    for case in ["chat", "letter", "nothing"] {
        assert_eq!(said[case]["end"], "stop", "{case}: {said}");
        assert_eq!(said[case]["tokens"], true, "{case}: {said}");
    }
    // Two letters an event: the number came in six, and what is round it still comes in many.
    for case in ["chat", "response", "letter", "nothing"] {
        assert!(said[case]["deltas"].as_u64() > Some(12), "{case}: {said}");
    }
    for case in ["key", "key_streamed", "key_response"] {
        refused(&said, case, "openai_api_key");
    }
    refused(&said, "planted", "planted");
    let told = said["key_socket"].to_string();
    assert!(
        told.contains("openai_api_key") && !told.contains(KEY),
        "{told}"
    );
    assert_shown_to_nobody(&stage);
    for (detector, action) in [
        ("customer", "tokenize"),
        ("email", "tokenize"),
        ("openai_api_key", "block"),
        ("planted", "block"),
        ("us_ssn", "redact"),
    ] {
        let is_it = |found: &Value| found["detector"] == detector && found["action"] == action;
        stage.recorded("data_found", |line| {
            line["findings"]
                .as_array()
                .is_some_and(|all| all.iter().any(is_it))
        });
    }
}

#[test]
fn the_node_sdk_reads_masked_streams_and_gets_its_values_back() {
    let Some(stage) = Program::Node.stage(POLICY) else {
        return;
    };
    let said = Program::Node.says(&stage, NODE, &[SSN, CUSTOMER, EMAIL, KEY]);
    let number = "You said: slowly, the number is [US_SSN], she said";
    let letter = format!("You said: slowly, to {CUSTOMER} at {EMAIL}, today");
    assert_eq!(said["chat"], json!({"text": number, "end": "stop"}));
    assert_eq!(said["letter"], json!({"text": letter, "end": "stop"}));
    assert_eq!(said["response"], json!({"text": number, "last": number}));
    assert_eq!(
        said["letter_response"],
        json!({"text": letter, "last": letter})
    );
    refused(&said, "key", "openai_api_key");
    assert_shown_to_nobody(&stage);
}

/// Whether a case raised what SDKs raise for 403, which says what was found and by whose rule, and not the value.
fn refused(said: &Value, case: &str, detector: &str) {
    let told = &said[case];
    assert_eq!(told[0], "PermissionDeniedError", "{case}: {said}");
    assert_eq!(told[1], 403, "{case}: {said}");
    let message = told[2].as_str().unwrap_or_default();
    for expected in [detector, "office/models", "sensitive data"] {
        assert!(message.contains(expected), "{case}: {message}");
    }
    assert!(
        !message.contains(KEY) && !message.contains(CANARY),
        "{message}"
    );
}

/// The upstream was shown placeholders, of what was blocked nothing, and the ledger has no value at all.
fn assert_shown_to_nobody(stage: &Stage) {
    let arrivals = stage.upstream.journal().arrivals();
    let bodies: Vec<&str> = arrivals.iter().map(|seen| &*seen.request.text).collect();
    let shown = bodies.join("\n");
    for value in [
        CUSTOMER,
        "Lindqvist",
        EMAIL,
        "fjord-shipping",
        KEY,
        &KEY[..12],
        CANARY,
    ] {
        assert!(!shown.contains(value), "{value} in {shown}");
    }
    for placeholder in ["[CUSTOMER_", "[EMAIL_"] {
        assert!(shown.contains(placeholder), "{placeholder}: {shown}");
    }
    // Which is there because nothing looks for it on that way.
    assert!(shown.contains(SSN), "{shown}");
    let ledger = stage.ledger().text();
    for value in [SSN, CUSTOMER, EMAIL, KEY, CANARY] {
        assert!(!ledger.contains(value), "{value} is in the ledger");
    }
    assert_eq!(stage.leaked(), []);
}
