//! What is left of a finding: what kind of value, where, what became of it, and a fingerprint by which it is known again.

use std::fs;
use std::path::Path;

use serde_json::{Value, json};

use crate::masking::carriers::stage;
use crate::masking::request::Request;
use crate::masking::{KEY, SSN};
use crate::stage::{PATIENCE, Stage};

const ANOTHER: &str = "538-41-7193";

#[test]
fn findings_are_in_the_ledger_with_everything_but_the_value() {
    let Some(stage) = stage() else { return };
    let redact = |target: &str| Request::to("redact.corp.example", target);
    let echo = "/test/echo";
    let note = |text: &str| json!({ "a": [{ "note": format!("it is {text}") }] });
    redact(echo).json(&note(SSN)).send(&stage);
    redact(&format!("{echo}?id={SSN}")).send(&stage);
    redact(echo).header("x-note", ANOTHER).send(&stage);
    let blocked = Request::to("block.corp.example", echo);
    let blocked = blocked.json(&note(KEY)).send(&stage);
    assert_eq!(blocked.status, 403, "{blocked:?}");
    // Where values may stand in what is written about a request that is refused, or that goes wrong.
    let path = format!("/services/{SSN}/{KEY}");
    Request::to("block.corp.example", &path).send(&stage);
    redact(&format!("/services/{SSN}/x")).send(&stage);
    let told = found(&stage, 6);
    let fields = |at: usize| {
        let Value::Object(finding) = &told[at]["findings"][0] else {
            panic!("{}", told[at]);
        };
        ["detector", "place", "offset", "action", "confidence"].map(|key| finding[key].clone())
    };
    let seen = |detector: &str, place: &str, offset: u64, action: &str| {
        [json!(detector), json!(place), json!(offset), json!(action)]
    };
    assert_eq!(fields(0)[..4], seen("us_ssn", "$.a[0].note", 6, "redact"));
    assert_eq!(fields(1)[..4], seen("us_ssn", "query:id", 0, "redact"));
    assert_eq!(fields(2)[..4], seen("us_ssn", "header:x-note", 0, "redact"));
    assert_eq!(
        fields(3)[..4],
        seen("openai_api_key", "$.a[0].note", 6, "block")
    );
    assert_eq!(fields(3)[4], "high");
    assert!(
        told.iter()
            .take(4)
            .all(|line| line["direction"] == "request")
    );
    let print = |at: usize| {
        told[at]["findings"][0]["fingerprint"]
            .as_str()
            .unwrap_or_default()
    };
    assert!(print(0).starts_with("hmac-sha256:"), "{}", told[0]);
    assert_eq!(print(0), print(1), "the same value is known again");
    assert_ne!(print(0), print(2), "another is another");
    // The line is there before what it was found in goes on.
    let entries = stage.ledger().entries();
    let exchange = &told[0]["exchange"];
    let of = |event: &str| {
        let is_it = |entry: &Value| entry["event"] == event && entry["exchange"] == *exchange;
        entries.iter().position(is_it)
    };
    assert!(of("data_found") < of("exchange_closed"), "{exchange}");
    let verified = stage.daemon.audit(&["verify"]).expect("an audit");
    assert_eq!(verified.code(), 0, "{verified:?}");
    assert_nowhere(stage, &[SSN, ANOTHER, KEY, &KEY[3..30]]);
}

/// Waits for so many lines about findings.
fn found(stage: &Stage, count: usize) -> Vec<Value> {
    let waited = stage
        .ledger()
        .wait(PATIENCE, |_| stage.ledger().of("data_found").len() >= count);
    waited.unwrap_or_else(|error| panic!("{error}"));
    stage.ledger().of("data_found")
}

/// Nothing that the daemon wrote has one of these: its ledger, its log, whatever lies in its folders.
fn assert_nowhere(stage: Stage, values: &[&str]) {
    let Stage {
        daemon, sandbox, ..
    } = stage;
    let places = daemon.places().clone();
    let finished = daemon.stop().expect("an end");
    let mut written = vec![("its log".to_owned(), finished.stderr.into_bytes())];
    written.push(("its output".to_owned(), finished.stdout.into_bytes()));
    for folder in [&places.state, &places.runtime] {
        collect(folder, &mut written);
    }
    assert!(
        written
            .iter()
            .any(|(name, text)| name.contains("ledger") && !text.is_empty())
    );
    for (name, bytes) in &written {
        let text = String::from_utf8_lossy(bytes);
        for value in values {
            assert!(!text.contains(value), "{value:.6} is in {name}");
        }
    }
    drop(sandbox);
}

fn collect(folder: &Path, written: &mut Vec<(String, Vec<u8>)>) {
    for entry in fs::read_dir(folder).into_iter().flatten().flatten() {
        let path = entry.path();
        if path.is_dir() {
            collect(&path, written);
        } else if let Ok(bytes) = fs::read(&path) {
            written.push((path.display().to_string(), bytes));
        }
    }
}
