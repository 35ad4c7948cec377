//! The corpus in `tests/corpus/detect`: what must be found, and ordinary traffic in which nothing may be.

use std::{fs, path::PathBuf};

use enforcer_recognize::{Confidence, Family, all};
use serde::Deserialize;

use super::check::{detector, findings};

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Example {
    name: String,
    detector: String,
    #[serde(default)]
    field: String,
    text: String,
    value: String,
}

fn folder() -> PathBuf {
    PathBuf::from(env!("CARGO_MANIFEST_DIR")).join("../../../tests/corpus/detect")
}

#[test]
fn every_value_of_the_corpus_is_found_and_every_detector_has_one() {
    let mut left: Vec<_> = all()
        .filter(|detector| detector.family != Family::Secret)
        .map(|detector| detector.name)
        .collect();
    for file in ["crypto.yaml", "pii.yaml"] {
        let text = fs::read_to_string(folder().join(file)).unwrap();
        for example in serde_saphyr::from_str::<Vec<Example>>(&text).unwrap() {
            let found = findings(
                detector(&example.detector),
                &example.field,
                example.text.as_bytes(),
            );
            let right = found.iter().any(|(span, confidence)| {
                *confidence > Confidence::Low
                    && example.text.as_bytes()[span.clone()] == *example.value.as_bytes()
            });
            assert!(right, "{}: {found:?} in {}", example.name, example.text);
            left.retain(|name| *name != example.detector);
        }
    }
    assert_eq!(left, [] as [&str; 0]);
}

#[test]
fn nothing_about_persons_and_wallets_is_found_in_ordinary_traffic() {
    let mut seen = Vec::new();
    for entry in fs::read_dir(folder().join("benign")).unwrap() {
        let path = entry.unwrap().path();
        let text = fs::read_to_string(&path).unwrap();
        let parts: Vec<_> = if path.extension().is_some_and(|ending| ending == "txt") {
            text.lines().collect()
        } else {
            vec![text.as_str()]
        };
        for part in parts {
            for detector in all().filter(|detector| detector.family != Family::Secret) {
                for (span, confidence) in findings(detector, "", part.as_bytes()) {
                    if confidence > Confidence::Low {
                        seen.push((
                            detector.name,
                            part[span].to_owned(),
                            path.display().to_string(),
                        ));
                    }
                }
            }
        }
    }
    assert_eq!(seen, []);
}
