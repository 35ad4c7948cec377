//! What is decided by the head alone, what needs the body, and what is asked about answers.

use enforcer_flow::{Host, Protocol};
use enforcer_policy::{AnswerNeeds, Body, Cause, Head, PolicySet, Principal, Question, Request};
use http::HeaderMap;

use crate::{compile, workload};

/// Asks a question about a POST.
fn asked<T>(path: &str, body: Body<'_>, ask: impl FnOnce(&Question<'_>) -> T) -> T {
    let (workload, host) = (workload("w", None), Host::parse("x.example").unwrap());
    let headers = HeaderMap::new();
    let question = Question::new(&workload, Protocol::Https, &host, 443);
    ask(&question.with_request(Request {
        headers: Some(&headers),
        body,
        ..Request::new("POST", path)
    }))
}

fn head(set: &PolicySet, path: &str) -> String {
    asked(path, Body::Unread, |question| match set.head(question) {
        Head::Body => "body".to_owned(),
        Head::Decided(decision) => crate::shown(&decision),
    })
}

#[test]
fn bodies_are_read_only_where_they_could_change_the_answer() {
    let allow = "- { id: a, effect: allow, match: { host: x.example } }\n";
    let model = "- { id: a, effect: allow, match: { host: x.example, model: m } }\n";
    let approve = "- { id: a, effect: require_approval, match: { host: x.example } }\n";
    let deny_model = "- { id: d, effect: deny, match: { host: x.example, model: m } }\n";
    for (first, second, expected) in [
        (allow, "", "allow a"),
        (model, "", "body"),
        // Nothing could allow it.
        ("", deny_model, "deny no_rule"),
        (allow, deny_model, "body"),
        // Denied or allowed whatever it says.
        (
            model,
            "- { id: d, effect: deny, match: { host: x.example } }\n",
            "deny d",
        ),
        (
            allow,
            "- { id: b, effect: allow, match: { host: x.example, model: m } }\n",
            "allow a",
        ),
        // Unless what it says asks for more to be done.
        (
            allow,
            "- { id: b, effect: allow, match: { host: x.example, model: m }, limit: { requests: 1, per: 1m } }\n",
            "body",
        ),
        // The head says no already.
        (
            allow,
            "- { id: d, effect: deny, match: { host: x.example, path: /other, model: m } }\n",
            "allow a",
        ),
        (
            allow,
            "- { id: d, effect: deny, match: { host: x.example, content_type: text/plain, model: m } }\n",
            "allow a",
        ),
        (
            "- { id: a, effect: allow, match: { host: x.example }, when: \"request.path == '/a'\" }\n",
            "",
            "allow a",
        ),
        (
            "- { id: a, effect: allow, match: { host: x.example }, when: body.a == 1 }\n",
            "",
            "body",
        ),
        // Approval refuses, but a rule that denies would go before it.
        (approve, deny_model, "body"),
        // Rules about answers do not speak of requests.
        (
            allow,
            "- { id: d, effect: deny, match: { host: x.example, answer: { rows: { over: 1 } } } }\n",
            "allow a",
        ),
    ] {
        assert_eq!(
            head(&compile(&format!("{first}{second}")), "/a"),
            expected,
            "{first}{second}"
        );
    }
}

#[test]
fn what_was_not_read_never_helps_to_allow() {
    let set = compile("- { id: a, effect: allow, match: { host: x.example, model: m } }\n");
    let decided = |body| asked("/a", body, |question| set.evaluate(question));
    assert!(!decided(Body::Unread).is_allow());
    assert!(!decided(Body::None).is_allow());
    let cause = enforcer_prompt::Cause::TooLarge;
    assert_eq!(
        decided(Body::Undecidable(cause)).cause,
        Cause::Undecidable(cause)
    );
}

#[test]
fn only_the_parts_of_answers_that_rules_read_are_asked_about() {
    let none = AnswerNeeds::NONE;
    let set = compile(
        "- { id: a, effect: allow, match: { host: x.example } }
- { id: r, effect: deny, match: { host: x.example, path: /rows, answer: { rows: { over: 5 } } } }
- { id: c, effect: deny, match: { host: y.example, answer: { text: x } } }
",
    );
    let needs = |path: &str| asked(path, Body::None, |question| set.answer_needs(question));
    assert_eq!(needs("/a"), none);
    assert_eq!(needs("/rows"), AnswerNeeds { rows: true, ..none });
}

#[test]
fn what_every_rule_that_allows_asks_for_is_done() {
    let set = compile(
        "- { id: a, effect: allow, match: { host: x.example }, limit: [{ requests: 5, per: 1m }, { usd: 1.5, per: 1d, by: all, beyond: approval }] }
- { id: b, effect: allow, match: { host: x.example, path: /in }, sign: { style: github, secret: s } }
- { id: c, effect: allow, match: { host: x.example, path: /in }, inject: { header: Authorization, prefix: 'Bearer ', secret: t } }
- { id: d, effect: allow, match: { host: x.example, path: /twice }, sign: { style: github, secret: s } }
- { id: e, effect: allow, match: { host: x.example, path: /twice }, sign: { style: github, secret: other } }
",
    );
    let decide = |path: &str| asked(path, Body::None, |question| set.evaluate(question));
    let decision = decide("/in");
    let shown: Vec<String> = decision
        .obligations
        .iter()
        .map(ToString::to_string)
        .collect();
    assert_eq!(
        shown,
        [
            "at most 5 requests in 60 s by workload",
            "at most 1.50 US dollars in 86400 s by all",
            "a signature in github style by secret `s`",
            "header `authorization` filled from secret `t`",
        ]
    );
    assert!(decision.signs());
    assert_eq!(decide("/other").obligations.len(), 2);
    // Two signatures of one style cannot both be made.
    assert_eq!(decide("/twice").cause, Cause::Conflict);
}

#[test]
fn who_asks_is_seen_in_what_is_not_opened() {
    let (workload, host) = (workload("w", None), Host::parse("x.example").unwrap());
    let set = compile(
        "- { id: a, effect: allow, inspect: false, match: { host: x.example } }\n- { id: bob, effect: deny, match: { host: x.example, principal: bob } }\n",
    );
    let decide = |name: &str| {
        let mut question = Question::new(&workload, Protocol::Tls, &host, 443);
        question.principal = Some(Principal { name, groups: &[] });
        set.evaluate(&question).is_allow()
    };
    assert!(decide("ana") && !decide("bob"));
}

/// What is refused, with its place within the file and what would be valid.
#[test]
fn mistakes_inside_of_expressions_and_patterns_have_their_place() {
    let text = "version: 1\nname: p\nlists: { models: [a] }\nrules:\n- id: a\n  effect: deny\n  match:\n    host: x.example\n    messages: { matches: 'a(b' }\n    model: $modles\n  when: |\n    size(tools) > 1\n    && modle == 'x'\n- id: b\n  effect: deny\n  match: { host: x.example }\n  when: model ==\n- id: c\n  effect: allow\n  match: { host: x.example }\n  record: [bodies]\n";
    let found = crate::compile_text(text).unwrap_err();
    let shown = crate::lines(&found);
    assert_eq!(found.len(), 5, "{shown}");
    for expected in [
        "p.yaml:9:28: error: no regular expression",
        "p.yaml:10:12: error: there is no list `modles` (did you mean `$models`?)",
        "p.yaml:13:8: error: there is no fact `modle` (did you mean `model`?)",
        "p.yaml:17:17: error: no expression in CEL",
        "p.yaml:21:11: error: `record` is a map of keys and values",
    ] {
        assert!(shown.contains(expected), "{expected}\n{shown}");
    }
}

#[test]
fn a_socket_is_refused_by_the_model_that_its_head_names_and_allowed_by_what_is_said() {
    let allow = "- { id: a, effect: allow, match: { host: x.example, model: gpt-5 } }\n";
    let chat = "- { id: a, effect: allow, match: { host: x.example, operation: chat } }\n";
    let broad = "- { id: a, effect: allow, match: { host: x.example } }\n- { id: d, effect: deny, match: { host: x.example, model: gpt-3 } }\n";
    let picky = "- { id: a, effect: allow, match: { host: x.example, model: gpt-5, text: { contains: hello } } }\n";
    for (rules, query, websocket, expected) in [
        (allow, "model=gpt-5", true, "body"),
        (allow, "model=gpt-3", true, "deny no_rule"),
        // Of two nobody knows which counts, and without one messages say it.
        (allow, "model=gpt-5&model=gpt-3", true, "body"),
        (allow, "", true, "body"),
        // What is no socket says it in its body.
        (allow, "model=gpt-3", false, "body"),
        (chat, "model=gpt-5", true, "deny no_rule"),
        (broad, "model=gpt-3", true, "deny d"),
        (broad, "model=gpt-5", true, "body"),
        (picky, "model=gpt-5", true, "body"),
        (picky, "model=gpt-3", true, "deny no_rule"),
    ] {
        let set = compile(rules);
        let (workload, host) = (workload("w", None), Host::parse("x.example").unwrap());
        let mut headers = HeaderMap::new();
        if websocket {
            headers.insert("upgrade", "WebSocket".parse().unwrap());
        }
        let question = Question::new(&workload, Protocol::Https, &host, 443);
        let question = question.with_request(Request {
            headers: Some(&headers),
            query: Some(query),
            ..Request::new("GET", "/v1/realtime")
        });
        let decided = match set.head(&question) {
            Head::Body => "body".to_owned(),
            Head::Decided(decision) => crate::shown(&decision),
        };
        assert_eq!(decided, expected, "{query} by\n{rules}");
    }
}
