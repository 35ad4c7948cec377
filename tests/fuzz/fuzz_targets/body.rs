//! A body of any format, cut anywhere: no panic, the cut does not show, and what holds nothing stays as it is, also where it
//! pauses.

#![no_main]

use std::sync::{Arc, LazyLock};

use enforcer_mask::body::{Kind, Rewriter};
use enforcer_mask::{
    Action, Confidence, Direction, Finding, Keys, Rule, Ruleset, Session, Settings, Stop,
    VaultLimits, What,
};
use libfuzzer_sys::fuzz_target;

static RULES: LazyLock<Arc<Ruleset>> = LazyLock::new(|| {
    let rule = |what, action| Rule {
        id: "rule".to_owned(),
        what: vec![what],
        action,
        direction: None,
        least: Confidence::Medium,
    };
    let words = What::Dictionary {
        name: "word".to_owned(),
        words: vec!["ab".to_owned(), "12".to_owned()],
    };
    let rules = [
        rule(words, Action::Redact),
        rule(What::Field("a".to_owned()), Action::Redact),
        rule(What::Path("$.b[*]".to_owned()), Action::Redact),
    ];
    Arc::new(Ruleset::new(&rules, Settings::default()).expect("the rules are right"))
});

static SESSION: LazyLock<Arc<Session>> = LazyLock::new(|| {
    let keys = Keys::new(&[7; 32]);
    Arc::new(Session::new(&keys, "tenant", VaultLimits::default()))
});

fuzz_target!(|input: (u8, u16, &[u8])| {
    let (kind, cut, bytes) = input;
    let kinds = [
        Kind::Binary,
        Kind::Csv { tabs: false },
        Kind::Events,
        Kind::Form,
        Kind::Json,
        Kind::JsonLines,
        Kind::Multipart("X".to_owned()),
        Kind::Text,
        Kind::Unknown,
        Kind::Xml,
        Kind::Yaml,
    ];
    let kind = &kinds[kind as usize % kinds.len()];
    let (one, other) = bytes.split_at(cut as usize % (bytes.len() + 1));
    let (out, findings, done) = rewrite(kind, &[bytes], false);
    let cut = rewrite(kind, &[one, other], false);
    let paused = rewrite(kind, &[one, other], true);
    if paused.2.is_ok() && paused.1.is_empty() {
        assert_eq!(paused.0, bytes, "the pause shows");
    }
    if done.is_ok() && findings.is_empty() {
        // A part may look like what the whole is not.
        assert!(
            paused.2.is_ok() || !paused.1.is_empty(),
            "it stops for nothing"
        );
    }
    assert_eq!(done.is_ok(), cut.2.is_ok(), "the cut shows");
    if done.is_err() {
        return;
    }
    assert_eq!((&out, &findings), (&cut.0, &cut.1), "the cut shows");
    if findings.is_empty() {
        assert_eq!(out, bytes, "other bytes came out");
    }
    if *kind == Kind::Json && !bytes.is_empty() {
        let valid = |bytes: &[u8]| serde_json::from_slice::<serde::de::IgnoredAny>(bytes).is_ok();
        assert!(!valid(bytes) || valid(&out), "a document is none any more");
    }
});

fn rewrite(
    kind: &Kind,
    chunks: &[&[u8]],
    pauses: bool,
) -> (Vec<u8>, Vec<Finding>, Result<(), Stop>) {
    let mut rewriter = Rewriter::new(kind.clone(), &RULES, &SESSION, Direction::Request);
    let mut out = Vec::new();
    let done = chunks
        .iter()
        .try_for_each(|chunk| {
            rewriter.push(chunk, &mut out)?;
            match pauses {
                true => rewriter.lapse(&mut out),
                false => Ok(()),
            }
        })
        .and_then(|()| rewriter.finish(&mut out));
    (out, rewriter.take_findings(), done)
}
