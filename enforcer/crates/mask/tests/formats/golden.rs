//! Tables of bodies, one a format, each case replayed at every place to cut.

use std::path::Path;

use enforcer_mask::Direction;
use enforcer_mask::body::Kind;

use crate::case::{Case, Run, stop, told};
use crate::rules;

fn check(table: &str) {
    let file = Path::new(env!("CARGO_MANIFEST_DIR"))
        .join("tests/data/bodies")
        .join(table);
    let text = std::fs::read_to_string(file).unwrap();
    let cases: Vec<Case> = serde_saphyr::from_str(&text).unwrap();
    assert!(!cases.is_empty());
    let (rules, session) = (rules::ruleset(), rules::session());
    for case in cases {
        let run = Run {
            rules: rules.clone(),
            session: session.clone(),
            kind: Kind::of(case.media_type.as_deref()),
            direction: match case.answer {
                true => Direction::Answer,
                false => Direction::Request,
            },
        };
        let name = format!("{table}: {}", case.name);
        // A byte that is no UTF-8 is written as its Latin-1 letter.
        let body: Vec<u8> = match case.media_type.as_deref() {
            Some("application/octet-stream") => case
                .body
                .chars()
                .map(|letter| u8::try_from(letter).unwrap())
                .collect(),
            _ => case.body.clone().into_bytes(),
        };
        let whole = run.everywhere(&name, &body);
        assert_eq!(
            whole.stop.as_ref().map(stop),
            case.stop.as_deref(),
            "{name}: {:?}",
            whole.stop
        );
        if case.stop.is_some() {
            continue;
        }
        let out = match &case.out {
            Some(out) => out.clone().into_bytes(),
            None => body,
        };
        let text = String::from_utf8_lossy(&whole.out).into_owned();
        assert_eq!(text, String::from_utf8_lossy(&out), "{name}");
        assert_eq!(told(&whole.findings), case.found, "{name}");
    }
}

#[test]
fn json() {
    check("json.yaml");
}

#[test]
fn json_within_texts() {
    check("nested.yaml");
}

#[test]
fn lines_of_json() {
    check("lines.yaml");
}

#[test]
fn forms() {
    check("form.yaml");
}

#[test]
fn parts() {
    check("multipart.yaml");
}

#[test]
fn texts() {
    check("text.yaml");
}

#[test]
fn tables() {
    check("csv.yaml");
}

#[test]
fn xml() {
    check("xml.yaml");
}

#[test]
fn yaml() {
    check("yaml.yaml");
}

#[test]
fn bytes() {
    check("binary.yaml");
}

#[test]
fn events() {
    check("events.yaml");
}
