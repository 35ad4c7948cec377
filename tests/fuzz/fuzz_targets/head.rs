//! Paths, queries, headers and hosts: no panic, and what holds nothing stays as it is.

#![no_main]

use std::sync::{Arc, LazyLock};

use enforcer_mask::head::Head;
use enforcer_mask::{
    Action, Confidence, Direction, Keys, Rule, Ruleset, Session, Settings, VaultLimits, What,
};
use libfuzzer_sys::fuzz_target;

static RULES: LazyLock<Arc<Ruleset>> = LazyLock::new(|| {
    let words = What::Dictionary {
        name: "word".to_owned(),
        words: vec!["ab".to_owned(), "12".to_owned()],
    };
    let rule = Rule {
        id: "rule".to_owned(),
        what: vec![words, What::Field("a".to_owned())],
        action: Action::Redact,
        direction: None,
        least: Confidence::Medium,
    };
    Arc::new(Ruleset::new(&[rule], Settings::default()).expect("the rules are right"))
});

static SESSION: LazyLock<Arc<Session>> = LazyLock::new(|| {
    let keys = Keys::new(&[7; 32]);
    Arc::new(Session::new(&keys, "tenant", VaultLimits::default()))
});

const NAMES: &[&str] = &[
    "accept",
    "authorization",
    "content-type",
    "cookie",
    "referer",
    "set-cookie",
    "x-a",
];

fuzz_target!(|input: (u8, &str, &[u8])| {
    let (name, target, value) = input;
    let mut head = Head::new(&RULES, &SESSION, Direction::Request);
    let changed = [
        head.target(target).is_ok_and(|changed| changed.is_some()),
        head.header(NAMES[name as usize % NAMES.len()], value)
            .is_ok_and(|changed| changed.is_some()),
    ];
    let refused = head.host(target).is_err();
    let found = !head.take_findings().is_empty();
    assert!(
        found || refused || !changed.contains(&true),
        "something changed for nothing"
    );
});
