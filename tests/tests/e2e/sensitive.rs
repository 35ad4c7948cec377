//! Sensitive data on its way through a daemon: what the far side was sent, what the agent got, and what the ledger says of it.
//!
//! Programs are the published SDKs, where they are installed, and curl.

use serde_json::{Value, json};

use crate::sdk::{found, told};
use crate::stage::Stage;

const POLICY: &str = r#"
version: 1
name: mask
detectors:
  customer: { words: [Maria Lindqvist] }
  planted: { canary: [wren-42-orchard-lantern] }
rules:
  - id: models
    effect: allow
    match: { host: api.openai.com, path: [/v1/chat/completions, /v1/responses, "/test/**"] }
    mask:
      - { detect: us_ssn, direction: answer }
      - { detect: [email, customer], action: tokenize }
      - { detect: [secret, planted], direction: request, action: block }
"#;

/// A number that is given out, unlike those of documentation.
const SSN: &str = "536-90-4399";
const EMAIL: &str = "maria.lindqvist@lindqvist-corp.se";
const NAME: &str = "Maria Lindqvist";
/// Of the form of a token, and nobody's; in pieces, for those who look for tokens in repositories.
const TOKEN: &str = concat!("gh", "p_6O", "4MIL2YiyWt8AwaSpWWpc6L6u", "6q3z2q8cif");
const CANARY: &str = "wren-42-orchard-lantern";

const PYTHON: &str = r#"
import json, sys, openai
ssn, email, name, token = sys.argv[1:5]
client = openai.OpenAI(api_key="sk-test", max_retries=0)
said = {}
def ask(case, call):
    try:
        said[case] = call()
    except openai.APIError as error:
        said[case] = [type(error).__name__, str(error)]
def chat(text, **more):
    return client.chat.completions.create(model="gpt-4.1", messages=[{"role": "user", "content": text}], **more)
def stream(text):
    deltas = [c.choices[0].delta.content or "" for c in chat(text, stream=True) if c.choices]
    return ["".join(deltas), len(deltas)]
def respond(text):
    said, done = "", None
    for event in client.responses.create(model="gpt-5", input=text, stream=True):
        if event.type == "response.output_text.delta":
            said += event.delta
        if event.type == "response.completed":
            done = event.response.output_text
        if event.type in ("error", "response.failed"):
            raise openai.APIError("event: " + event.model_dump_json(), request=None, body=None)
    return [said, done]
ask("plain", lambda: chat("hello").choices[0].message.content)
ask("whole", lambda: chat("slowly " + ssn).choices[0].message.content)
ask("stream", lambda: stream("slowly " + ssn + " it is"))
ask("restored", lambda: chat("I am " + name + ", " + email).choices[0].message.content)
ask("restored_stream", lambda: stream("slowly I am " + name + ", " + email + " is mine"))
ask("secret", lambda: chat("use " + token).id)
ask("response_plain", lambda: respond("hello"))
ask("response_stream", lambda: respond("slowly " + ssn + " it is"))
ask("response_restored", lambda: respond("slowly I am " + name))
ask("response_secret", lambda: respond("use " + token))
print(json.dumps(said))
"#;

const NODE: &str = r#"
import OpenAI from 'openai';
const [ssn, email, name, token] = process.argv.slice(2);
const client = new OpenAI({ apiKey: 'sk-test', maxRetries: 0 });
const said = {};
const ask = async (key, call) => {
  try { said[key] = await call(); } catch (error) { said[key] = [error.constructor.name, error.message]; }
};
const chat = (text, more = {}) =>
  client.chat.completions.create({ model: 'gpt-4.1', messages: [{ role: 'user', content: text }], ...more });
const stream = async (text) => {
  let all = '', count = 0;
  for await (const chunk of await chat(text, { stream: true }))
    for (const choice of chunk.choices) { all += choice.delta.content ?? ''; count += 1; }
  return [all, count];
};
const respond = async (text) => {
  let all = '', done = null;
  for await (const event of await client.responses.create({ model: 'gpt-5', input: text, stream: true })) {
    if (event.type === 'response.output_text.delta') all += event.delta;
    if (event.type === 'response.completed') done = event.response.output[0].content[0].text;
  }
  return [all, done];
};
await ask('plain', async () => (await chat('hello')).choices[0].message.content);
await ask('whole', async () => (await chat('slowly ' + ssn)).choices[0].message.content);
await ask('stream', () => stream('slowly ' + ssn + ' it is'));
await ask('restored', async () => (await chat('I am ' + name + ', ' + email)).choices[0].message.content);
await ask('restored_stream', () => stream('slowly I am ' + name + ', ' + email + ' is mine'));
await ask('secret', async () => (await chat('use ' + token)).id);
await ask('response_plain', () => respond('hello'));
await ask('response_stream', () => respond('slowly ' + ssn + ' it is'));
await ask('response_restored', () => respond('slowly I am ' + name));
await ask('response_secret', () => respond('use ' + token));
console.log(JSON.stringify(said));
"#;

#[test]
fn the_python_sdk_sees_no_masked_value_and_its_own_restored() {
    let Some(python) = found("venv/bin/python") else {
        return;
    };
    let Some(stage) = Stage::with(POLICY, |setup| setup) else {
        return;
    };
    let script = stage.sandbox.write("agent.py", PYTHON).expect("a script");
    let mut command = stage.agent.command(python);
    command.arg(script).args([SSN, EMAIL, NAME, TOKEN]);
    let said = told(&stage, command);
    masked(&stage, &said);
}

#[test]
fn the_node_sdk_sees_no_masked_value_and_its_own_restored() {
    let Some(modules) = found("node_modules/openai") else {
        return;
    };
    let Some(stage) = Stage::with(POLICY, |setup| setup) else {
        return;
    };
    // Modules are looked for beside the script.
    let folder = modules.ancestors().nth(2).expect("a folder").to_owned();
    let script = folder.join(format!("masked-{}.mjs", std::process::id()));
    std::fs::write(&script, NODE).expect("a script");
    let mut command = stage.agent.command("node");
    command.arg(&script).args([SSN, EMAIL, NAME, TOKEN]);
    let said = told(&stage, command);
    std::fs::remove_file(&script).expect("a script");
    masked(&stage, &said);
}

/// What a program is told, what the far side saw, and what the ledger says, whatever the SDK.
fn masked(stage: &Stage, said: &Value) {
    assert_eq!(said["plain"], "You said: hello");
    assert_eq!(said["whole"], "You said: slowly [US_SSN]");
    assert_eq!(
        said["stream"][0], "You said: slowly [US_SSN] it is",
        "{said}"
    );
    assert!(
        said["stream"][1].as_u64() > Some(10),
        "in one piece: {said}"
    );
    let restored = format!("You said: I am {NAME}, {EMAIL}");
    assert_eq!(said["restored"], restored);
    let restored = format!("You said: slowly I am {NAME}, {EMAIL} is mine");
    assert_eq!(said["restored_stream"][0], restored);
    let response = "You said: slowly [US_SSN] it is";
    assert_eq!(
        said["response_plain"],
        json!(["You said: hello", "You said: hello"])
    );
    assert_eq!(said["response_stream"], json!([response, response]));
    let restored = format!("You said: slowly I am {NAME}");
    assert_eq!(said["response_restored"], json!([restored, restored]));
    for case in ["secret", "response_secret"] {
        assert_eq!(said[case][0], "PermissionDeniedError", "{said}");
        let words = said[case][1].to_string();
        assert!(words.contains("github"), "{case}: {words}");
        assert!(!words.contains(TOKEN), "{case}: {words}");
    }
    let arrivals = stage.upstream.journal().arrivals();
    for secret in [EMAIL, NAME, TOKEN] {
        let seen = arrivals
            .iter()
            .find(|seen| seen.request.text.contains(secret));
        assert!(seen.is_none(), "{seen:?}");
    }
    // For each of these a request arrived all the same, but for those that were blocked.
    let sent = |text: &str| arrivals.iter().any(|seen| seen.request.text.contains(text));
    assert!(
        sent(SSN) && sent("[CUSTOMER_") && sent("[EMAIL_"),
        "{arrivals:?}"
    );
    assert!(!sent("use "), "{arrivals:?}");
    let ledger = stage.ledger().text();
    for value in [SSN, EMAIL, NAME, TOKEN] {
        assert!(!ledger.contains(value), "`{value}` is in the ledger");
    }
    let named = |detector: &'static str, action: &'static str| {
        move |entry: &Value| {
            let found = entry["findings"].as_array();
            found.is_some_and(|found| {
                found
                    .iter()
                    .any(|one| one["detector"] == detector && one["action"] == action)
            })
        }
    };
    stage.recorded("data_found", named("us_ssn", "redact"));
    stage.recorded("data_found", named("email", "tokenize"));
    stage.recorded("data_found", named("customer", "tokenize"));
    stage.recorded("exchange_aborted", |entry| {
        entry["cause"] == "sensitive_data"
    });
}

/// A way to get a value out: curl's arguments for it.
type Way = fn(&str) -> Vec<String>;

const PLACE: &str = "https://api.openai.com/test/echo";

/// What is tried, by its name.
const WAYS: [(&str, Way); 22] = [
    ("query", |value| vec![format!("{PLACE}?q={value}")]),
    ("query, percent", |value| {
        vec![format!("{PLACE}?q={}", percent(value))]
    }),
    ("query, percent twice", |value| {
        vec![format!("{PLACE}?q={}", percent(value).replace('%', "%25"))]
    }),
    ("query, base64", |value| {
        vec![format!(
            "{PLACE}?q={}",
            base64(value.as_bytes()).replace('=', "")
        )]
    }),
    ("query, hex", |value| {
        vec![format!("{PLACE}?q={}", hex(value))]
    }),
    ("split over a query", |value| {
        let (one, two) = halves(value);
        vec![format!("{PLACE}?a={one}&b={two}")]
    }),
    ("path", |value| {
        vec![format!("https://api.openai.com/test/{value}")]
    }),
    ("header", |value| with(&["-H", &format!("x-note: {value}")])),
    ("header, base64", |value| {
        with(&["-H", &format!("x-note: {}", base64(value.as_bytes()))])
    }),
    ("split over headers", |value| {
        let (one, two) = halves(value);
        with(&["-H", &format!("x-a: {one}"), "-H", &format!("x-b: {two}")])
    }),
    ("cookie", |value| {
        with(&["-H", &format!("cookie: note={value}")])
    }),
    ("JSON", |value| {
        json_of(&format!(r#"{{"note":"see {value}"}}"#))
    }),
    ("JSON, escaped", |value| {
        json_of(&format!(r#"{{"note":"{}"}}"#, escaped(value)))
    }),
    ("JSON, base64", |value| {
        json_of(&format!(r#"{{"note":"{}"}}"#, base64(value.as_bytes())))
    }),
    ("JSON, base64 twice", |value| {
        json_of(&format!(
            r#"{{"note":"{}"}}"#,
            base64(base64(value.as_bytes()).as_bytes())
        ))
    }),
    ("JSON, key", |value| json_of(&format!(r#"{{"{value}":1}}"#))),
    ("form", |value| {
        with(&["--data-urlencode", &format!("note={value}")])
    }),
    ("multipart", |value| with(&["-F", &format!("note={value}")])),
    ("text", |value| body_of("text/plain", value)),
    ("text, zero width", |value| {
        body_of("text/plain", &between(value, '\u{200b}'))
    }),
    ("text, other letters", |value| {
        body_of(
            "text/plain",
            &value.replace('a', "\u{430}").replace('e', "\u{435}"),
        )
    }),
    ("text, full width", |value| {
        body_of("text/plain", &wide(value))
    }),
];

#[test]
fn a_planted_value_leaves_by_no_encoding_and_others_do() {
    let Some(stage) = Stage::with(POLICY, |setup| setup) else {
        return;
    };
    // As long and of the same signs, and nobody planted it.
    let other = "moss-17-harbour-blanket";
    for (way, arguments) in WAYS {
        for (value, expected) in [(CANARY, 403), (other, 200)] {
            let before = stage.upstream.journal().arrivals().len();
            let arguments = arguments(value);
            let all: Vec<&str> = arguments.iter().map(String::as_str).collect();
            let status = stage.curl(&all).status;
            // The far side knows one path.
            let expected = if way == "path" && value == other {
                404
            } else {
                expected
            };
            assert_eq!(status, expected, "{way}: {arguments:?}");
            let arrived = stage.upstream.journal().arrivals().len() - before;
            assert_eq!(arrived, usize::from(value == other), "{way}: {arguments:?}");
        }
    }
    assert!(
        !stage.ledger().text().contains(CANARY),
        "it is in the ledger"
    );
    let planted = |entry: &Value| entry["findings"][0]["detector"] == "planted";
    stage.recorded("data_found", planted);
}

fn with(arguments: &[&str]) -> Vec<String> {
    let place = [PLACE];
    place
        .iter()
        .chain(arguments)
        .map(|&text| text.to_owned())
        .collect()
}

fn json_of(body: &str) -> Vec<String> {
    body_of("application/json", body)
}

fn body_of(media_type: &str, body: &str) -> Vec<String> {
    with(&[
        "-H",
        &format!("content-type: {media_type}"),
        "--data-binary",
        body,
    ])
}

fn halves(value: &str) -> (&str, &str) {
    value.split_at(value.len() / 2)
}

fn percent(value: &str) -> String {
    value.bytes().map(|byte| format!("%{byte:02x}")).collect()
}

fn hex(value: &str) -> String {
    value.bytes().map(|byte| format!("{byte:02x}")).collect()
}

fn escaped(value: &str) -> String {
    value.bytes().map(|byte| format!("\\u{byte:04x}")).collect()
}

fn between(value: &str, sign: char) -> String {
    value.chars().flat_map(|letter| [letter, sign]).collect()
}

fn wide(value: &str) -> String {
    let widen = |letter: char| match letter {
        '!'..='~' => char::from_u32(letter as u32 + 0xfee0).unwrap_or(letter),
        _ => letter,
    };
    value.chars().map(widen).collect()
}

fn base64(bytes: &[u8]) -> String {
    const SIGNS: &[u8; 64] = b"ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";
    let mut text = String::new();
    for three in bytes.chunks(3) {
        let all = three
            .iter()
            .fold(0u32, |all, byte| all << 8 | u32::from(*byte));
        let all = all << (8 * (3 - three.len()));
        for place in 0..4 {
            let sign = SIGNS[(all >> (18 - 6 * place)) as usize & 63];
            text.push(if place > three.len() {
                '='
            } else {
                char::from(sign)
            });
        }
    }
    text
}
