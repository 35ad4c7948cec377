//! Paths: patterns, and paths that are meant to be read in two ways.

use enforcer_flow::{Host, Protocol};
use enforcer_policy::{PolicySet, Question, Request};

use crate::{check, compile, shown};

fn pattern(pattern: &str) -> PolicySet {
    compile(&format!(
        "- {{ id: a, effect: allow, match: {{ host: x.example, path: '{pattern}' }} }}\n\
         - {{ id: b, effect: allow, match: {{ host: y.example }} }}\n\
         - {{ id: d, effect: deny, match: {{ host: y.example, path: '{pattern}' }} }}\n"
    ))
}

fn decide(set: &PolicySet, host: &str, path: &str) -> String {
    shown(
        &set.evaluate(
            &Question::new(
                &crate::workload("w", None),
                Protocol::Https,
                &Host::parse(host).unwrap(),
                443,
            )
            .with_request(Request::new("GET", path)),
        ),
    )
}

/// Checks a pattern both ways: what it matches is allowed by an allow and denied by a deny, and the reverse.
fn check_pattern(text: &str, matching: &[&str], others: &[&str]) {
    let set = pattern(text);
    for path in matching {
        assert_eq!(
            decide(&set, "x.example", path),
            "allow a",
            "`{path}` by `{text}`"
        );
        assert_eq!(
            decide(&set, "y.example", path),
            "deny d",
            "`{path}` by `{text}`"
        );
    }
    for path in others {
        assert_eq!(
            decide(&set, "x.example", path),
            "deny no_rule",
            "`{path}` by `{text}`"
        );
        assert_eq!(
            decide(&set, "y.example", path),
            "allow b",
            "`{path}` by `{text}`"
        );
    }
}

#[test]
fn patterns_match_by_segment() {
    check_pattern("/", &["/"], &["/a"]);
    check_pattern(
        "/v1/chat",
        &["/v1/chat"],
        &["/v1/chats", "/v1/Chat", "/v1", "/v1/chat/x", "/v2/chat"],
    );
    check_pattern("/v1/*", &["/v1/a", "/v1/a.b"], &["/v1/", "/v1", "/v1/a/b"]);
    check_pattern(
        "/v1/gpt-*",
        &["/v1/gpt-", "/v1/gpt-4.1"],
        &["/v1/gpt", "/v1/gpt-4/x", "/v1/xgpt-4"],
    );
    check_pattern("/*/x", &["/a/x"], &["/x", "/a/b/x"]);
    check_pattern(
        "/a*b*c/d",
        &["/abc/d", "/axxbyyc/d"],
        &["/acb/d", "/abcx/d", "/abc/e"],
    );
    check_pattern("/**", &["/", "/a", "/a/b/", "/a/b/c"], &[]);
    check_pattern(
        "/f/**",
        &["/f", "/f/", "/f/a", "/f/a/b"],
        &["/ff", "/", "/g/f"],
    );
    check_pattern("/**/x", &["/x", "/a/x", "/a/b/x"], &["/a", "/xx", "/x/a"]);
    check_pattern(
        "/a/**/b/**/c",
        &["/a/b/c", "/a/x/b/y/z/c", "/a/b/b/c/c"],
        &["/a/c", "/a/b", "/a/b/c/d"],
    );
    check_pattern("/r/*/**", &["/r/a", "/r/a/b"], &["/r"]);
}

/// Most servers treat the two alike, so a rule that denies does; one that allows holds to the letter.
#[test]
fn a_trailing_slash_does_not_lead_round_a_deny() {
    let set = pattern("/admin");
    assert_eq!(decide(&set, "y.example", "/admin/"), "deny d");
    assert_eq!(decide(&set, "x.example", "/admin/"), "deny no_rule");
}

#[test]
fn escapes_of_ordinary_characters_are_read_as_what_they_stand_for() {
    check_pattern("/v1/chat", &["/v1/%63hat", "/%761/cha%74"], &["/v1/%43hat"]);
    check_pattern(
        "/a b/ü",
        &["/a%20b/%C3%BC", "/%61%20b/%c3%bc"],
        &["/a+b/%C3%BC"],
    );
    check_pattern("/x%2Ay", &["/x*y", "/x%2ay"], &["/xzy"]);
    check_pattern("/100%25", &["/100%25"], &["/100"]);
}

#[test]
fn ambiguous_paths_are_never_allowed_by_path_and_always_denied_by_path() {
    let set = pattern("/**");
    let long = format!("/{}", "a".repeat(16 << 10));
    let paths = [
        "",
        "*",
        "v1/chat",
        "http://x.example/v1",
        "//",
        "//a",
        "/a//b",
        "/a//",
        "///",
        "/.",
        "/..",
        "/a/..",
        "/a/../b",
        "/a/./b",
        "/../a",
        "/%2e",
        "/%2E%2e/a",
        "/a/%2e%2e/b",
        "/a/.%2e/b",
        "/a%2eb",
        "/a%2fb",
        "/a%2Fb",
        "/a%5cb",
        "/a%5Cb",
        "/a\\b",
        "/..\\a",
        "/a;b",
        "/..;/a",
        "/a%3bb",
        "/a%3fb",
        "/a%23b",
        "/a?b",
        "/a#b",
        "/a%00b",
        "/a%0ab",
        "/a%7fb",
        "/a%C2%85b",
        "/a\tb",
        "/a\u{0}b",
        "/a b",
        "/ü",
        "/%",
        "/%2",
        "/%zz",
        "/a%u002e",
        "/a%",
        "/%252e%252e/a",
        "/a%252fb",
        "/%2525",
        "/%c0%af",
        "/%c0%ae",
        "/%ff",
        "/%c3",
        "/%ed%a0%80",
        long.as_str(),
    ];
    for path in paths {
        assert_eq!(
            decide(&set, "x.example", path),
            "deny ambiguous_path",
            "`{path}`"
        );
        assert_eq!(
            decide(&set, "y.example", path),
            "deny d ambiguous_path",
            "`{path}`"
        );
    }
}

#[test]
fn ambiguity_matters_only_to_rules_about_paths() {
    check(
        "- { id: all, effect: allow, match: { host: x.example } }\n\
         - { id: post, effect: allow, match: { host: y.example, method: POST, path: /a } }\n\
         - { id: no, effect: deny, match: { host: x.example, method: DELETE, path: /a } }\n",
        &[
            ("GET https://x.example/@scope%2fname", "allow all"),
            (
                "DELETE https://x.example/@scope%2fname",
                "deny no ambiguous_path",
            ),
            ("POST https://y.example/a/../a", "deny ambiguous_path"),
            // Another method would not be allowed with a clear path either.
            ("GET https://y.example/a/../a", "deny no_rule"),
            ("POST https://z.example/a/../a", "deny no_rule"),
        ],
    );
}

/// What would take a matcher that tries everything longer than the universe has.
#[test]
fn hostile_paths_are_judged_in_time() {
    let set = pattern("/**/a/**/a/**/a/**/a/**/a/**/a*a*a*a*a*a*b");
    let path = format!("{}/{}", "/a".repeat(4_000), "a".repeat(8_000));
    assert_eq!(decide(&set, "x.example", &path), "deny no_rule");
}
