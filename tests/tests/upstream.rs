//! The upstream by itself, asked directly by curl: what tests say about the product rests on this.

use std::process::Command;
use std::time::Duration;

use enforcer_tests::process::Process;
use enforcer_tests::upstream::{Face, State, Upstream};
use serde_json::{Value, json};

const PATIENCE: Duration = Duration::from_secs(30);

struct Bench {
    upstream: Upstream,
    folder: tempfile::TempDir,
}

#[derive(Debug)]
struct Got {
    code: i32,
    text: String,
}

impl Bench {
    fn new() -> Self {
        let upstream = Upstream::of_every_face(None).expect("an upstream");
        let folder = tempfile::tempdir().expect("a folder");
        std::fs::write(folder.path().join("ca.pem"), upstream.ca_pem()).expect("a file");
        Self { upstream, folder }
    }

    fn curl(&self, face: Face, path: &str, more: &[&str]) -> Command {
        let address = self.upstream.address(face).expect("a listener");
        let mut command = Command::new("curl");
        command.args(["-sS", "--max-time", "20", "--no-buffer"]);
        command
            .arg("--cacert")
            .arg(self.folder.path().join("ca.pem"));
        command.args(["--connect-to", &format!("::{address}")]);
        command.args(["-H", "authorization: Bearer sk-test"]);
        let scheme = if face == Face::Plain { "http" } else { "https" };
        command
            .args(more)
            .arg(format!("{scheme}://api.openai.com{path}"));
        command
    }

    fn get(&self, face: Face, path: &str, more: &[&str]) -> Got {
        let process = Process::start(&mut self.curl(face, path, more), None).expect("curl");
        let finished = process.finish(PATIENCE).expect("an end");
        Got {
            code: finished.code(),
            text: finished.stdout,
        }
    }

    fn post(&self, path: &str, body: &Value) -> Got {
        let body = body.to_string();
        let json = "content-type: application/json";
        self.get(Face::Tls, path, &["-H", json, "-d", &body])
    }
}

impl Got {
    fn json(&self) -> Value {
        serde_json::from_str(&self.text).unwrap_or_else(|_| panic!("{} {}", self.code, self.text))
    }

    fn events(&self) -> Vec<Value> {
        let data = self
            .text
            .lines()
            .filter_map(|line| line.strip_prefix("data: "));
        data.filter_map(|data| serde_json::from_str(data).ok())
            .collect()
    }
}

fn tool(chat: bool) -> Value {
    let parameters = json!({"type": "object", "properties": {"city": {"type": "string"}}});
    let function = json!({"name": "get_weather", "parameters": parameters});
    if chat {
        return json!({"type": "function", "function": function});
    }
    json!({"type": "function", "name": "get_weather", "parameters": parameters})
}

#[test]
fn both_versions_of_http_are_spoken() {
    let bench = Bench::new();
    let version = |face, flag: &str| {
        let got = bench.get(face, "/test/echo", &[flag]);
        got.json()["version"].as_str().map(str::to_owned)
    };
    assert_eq!(version(Face::Tls, "--http2").as_deref(), Some("HTTP/2.0"));
    assert_eq!(version(Face::Tls, "--http1.1").as_deref(), Some("HTTP/1.1"));
    assert_eq!(version(Face::Tls12, "--http2").as_deref(), Some("HTTP/1.1"));
    assert_eq!(
        version(Face::Plain, "--http1.1").as_deref(),
        Some("HTTP/1.1")
    );
    assert_eq!(bench.upstream.journal().at("/test/echo").len(), 4);
}

#[test]
fn wrong_certificates_are_wrong() {
    let bench = Bench::new();
    for face in [Face::Expired, Face::Untrusted, Face::WrongName] {
        assert_eq!(bench.get(face, "/test/echo", &[]).code, 60, "{face:?}");
    }
    assert_eq!(bench.upstream.journal().arrivals(), []);
}

#[test]
fn a_chat_calls_the_tool_and_quotes_its_answer() {
    let bench = Bench::new();
    let user = json!({"role": "user", "content": "Weather in Oslo?"});
    let first = json!({"model": "gpt-5", "messages": [user], "tools": [tool(true)]});
    let told = bench.post("/v1/chat/completions", &first).json();
    let message = &told["choices"][0]["message"];
    let call = &message["tool_calls"][0];
    assert_eq!(call["function"]["arguments"], r#"{"city":"Oslo"}"#);
    let result = json!({"role": "tool", "tool_call_id": call["id"], "content": "rain"});
    let second =
        json!({"model": "gpt-5", "messages": [user, message, result], "tools": [tool(true)]});
    let told = bench.post("/v1/chat/completions", &second).json();
    let said = &told["choices"][0]["message"]["content"];
    assert_eq!(said, "The tool answered: rain");
}

#[test]
fn a_streamed_chat_ends_with_usage_and_done() {
    let bench = Bench::new();
    let user = json!({"role": "user", "content": "Say something"});
    let options = json!({"include_usage": true});
    let asked =
        json!({"model": "m", "messages": [user], "stream": true, "stream_options": options});
    let got = bench.post("/v1/chat/completions", &asked);
    let text: String = got
        .events()
        .iter()
        .filter_map(|event| event["choices"][0]["delta"]["content"].as_str())
        .collect();
    assert_eq!(text, "You said: Say something");
    let usage = &got.events().pop().expect("an event")["usage"];
    assert_eq!(usage["total_tokens"], 6);
    assert!(got.text.ends_with("data: [DONE]\n\n"));
}

#[test]
fn a_streamed_response_numbers_its_events_from_created_to_completed() {
    let bench = Bench::new();
    let asked = json!({"model": "gpt-5", "input": "Hello there", "stream": true});
    let events = bench.post("/v1/responses", &asked).events();
    let kinds: Vec<&str> = events
        .iter()
        .filter_map(|event| event["type"].as_str())
        .collect();
    assert_eq!(kinds.first(), Some(&"response.created"));
    assert_eq!(kinds.last(), Some(&"response.completed"));
    assert!(kinds.contains(&"response.output_text.delta"));
    for (index, event) in events.iter().enumerate() {
        assert_eq!(event["sequence_number"], index);
    }
}

#[test]
fn a_response_calls_the_tool_and_quotes_its_answer() {
    let bench = Bench::new();
    let user =
        json!({"role": "user", "content": [{"type": "input_text", "text": "Weather in Oslo?"}]});
    let asked = json!({"model": "gpt-5", "input": [user], "tools": [tool(false)]});
    let call = bench.post("/v1/responses", &asked).json()["output"][0].clone();
    assert_eq!(call["arguments"], r#"{"city":"Oslo"}"#);
    let result =
        json!({"type": "function_call_output", "call_id": call["call_id"], "output": "rain"});
    let asked = json!({"model": "gpt-5", "input": [user, call, result], "tools": [tool(false)]});
    let told = bench.post("/v1/responses", &asked).json();
    let said = &told["output"][0]["content"][0]["text"];
    assert_eq!(said, "The tool answered: rain");
}

#[test]
fn embeddings_come_as_numbers_and_as_text() {
    let bench = Bench::new();
    let path = "/v1/embeddings";
    let asked = json!({"model": "text-embedding-3-small", "input": ["a", "b"], "dimensions": 8});
    let list = bench.post(path, &asked).json();
    assert_eq!(
        list["data"][1]["embedding"].as_array().map(Vec::len),
        Some(8)
    );
    let asked = json!({"model": "m", "input": "a", "encoding_format": "base64", "dimensions": 3});
    let text = bench.post(path, &asked).json()["data"][0]["embedding"].clone();
    assert_eq!(text.as_str().map(str::len), Some(16));
}

#[test]
fn without_a_key_there_is_no_answer() {
    let bench = Bench::new();
    let address = bench.upstream.address(Face::Plain).expect("a listener");
    let url = format!("http://{address}/v1/models");
    let mut command = Command::new("curl");
    command.args(["-sS", "-w", "%{http_code}", &url]);
    let process = Process::start(&mut command, None).expect("curl");
    let got = process.finish(PATIENCE).expect("an end").stdout;
    assert!(
        got.contains("invalid_api_key") && got.ends_with("401"),
        "{got}"
    );
}

#[test]
fn gated_events_wait_for_their_gate() {
    let bench = Bench::new();
    let mut command = bench.curl(Face::Tls, "/test/sse?n=3&gate=wait", &[]);
    let process = Process::start(&mut command, None).expect("curl");
    for number in 0..3 {
        bench.upstream.gates().open("wait", 1);
        let expected = format!(r#"data: {{"number":{number}}}"#);
        let mut lines = std::iter::from_fn(|| process.line(PATIENCE).ok());
        assert!(lines.any(|line| line == expected));
    }
    assert_eq!(process.finish(PATIENCE).expect("an end").code(), 0);
}

#[test]
fn what_was_sent_up_is_counted_and_a_cut_is_noticed() {
    let bench = Bench::new();
    let got = bench.get(Face::Tls, "/test/upload", &["-d", "abc"]).json();
    let of_abc = "ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad";
    assert_eq!(got, json!({"bytes": 3, "sha256": of_abc}));
    let got = bench.get(
        Face::Tls,
        "/test/cut?bytes=100000&after=70000",
        &["--http1.1"],
    );
    assert_ne!(got.code, 0);
    let journal = bench.upstream.journal();
    assert_eq!(
        journal.at("/test/upload")[0].request.sha256.as_deref(),
        Some(of_abc)
    );
    let ended = journal.wait(PATIENCE, |seen| {
        let state = seen.last()?.response.state;
        (state != State::Open).then_some(state)
    });
    assert_eq!(ended.expect("an end"), State::Cut);
}

#[test]
fn trailers_statuses_heads_and_silence() {
    let bench = Bench::new();
    let te = ["-H", "TE: trailers", "--include", "--http1.1"];
    let got = bench.get(Face::Tls, "/test/trailers", &te);
    assert!(
        got.text.ends_with("x-checksum: 0123456789abcdef\r\n"),
        "{}",
        got.text
    );
    let got = bench.get(Face::Tls, "/test/status/204", &["-w", "%{http_code}"]);
    assert_eq!(got.text, "204");
    let got = bench.get(Face::Tls, "/test/download?bytes=77", &["--head"]);
    assert!(got.text.contains("content-length: 77"));
    assert_eq!(bench.get(Face::Tls, "/test/close", &["--http1.1"]).code, 52);
    let body = ["-d", "abc", "-w", "%{http_code}"];
    let got = bench.get(Face::Tls, "/test/early-413", &body);
    assert!(got.text.ends_with("413"), "{got:?}");
}

#[test]
fn the_program_announces_itself_and_ends_with_its_standard_input() {
    let folder = tempfile::tempdir().expect("a folder");
    let ca = folder.path().join("ca.pem");
    let log = folder.path().join("log.jsonl");
    let mut command = Command::new(env!("CARGO_BIN_EXE_upstream"));
    command.args(["--plain", "127.0.0.1:0", "--until-stdin-closes"]);
    command
        .arg("--ca-file")
        .arg(&ca)
        .arg("--log-file")
        .arg(&log);
    command.stdin(std::process::Stdio::piped());
    let mut process = Process::start(&mut command, None).expect("a process");
    let line = process.line(PATIENCE).expect("a line");
    let addresses: Value = serde_json::from_str(&line).expect("an object");
    let plain = addresses["plain"].as_str().expect("an address");
    let curl = Command::new("curl")
        .args(["-sS", &format!("http://{plain}/test/echo")])
        .output()
        .expect("curl");
    assert!(curl.status.success());
    drop(process.stdin());
    assert_eq!(process.finish(PATIENCE).expect("an end").code(), 0);
    let logged = std::fs::read_to_string(log).expect("a log");
    assert!(logged.contains(r#""event":"request""#) && logged.contains(r#""event":"answered""#));
    assert!(
        std::fs::read_to_string(ca)
            .expect("a file")
            .contains("BEGIN CERTIFICATE")
    );
}
