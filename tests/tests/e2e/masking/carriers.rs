//! Every place and format in which something can leave: what the upstream is shown instead, byte for byte.

use aws_lc_rs::digest;
use enforcer_tests::probe::Spoken;
use enforcer_tests::upstream::{Arrival, State};
use serde_json::{Value, json};

use crate::masking::coded;
use crate::masking::request::Request;
use crate::masking::{KEY, SSN};
use crate::sdk::Program;
use crate::stage::{OUTSIDE, PATIENCE, Stage};

const POLICY: &str = r#"
version: 1
name: carriers
rules:
  - id: redacts
    effect: allow
    match: { host: redact.corp.example }
    mask: [{ detect: us_ssn, direction: request }, { field: pin, json_path: "$.deep[*].x", header: x-secret, direction: request }]
  - id: blocks
    effect: allow
    match: { host: block.corp.example }
    mask: { detect: [us_ssn, secret], direction: request, action: block }
  - id: answers
    effect: allow
    match: { host: answer.corp.example }
    mask: { detect: us_ssn, direction: answer, action: partial }
  - id: reads-nothing
    effect: allow
    match: { host: open.corp.example }
"#;

const REDACT: &str = "redact.corp.example";
const ECHO: &str = "/test/echo";

/// A stage whose hosts redact, block, mask answers, and read nothing.
pub(super) fn stage() -> Option<Stage> {
    Stage::with(POLICY, |setup| {
        let known = setup.connect_to.iter();
        let mut known = known.filter(|(name, _)| name == "api.openai.com:443");
        let upstream = known.next().expect("an upstream").1;
        ["redact", "block", "answer", "open"]
            .into_iter()
            .fold(setup, |setup, name| {
                setup.to(&format!("{name}.corp.example:443"), upstream)
            })
    })
}

/// What is sent by which name, and what of it the upstream is to see.
type Carrier = (&'static str, Request, &'static str);

/// Every place and format.
fn carriers() -> Vec<Carrier> {
    [heads(), json(), documents()]
        .into_iter()
        .flatten()
        .collect()
}

fn heads() -> Vec<Carrier> {
    let here = || Request::to(REDACT, ECHO);
    let at = |target: &str| Request::to(REDACT, target);
    vec![
        (
            "a query",
            at(&format!("{ECHO}?ssn={SSN}&n=1&m=%20")),
            "?ssn=%5BUS_SSN%5D&n=1&m=%20",
        ),
        (
            "a path",
            at(&format!("/services/{SSN}/x")),
            "/services/%5BUS_SSN%5D/x",
        ),
        (
            "a header",
            here().header("x-note", &format!("it is {SSN}")),
            "x-note: it is [US_SSN]",
        ),
        (
            "a named header",
            here().header("x-secret", "a word"),
            "x-secret: [X_SECRET]",
        ),
        (
            "a cookie",
            here().header("cookie", &format!("a=1; b={SSN}; c=2")),
            "cookie: a=1; b=%5BUS_SSN%5D; c=2",
        ),
    ]
}

fn json() -> Vec<Carrier> {
    let here = || Request::to(REDACT, ECHO);
    let body = |body: &str| here().body("application/json", body);
    let note = format!(r#"{{"note": "it is {SSN}.", "n": [1, 2.50]}}"#);
    let seen = r#"{"note": "it is [US_SSN].", "n": [1, 2.50]}"#;
    let coding = |name: &str, code: fn(&[u8]) -> Vec<u8>| {
        let coded = code(note.as_bytes());
        here()
            .header("content-encoding", name)
            .body("application/json", coded)
    };
    vec![
        ("JSON", body(&note), seen),
        ("JSON of gzip", coding("gzip", coded::gzip), seen),
        ("JSON of br", coding("br", coded::brotli), seen),
        ("JSON of zstd", coding("zstd", coded::zstd), seen),
        ("JSON of deflate", coding("deflate", coded::deflate), seen),
        ("JSON in chunks", body(&note).chunked(), seen),
        (
            "fields and places of JSON",
            body(r#"{"pin": "0001", "deep": [{"x": true, "y": 1}]}"#),
            r#"{"pin": "[PIN]", "deep": [{"x": "[X]", "y": 1}]}"#,
        ),
        (
            "escapes",
            body(r#"{"note": "\u0035\u0033\u0036-22-8721\n"}"#),
            r#"{"note": "[US_SSN]\n"}"#,
        ),
    ]
}

fn documents() -> Vec<Carrier> {
    let body = |content_type: &str, body: &str| Request::to(REDACT, ECHO).body(content_type, body);
    let parts = format!(
        "--b\r\nContent-Disposition: form-data; name=\"a\"\r\n\r\n{SSN}\r\n--b\r\nContent-Disposition: form-data; name=\"f\"; filename=\"f.txt\"\r\n\r\nit is {SSN}\r\n--b--\r\n"
    );
    vec![
        (
            "a form",
            body(
                "application/x-www-form-urlencoded",
                &format!("a=it+is+{SSN}&b=%31"),
            ),
            "a=it+is+%5BUS_SSN%5D&b=%31",
        ),
        (
            "parts",
            body("multipart/form-data; boundary=b", &parts),
            "--b\r\nContent-Disposition: form-data; name=\"a\"\r\n\r\n[US_SSN]\r\n--b\r\nContent-Disposition: form-data; name=\"f\"; filename=\"f.txt\"\r\n\r\nit is [US_SSN]\r\n--b--\r\n",
        ),
        (
            "NDJSON",
            body(
                "application/x-ndjson",
                &format!("{{\"a\":\"{SSN}\"}}\n{{\"a\":1}}\n"),
            ),
            "{\"a\":\"[US_SSN]\"}\n{\"a\":1}\n",
        ),
        (
            "text",
            body("text/plain", &format!("it is {SSN}.\r\n")),
            "it is [US_SSN].\r\n",
        ),
        (
            "CSV",
            body("text/csv", &format!("who,ssn\na,{SSN}\n")),
            "who,ssn\na,[US_SSN]\n",
        ),
        (
            "XML",
            body(
                "application/xml",
                &format!("<a b=\"{SSN}\">{SSN}<!-- {SSN} --></a>"),
            ),
            "<a b=\"[US_SSN]\">[US_SSN]<!-- [US_SSN] --></a>",
        ),
        (
            "YAML",
            body("application/yaml", &format!("a:\n  - b: {SSN}\n")),
            "a:\n  - b: \"[US_SSN]\"\n",
        ),
    ]
}

#[test]
fn the_upstream_is_shown_what_the_rule_says_in_every_place_and_format() {
    let Some(stage) = stage() else { return };
    let mut problems = Vec::new();
    for (name, request, expected) in carriers() {
        let answer = request.send(&stage);
        let arrivals = stage.upstream.journal().arrivals();
        let seen = arrivals.last().map(shown).unwrap_or_default();
        if !matches!(answer.status, 200 | 204) || !seen.contains(expected) || seen.contains(SSN) {
            problems.push(format!("{name}: {} {seen}", answer.status));
        }
    }
    assert!(problems.is_empty(), "{}", problems.join("\n"));
}

#[test]
fn what_is_blocked_arrives_from_no_place_and_in_no_format() {
    let Some(stage) = stage() else { return };
    let mut problems = Vec::new();
    let with_a_number = carriers();
    let with_a_number = with_a_number
        .into_iter()
        .filter(|(_, _, seen)| seen.contains("US_SSN"));
    for (name, request, _) in with_a_number {
        let answer = request.at("block.corp.example").send(&stage);
        if answer.status != 403 || answer.text().contains(SSN) {
            problems.push(format!("{name}: {answer:?}"));
        }
    }
    assert!(problems.is_empty(), "{}", problems.join("\n"));
    stage.assert_nothing_got_out();
}

#[test]
fn a_long_upload_is_looked_through_as_it_goes() {
    let Some(stage) = stage() else { return };
    let filler = "nothing to be seen here, nor there. ".repeat(4000);
    for flag in [false, true] {
        let upload = |host: &str, value: &str| {
            let text = format!("{filler}it is {value}. {filler}");
            let request = Request::to(host, "/test/upload").body("text/plain", text);
            if flag { request.chunked() } else { request }
        };
        let masked = upload(REDACT, SSN).send(&stage);
        let expected = format!("{filler}it is [US_SSN]. {filler}");
        assert_eq!(masked.json()["bytes"], expected.len(), "{masked:?}");
        assert_eq!(masked.json()["sha256"], sha256(&expected));
        let blocked = upload("block.corp.example", KEY).send(&stage);
        assert_eq!(blocked.status, 403, "{blocked:?}");
        let cut = stage.upstream.journal().wait(PATIENCE, |seen| {
            let last = seen.last()?.request.clone();
            (last.state != State::Open).then_some(last)
        });
        let cut = cut.expect("an end upstream");
        let before = u64::try_from(filler.len() + "it is ".len()).expect("a length");
        assert_eq!(cut.state, State::Cut);
        assert!(
            (1..=before).contains(&cut.bytes),
            "{} of {before}",
            cut.bytes
        );
    }
}

#[test]
fn answers_are_masked_for_the_agent_alone() {
    let Some(stage) = stage() else { return };
    let answer = Request::to("answer.corp.example", &format!("{ECHO}?q={SSN}")).send(&stage);
    assert_eq!(answer.json()["query"], "q=***-**-8721", "{answer:?}");
    let arrivals = stage.upstream.journal().arrivals();
    assert_eq!(arrivals[0].query, format!("q={SSN}"));
    let open = Request::to("open.corp.example", &format!("{ECHO}?q={SSN}")).send(&stage);
    assert_eq!(open.json()["query"], format!("q={SSN}"));
}

#[test]
fn what_is_said_on_a_websocket_is_masked_and_blocked() {
    let Some(stage) = stage() else { return };
    let place = format!("{OUTSIDE}:443");
    let speak = |host: &str, says: &[&str]| -> Spoken {
        let mut arguments = vec!["websocket", &place, "--name", host];
        arguments.extend(says.iter().flat_map(|said| ["--say", said]));
        stage.agent.probe(&arguments).expect("a probe")
    };
    let said = format!("it is {SSN}.");
    let masked = speak(REDACT, &["one", &said, "three"]);
    assert_eq!(
        masked.heard,
        ["one", "it is [US_SSN].", "three"],
        "{masked:?}"
    );
    let blocked = speak("block.corp.example", &["one", &said, "three"]);
    assert_eq!(blocked.status, Some(101), "{blocked:?}");
    assert_eq!(
        blocked.heard.first().map(String::as_str),
        Some("one"),
        "{blocked:?}"
    );
    // The upstream says back what it hears; after the refusal it hears nothing.
    assert!(
        !blocked
            .heard
            .iter()
            .any(|heard| heard == &said || heard == "three"),
        "{blocked:?}"
    );
}

/// With a client that compresses, and sends a message in fragments.
#[test]
fn what_is_said_in_fragments_and_compressed_is_masked_and_blocked() {
    const PYTHON: &str = r#"
import asyncio, json, sys, websockets
ssn = sys.argv[1]
async def talk(host, pieces):
    async with websockets.connect(f"wss://{host}/test/websocket", compression="deflate") as socket:
        heard = []
        try:
            await socket.send(pieces)
            heard.append(await asyncio.wait_for(socket.recv(), 15))
            await socket.send("and now")
            heard.append(await asyncio.wait_for(socket.recv(), 15))
            return heard
        except websockets.ConnectionClosed as closed:
            return ["closed", closed.rcvd.code, "us_ssn" in heard[0], ssn in heard[0]]
async def all():
    cut = ["it is ", ssn[:4], ssn[4:7], ssn[7:], ", she said"]
    return {host: await talk(host + ".corp.example", cut) for host in ["redact", "block", "open"]}
print(json.dumps(asyncio.run(all())))
"#;
    if Program::Python.found().is_none() {
        return;
    }
    let Some(stage) = stage() else { return };
    let said = Program::Python.says(&stage, PYTHON, &[SSN]);
    assert_eq!(
        said["redact"],
        json!(["it is [US_SSN], she said", "and now"])
    );
    assert_eq!(
        said["open"],
        json!([format!("it is {SSN}, she said"), "and now"])
    );
    // It is told why, not what, and then no more.
    assert_eq!(said["block"], json!(["closed", 1008, true, false]));
}

/// Everything of a request that the upstream saw.
fn shown(arrival: &Arrival) -> String {
    let headers = arrival.headers.iter();
    let headers: Vec<String> = headers
        .map(|(name, value)| format!("{name}: {value}"))
        .collect();
    let Arrival {
        path,
        query,
        request,
        ..
    } = arrival;
    format!("{path}?{query}\n{}\n\n{}", headers.join("\n"), request.text)
}

fn sha256(text: &str) -> Value {
    let digest = digest::digest(&digest::SHA256, text.as_bytes());
    let digits = digest.as_ref().iter().map(|byte| format!("{byte:02x}"));
    json!(digits.collect::<String>())
}
