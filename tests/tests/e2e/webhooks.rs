//! Webhooks as sinks: which of them an agent may post to, with what, and signed by whom.

use std::os::unix::fs::PermissionsExt as _;
use std::process::Command;

use enforcer_tests::agent::Answer;
use enforcer_tests::process::Process;
use enforcer_tests::sandbox::Sandbox;

use crate::stage::{OUTSIDE, PATIENCE, Stage};

const POLICY: &str = r#"
version: 1
name: hooks
rules:
  - id: alerts
    effect: allow
    reason: alerts go to one channel
    match:
      webhook: { kind: slack, id: T0123/B0456 }
      method: POST
      content_type: application/json
      size: { at_most: 1 KiB }
      schema:
        type: object
        required: [text]
        properties: { text: { type: string, maxLength: 100 }, blocks: { type: string } }
        additionalProperties: false
  - id: registered
    effect: allow
    match: { host: hooks.slack.com, method: POST, path: /alerts }
  - id: nothing-confidential
    effect: deny
    reason: this must not leave the house
    match: { webhook: slack, text: [confidential] }
  - id: standard
    effect: allow
    match: { host: events.corp.example, port: 80, protocol: http, method: POST, path: /standard }
    sign: { style: standard, secret: standard-key }
  - id: github
    effect: allow
    match: { host: events.corp.example, port: 80, protocol: http, method: POST, path: /github }
    sign: { style: github, secret: shared-key }
  - id: slack
    effect: allow
    match: { host: events.corp.example, port: 80, protocol: http, method: POST, path: /slack }
    sign: { style: slack, secret: shared-key }
  - id: unsigned
    effect: allow
    match: { host: events.corp.example, port: 80, protocol: http, method: POST, path: /unsigned/** }
  - id: seldom
    effect: allow
    match: { host: events.corp.example, port: 80, protocol: http, method: POST, path: /seldom }
    limit: { requests: 2, per: 1h }
"#;

/// Verifies what it is posted with nothing but the specifications: Standard Webhooks, GitHub's and Slack's.
const RECEIVER: &str = r#"
import base64, hashlib, hmac, sys, time
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
STANDARD = base64.b64decode("MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw")
SHARED = b"a key that two sides know"
def mac(key, text):
    return hmac.new(key, text, hashlib.sha256)
def fresh(seconds):
    return seconds and abs(time.time() - int(seconds)) < 300
class Receiver(BaseHTTPRequestHandler):
    def verified(self, body):
        head = {name.lower(): value for name, value in self.headers.items()}
        kind = self.path.rsplit("/", 1)[-1]
        if kind == "standard":
            sent = head.get("webhook-timestamp")
            signed = f"{head.get('webhook-id')}.{sent}.".encode() + body
            expected = "v1," + base64.b64encode(mac(STANDARD, signed).digest()).decode()
            return fresh(sent) and hmac.compare_digest(expected, head.get("webhook-signature", ""))
        if kind == "github":
            expected = "sha256=" + mac(SHARED, body).hexdigest()
            return hmac.compare_digest(expected, head.get("x-hub-signature-256", ""))
        if kind == "slack":
            sent = head.get("x-slack-request-timestamp")
            expected = "v0=" + mac(SHARED, f"v0:{sent}:".encode() + body).hexdigest()
            return fresh(sent) and hmac.compare_digest(expected, head.get("x-slack-signature", ""))
        return kind == "seldom"
    def do_POST(self):
        body = self.rfile.read(int(self.headers.get("content-length", "0")))
        self.send_response(204 if self.verified(body) else 401)
        self.end_headers()
    def log_message(self, *args):
        pass
server = ThreadingHTTPServer(("127.0.0.1", 0), Receiver)
print(server.server_port, flush=True)
server.serve_forever()
"#;

const SECRETS: [(&str, &str); 3] = [
    ("standard-key", "whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw"),
    ("shared-key", "a key that two sides know"),
    ("channel", "/services/T0777/B0888/n0b0dy-kn0ws"),
];

/// What is posted where, and whether it may be.
struct Post {
    method: &'static str,
    url: &'static str,
    kind: &'static str,
    body: String,
    passes: bool,
}

fn posts() -> Vec<Post> {
    let json = "application/json";
    let open = "https://hooks.slack.com/services/T0123/B0456/s3cret";
    let other = "https://hooks.slack.com/services/T0123/B9999/s3cret";
    let registered = "https://hooks.slack.com/alerts";
    let plain = r#"{"text":"x"}"#;
    let long = format!(r#"{{"text":"x","blocks":"{}"}}"#, "y".repeat(2000));
    let rows = [
        ("POST", open, json, r#"{"text":"disk full"}"#, true),
        ("POST", other, json, plain, false),
        ("PUT", open, json, plain, false),
        ("POST", open, "text/plain", plain, false),
        ("POST", open, json, r#"{"text":"x","to":"all"}"#, false),
        ("POST", open, json, &long, false),
        ("POST", open, json, r#"{"text":"Confidential"}"#, false),
        ("POST", registered, json, "{}", true),
    ];
    let post = |(method, url, kind, body, passes): (_, _, _, &str, _)| Post {
        method,
        url,
        kind,
        body: body.to_owned(),
        passes,
    };
    rows.into_iter().map(post).collect()
}

#[test]
fn webhooks_are_posted_to_by_host_path_and_what_is_in_them() {
    let Some((stage, _receiver)) = staged() else {
        return;
    };
    for row in posts() {
        let Post {
            method,
            url,
            kind,
            body,
            passes,
        } = row;
        let answer = post(&stage, method, url, kind, &body);
        let expected = if passes { 204 } else { 403 };
        let told = answer.text();
        assert_eq!(
            answer.status, expected,
            "{method} {url} {kind} {body}: {told}"
        );
    }
    // The path that is the secret is the daemon's to fill in.
    let expected = [
        "POST /services/T0123/B0456/s3cret",
        "POST /services/T0777/B0888/n0b0dy-kn0ws",
    ];
    assert_eq!(stage.arrived(), expected);
    let ledger = stage.ledger().text();
    assert!(
        !ledger.contains("n0b0dy") && !ledger.contains("s3cret"),
        "{ledger}"
    );
    stage.recorded("exchange_denied", |entry| {
        entry["rule"] == "hooks/nothing-confidential"
    });
    assert_eq!(stage.leaked(), []);
}

#[test]
fn webhooks_are_signed_for_the_agent_and_the_receiver_verifies() {
    let Some((stage, _receiver)) = staged() else {
        return;
    };
    for (path, expected) in [
        ("standard", 204),
        ("github", 204),
        ("slack", 204),
        // Where no rule signs, the receiver says no itself.
        ("unsigned/standard", 401),
        ("unsigned/github", 401),
        ("unsigned/slack", 401),
    ] {
        let url = format!("http://events.corp.example/{path}");
        let answer = post(&stage, "POST", &url, "application/json", r#"{"n":1}"#);
        assert_eq!(answer.status, expected, "{path}: {}", answer.text());
    }
    let ledger = stage.ledger().text();
    assert!(!ledger.contains("two sides know"), "{ledger}");
}

#[test]
fn webhooks_are_posted_to_at_a_rate_and_nowhere_else() {
    let Some((stage, _receiver)) = staged() else {
        return;
    };
    let seldom = "http://events.corp.example/seldom";
    for expected in [204, 204, 429] {
        let answer = post(&stage, "POST", seldom, "application/json", "{}");
        assert_eq!(answer.status, expected, "{}", answer.text());
        assert_eq!(answer.header("retry-after").is_some(), expected == 429);
    }
    // A name that no rule knows has no address, and an address found elsewhere does not help.
    let url = "https://collector.example/services/T0123/B0456/s3cret";
    let nowhere = post(&stage, "POST", url, "application/json", r#"{"text":"x"}"#);
    assert_eq!(nowhere.status, 0, "{}", nowhere.text());
    let resolve = format!("collector.example:443:{OUTSIDE}");
    let by_address = stage.curl(&["--resolve", &resolve, "--data", r#"{"text":"x"}"#, url]);
    assert_eq!(by_address.status, 403, "{}", by_address.error);
    stage.recorded("exchange_denied", |entry| {
        entry["host"] == "collector.example"
    });
    assert_eq!(stage.arrived(), Vec::<String>::new());
    assert_eq!(stage.leaked(), []);
}

fn post(stage: &Stage, method: &str, url: &str, kind: &str, body: &str) -> Answer {
    let kind = format!("content-type: {kind}");
    stage.curl(&["--request", method, "--header", &kind, "--data", body, url])
}

fn staged() -> Option<(Stage, Process)> {
    Stage::beside(POLICY, |sandbox, setup| {
        let script = sandbox.write("receiver.py", RECEIVER).expect("a script");
        let mut command = Command::new("python3");
        let receiver = Process::start(command.arg(script), Some(sandbox.host()));
        let receiver = receiver.expect("a receiver");
        let port: u16 = receiver
            .line(PATIENCE)
            .expect("a port")
            .parse()
            .expect("a port");
        let slack = setup
            .connect_to
            .iter()
            .find(|(name, _)| name == "api.openai.com:443");
        let slack = slack.map(|(_, address)| *address).expect("an upstream");
        let setup = setup
            .to("events.corp.example:80", ([127, 0, 0, 1], port).into())
            .to("hooks.slack.com:443", slack)
            .and(&secrets(sandbox));
        (setup, receiver)
    })
}

fn secrets(sandbox: &Sandbox) -> String {
    let mut yaml = "secrets:\n".to_owned();
    for (name, secret) in SECRETS {
        let path = sandbox
            .write(&format!("secret-{name}"), secret)
            .expect("a secret");
        let mine = std::fs::Permissions::from_mode(0o600);
        std::fs::set_permissions(&path, mine).expect("a secret");
        yaml.push_str(&format!("  {name}: {{ file: {} }}\n", path.display()));
    }
    yaml + "webhooks:\n  hooks.slack.com/alerts: channel\n"
}
