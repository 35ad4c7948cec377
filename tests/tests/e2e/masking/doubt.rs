//! Bodies that nobody can look through: refused where a rule wants them masked, and passed where none does.

use enforcer_tests::agent::Answer;
use serde_json::{Value, json};

use crate::masking::carriers::stage;
use crate::masking::coded;
use crate::masking::request::Request;
use crate::stage::{PATIENCE, Stage};

/// What cannot be looked through, with why.
fn doubtful() -> Vec<(&'static str, Request, &'static str)> {
    let here = || Request::to("nowhere", "/test/echo");
    let json_of = |text: &str| here().body("application/json", text);
    let nested = format!("{}1{}", "[".repeat(20_000), "]".repeat(20_000));
    let zipped = coded::gzip(json!({ "note": "nothing at all" }).to_string().as_bytes());
    let coding = |name: &str, body: &[u8]| {
        here()
            .header("content-encoding", name)
            .body("application/json", body)
    };
    vec![
        (
            "JSON that breaks off",
            json_of(r#"{"note": "nothing"#),
            "body_malformed",
        ),
        (
            "JSON that is none",
            json_of("{note: nothing}"),
            "body_malformed",
        ),
        (
            "a key twice",
            json_of(r#"{"note": 1, "note": 2}"#),
            "body_malformed",
        ),
        ("too deep", json_of(&nested), "body_malformed"),
        (
            "an unknown coding",
            coding("compress", b"{}"),
            "body_unknown_encoding",
        ),
        (
            "a coding that breaks off",
            coding("gzip", &zipped[..zipped.len() - 9]),
            "body_malformed",
        ),
        (
            "a coding that is another",
            coding("br", &zipped),
            "body_malformed",
        ),
        (
            "a bomb",
            coding("gzip", &coded::gzip(&vec![b' '; 80 << 20])),
            "body_too_large",
        ),
        (
            "UTF-16",
            here().body("text/plain; charset=utf-16le", b"n\0o\0".as_slice()),
            "body_malformed",
        ),
        (
            "parts without a line between",
            here().body("multipart/form-data", "x"),
            "body_malformed",
        ),
        (
            "parts that break off",
            here().body("multipart/form-data; boundary=b", "--b\r\n\r\nx"),
            "body_malformed",
        ),
        (
            "XML that is none",
            here().body("application/xml", "<a><b></a>"),
            "body_malformed",
        ),
    ]
}

#[test]
fn what_cannot_be_looked_through_is_refused_under_a_mask_and_passes_without_one() {
    let Some(stage) = stage() else { return };
    let mut problems = Vec::new();
    let arrived = || stage.upstream.journal().arrivals().len();
    for (name, request, expected) in doubtful() {
        let before = arrived();
        let refused = request.clone().at("redact.corp.example").send(&stage);
        if refused.status != 403 || arrived() != before {
            problems.push(format!("{name}: {} under a mask", refused.status));
        } else if let Some(cause) = cause_of(&stage, &refused).filter(|cause| cause != expected) {
            problems.push(format!("{name}: refused for {cause}, not {expected}"));
        }
        let passed = request.at("open.corp.example").send(&stage);
        if passed.status != 200 {
            problems.push(format!("{name}: {} without one", passed.status));
        }
    }
    assert!(problems.is_empty(), "{}", problems.join("\n"));
}

/// What the ledger says why an exchange was refused.
fn cause_of(stage: &Stage, refused: &Answer) -> Option<String> {
    let exchange = refused.header("x-enforcer-exchange").expect("an exchange");
    let is_end = |entry: &Value| {
        let event = entry["event"].as_str().unwrap_or_default();
        entry["exchange"] == exchange && matches!(event, "exchange_aborted" | "exchange_denied")
    };
    let line = stage.ledger().wait(PATIENCE, is_end).expect("a line");
    line["cause"].as_str().map(str::to_owned)
}
