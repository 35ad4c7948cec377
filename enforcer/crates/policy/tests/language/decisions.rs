//! Verdicts: effects, ports, protocols, methods, what is not seen.

use crate::{ask, check, compile};

#[test]
fn nothing_is_allowed_without_a_rule() {
    check(
        "  []",
        &[
            ("GET https://api.example.com/", "deny no_rule"),
            ("tcp 192.0.2.1:22", "deny no_rule"),
            ("tls api.example.com", "deny no_rule"),
            ("resolve api.example.com", "deny no_rule"),
        ],
    );
}

#[test]
fn deny_wins_over_allow_wherever_it_stands() {
    let allow = "- { id: a, effect: allow, match: { host: x.example } }\n";
    let deny = "- { id: d, effect: deny, match: { host: x.example, method: DELETE } }\n";
    for rules in [format!("{allow}{deny}"), format!("{deny}{allow}")] {
        check(
            &rules,
            &[
                ("DELETE https://x.example/", "deny d"),
                ("GET https://x.example/", "allow a"),
            ],
        );
    }
}

#[test]
fn the_first_rule_in_the_file_is_the_one_named() {
    check(
        "- { id: wide, effect: allow, match: { host: '*.example' } }\n\
         - { id: narrow, effect: allow, match: { host: x.example } }\n\
         - { id: no-a, effect: deny, match: { host: y.example } }\n\
         - { id: no-b, effect: deny, match: { host: '*.example', path: /b } }\n",
        &[
            ("GET https://x.example/", "allow wide"),
            ("GET https://y.example/b", "deny no-a"),
        ],
    );
}

#[test]
fn an_allow_means_https_at_443_unless_it_says_more() {
    check(
        "- { id: a, effect: allow, match: { host: x.example } }\n",
        &[
            ("GET https://x.example/", "allow a"),
            ("GET https://x.example:8443/", "deny no_rule"),
            ("GET http://x.example/", "deny no_rule"),
            ("GET http://x.example:443/", "deny no_rule"),
            ("tls x.example", "deny no_rule"),
            ("tcp x.example:443", "deny no_rule"),
        ],
    );
}

#[test]
fn each_protocol_has_its_own_usual_port() {
    check(
        "- { id: a, effect: allow, match: { host: x.example, protocol: [http, https] } }\n",
        &[
            ("GET https://x.example/", "allow a"),
            ("GET http://x.example/", "allow a"),
            ("GET http://x.example:443/", "deny no_rule"),
            ("GET https://x.example:80/", "deny no_rule"),
        ],
    );
}

#[test]
fn ports_are_numbers_and_ranges() {
    check(
        "- { id: a, effect: allow, match: { host: x.example, port: [443, 8000-8002] } }\n\
         - { id: t, effect: allow, match: { host: x.example, protocol: tcp, port: 5432 } }\n",
        &[
            ("GET https://x.example/", "allow a"),
            ("GET https://x.example:8000/", "allow a"),
            ("GET https://x.example:8002/", "allow a"),
            ("GET https://x.example:8003/", "deny no_rule"),
            ("GET https://x.example:7999/", "deny no_rule"),
            ("tcp x.example:5432", "allow t"),
            ("tcp x.example:5433", "deny no_rule"),
            ("tcp x.example:443", "deny no_rule"),
        ],
    );
}

#[test]
fn a_deny_means_all_ports_and_protocols_unless_it_says_less() {
    check(
        "- { id: a, effect: allow, match: { host: '*', protocol: [http, https, tcp], port: 1-65535 } }\n\
         - { id: t, effect: allow, inspect: false, match: { host: '*' } }\n\
         - { id: d, effect: deny, match: { host: x.example } }\n\
         - { id: p, effect: deny, match: { host: y.example, port: 22 } }\n\
         - { id: h, effect: deny, match: { host: z.example, protocol: http } }\n",
        &[
            ("GET https://x.example:8443/", "deny d"),
            ("GET http://x.example/", "deny d"),
            ("tcp x.example:1", "deny d"),
            ("tls x.example", "deny d"),
            ("tcp y.example:22", "deny p"),
            ("tcp y.example:23", "allow a"),
            ("GET http://z.example/", "deny h"),
            ("GET https://z.example/", "allow a"),
        ],
    );
}

#[test]
fn a_deny_without_anything_denies_everything() {
    check(
        "- { id: a, effect: allow, match: { host: x.example } }\n\
         - { id: d, effect: deny, match: {} }\n",
        &[
            ("GET https://x.example/", "deny d"),
            ("tcp 192.0.2.1:1", "deny d"),
            ("resolve x.example", "deny d"),
            ("resolve y.example", "deny no_rule"),
        ],
    );
}

#[test]
fn methods_are_exact_to_allow_and_lenient_to_deny() {
    check(
        "- { id: a, effect: allow, match: { host: x.example, method: [GET, PURGE] } }\n\
         - { id: all, effect: allow, match: { host: y.example } }\n\
         - { id: d, effect: deny, match: { host: y.example, method: DELETE } }\n",
        &[
            ("GET https://x.example/", "allow a"),
            ("PURGE https://x.example/", "allow a"),
            ("get https://x.example/", "deny no_rule"),
            ("POST https://x.example/", "deny no_rule"),
            ("GETX https://x.example/", "deny no_rule"),
            ("DELETE https://y.example/", "deny d"),
            ("delete https://y.example/", "deny d"),
            ("DELETED https://y.example/", "allow all"),
        ],
    );
}

#[test]
fn unopened_tls_is_allowed_only_where_inspection_is_waived() {
    check(
        "- { id: o, effect: allow, match: { host: x.example } }\n\
         - { id: u, effect: allow, inspect: false, match: { host: y.example, port: [443, 8443] } }\n",
        &[
            ("tls x.example", "deny no_rule"),
            ("tls y.example", "allow u"),
            ("tls y.example:8443", "allow u"),
            ("tls y.example:444", "deny no_rule"),
            ("GET https://y.example/", "deny no_rule"),
        ],
    );
}

#[test]
fn what_cannot_be_seen_is_denied_by_rules_about_it() {
    check(
        "- { id: u, effect: allow, inspect: false, match: { host: '*.example' } }\n\
         - { id: t, effect: allow, match: { host: '*.example', protocol: tcp, port: 5432 } }\n\
         - { id: d, effect: deny, match: { host: x.example, method: DELETE } }\n\
         - { id: h, effect: deny, match: { host: y.example, method: DELETE, protocol: [http, https] } }\n",
        &[
            ("tls x.example", "deny d"),
            ("tls y.example", "allow u"),
            // An opaque stream has no requests in it.
            ("tcp x.example:5432", "allow t"),
        ],
    );
}

#[test]
fn a_request_that_is_not_known_never_helps() {
    use enforcer_flow::{Host, Protocol};
    use enforcer_policy::Question;

    let set = compile(
        "- { id: a, effect: allow, match: { host: x.example, method: GET } }\n\
         - { id: b, effect: allow, match: { host: y.example } }\n\
         - { id: c, effect: allow, match: { host: z.example } }\n\
         - { id: d, effect: deny, match: { host: z.example, path: /secret } }\n",
    );
    let workload = crate::workload("w", None);
    for (host, expected) in [
        ("x.example", "deny no_rule"),
        ("y.example", "allow b"),
        ("z.example", "deny d"),
    ] {
        let decision = set.evaluate(&Question::new(
            &workload,
            Protocol::Https,
            &Host::parse(host).unwrap(),
            443,
        ));
        assert_eq!(crate::shown(&decision), expected, "{host}");
    }
}

#[test]
fn names_resolve_when_some_rule_could_allow_them() {
    check(
        "- { id: a, effect: allow, match: { host: x.example, method: POST, path: /only/this } }\n\
         - { id: t, effect: allow, match: { host: db.example, protocol: tcp, port: 5432 } }\n\
         - { id: u, effect: allow, inspect: false, match: { host: '*.pinned.example' } }\n\
         - { id: w, effect: allow, match: { host: '*.wide.example' } }\n\
         - { id: d, effect: deny, match: { host: no.wide.example } }\n\
         - { id: e, effect: deny, match: { host: half.wide.example, method: POST } }\n\
         - { id: f, effect: deny, match: { host: tcpless.wide.example, protocol: tcp } }\n",
        &[
            ("resolve x.example", "allow a"),
            ("resolve db.example", "allow t"),
            ("resolve a.pinned.example", "allow u"),
            ("resolve pinned.example", "deny no_rule"),
            ("resolve no.wide.example", "deny d"),
            ("resolve half.wide.example", "allow w"),
            ("resolve tcpless.wide.example", "allow w"),
            ("resolve other.example", "deny no_rule"),
        ],
    );
}

#[test]
fn a_decision_carries_the_operators_reason() {
    use enforcer_flow::{Host, Protocol};
    use enforcer_policy::Question;

    let set = compile("- id: d\n  effect: deny\n  reason: >\n    not\n    here\n  match: {}\n");
    let decision = set.evaluate(&Question::new(
        &crate::workload("w", Some("p")),
        Protocol::Tcp,
        &Host::parse("x.example").unwrap(),
        1,
    ));
    let rule = decision.rule.unwrap();
    assert_eq!(rule.to_string(), "p/d");
    assert_eq!((rule.policy(), rule.id()), ("p", "d"));
    assert_eq!(rule.reason(), Some("not here"));
}

#[test]
fn an_explanation_names_the_rules_that_came_near() {
    let set = compile(
        "- { id: a, effect: allow, match: { host: x.example, method: POST } }\n\
         - { id: b, effect: allow, match: { host: '*', path: /v1 } }\n\
         - { id: c, effect: allow, match: { host: y.example } }\n",
    );
    assert_eq!(ask(&set, "GET https://x.example/v2"), "deny no_rule");
    let table = "cases: [{ ask: GET https://x.example/v2, expect: allow }]";
    let source = enforcer_policy::Source {
        name: "t",
        text: table,
    };
    let cases = enforcer_policy::Cases::parse(source).unwrap();
    let outcome = cases.run(&set, "p").remove(0);
    assert_eq!(
        outcome.explanation.to_string(),
        "deny (no rule allows it)\n  \
         p/a would allow, but it is about other methods\n  \
         p/b would allow, but it is about other paths\n  \
         1 other rule is about other hosts"
    );
    let failure = outcome.failure.unwrap().to_string();
    assert_eq!(
        failure,
        "t:1:11: error: `GET https://x.example/v2`: expected allow, got deny (no rule allows it)"
    );
}
