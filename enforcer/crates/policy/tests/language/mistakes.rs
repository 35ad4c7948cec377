//! Mistakes: each is reported at its place, with what would be right, and all of them at once.

use enforcer_policy::{Cases, Diagnostic, PolicySet, Severity, Source};

use crate::{compile_text, lines, policy};

/// What was found, as `LINE:COLUMN TEXT | MESSAGE | HINT`.
fn shown(found: &[Diagnostic], severity: Severity) -> Vec<String> {
    found
        .iter()
        .filter(|diagnostic| diagnostic.severity == severity)
        .map(|diagnostic| {
            let at = diagnostic.at.map(|at| at.to_string()).unwrap_or_default();
            let hint = diagnostic.hint.as_deref().unwrap_or("-");
            format!("{at} {} | {} | {hint}", diagnostic.text, diagnostic.message)
        })
        .collect()
}

/// A text is refused for exactly these reasons.
fn refused(text: &str, expected: &[&str]) {
    match compile_text(text) {
        Ok((set, _)) => panic!("{set:?} from\n{text}"),
        Err(found) => assert_eq!(shown(&found, Severity::Error), expected, "{text}"),
    }
}

/// Rules are refused for exactly these reasons; lines of places count from the first rule.
pub(crate) fn rules_refused(rules: &str, expected: &[&str]) {
    let found = compile_text(&policy(rules)).expect_err(rules);
    let found: Vec<Diagnostic> = found.into_iter().map(from_first_rule).collect();
    assert_eq!(shown(&found, Severity::Error), expected, "{rules}");
}

/// Rules are taken with exactly these warnings; lines of places count from the first rule.
fn rules_warned(rules: &str, expected: &[&str]) {
    let (_, found) =
        compile_text(&policy(rules)).unwrap_or_else(|found| panic!("{}", lines(&found)));
    let found: Vec<Diagnostic> = found.into_iter().map(from_first_rule).collect();
    assert_eq!(shown(&found, Severity::Warning), expected, "{rules}");
}

fn from_first_rule(mut diagnostic: Diagnostic) -> Diagnostic {
    if let Some(at) = &mut diagnostic.at {
        at.line -= 3;
    }
    diagnostic
}

#[test]
fn a_finding_shows_itself_on_one_line() {
    let found = compile_text(&policy(
        "- { id: a, efect: allow, match: { host: x.example } }",
    ))
    .unwrap_err();
    assert_eq!(
        found[0].to_string(),
        "p.yaml:4:5: error: a rule without `effect`"
    );
    assert_eq!(
        found[1].to_string(),
        "p.yaml:4:12: error: a rule has no key `efect` (did you mean `effect`?)"
    );
}

#[test]
fn what_is_no_policy_is_refused() {
    refused(
        "",
        &["1:1  | nothing in it | a policy begins with `version: 1`"],
    );
    refused(
        "# only a comment\n",
        &["1:1  | nothing in it | a policy begins with `version: 1`"],
    );
    let keys = "its keys are `version`, `name`, `applies_to`, `include`, `lists`, `detectors`, `examples`, `mask` and `rules`";
    refused(
        "just text",
        &[&format!(
            "1:1 just text | a policy is a map of keys and values | {keys}"
        )],
    );
    refused(
        "- a\n- b\n",
        &[&format!(
            "1:1  | a policy is a map of keys and values | {keys}"
        )],
    );
    refused(
        "name: p\n",
        &[
            "1:1 name | a policy without `version` | -",
            "1:1 name | a policy without `rules` | -",
        ],
    );
    refused(
        "version: 2\nname: p\nrules: []\n",
        &["1:10 2 | version `2` is not known | this enforcer reads `version: 1`"],
    );
    refused(
        "version: 1\nname: p\nrules: none\n",
        &[
            "3:1 rules | `rules` takes a list of rules | begin each rule with `- id:`; `[]` is the list of none",
        ],
    );
    refused(
        "version: 1\nname: a/b\nrules: []\n",
        &[
            "2:7 a/b | `a/b` cannot be a policy's name | at most 64 letters, digits, `-`, `_` and `.`, beginning with a letter or digit",
        ],
    );
}

#[test]
fn text_that_is_not_yaml_is_refused_at_its_place() {
    let found = compile_text("version: 1\nname: p\nrules: [\n  {id: a\n").unwrap_err();
    assert_eq!(found.len(), 1, "{}", lines(&found));
    assert!(found[0].message.starts_with("not YAML: "), "{}", found[0]);
    assert!(found[0].at.is_some_and(|at| at.line >= 4), "{}", found[0]);
}

#[test]
fn what_policies_have_no_use_for_is_refused() {
    refused(
        "version: 1\nname: &n p\nrules: [*n]\n",
        &[
            "2:10 p | an anchor, which policies do not have | write the value out; a `&` at the start of a value needs quotes",
            "3:9 *n | an alias, which policies do not have | write the value out; a `*` at the start of a value needs quotes",
            "3:9 *n | a rule is a map of keys and values | its keys are `id`, `effect`, `reason`, `inspect`, `action`, `match`, `when`, `inject`, `limit`, `mask`, `record` and `sign`",
        ],
    );
    refused(
        "version: 1\nname: !env NAME\nrules: []\n",
        &[
            "2:12 NAME | a tag, which policies do not have | leave it out; a `!` at the start of a value needs quotes",
        ],
    );
    refused(
        "version: 1\nname: p\nrules: []\n---\nversion: 1\n",
        &["4:1 --- | a second document in one file | put each policy into a file of its own"],
    );
    rules_refused(
        "- { id: a, effect: deny, match: { <<: { host: x.example } } }",
        &["1:35 << | `match` has no key `<<` | policies do not merge maps; write the keys out"],
    );
}

/// The commonest slip with wildcards, which YAML reads as an alias, makes one finding and not several.
#[test]
fn a_wildcard_without_quotes_is_told_apart() {
    rules_refused(
        "- { id: a, effect: allow, match: { host: *.example.com } }",
        &[
            "1:42 *.example.com | an alias, which policies do not have | write the value out; a `*` at the start of a value needs quotes",
        ],
    );
}

#[test]
fn keys_twice_in_one_map_are_refused() {
    refused(
        "version: 1\nname: p\nname: q\nrules: []\n",
        &["3:1 name | `name` a second time in one map | it stands at line 2 already"],
    );
    rules_refused(
        "- id: a\n  effect: deny\n  effect: allow\n  match: { host: x.example, \"host\": y.example }\n",
        &[
            "3:3 effect | `effect` a second time in one map | it stands at line 5 already",
            "4:29 \"host\" | `host` a second time in one map | it stands at line 7 already",
        ],
    );
}

#[test]
fn unknown_keys_are_refused_with_the_one_that_was_meant() {
    refused(
        "version: 1\nname: p\nrule: []\nrules: []\n",
        &["3:1 rule | a policy has no key `rule` | did you mean `rules`?"],
    );
    refused(
        "version: 1\nname: p\napplies_to: { workload: [a] }\nrules: []\n",
        &["3:15 workload | `applies_to` has no key `workload` | did you mean `workloads`?"],
    );
    rules_refused(
        "- { id: a, effect: deny, match: { hots: x.example, url: / } }",
        &[
            "1:35 hots | `match` has no key `hots` | did you mean `host`?",
            "1:52 url | `match` has no key `url` | its keys are `host`, `cidr`, `port`, `protocol`, `method`, `path`, `answer`, `attachments`, `content_type`, `cost`, `group`, `header`, `host_data`, `max_tokens`, `mcp`, `messages`, `model`, `operation`, `principal`, `provider`, `query`, `schema`, `size`, `stream`, `temperature`, `text`, `tokens`, `tool_call`, `tool_choice`, `tool_kind`, `tools` and `webhook`",
        ],
    );
}

#[test]
fn every_mistake_is_reported_at_once() {
    rules_refused(
        "- { id: a b, effect: alow, match: { host: x.example } }\n\
         - { id: c, effect: allow, match: { host: 'https://x.example/y', port: 0, method: get, path: v1 } }\n\
         - { id: c, effect: allow, match: { method: GET } }\n",
        &[
            "1:9 a b | `a b` cannot be a rule's id | at most 64 letters, digits, `-`, `_` and `.`, beginning with a letter or digit",
            "1:22 alow | `alow` is no effect | did you mean `allow`?",
            "2:42 'https://x.example/y' | `https://x.example/y` is no host: a character that no host name has | write the name only; paths go under `path`",
            "2:71 0 | `0` is no port | ports are numbers from 1 to 65535, or ranges such as `8000-8100`",
            "2:82 get | `get` is no method; methods are case-sensitive | write `GET`",
            "2:93 v1 | `v1` is no path: it does not begin with `/` | paths stand without scheme and host, as in `/v1/models/*`",
            "3:5 id | a rule that allows without saying where to | add `host` or `cidr`; `host: \"*\"` means everywhere",
            "3:9 c | rule id `c` a second time | the rule at line 5 has it already",
        ],
    );
}

#[test]
fn rules_that_lack_something_are_refused() {
    rules_refused(
        "- { effect: deny }\n- text\n- { id: a, effect: deny, match: }\n- { id: b, effect: [deny], match: {} }\n- { id: c, effect: deny, match: { host: [] } }\n",
        &[
            "1:5 effect | a rule without `id` | -",
            "1:5 effect | a rule without `match` | -",
            "2:3 text | a rule is a map of keys and values | its keys are `id`, `effect`, `reason`, `inspect`, `action`, `match`, `when`, `inject`, `limit`, `mask`, `record` and `sign`",
            "3:26 match | `match` is a map of keys and values | its keys are `host`, `cidr`, `port`, `protocol`, `method`, `path`, `answer`, `attachments`, `content_type`, `cost`, `group`, `header`, `host_data`, `max_tokens`, `mcp`, `messages`, `model`, `operation`, `principal`, `provider`, `query`, `schema`, `size`, `stream`, `temperature`, `text`, `tokens`, `tool_call`, `tool_choice`, `tool_kind`, `tools` and `webhook`",
            "4:12 effect | `effect` takes one value | -",
            "5:35 host | `host` with an empty list, which nothing is among | leave `host` out to take any",
        ],
    );
    rules_refused(
        "- { id: a, effect: approve, match: {} }\n",
        &[
            "1:20 approve | `approve` is no effect | the effects are `allow`, `deny`, `require_approval` and `terminate`",
        ],
    );
}

#[test]
fn hosts_that_are_none_are_refused_with_the_mend() {
    for (host, error) in [
        (
            "api.*.com",
            "`api.*.com` is no host: a character that no host name has | `*` stands for whole labels at the start only, as in `*.example.com`",
        ),
        (
            "*example.com",
            "`*example.com` is no host: a character that no host name has | `*` stands for whole labels at the start only, as in `*.example.com`",
        ),
        (
            "*.*.example.com",
            "`*.*.example.com` is no host: a character that no host name has | `*` stands for whole labels at the start only, as in `*.example.com`",
        ),
        (
            ".example.com",
            "`.example.com` is no host: an empty label | write `*.example.com` for every name below `example.com`",
        ),
        (
            "example.com:443",
            "`example.com:443` is no host: a character that no host name has | ports go under `port`",
        ),
        (
            "10.0.0.0/8",
            "`10.0.0.0/8` is no host: a character that no host name has | ranges of addresses go under `cidr`",
        ),
        (
            "*.10.0.0.1",
            "`*.10.0.0.1` puts `*` before an address | ranges of addresses go under `cidr`",
        ),
        (
            "bücher.example",
            "`bücher.example` is no host: a character that no host name has | names in other scripts are written as on the wire, in the form `xn--…`",
        ),
        (
            "127.1",
            "`127.1` is no host: a number where an IPv4 address would be written in full | -",
        ),
        ("*.", "`*.` is no host: an empty label | -"),
    ] {
        let rules = format!("- {{ id: a, effect: allow, match: {{ host: '{host}' }} }}");
        rules_refused(&rules, &[&format!("1:42 '{host}' | {error}")]);
    }
}

#[test]
fn fields_that_contradict_each_other_are_refused() {
    for (rule, error) in [
        (
            "effect: allow, match: { host: x.example, protocol: tls }",
            "1:53 protocol | `tls` means TLS that is not opened | write `https`, or add `inspect: false` to forward it unopened",
        ),
        (
            "effect: allow, match: { host: x.example, protocol: tcp }",
            "1:5 id | a rule that allows `tcp` without naming its ports | add `port`",
        ),
        (
            "effect: allow, match: { host: x.example, protocol: [https, tcp], port: 1, path: / }",
            "1:53 protocol | `tcp` has no requests for rules to look into | make another rule for `tcp`",
        ),
        (
            "effect: deny, match: { protocol: tcp, method: GET }",
            "1:35 protocol | `tcp` has no requests for rules to look into | make another rule for `tcp`",
        ),
        (
            "effect: allow, inspect: false, match: { host: x.example, path: / }",
            "1:69 path | requests cannot be seen in TLS that is not opened | leave out what is about requests, or `inspect: false`",
        ),
        (
            "effect: allow, inspect: false, match: { host: x.example, protocol: https }",
            "1:69 protocol | `inspect: false` forwards TLS unopened and speaks of nothing else | leave `protocol` out, and make another rule for other protocols",
        ),
        (
            "effect: deny, inspect: false, match: {}",
            "1:35 false | `inspect` in a rule that denies, where nothing is opened | leave it out; `protocol: tls` denies TLS that is forwarded unopened",
        ),
        (
            "effect: allow, inspect: no, match: { host: x.example }",
            "1:36 no | `no` is neither true nor false | write `true` or `false`",
        ),
        (
            "effect: allow, match: { host: x.example, cidr: 10.0.0.0/8 }",
            "1:53 cidr | `host` and `cidr` in one rule, which both would have to hold | make two rules of it",
        ),
        (
            "effect: allow, match: { host: x.example, protocol: wss }",
            "1:63 wss | `wss` is no protocol that rules speak of | WebSockets are opened by `https`",
        ),
        (
            "effect: allow, match: { host: x.example, port: 90-80 }",
            "1:59 90-80 | `90-80` is a range that ends before it begins | write `80-90`",
        ),
        (
            "effect: allow, match: { host: x.example, method: '*' }",
            "1:61 '*' | `*` is no method | leave `method` out to take any",
        ),
    ] {
        rules_refused(&format!("- {{ id: a, {rule} }}"), &[error]);
    }
}

#[test]
fn path_patterns_that_could_never_match_are_refused() {
    for (path, error) in [
        (
            "/a?b=c",
            "`/a?b=c` has a query or fragment in it | rules speak of the path only; queries are not matched",
        ),
        (
            "/a/../b",
            "`/a/../b` has a `..` segment | a path with dot segments is ambiguous and never matches",
        ),
        (
            "/a//b",
            "`/a//b` has an empty segment | a path with `//` is ambiguous and never matches",
        ),
        (
            "/a**",
            "`a**` has `**` beside other text | `**` is a segment of its own, as in `/v1/files/**`",
        ),
        (
            "/a%2fb",
            "`a%2fb` can be read in more than one way, so no path will ever match it | write paths without `;`, `\\` and encoded separators",
        ),
        (
            "/a;b",
            "`a;b` can be read in more than one way, so no path will ever match it | write paths without `;`, `\\` and encoded separators",
        ),
    ] {
        let rules = format!("- {{ id: a, effect: deny, match: {{ path: '{path}' }} }}");
        rules_refused(&rules, &[&format!("1:41 '{path}' | {error}")]);
    }
}

#[test]
fn reasons_are_one_sentence() {
    let long = "x".repeat(301);
    rules_refused(
        &format!("- {{ id: a, effect: deny, reason: {long}, match: {{}} }}"),
        &[&format!(
            "1:34 {}… | a reason of more than 300 characters | it is shown to whoever is refused; keep it to a sentence",
            "x".repeat(80)
        )],
    );
    rules_refused(
        "- { id: a, effect: deny, reason: \"a\\u001b[31mb\", match: {} }",
        &["1:34 \"a\\u001b[31mb\" | control characters in a reason | -"],
    );
}

#[test]
fn policy_names_are_unique_among_files() {
    let text = "version: 1\nname: same\nrules: []\n";
    let found = PolicySet::compile(&[
        Source {
            name: "a.yaml",
            text,
        },
        Source {
            name: "b.yaml",
            text,
        },
    ])
    .unwrap_err();
    assert_eq!(
        lines(&found),
        "b.yaml:2:7: error: policy name `same` a second time (`a.yaml` has it already)"
    );
}

#[test]
fn mistakes_in_all_files_are_reported_together() {
    let found = PolicySet::compile(&[
        Source {
            name: "a.yaml",
            text: "",
        },
        Source {
            name: "b.yaml",
            text: "version: 1\nname: b\nrules: []\n",
        },
        Source {
            name: "c.yaml",
            text: "text",
        },
    ])
    .unwrap_err();
    let files: Vec<&str> = found.iter().map(|diagnostic| &*diagnostic.file).collect();
    assert_eq!(files, ["a.yaml", "c.yaml"]);
}

#[test]
fn rules_that_never_decide_are_warned_of() {
    let table: [(&str, &[&str]); 7] = [
        (
            "- { id: a, effect: allow, match: { host: x.example, path: /a } }\n\
             - { id: d, effect: deny, match: { host: '*.example' } }\n",
            &[
                "1:5 id | rule `a` never allows anything: `d` denies all of it | deny wins over allow; narrow the one or remove the other",
            ],
        ),
        (
            "- { id: a, effect: allow, match: { host: '*.example' } }\n\
             - { id: b, effect: allow, match: { host: [x.example, '*.y.example'], method: GET, path: /a } }\n\
             - { id: c, effect: allow, match: { host: [x.example, x.other] } }\n\
             - { id: d, effect: allow, match: { host: example } }\n\
             - { id: e, effect: allow, match: { host: x.example, port: 8443 } }\n",
            &["2:5 id | rule `b` adds nothing: `a` covers all of it | remove one of them"],
        ),
        (
            "- { id: a, effect: deny, match: { host: x.example } }\n\
             - { id: b, effect: deny, match: { host: x.example } }\n",
            &["2:5 id | rule `b` adds nothing: `a` covers all of it | remove one of them"],
        ),
        (
            "- { id: a, effect: allow, inspect: false, match: { host: x.example } }\n\
             - { id: d, effect: deny, match: { host: '*', method: DELETE } }\n",
            &[
                "1:5 id | rule `a` never allows anything: `d` denies all of it | deny wins over allow; narrow the one or remove the other",
            ],
        ),
        (
            "- { id: a, effect: allow, match: { host: x.example, path: /v1/files/* } }\n\
             - { id: b, effect: allow, match: { host: x.example, path: /v1/** } }\n\
             - { id: c, effect: allow, match: { host: x.example, path: /v2/** } }\n",
            &["1:5 id | rule `a` adds nothing: `b` covers all of it | remove one of them"],
        ),
        (
            "- { id: a, effect: allow, match: { cidr: 10.1.0.0/16 } }\n\
             - { id: b, effect: allow, match: { cidr: 10.0.0.0/8 } }\n\
             - { id: c, effect: allow, match: { cidr: '::/0' } }\n",
            &["1:5 id | rule `a` adds nothing: `b` covers all of it | remove one of them"],
        ),
        (
            "- { id: a, effect: allow, match: { host: [x.example, x.example] } }\n",
            &["1:54 x.example | `x.example` a second time in one list | -"],
        ),
    ];
    for (rules, expected) in table {
        rules_warned(rules, expected);
    }
}

#[test]
fn texts_beyond_the_limits_are_refused() {
    let found = compile_text(&format!("version: 1\n#{}", "x".repeat(4 << 20))).unwrap_err();
    assert!(found[0].message.contains("larger than"), "{}", found[0]);
    let found = compile_text(&format!("version: {}1", "[".repeat(10_000))).unwrap_err();
    assert!(found[0].message.starts_with("not YAML: "), "{}", found[0]);
    let many = "- 1\n".repeat(5_000);
    let found = compile_text(&policy(&many)).unwrap_err();
    assert_eq!(found.len(), 200);
}

/// However many warnings there are, the error that makes a policy refused is among the findings.
#[test]
fn warnings_do_not_crowd_out_errors() {
    let twice = "x.example, ".repeat(1_000);
    let rules = format!(
        "- {{ id: a, effect: deny, match: {{ host: [{twice}] }} }}\n- {{ id: b, effect: nope, match: {{}} }}\n"
    );
    let found = compile_text(&policy(&rules)).unwrap_err();
    assert_eq!(found.iter().filter(|d| d.is_error()).count(), 1);
}

#[test]
fn case_tables_are_read_as_strictly() {
    let table = "cases:\n\
        - { ask: GET https://x.example/, expect: alow, cuase: rule }\n\
        - { ask: x.example, expect: deny, cause: norule }\n\
        - { ask: tcp x.example, expect: deny }\n\
        - { ask: GET https://ex ample/, expect: deny }\n\
        - { expect: deny }\n";
    let found = Cases::parse(Source {
        name: "t",
        text: table,
    })
    .unwrap_err();
    assert_eq!(
        shown(&found, Severity::Error),
        [
            "2:42 alow | `alow` is not a verdict | did you mean `allow`?",
            "2:48 cuase | a case has no key `cuase` | did you mean `cause`?",
            "3:10 x.example | `x.example` asks nothing | write `METHOD https://HOST/PATH`, `tls HOST`, `tcp HOST:PORT` or `resolve NAME`",
            "3:42 norule | `norule` is not a cause | did you mean `no_rule`?",
            "4:10 tcp x.example | `x.example` has no port, or none that exists | -",
            "5:10 GET https://ex ample/ | `ex ample` is no host: a character that no host name has | -",
            "6:5 expect | a case without `ask` | -",
        ]
    );
}
