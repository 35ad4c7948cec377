//! The rules that all tests here are about.

use std::sync::Arc;

use enforcer_mask::{
    Action, Confidence, Keys, Rule, Ruleset, Session, Settings, VaultLimits, What,
};

fn rule(id: &str, what: What, action: Action) -> Rule {
    Rule {
        id: id.to_owned(),
        what: vec![what],
        action,
        direction: None,
        least: Confidence::Low,
    }
}

/// A dictionary, expressions, fields, a place, a header and a planted value.
pub(crate) fn ruleset() -> Arc<Ruleset> {
    let regex = |name: &str, pattern: &str| What::Regex {
        name: name.to_owned(),
        pattern: pattern.to_owned(),
        longest: None,
    };
    let rules = [
        rule(
            "customers",
            What::Dictionary {
                name: "customer".to_owned(),
                words: vec!["Ada Lovelace".to_owned(), "Ångström".to_owned()],
            },
            Action::Redact,
        ),
        rule(
            "numbers",
            regex("ssn", r"\b\d{3}-\d{2}-\d{4}\b"),
            Action::Redact,
        ),
        rule("cards", regex("card", r"\b4\d{15}\b"), Action::Partial),
        rule("secrets", What::Field("secret".to_owned()), Action::Redact),
        rule(
            "places",
            What::Path("$.user.pin".to_owned()),
            Action::Redact,
        ),
        rule(
            "lists",
            What::Path("$.list[*].id".to_owned()),
            Action::Redact,
        ),
        rule("headers", What::Header("x-user".to_owned()), Action::Redact),
        rule(
            "planted",
            What::Canary {
                name: "planted".to_owned(),
                values: vec!["CANARY-7f3a9b2c1d".to_owned()],
            },
            Action::Block,
        ),
    ];
    Arc::new(Ruleset::new(&rules, Settings::default()).unwrap())
}

/// Everything that opens a door is masked, what was planted is blocked.
pub(crate) fn doors() -> Arc<Ruleset> {
    let planted = What::Canary {
        name: "planted".to_owned(),
        values: vec!["CANARY-7f3a9b2c1d".to_owned()],
    };
    let rules = [
        rule("doors", What::Named("secret".to_owned()), Action::Redact),
        rule("planted", planted, Action::Block),
    ];
    Arc::new(Ruleset::new(&rules, Settings::default()).unwrap())
}

pub(crate) fn session() -> Arc<Session> {
    let keys = Keys::new(&[7; 32]);
    Arc::new(Session::new(&keys, "tenant", VaultLimits::default()))
}
