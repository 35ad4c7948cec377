//! Decisions: who says no, how it is said, and what happens when the rules change under way.

use std::fs;
use std::time::Duration;

use enforcer_tests::upstream::Arrival;
use serde_json::Value;

use crate::stage::{OUTSIDE, PATIENCE, POLICY, Stage};

const DENIED: &str = "https://api.openai.com/v1/files";

#[test]
fn a_refusal_is_what_an_sdk_understands_and_names_its_evidence() {
    let Some(stage) = Stage::new() else { return };
    for flag in ["--http1.1", "--http2"] {
        let answer = stage.curl(&[flag, "-d", "a body", DENIED]);
        assert_eq!(answer.status, 403, "{answer:?}");
        let kind = answer.header("content-type").unwrap_or_default();
        assert!(kind.starts_with("application/json"), "{answer:?}");
        let told = answer.json();
        let keys: Vec<&String> = told
            .as_object()
            .map(|map| map.keys().collect())
            .unwrap_or_default();
        assert_eq!(keys, ["error"]);
        let error = &told["error"];
        assert_eq!(error["type"], "policy_violation");
        assert_eq!(error["code"], "enforcer_denied");
        assert_eq!(error.get("param"), Some(&Value::Null));
        let exchange = answer.header("x-enforcer-exchange").expect("the header");
        let message = error["message"].as_str().unwrap_or_default();
        assert!(message.contains(exchange), "{message}");
        let entry = stage.recorded("exchange_denied", |entry| entry["exchange"] == exchange);
        assert_eq!(entry["path"], "/v1/files");
        assert_eq!(entry["host"], "api.openai.com");
        assert_eq!(entry["method"], "POST");
    }
    stage.assert_nothing_got_out();
}

#[test]
fn a_rule_that_denies_is_named_and_wins() {
    let Some(stage) = Stage::new() else { return };
    let answer = stage.curl(&["https://good.allowed.example/never/ever"]);
    assert_eq!(answer.status, 403, "{answer:?}");
    let message = answer.json()["error"]["message"].to_string();
    assert!(message.contains("never-this"), "{message}");
    let entry = stage.recorded("exchange_denied", |_| true);
    let rule = entry["rule"].as_str().unwrap_or_default();
    assert!(rule.contains("never-this"), "{entry}");
    stage.assert_nothing_got_out();
}

#[test]
fn a_suffix_does_not_match_what_only_looks_like_it() {
    let Some(stage) = Stage::new() else { return };
    let good = stage.curl(&["https://good.allowed.example/test/echo"]);
    assert_eq!(good.status, 200, "{good:?}");
    let arrived = stage.arrived().len();
    for name in [
        "evilallowed.example",
        "allowed.example",
        "good.allowed.example.evil.example",
    ] {
        let resolve = format!("{name}:443:{OUTSIDE}");
        let url = format!("https://{name}/test/echo");
        let answer = stage.curl(&["--resolve", &resolve, &url]);
        assert!(
            answer.exit != 0 || answer.status == 403,
            "{name}: {answer:?}"
        );
    }
    assert_eq!(stage.arrived().len(), arrived);
    assert_eq!(stage.leaked(), []);
}

#[test]
fn another_port_or_no_tls_is_another_question() {
    let Some(stage) = Stage::new() else { return };
    let answer = stage.curl(&["https://api.openai.com:8443/test/echo"]);
    assert!(answer.exit != 0 || answer.status == 403, "{answer:?}");
    let answer = stage.curl(&["http://api.openai.com/test/echo"]);
    assert!(answer.exit != 0 || answer.status == 403, "{answer:?}");
    stage.assert_nothing_got_out();
}

#[test]
fn a_changed_policy_is_in_force_without_a_restart() {
    let Some(stage) = Stage::new() else { return };
    assert_eq!(stage.curl(&[DENIED]).status, 403);
    let wider = POLICY.replace("/test/**]", "/test/**, /v1/files]");
    fs::write(stage.daemon.places().policies.join("test.yaml"), wider).expect("a policy");
    stage.until_loaded(2);
    // The upstream wants a key; that it says so shows that we let it.
    assert_eq!(stage.curl(&[DENIED]).status, 401);
    fs::write(stage.daemon.places().policies.join("test.yaml"), POLICY).expect("a policy");
    stage.until_loaded(3);
    assert_eq!(stage.curl(&[DENIED]).status, 403);
}

#[test]
fn a_connection_that_stays_open_is_judged_anew_at_each_request() {
    let Some(stage) = Stage::new() else { return };
    for flag in ["--http1.1", "--http2"] {
        let loaded = stage.ledger().of("policy_loaded").len();
        let gate = format!("anew{flag}");
        let first = format!("https://api.openai.com/test/sse?n=1&gate={gate}");
        let second = "https://api.openai.com/test/echo";
        let mut command = stage.agent.command("curl");
        command.args([
            "-sN",
            flag,
            "-w",
            "%{http_code} %{num_connects}\n",
            &first,
            second,
        ]);
        let client = stage.agent.start(&mut command).expect("curl");
        let arrived = |seen: &[Arrival]| {
            seen.iter()
                .any(|one| one.query.contains(&gate))
                .then_some(())
        };
        stage
            .upstream
            .journal()
            .wait(PATIENCE, arrived)
            .expect("an arrival");
        let narrower = POLICY.replace("/test/**", "/test/sse");
        fs::write(stage.daemon.places().policies.join("test.yaml"), narrower).expect("a policy");
        stage.until_loaded(loaded + 1);
        stage.upstream.gates().open(&gate, 1);
        let said = client.finish(PATIENCE).expect("an end").stdout;
        assert!(said.contains("200 1\n"), "{said}");
        assert!(said.contains("403 0\n"), "{said}");
        fs::write(stage.daemon.places().policies.join("test.yaml"), POLICY).expect("a policy");
        stage.until_loaded(loaded + 2);
    }
}

#[test]
fn a_broken_policy_keeps_the_last_good_one_and_says_where() {
    let Some(stage) = Stage::new() else { return };
    let file = stage.daemon.places().policies.join("test.yaml");
    let broken = POLICY.replace("effect: deny", "effect: dany");
    let line = broken
        .lines()
        .position(|line| line.contains("dany"))
        .expect("a line")
        + 1;
    fs::write(&file, broken).expect("a policy");
    let entry = stage.recorded("policy_rejected", |_| true);
    assert_eq!(entry["line"], line, "{entry}");
    assert!(entry["column"].is_number(), "{entry}");
    assert!(
        entry["file"]
            .as_str()
            .is_some_and(|file| file.contains("test.yaml")),
        "{entry}"
    );
    assert_eq!(
        stage.curl(&["https://api.openai.com/test/echo"]).status,
        200
    );
    assert_eq!(stage.curl(&[DENIED]).status, 403);
}

#[test]
fn a_policy_that_goes_away_does_not_open_anything() {
    let Some(stage) = Stage::new() else { return };
    let policies = stage.daemon.places().policies.clone();
    fs::remove_dir_all(&policies).expect("a folder");
    let _ = stage.ledger().wait(Duration::from_secs(3), |entry| {
        let event = entry["event"].as_str().unwrap_or_default();
        event == "policy_rejected"
    });
    assert_eq!(stage.curl(&[DENIED]).status, 403);
    let answer = stage.curl(&[
        "--resolve",
        &format!("exfil.example:443:{OUTSIDE}"),
        "https://exfil.example/",
    ]);
    assert!(answer.exit != 0 || answer.status == 403, "{answer:?}");
    stage.assert_nothing_got_out();
}

impl Stage {
    /// Waits until so many policy sets have been loaded since the start.
    fn until_loaded(&self, count: usize) {
        let loaded = || self.ledger().of("policy_loaded").len();
        let found = self.ledger().wait(PATIENCE, |_| loaded() >= count);
        found.unwrap_or_else(|error| panic!("{} loaded: {error}", loaded()));
    }
}
