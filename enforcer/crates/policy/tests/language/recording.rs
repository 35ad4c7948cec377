//! `record`: what is taken, what is refused, and what several rules come to together.

use enforcer_flow::{Host, Protocol};
use enforcer_policy::{Decision, Question, Record, Request};

use crate::mistakes::rules_refused;
use crate::{compile_text, policy, workload};

fn decide(rules: &str) -> Decision {
    let (set, _) = compile_text(&policy(rules)).expect(rules);
    let (workload, host) = (workload("a", None), Host::parse("api.example").unwrap());
    let question = Question::new(&workload, Protocol::Https, &host, 443)
        .with_request(Request::new("POST", "/v1"));
    set.evaluate(&question)
}

#[test]
fn a_rule_says_what_of_an_exchange_is_recorded() {
    let table = [
        ("true", (true, true, 1 << 20)),
        ("{}", (true, true, 1 << 20)),
        ("{ answer: false }", (true, false, 1 << 20)),
        ("{ request: false, limit: 64 KiB }", (false, true, 64 << 10)),
    ];
    for (written, expected) in table {
        let decision = decide(&format!(
            "- {{ id: a, effect: allow, match: {{ host: api.example }}, record: {written} }}\n"
        ));
        let record = Record::of(&decision.obligations).expect(written);
        let found = (record.request, record.answer, record.limit);
        assert_eq!(found, expected, "{written}");
    }
    let plain = decide("- { id: a, effect: allow, match: { host: api.example } }\n");
    assert!(plain.is_allow());
    assert_eq!(Record::of(&plain.obligations), None);
}

#[test]
fn all_rules_that_allow_have_recorded_what_they_want() {
    let decision = decide(concat!(
        "- { id: a, effect: allow, match: { host: api.example }, record: { answer: false, limit: 2 MiB } }\n",
        "- { id: b, effect: allow, match: { host: api.example, path: /v1 }, record: { request: false } }\n",
    ));
    let record = Record::of(&decision.obligations).unwrap();
    assert!(record.request && record.answer, "{record}");
    assert_eq!(record.limit, 2 << 20);
}

#[test]
fn recordings_of_nothing_are_refused_where_they_stand() {
    let rule = |written: &str| {
        format!("- {{ id: a, effect: allow, match: {{ host: api.example }}, record: {written} }}\n")
    };
    let table = [
        (
            "false",
            "1:57 record | `record: false` keeps nothing | leave it out",
        ),
        (
            "{ request: false, answer: false }",
            "1:57 record | `record` of neither request nor answer keeps nothing | leave it out",
        ),
        (
            "{ limit: 0 }",
            "1:74 0 | `0` is no limit for recordings | write a size from 1 B to 64 MiB",
        ),
        (
            "{ limit: 65 MiB }",
            "1:74 65 MiB | `65 MiB` is no limit for recordings | write a size from 1 B to 64 MiB",
        ),
        (
            "{ bodies: true }",
            "1:67 bodies | `record` has no key `bodies` | its keys are `request`, `answer` and `limit`",
        ),
    ];
    for (written, expected) in table {
        rules_refused(&rule(written), &[expected]);
    }
    rules_refused(
        "- { id: a, effect: deny, match: { host: api.example }, record: true }\n",
        &[
            "1:56 record | `record` in a rule that allows nothing | put it into the rule that allows; denied things are not done",
        ],
    );
}
