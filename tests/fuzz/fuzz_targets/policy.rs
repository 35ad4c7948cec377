//! A policy text: compiled or refused with findings, and an empty question is never allowed by one without rules.

#![no_main]

use enforcer_policy::{PolicySet, Source};
use libfuzzer_sys::fuzz_target;

fuzz_target!(|text: &str| {
    let source = Source {
        name: "fuzz.yaml",
        text,
    };
    match PolicySet::compile(&[source]) {
        Ok((set, _)) => assert!(set.digest().starts_with("sha256:")),
        Err(findings) => assert!(
            findings.iter().any(|finding| finding.is_error()),
            "refused without a reason"
        ),
    }
});
