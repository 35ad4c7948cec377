//! That rules are found by what they ask: with many at one place, decisions are those that looking at each would give.

use std::sync::Arc;

use enforcer_flow::{Attributes, Host, Principal, Protocol, Workload};
use enforcer_policy::{Decision, PolicySet, Question, Request, RuleEffect, Source, Verdict};
use http::{HeaderMap, HeaderName, HeaderValue};
use proptest::prelude::*;
use proptest::sample::{Index, select};

use crate::{compile, lines, workload};

/// What rules ask beyond their place, each with several that differ in case, in kind and in how much they take.
const ASKED: [&[&str]; 7] = [
    &[
        "group: red",
        "group: Red",
        "group: [blue, ΑΣ]",
        "group: { not: red }",
        "group: r*",
    ],
    &[
        "principal: ada",
        "principal: [Ada, bob]",
        "principal: { not: ada }",
    ],
    &["method: GET", "method: [GET, POST]", "method: DELETE"],
    &["port: 443", "port: [80-90, 8443]", "port: 1-60000"],
    &[
        "header: { x-a: one }",
        "header: { x-a: One }",
        "header: { x-a: '*' }",
        "header: { x-a: { not: one } }",
        "header: { x-b: two, x-a: one }",
        "header: { x-c: { not: '*' } }",
    ],
    &["query: a=1", "query: { not: a=1 }"],
    &[
        "content_type: text/plain",
        "content_type: { not: text/plain }",
    ],
];
const PATHS: [&str; 4] = ["", "path: /a", "path: /a/**", "path: [/a, /b/*]"];
const EFFECTS: [&str; 4] = ["allow", "deny", "require_approval", "terminate"];

#[derive(Clone, Debug)]
struct Asked {
    principal: Option<(&'static str, Vec<&'static str>)>,
    protocol: Protocol,
    port: u16,
    method: &'static str,
    path: &'static str,
    query: Option<&'static str>,
    headers: Option<Vec<(&'static str, &'static [u8])>>,
}

impl Asked {
    fn workload(&self, name: &str) -> Workload {
        let person = self.principal.as_ref();
        let person = person.and_then(|(name, groups)| Principal::new(name, groups.clone()).ok());
        Workload {
            attributes: Arc::new(Attributes {
                principal: person,
                ..Attributes::default()
            }),
            ..workload(name, None)
        }
    }

    /// Asks something of a question that is put together here.
    fn ask<T>(&self, workload: &Workload, answer: impl Fn(&Question<'_>) -> T) -> T {
        let host = Host::parse("api.example.com").unwrap();
        let headers = self.headers.as_ref().map(|headers| {
            let value = |value: &[u8]| HeaderValue::from_bytes(value).unwrap();
            let header =
                |(name, own): &(&'static str, &[u8])| (HeaderName::from_static(name), value(own));
            headers
                .iter()
                .map(header)
                .fold(HeaderMap::new(), |mut all, (name, value)| {
                    all.append(name, value);
                    all
                })
        });
        let request = Request {
            query: self.query,
            headers: headers.as_ref(),
            ..Request::new(self.method, self.path)
        };
        let seen = matches!(self.protocol, Protocol::Http | Protocol::Https);
        answer(
            &Question::new(workload, self.protocol, &host, self.port)
                .with_request(seen.then_some(request)),
        )
    }
}

fn rule() -> impl Strategy<Value = String> {
    // Two thirds ask for nothing of a field, so that some rules match.
    let field =
        |words: &'static [&'static str]| prop::option::weighted(0.35, select(words.to_vec()));
    let fields = ASKED.map(field).to_vec();
    (
        prop::sample::select(vec![0, 0, 0, 1, 2, 3]),
        select(PATHS.to_vec()),
        fields,
    )
        .prop_map(|(effect, path, fields)| {
            let all = fields
                .into_iter()
                .flatten()
                .chain([path].into_iter().filter(|path| !path.is_empty()));
            let all: Vec<&str> = ["host: api.example.com"].into_iter().chain(all).collect();
            format!(
                "effect: {}, match: {{ {} }}",
                EFFECTS[effect],
                all.join(", ")
            )
        })
}

fn asked() -> impl Strategy<Value = Asked> {
    let groups = select(vec![
        vec![],
        vec!["red"],
        vec!["RED", "green"],
        vec!["ας"],
        vec!["blue", "red"],
    ]);
    let values: Vec<&[u8]> = vec![b"one", b"ONE", b" one ", b"two", b"\xff"];
    let header = (select(vec!["x-a", "x-a", "x-b", "x-c"]), select(values));
    let types: Vec<&[u8]> = vec![
        b"text/plain",
        b"Text/Plain; charset=utf-8",
        b"application/json",
    ];
    let kind = (Just("content-type"), select(types));
    let headers = prop::collection::vec(prop_oneof![3 => header, 1 => kind], 0..4);
    (
        prop::option::weighted(0.8, (select(vec!["ada", "ADA", "bob"]), groups)),
        select(vec![
            Protocol::Https,
            Protocol::Https,
            Protocol::Http,
            Protocol::Tls,
        ]),
        select(vec![443, 443, 80, 8443]),
        select(vec!["GET", "POST", "get", "PATCH"]),
        select(vec!["/a", "/a/b", "/b/c", "/a/../b", "/"]),
        prop::option::of(select(vec!["a=1", "A=1", ""])),
        prop::option::weighted(0.9, headers),
    )
        .prop_map(
            |(principal, protocol, port, method, path, query, headers)| Asked {
                principal,
                protocol,
                port,
                method,
                path,
                query,
                headers,
            },
        )
}

fn set_of(rules: &[String]) -> PolicySet {
    let rules = rules.iter().enumerate();
    let lines: String = rules
        .map(|(id, rule)| format!("- {{ id: r{id}, {rule} }}\n"))
        .collect();
    compile(&lines)
}

/// What the rules that match, each looked at by itself, come to: the verdict, and the first rule of its effect.
fn one_by_one(set: &PolicySet, question: &Question<'_>) -> (Verdict, Option<String>) {
    let considered = set.explain(question).considered;
    let matching = |effect| {
        let mut rules = considered.iter().filter(|own| own.mismatch.is_none());
        let first = rules.find(|own| own.effect == effect);
        first.map(|own| own.rule.id().to_owned())
    };
    let refused = [RuleEffect::Terminate, RuleEffect::Deny];
    let refused = refused.into_iter().find_map(matching);
    let allow = matching(RuleEffect::Allow);
    match (refused, matching(RuleEffect::RequireApproval), allow) {
        (Some(rule), _, _) | (None, Some(rule), _) => (Verdict::Deny, Some(rule)),
        (None, None, Some(rule)) => (Verdict::Allow, Some(rule)),
        (None, None, None) => (Verdict::Deny, None),
    }
}

fn shown(decision: &Decision) -> (Verdict, Option<String>) {
    let rule = decision.rule.as_ref().map(|rule| rule.id().to_owned());
    (decision.verdict, rule)
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(64))]

    #[test]
    fn what_is_found_by_its_fields_is_what_looking_at_each_would_find(
        // No more than an explanation holds.
        rules in prop::collection::vec(rule(), 1..50),
        questions in prop::collection::vec(asked(), 20),
        cut in any::<Index>(),
    ) {
        let set = set_of(&rules);
        let few = set_of(&rules[..=cut.index(rules.len()).min(6)]);
        for asked in &questions {
            let workload = asked.workload("w");
            let decision = asked.ask(&workload, |question| set.evaluate(question));
            let expected = asked.ask(&workload, |question| one_by_one(&set, question));
            prop_assert_eq!(shown(&decision), expected, "{:?}", asked);
            let decision = asked.ask(&workload, |question| few.evaluate(question));
            let expected = asked.ask(&workload, |question| one_by_one(&few, question));
            prop_assert_eq!(shown(&decision), expected, "of few, {:?}", asked);
        }
    }

    #[test]
    fn the_order_of_what_is_found_means_nothing(
        (rules, shuffled) in prop::collection::vec(rule(), 8..40)
            .prop_flat_map(|rules| (Just(rules.clone()), Just(rules).prop_shuffle())),
        questions in prop::collection::vec(asked(), 10),
    ) {
        let (one, other) = (set_of(&rules), set_of(&shuffled));
        for asked in &questions {
            let workload = asked.workload("w");
            let (one, other) = asked.ask(&workload, |question| (one.evaluate(question), other.evaluate(question)));
            prop_assert_eq!(one.verdict, other.verdict);
        }
    }

    #[test]
    fn policies_are_found_by_whom_they_are_for(
        scopes in prop::collection::vec(select(vec![
            "", "workloads: w", "workloads: [v, W]", "workloads: 'w*'", "groups: red", "principals: ada",
            "workloads: w, groups: blue", "principals: [ada, bob], groups: red",
        ]), 1..30),
        asked in prop::collection::vec(asked(), 8),
        name in select(vec!["w", "W", "v", "other"]),
    ) {
        let texts: Vec<String> = scopes.iter().enumerate().map(|(at, scope)| {
            let scope = if scope.is_empty() { String::new() } else { format!("applies_to: {{ {scope} }}\n") };
            // Every third denies, so that one policy more or less shows.
            let effect = if at % 3 == 2 { "deny" } else { "allow" };
            let rule = format!("- {{ id: r, effect: {effect}, match: {{ host: api.example.com }} }}");
            format!("version: 1\nname: p{at:02}\n{scope}rules:\n{rule}\n")
        }).collect();
        let sources: Vec<Source<'_>> = texts.iter().map(|text| Source { name: "p.yaml", text }).collect();
        let set = compiled(&sources);
        for asked in &asked {
            let workload = asked.workload(name);
            let alone: Vec<Decision> = sources.iter()
                .map(|source| asked.ask(&workload, |question| compiled(&[*source]).evaluate(question)))
                .collect();
            let together = asked.ask(&workload, |question| set.evaluate(question));
            let denied = alone.iter().find(|own| own.rule.is_some() && !own.is_allow());
            let first = denied.or_else(|| alone.iter().find(|own| own.is_allow()));
            let expected = first.map(|own| own.rule.clone());
            prop_assert_eq!(together.rule, expected.flatten(), "{:?}", asked);
        }
    }
}

fn compiled(sources: &[Source<'_>]) -> PolicySet {
    match PolicySet::compile(sources) {
        Ok((set, _)) => set,
        Err(found) => panic!("{}", lines(&found)),
    }
}

#[test]
fn the_rule_that_decides_is_told_of_among_thousands() {
    let rules: String = (0..2_000)
        .map(|n| format!("- {{ id: r{n}, effect: allow, match: {{ host: api.example.com, group: team-{n} }} }}\n"))
        .collect();
    let set = compile(&rules);
    let asked = Asked {
        principal: Some(("ada", vec!["team-1999"])),
        protocol: Protocol::Https,
        port: 443,
        method: "GET",
        path: "/",
        query: None,
        headers: Some(Vec::new()),
    };
    let explanation = asked.ask(&asked.workload("w"), |question| set.explain(question));
    let told = |id: &str| {
        explanation
            .considered
            .iter()
            .find(|own| own.rule.id() == id)
    };
    assert_eq!(shown(&explanation.decision).1.as_deref(), Some("r1999"));
    assert_eq!(explanation.considered.len(), 50);
    assert!(told("r1999").unwrap().mismatch.is_none());
    assert!(told("r0").unwrap().mismatch.is_some());
    assert_eq!(explanation.others, 1_950);
}
