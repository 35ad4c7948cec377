//! The corpus of the repository: what must be found, and what must not.

use std::fs;
use std::path::PathBuf;

use enforcer_recognize::{Confidence, Detector, Family, all};
use serde::Deserialize;

use super::super::check::findings;

/// A secret, in pieces: nothing that looks for leaks in repositories is to take it for one.
#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Case {
    name: String,
    detector: String,
    #[serde(default)]
    field: String,
    text: Vec<String>,
    value: Vec<String>,
}

fn folder() -> PathBuf {
    PathBuf::from(concat!(
        env!("CARGO_MANIFEST_DIR"),
        "/../../../tests/corpus/detect"
    ))
}

fn secrets() -> impl Iterator<Item = &'static Detector> {
    all().filter(|detector| detector.family == Family::Secret)
}

#[test]
fn every_secret_of_the_corpus_is_found_by_its_detector() {
    let cases: Vec<Case> =
        serde_saphyr::from_str(&fs::read_to_string(folder().join("secret.yaml")).unwrap()).unwrap();
    for detector in secrets() {
        assert!(
            cases.iter().any(|case| case.detector == detector.name),
            "the corpus has no {}",
            detector.name
        );
    }
    for case in cases {
        let detector = secrets()
            .find(|detector| detector.name == case.detector)
            .unwrap();
        let (text, value) = (case.text.concat(), case.value.concat());
        let start = text.find(&value).unwrap();
        let found = findings(detector, &case.field, text.as_bytes());
        let sure = found
            .iter()
            .any(|(span, sure)| *span == (start..start + value.len()) && *sure > Confidence::Low);
        assert!(sure, "{}: {}: {found:?}", case.detector, case.name);
    }
}

#[test]
fn nothing_of_the_benign_corpus_is_a_secret() {
    let mut seen = Vec::new();
    for file in fs::read_dir(folder().join("benign")).unwrap() {
        let path = file.unwrap().path();
        let text = fs::read(&path).unwrap();
        for detector in secrets() {
            for (span, _) in findings(detector, "", &text)
                .into_iter()
                .filter(|(_, sure)| *sure > Confidence::Low)
            {
                seen.push(format!(
                    "{} {}: {}",
                    path.display(),
                    detector.name,
                    String::from_utf8_lossy(&text[span])
                ));
            }
        }
    }
    assert_eq!(seen, [] as [String; 0]);
}
