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
fn documents_change_only_where_something_is_found() {
    check("json.yaml");
}

#[test]
fn documents_within_texts_stay_valid() {
    check("nested.yaml");
}

#[test]
fn lines_of_documents_stay_lines() {
    check("lines.yaml");
}

#[test]
fn forms_keep_their_escapes() {
    check("form.yaml");
}

#[test]
fn parts_are_read_by_their_own_types() {
    check("multipart.yaml");
}

#[test]
fn texts_are_read_to_their_end() {
    check("text.yaml");
}

#[test]
fn columns_of_tables_are_fields() {
    check("csv.yaml");
}

#[test]
fn elements_and_attributes_are_fields() {
    check("xml.yaml");
}

#[test]
fn keys_of_yaml_are_fields() {
    check("yaml.yaml");
}

#[test]
fn what_is_found_in_bytes_is_refused() {
    check("binary.yaml");
}

#[test]
fn events_keep_their_frames() {
    check("events.yaml");
}
