//! What `check` and `test` print and how they exit, on folders of all sorts.

use std::fs;

use tempfile::TempDir;

use super::*;

const GOOD: &str =
    "version: 1\nname: good\nrules:\n- { id: a, effect: allow, match: { host: x.example } }\n";
const BROKEN: &str = "version: 1\nname: broken\nrules:\n  - id: a\n    effect: alow\n    match: { host: x.example }\n";

fn folder(files: &[(&str, &str)]) -> TempDir {
    let folder = tempfile::tempdir().unwrap();
    for (name, text) in files {
        fs::write(folder.path().join(name), text).unwrap();
    }
    folder
}

/// What a command prints, with the folder's path shown as `F`.
fn shown(folder: &TempDir, print: impl FnOnce(&mut Vec<u8>) -> io::Result<()>) -> String {
    let mut out = Vec::new();
    print(&mut out).unwrap();
    String::from_utf8(out)
        .unwrap()
        .replace(folder.path().to_str().unwrap(), "F")
}

fn checked(folder: &TempDir) -> (bool, String) {
    let checked = check(&[folder.path().to_owned()]);
    let shown = shown(folder, |out| report::check(out, &checked));
    (checked.set.is_some(), shown)
}

fn tested(folder: &TempDir) -> (bool, String) {
    let tested = test(&[folder.path().to_owned()]);
    let shown = shown(folder, |out| report::test(out, &tested));
    let asked: usize = tested.iter().map(Tested::asked).sum();
    (asked > 0 && tested.iter().all(Tested::is_good), shown)
}

#[test]
fn good_policies_are_counted() {
    let folder = folder(&[("good.yaml", GOOD), ("good.cases.yaml", "not looked at")]);
    assert_eq!(checked(&folder), (true, "1 policy, 1 rule\n".to_owned()));
}

#[test]
fn mistakes_are_shown_where_they_stand() {
    let folder = folder(&[
        ("broken.yaml", BROKEN),
        ("good.yaml", GOOD),
        ("old.yml", ""),
    ]);
    let expected = "\
F/old.yml: warning: not read: the names of policy files end in `.yaml`
F/broken.yaml:5:13: error: `alow` is no effect (did you mean `allow`?)
  5 |     effect: alow
    |             ^^^^
1 error, 1 warning
";
    assert_eq!(checked(&folder), (false, expected.to_owned()));
}

#[test]
fn names_taken_twice_are_found_among_all_that_is_named() {
    let (one, two) = (folder(&[("a.yaml", GOOD)]), folder(&[("b.yaml", GOOD)]));
    let together = check(&[one.path().to_owned(), two.path().join("b.yaml")]);
    assert!(together.set.is_none());
    let once = check(&[one.path().to_owned(), one.path().to_owned()]);
    assert!(once.set.is_some());
}

#[test]
fn what_is_not_there_is_a_mistake() {
    let folder = folder(&[]);
    let (good, shown) = checked(&folder);
    assert!(
        !good && shown.starts_with("F: error: there is no policy in this folder"),
        "{shown}"
    );
    let gone = check(&[folder.path().join("gone.yaml")]);
    assert!(gone.set.is_none());
}

#[test]
fn cases_that_come_out_as_expected_pass() {
    let cases = "cases:\n- { ask: GET https://x.example/, expect: allow }\n- { ask: tcp x.example:1, expect: deny }\n";
    let folder = folder(&[("good.yaml", GOOD), ("good.cases.yaml", cases)]);
    let expected = "F/good.yaml: 2 cases passed\n2 cases passed\n";
    assert_eq!(tested(&folder), (true, expected.to_owned()));
}

#[test]
fn a_case_that_does_not_is_shown_with_the_rules_that_came_near() {
    let cases = "cases:\n- { ask: tls x.example, expect: allow, rule: a }\n- { ask: tls y.example, expect: deny }\n";
    let folder = folder(&[("good.yaml", GOOD), ("good.cases.yaml", cases)]);
    let expected = "\
F/good.yaml: 1 of 2 cases failed
F/good.cases.yaml:2:5: error: `tls x.example`: expected allow by rule `a`, got deny (no rule allows it)
    good/a would allow, but it is about other protocols
1 of 2 cases failed
";
    assert_eq!(tested(&folder), (false, expected.to_owned()));
}

#[test]
fn what_cannot_be_tested_is_not_passed_over() {
    let cases = "cases:\n- { ask: tls x.example, expect: deny }\n";
    let folder = folder(&[
        ("broken.yaml", BROKEN),
        ("good.yaml", GOOD),
        ("good.cases.yaml", cases),
        ("lost.cases.yaml", cases),
        ("plain.yaml", &GOOD.replace("good", "plain")),
    ]);
    let expected = "\
F/broken.yaml:5:13: error: `alow` is no effect (did you mean `allow`?)
F/good.yaml: 1 case passed
F/plain.yaml: no cases beside it
F/lost.cases.yaml: error: cases without a policy beside them
1 case passed, 2 files not tested
";
    assert_eq!(tested(&folder), (false, expected.to_owned()));
}

#[test]
fn that_nothing_is_asked_is_a_failure() {
    let folder = folder(&[("good.yaml", GOOD)]);
    let expected = "F/good.yaml: no cases beside it\nnothing was asked\n";
    assert_eq!(tested(&folder), (false, expected.to_owned()));
}

#[test]
fn json_says_the_same() {
    let cases = "cases:\n- { ask: tls x.example, expect: allow }\n";
    let folder = folder(&[
        ("good.yaml", GOOD),
        ("good.cases.yaml", cases),
        ("broken.yaml", BROKEN),
    ]);
    let paths = [folder.path().to_owned()];
    let json = |print: &dyn Fn(&mut Vec<u8>) -> io::Result<()>| -> serde_json::Value {
        serde_json::from_str(&shown(&folder, print)).unwrap()
    };
    let check = check(&paths);
    let view = json(&|out| report::check_json(out, &check));
    assert_eq!(view["ok"], false);
    assert_eq!(view["diagnostics"][0]["file"], "F/broken.yaml");
    assert_eq!(
        (
            &view["diagnostics"][0]["line"],
            &view["diagnostics"][0]["text"]
        ),
        (&5.into(), &"alow".into())
    );
    let test = test(&paths);
    let view = json(&|out| report::test_json(out, &test));
    assert_eq!(
        (&view["ok"], &view["cases"], &view["failed"]),
        (&false.into(), &1.into(), &1.into())
    );
    let failure = &view["files"][1]["failures"][0];
    assert_eq!(
        (&failure["ask"], &failure["verdict"], &failure["cause"]),
        (&"tls x.example".into(), &"deny".into(), &"no_rule".into())
    );
}

#[test]
fn the_shipped_examples_pass() {
    let examples = Path::new(env!("CARGO_MANIFEST_DIR")).join("../policies/examples");
    let checked = check(std::slice::from_ref(&examples));
    assert!(
        checked.set.is_some() && checked.diagnostics.is_empty(),
        "{checked:?}"
    );
    assert!(
        test(&[examples])
            .iter()
            .all(|tested| tested.is_good() && tested.asked() > 0)
    );
}

/// Three recorded exchanges: one granted, one denied, one let through while observed.
fn ledger(folder: &TempDir) -> std::path::PathBuf {
    let line = |event: &str, id: &str, method: &str, path: &str| {
        format!(
            r#"{{"event":"{event}","exchange":"{id}","workload":{{"name":"agent-7","cgroup":1,"path":"/a"}},"protocol":"https","host":"x.example","port":443,"method":"{method}","path":"{path}"}}"#
        )
    };
    let lines = [
        line("exchange_granted", "e1", "GET", "/items/4711"),
        line("exchange_denied", "e2", "POST", "/items"),
        line("exchange_observed", "e3", "PUT", "/items/4712"),
        r#"{"event":"flow_opened"}"#.to_owned(),
        "{\"event\":\"exchange_gr".to_owned(),
    ];
    let path = folder.path().join("audit.jsonl");
    fs::write(&path, lines.join("\n")).unwrap();
    path
}

fn said(args: &[&str]) -> (bool, String) {
    #[derive(Debug, clap::Parser)]
    struct Cli {
        #[command(subcommand)]
        command: PolicyCommand,
    }
    let args = std::iter::once("policy").chain(args.iter().copied());
    let cli = <Cli as clap::Parser>::try_parse_from(args).unwrap();
    let mut out = Vec::new();
    let (good, printed) = match cli.command {
        PolicyCommand::Explain(args) => explain::run(&args, &mut out).unwrap(),
        PolicyCommand::Replay(args) => replay::run(&args, &mut out).unwrap(),
        PolicyCommand::Suggest(args) => suggest::run(&args, &mut out).unwrap(),
        other => panic!("{other:?}"),
    };
    printed.unwrap();
    (good, String::from_utf8(out).unwrap())
}

#[test]
fn what_was_recorded_is_replayed_and_explained() {
    const READ: &str = "version: 1\nname: read\nrules:\n- { id: get, effect: allow, match: { host: x.example, method: POST } }\n- { id: put, effect: allow, match: { host: x.example, method: PUT, text: { contains: x } } }\n";
    let folder = folder(&[("read.yaml", READ)]);
    let (ledger, policy) = (ledger(&folder), folder.path().join("read.yaml"));
    let (ledger, policy) = (ledger.to_str().unwrap(), policy.to_str().unwrap());
    let (same, shown) = said(&["replay", policy, "--ledger", ledger]);
    assert!(!same);
    for expected in [
        "now denied: GET https://x.example:443/items/4711 by agent-7",
        "now allowed: POST https://x.example:443/items by agent-7",
        "depends on the body: PUT https://x.example:443/items/4712 by agent-7",
        "3 exchanges: 0 the same, 1 now allowed, 1 now denied, 1 that depend on the body",
    ] {
        assert!(shown.contains(expected), "{expected}\n{shown}");
    }
    let (allowed, shown) = said(&["explain", policy, "--exchange", "e1", "--ledger", ledger]);
    assert!(
        !allowed && shown.contains("read/get would allow, but it is about other methods"),
        "{shown}"
    );
    let (allowed, shown) = said(&["explain", policy, "POST https://x.example/items", "--json"]);
    assert!(allowed && shown.contains(r#""rule":"read/get""#), "{shown}");
}

#[test]
fn a_draft_allows_what_was_seen_and_nothing_else() {
    let folder = folder(&[]);
    let ledger = ledger(&folder);
    let ledger = ledger.to_str().unwrap();
    let (found, draft) = said(&["suggest", "--ledger", ledger]);
    assert!(found);
    let path = folder.path().join("draft.yaml");
    fs::write(&path, &draft).unwrap();
    let path = path.to_str().unwrap();
    for (ask, expected) in [
        ("GET https://x.example/items/4711", true),
        ("GET https://x.example/items/1", true),
        ("PUT https://x.example/items/4712", true),
        ("POST https://x.example/items", false),
        ("GET https://x.example/other", false),
        ("GET https://y.example/items/4711", false),
    ] {
        assert_eq!(said(&["explain", path, ask]).0, expected, "{ask}\n{draft}");
    }
    let (_, all) = said(&["suggest", "--ledger", ledger, "--from", "all"]);
    assert!(all.contains("POST") && !draft.contains("POST"), "{all}");
}

#[test]
fn what_policies_include_is_read_from_beside_them() {
    const INCLUDING: &str = "version: 1\nname: a\ninclude: [common.inc.yaml]\nrules:\n- { id: b, effect: allow, match: { host: $hosts } }\n";
    const COMMON: &str = "version: 1\nlists: { hosts: [x.example] }\nrules:\n- { id: c, effect: deny, match: { host: y.example } }\n";
    let folder = folder(&[("a.yaml", INCLUDING), ("common.inc.yaml", COMMON)]);
    assert_eq!(checked(&folder), (true, "1 policy, 2 rules\n".to_owned()));
    fs::write(
        folder.path().join("common.inc.yaml"),
        COMMON.replace("deny", "dney"),
    )
    .unwrap();
    let (good, shown) = checked(&folder);
    assert!(
        !good && shown.contains("common.inc.yaml:4:20: error: `dney` is no effect"),
        "{shown}"
    );
    fs::remove_file(folder.path().join("common.inc.yaml")).unwrap();
    let (good, shown) = checked(&folder);
    assert!(
        !good
            && shown
                .contains("a.yaml:3:11: error: there is no `common.inc.yaml` beside this policy"),
        "{shown}"
    );
}

#[test]
fn a_recorded_request_is_explained_and_replayed_with_its_body() {
    use enforcer_audit::{Message, Recordings, Wanted, Way};

    const SAYING: &str = "version: 1\nname: say\nrules:\n- { id: salaries, effect: allow, match: { host: x.example, text: { contains: salary } } }\n";
    let folder = folder(&[("say.yaml", SAYING)]);
    let recordings = Recordings::new(folder.path().join("recordings"), 1 << 30);
    let record = |body: &str, limit| {
        let id = enforcer_flow::ExchangeId::new();
        let wanted = Wanted {
            request: true,
            answer: false,
            limit,
        };
        let recording = recordings.begin(id, wanted).unwrap();
        recording.head(
            Way::Request,
            Message {
                method: Some("POST".to_owned()),
                target: Some("/items?q=1".to_owned()),
                headers: vec![("content-type".to_owned(), "text/plain".to_owned())],
                ..Message::default()
            },
        );
        let track = recording.track(Way::Request).unwrap();
        track.push(body.as_bytes()).unwrap();
        recording.seal().unwrap().unwrap();
        id.to_string()
    };
    let said_it = record("the salary of all", 1 << 20);
    let did_not = record("the weather of all", 1 << 20);
    let cut = record("the salary of all", 4);
    let line = |id: &str| {
        format!(
            r#"{{"event":"exchange_granted","exchange":"{id}","workload":{{"name":"agent-7","cgroup":1,"path":"/a"}},"protocol":"https","host":"x.example","port":443,"method":"POST","path":"/items"}}"#
        )
    };
    let path = folder.path().join("audit.jsonl");
    fs::write(
        &path,
        [&said_it, &did_not, &cut].map(|id| line(id)).join("\n"),
    )
    .unwrap();
    let ledger = path.to_str().unwrap();
    let policy = folder.path().join("say.yaml");
    let policy = policy.to_str().unwrap();

    let explain = |id: &str| said(&["explain", policy, "--exchange", id, "--ledger", ledger]);
    let (allowed, shown) = explain(&said_it);
    assert!(allowed && shown.contains("say/salaries"), "{shown}");
    assert!(!shown.contains("depends on the body"), "{shown}");
    let (allowed, shown) = explain(&did_not);
    assert!(
        !allowed && !shown.contains("depends on the body"),
        "{shown}"
    );
    // What was not kept whole is not taken for the whole.
    let (allowed, shown) = explain(&cut);
    assert!(!allowed && shown.contains("depends on the body"), "{shown}");

    let (same, shown) = said(&["replay", policy, "--ledger", ledger]);
    assert!(!same);
    assert!(
        shown.contains(
            "3 exchanges: 1 the same, 0 now allowed, 1 now denied, 1 that depend on the body"
        ),
        "{shown}"
    );
}

#[test]
fn a_recorded_socket_is_explained_and_replayed_message_by_message() {
    use enforcer_audit::Recordings;

    const TALK: &str = "version: 1\nname: talk\nrules:\n- { id: model, effect: allow, match: { host: api.openai.com, model: gpt-5 } }\n- { id: quiet, effect: deny, match: { host: api.openai.com, messages: { contains: salary } } }\n";
    let folder = folder(&[("talk.yaml", TALK)]);
    let path = folder.path().join("audit.jsonl");
    let recordings = Recordings::new(Recordings::beside(&path), 1 << 30);
    let record =
        |query: &str, texts: &[&str], limit| record_socket(&recordings, query, texts, limit);
    let fine = record("model=gpt-5", &["the weather", "the news"], 1 << 20);
    let asked = record(
        "model=gpt-5",
        &["the weather", "the salary of all"],
        1 << 20,
    );
    let other = record("model=gpt-3", &["the weather"], 1 << 20);
    let cut = record("model=gpt-5", &["the weather"], 8);
    let line = |id: &str| {
        format!(
            r#"{{"event":"exchange_granted","exchange":"{id}","workload":{{"name":"agent-7","cgroup":1,"path":"/a"}},"protocol":"https","host":"api.openai.com","port":443,"method":"GET","path":"/v1/realtime"}}"#
        )
    };
    fs::write(
        &path,
        [&fine, &asked, &other, &cut].map(|id| line(id)).join("\n"),
    )
    .unwrap();
    let ledger = path.to_str().unwrap();
    let policy = folder.path().join("talk.yaml");
    let policy = policy.to_str().unwrap();

    let explain = |id: &str| said(&["explain", policy, "--exchange", id, "--ledger", ledger]);
    let (allowed, shown) = explain(&fine);
    assert!(allowed && shown.contains("message 3: allow"), "{shown}");
    let (allowed, shown) = explain(&asked);
    assert!(!allowed && shown.contains("message 3: deny"), "{shown}");
    assert!(shown.contains("talk/quiet matches, to deny"), "{shown}");
    let (allowed, shown) = explain(&other);
    assert!(
        !allowed && shown.contains("`model` does not hold"),
        "{shown}"
    );
    let (allowed, shown) = explain(&cut);
    assert!(!allowed && shown.contains("is not kept"), "{shown}");
    let (_, shown) = said(&[
        "explain",
        policy,
        "--exchange",
        &asked,
        "--ledger",
        ledger,
        "--json",
    ]);
    let told: serde_json::Value = serde_json::from_str(&shown).unwrap();
    assert_eq!(told["messages"][1]["message"], 3, "{told}");
    assert_eq!(told["messages"][1]["rule"], "talk/quiet", "{told}");

    let (same, shown) = said(&["replay", policy, "--ledger", ledger]);
    assert!(!same && shown.contains("with message 3"), "{shown}");
    assert!(
        shown.contains(
            "4 exchanges: 1 the same, 0 now allowed, 2 now denied, 1 that depend on the body"
        ),
        "{shown}"
    );
}

/// A socket on which the agent said these texts and heard an answer to each.
fn record_socket(
    recordings: &std::sync::Arc<enforcer_audit::Recordings>,
    query: &str,
    texts: &[&str],
    limit: u64,
) -> String {
    use enforcer_audit::{Message, Spoken, Wanted, Way};

    let id = enforcer_flow::ExchangeId::new();
    let wanted = Wanted {
        request: true,
        answer: true,
        limit,
    };
    let recording = recordings.begin(id, wanted).unwrap();
    recording.head(
        Way::Request,
        Message {
            method: Some("GET".to_owned()),
            target: Some(format!("/v1/realtime?{query}")),
            headers: vec![("upgrade".to_owned(), "websocket".to_owned())],
            ..Message::default()
        },
    );
    recording.opened();
    for text in texts {
        let item = serde_json::json!({"type": "message", "role": "user", "content": [{"type": "input_text", "text": text}]});
        let item = serde_json::json!({"type": "conversation.item.create", "item": item});
        let sent = item.to_string();
        recording
            .message(Way::Request, Spoken::Text(&sent))
            .unwrap();
        recording.message(Way::Answer, Spoken::Text("{}")).unwrap();
    }
    recording.seal().unwrap().unwrap();
    id.to_string()
}
