use std::fs;
use std::path::PathBuf;

use proptest::prelude::*;
use tempfile::TempDir;

use super::*;
use crate::terminal::is_hostile;
use crate::{Config, Entry, Ledger};

fn check(line: &str, expected: &str) {
    assert_eq!(readable(line.as_bytes(), Palette::Plain), expected);
}

#[test]
fn a_grant_reads_as_a_sentence() {
    check(
        concat!(
            r#"{"seq":12,"time":"2026-01-02T03:04:05.678901Z","event":"exchange_granted","exchange":"e1","flow":"f1","#,
            r#""workload":{"name":"agent-7","cgroup":9,"path":"/a"},"process":{"pid":4321,"uid":0,"comm":"python3"},"#,
            r#""protocol":"https","host":"api.openai.com","port":443,"method":"POST","path":"/v1/responses","query_bytes":0,"#,
            r#""rule":"openai","credentials":["authorization:hmac-sha256:00"],"hash":"00"}"#
        ),
        concat!(
            "2026-01-02T03:04:05.678Z      12 exchange_granted  agent-7      POST https://api.openai.com:443/v1/responses ",
            "python3[4321] query_bytes=0 rule=openai credentials=authorization:hmac-sha256:00 exchange=e1 flow=f1"
        ),
    );
}

#[test]
fn an_end_says_how_much_and_how_long() {
    check(
        concat!(
            r#"{"seq":13,"time":"2026-01-02T03:04:05.678901Z","event":"exchange_closed","exchange":"e1","flow":"f1","#,
            r#""status":200,"bytes_up":1023,"bytes_down":1572864,"duration_us":1234,"upstream_addr":"192.0.2.1:443","hash":"00"}"#
        ),
        concat!(
            "2026-01-02T03:04:05.678Z      13 exchange_closed   -            200 up 1023 B down 1.5 MiB in 1.2 ms ",
            "upstream_addr=192.0.2.1:443 exchange=e1 flow=f1"
        ),
    );
}

#[test]
fn what_was_found_says_what_where_and_what_became_of_it() {
    check(
        concat!(
            r#"{"seq":14,"time":"2026-01-02T03:04:05.678901Z","event":"data_found","exchange":"e1","flow":"f1","direction":"request","#,
            r#""findings":[{"detector":"us_ssn","place":"$.messages[0].content","offset":12,"action":"redact","confidence":"high","count":2,"fingerprint":"00ff"},"#,
            r#"{"detector":"email","place":"query:q","offset":0,"action":"hash","confidence":"high","fingerprint":"11ff"}],"more":3,"hash":"00"}"#
        ),
        concat!(
            "2026-01-02T03:04:05.678Z      14 data_found        -            in the request: ",
            "us_ssn (redact) at $.messages[0].content+12, 2 times, 00ff; email (hash) at query:q+0, 11ff more=3 exchange=e1 flow=f1"
        ),
    );
}

#[test]
fn an_event_of_a_later_version_is_shown_with_all_it_has() {
    check(
        r#"{"seq":1,"time":"t","event":"new_event","a":{"b":[1]},"c":true,"hash":"00"}"#,
        r#"t       1 new_event         -            a="{\"b\":[1]}" c=true"#,
    );
}

#[test]
fn a_value_cannot_pass_for_another_field() {
    let shown = readable(
        br#"{"seq":1,"time":"t","event":"danger","what":"x rule=allow-all"}"#,
        Palette::Plain,
    );
    assert!(shown.ends_with(r#"what="x rule=allow-all""#), "{shown}");
}

#[test]
fn colours_are_only_there_when_asked_for() {
    let line = br#"{"seq":1,"time":"t","event":"exchange_denied"}"#;
    assert!(readable(line, Palette::Coloured).contains("\u{1b}[31mexchange_denied"));
    assert!(!readable(line, Palette::Plain).contains('\u{1b}'));
}

#[test]
fn the_json_of_a_forged_line_is_harmless_on_a_terminal_and_means_the_same() {
    let forged = "{\"what\":\"\u{202e}\u{9b}31m\u{e0041}\"}";
    let printed = shown(forged.as_bytes());
    assert!(!printed.chars().any(is_hostile));
    let value = |text: &str| serde_json::from_str::<serde_json::Value>(text).unwrap();
    assert_eq!(value(&printed), value(forged));
}

proptest! {
    #[test]
    fn nothing_a_line_holds_acts_on_a_terminal(
        key in prop::collection::vec(any::<char>(), 0..9),
        text in prop::collection::vec(any::<char>(), 0..60),
    ) {
        let (key, text) = (String::from_iter(key), String::from_iter(text));
        let lines = [
            serde_json::json!({
                "seq": text, "time": text, "event": text, "host": text, "port": text, "protocol": text, "path": text,
                "workload": {"name": text}, "process": {"comm": text, "pid": text}, key: text,
            }),
            serde_json::json!({
                "event": "exchange_denied", "host": text, "port": text, "protocol": text, "path": text, "method": text,
            }),
            serde_json::json!({"event": "flow_aborted", "cause": text, "side": text}),
            serde_json::json!({"event": "flow_refused", "client": text, "original_dst": text}),
        ];
        for line in lines {
            let shown = readable(line.to_string().as_bytes(), Palette::Plain);
            prop_assert!(!shown.chars().any(is_hostile), "{shown:?}");
        }
        let raw = readable(text.as_bytes(), Palette::Plain);
        prop_assert!(!raw.chars().any(is_hostile), "{raw:?}");
    }
}

struct Fixture {
    folder: TempDir,
}

impl Fixture {
    fn new() -> Self {
        Self {
            folder: TempDir::new().unwrap(),
        }
    }

    fn path(&self) -> PathBuf {
        self.folder.path().join("audit.jsonl")
    }

    fn ledger(&self) -> Ledger {
        Ledger::open(Config::at(self.path())).unwrap()
    }

    fn follow(&self, count: usize) -> Follower {
        Follower::open(&self.path(), count).unwrap()
    }
}

fn stop(ledger: &Ledger, reason: &str) {
    ledger.append(&Entry::EnforcerStopped { reason }).unwrap();
}

/// The reasons of all lines that are there; for other events, their names.
fn rest(follower: &mut Follower) -> Vec<String> {
    let mut names = Vec::new();
    while let Some(line) = follower.poll().unwrap() {
        let value: serde_json::Value = serde_json::from_slice(line).unwrap();
        let name = value.get("reason").unwrap_or(&value["event"]);
        names.push(name.as_str().unwrap().to_owned());
    }
    names
}

#[test]
fn the_last_lines_are_those_asked_for() {
    let fixture = Fixture::new();
    let ledger = fixture.ledger();
    for name in 1..=20_000 {
        stop(&ledger, &name.to_string());
    }
    assert_eq!(rest(&mut fixture.follow(0)), Vec::<String>::new());
    assert_eq!(rest(&mut fixture.follow(2)), ["19999", "20000"]);
    let many = rest(&mut fixture.follow(15_000));
    assert_eq!((many.len(), many[0].as_str()), (15_000, "5001"));
    let all = rest(&mut fixture.follow(usize::MAX));
    assert_eq!((all.len(), all[0].as_str()), (20_001, "ledger_opened"));
}

#[test]
fn lines_are_followed_over_rotations_and_found_behind_them() {
    let fixture = Fixture::new();
    let ledger = fixture.ledger();
    let mut follower = fixture.follow(1);
    assert_eq!(rest(&mut follower), ["ledger_opened"]);
    stop(&ledger, "a");
    assert_eq!(rest(&mut follower), ["a"]);
    for reason in ["b", "c", "d"] {
        stop(&ledger, reason);
        ledger.shared().rotate().unwrap();
    }
    stop(&ledger, "e");
    let opened = "ledger_opened";
    let all = ["b", opened, "c", opened, "d", opened, "e"];
    assert_eq!(rest(&mut follower), all);
    assert_eq!(rest(&mut fixture.follow(7)), all);
    assert_eq!(rest(&mut fixture.follow(4)), all[3..]);
    assert_eq!(rest(&mut fixture.follow(100)).len(), 9);
}

#[test]
fn half_a_line_is_not_given_out() {
    let fixture = Fixture::new();
    fs::write(fixture.path(), "{}\n{\"rea").unwrap();
    let mut follower = fixture.follow(10);
    assert_eq!(follower.poll().unwrap(), Some(b"{}".as_slice()));
    assert_eq!(follower.poll().unwrap(), None);
    fs::write(fixture.path(), "{}\n{\"reason\":\"x\"}\n").unwrap();
    assert_eq!(rest(&mut follower), ["x"]);
}

#[test]
fn a_file_that_was_cut_back_is_reported() {
    let fixture = Fixture::new();
    fs::write(fixture.path(), "{}\n{}\n").unwrap();
    let mut follower = fixture.follow(10);
    while follower.poll().unwrap().is_some() {}
    fs::write(fixture.path(), "{}\n").unwrap();
    assert!(follower.poll().is_err());
}
