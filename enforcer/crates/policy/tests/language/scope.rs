//! Which policy judges which workload, and what a set is as a whole.

use enforcer_flow::{Host, Protocol};
use enforcer_policy::{PolicySet, Question, Source};

use crate::{lines, shown, workload};

const BASE: &str =
    "version: 1\nname: base\nrules:\n- { id: a, effect: allow, match: { host: base.example } }\n";
const CRAWL: &str = "version: 1\nname: crawl\napplies_to: { workloads: ['crawler-*', indexer] }\nrules:\n\
    - { id: a, effect: allow, match: { host: crawl.example } }\n\
    - { id: d, effect: deny, match: { host: base.example, path: /no } }\n";

fn set(texts: &[&str]) -> PolicySet {
    let sources: Vec<Source<'_>> = texts
        .iter()
        .map(|text| Source {
            name: "p.yaml",
            text,
        })
        .collect();
    match PolicySet::compile(&sources) {
        Ok((set, _)) => set,
        Err(found) => panic!("{}", lines(&found)),
    }
}

fn check(set: &PolicySet, (name, label): (&str, Option<&str>), table: &[(&str, &str)]) {
    for (host, expected) in table {
        let workload = workload(name, label);
        let host = Host::parse(host).unwrap();
        let decision = set.evaluate(&Question::new(&workload, Protocol::Https, &host, 443));
        assert_eq!(shown(&decision), *expected, "{name} {label:?} {host}");
        let resolved = set.may_resolve(&workload, &host);
        assert!(
            resolved.is_allow() || !decision.is_allow(),
            "{name} {label:?} {host}: allowed, but not resolved"
        );
    }
}

#[test]
fn a_label_binds_to_exactly_the_policy_it_names() {
    let set = set(&[BASE, CRAWL]);
    check(
        &set,
        ("crawler-1", Some("base")),
        &[
            ("base.example", "allow a"),
            ("crawl.example", "deny no_rule"),
        ],
    );
    check(
        &set,
        ("other", Some("crawl")),
        &[("base.example", "deny d"), ("crawl.example", "allow a")],
    );
}

#[test]
fn a_label_that_names_no_policy_allows_nothing() {
    let set = set(&[BASE, CRAWL]);
    for label in ["nobody", "BASE", "", "base "] {
        check(
            &set,
            ("w", Some(label)),
            &[("base.example", "deny no_policy")],
        );
    }
}

#[test]
fn without_a_label_all_that_apply_judge_together() {
    let set = set(&[BASE, CRAWL]);
    check(
        &set,
        ("crawler-7", None),
        &[("crawl.example", "allow a"), ("base.example", "deny d")],
    );
    check(&set, ("indexer", None), &[("crawl.example", "allow a")]);
    check(
        &set,
        ("web", None),
        &[
            ("base.example", "allow a"),
            ("crawl.example", "deny no_rule"),
        ],
    );
    check(
        &set,
        ("my-crawler-7", None),
        &[("crawl.example", "deny no_rule")],
    );
    check(
        &set,
        ("indexer2", None),
        &[("crawl.example", "deny no_rule")],
    );
}

#[test]
fn a_workload_no_policy_applies_to_is_allowed_nothing() {
    let only = set(&[CRAWL]);
    check(
        &only,
        ("web", None),
        &[("crawl.example", "deny none_applies")],
    );
    check(
        &PolicySet::deny_all(),
        ("web", None),
        &[("crawl.example", "deny none_applies")],
    );
    check(
        &PolicySet::deny_all(),
        ("web", Some("crawl")),
        &[("crawl.example", "deny no_policy")],
    );
}

#[test]
fn the_digest_is_of_what_the_policies_say_and_not_of_their_files() {
    let forward = set(&[BASE, CRAWL]);
    assert_eq!(forward.digest(), set(&[CRAWL, BASE]).digest());
    assert!(forward.digest().starts_with("sha256:") && forward.digest().len() == 7 + 64);
    assert_ne!(forward.digest(), set(&[BASE]).digest());
    assert_ne!(
        set(&[BASE]).digest(),
        set(&[&BASE.replace("base.example", "bass.example")]).digest()
    );
    assert_ne!(PolicySet::deny_all().digest(), set(&[BASE]).digest());
    assert_eq!(forward.names().collect::<Vec<_>>(), ["base", "crawl"]);
    assert_eq!(forward.rules(), 3);
}

#[test]
fn names_above_allowed_ones_are_known_to_lead_there() {
    let rules = "version: 1\nname: p\nrules:\n\
        - { id: a, effect: allow, match: { host: [a.deep.example, '*.wide.example'] } }\n\
        - { id: d, effect: deny, match: { host: [x.denied.example, '*.shut.example'] } }\n";
    let check = |text: &str, table: &[(&str, bool)]| {
        let set = set(&[text]);
        for (host, leads) in table {
            let host = Host::parse(host).unwrap();
            let found = set.may_resolve_below(&workload("w", None), &host);
            assert_eq!(found, *leads, "{host}");
        }
    };
    check(
        rules,
        &[
            ("example", true),
            ("deep.example", true),
            ("wide.example", true),
            ("a.wide.example", true),
            ("a.deep.example", false),
            ("b.deep.example", false),
            ("denied.example", false),
            ("shut.example", false),
            ("ample", false),
            ("test", false),
        ],
    );
    let all = "version: 1\nname: p\nrules:\n- { id: a, effect: allow, match: { host: '*' } }\n";
    check(all, &[("anything", true)]);
    let elsewhere = workload("w", Some("not-loaded"));
    let host = Host::parse("example").unwrap();
    assert!(!set(&[rules]).may_resolve_below(&elsewhere, &host));
}
