//! Bounds: what an agent may take of time and memory, and that it is given back.

use std::time::Duration;

use enforcer_tests::probe::{Connected, Exchange};

use crate::stage::{OUTSIDE, PATIENCE, Stage};

const SHORT: &str =
    "limits:\n  first_byte_timeout: 500ms\n  handshake_timeout: 500ms\n  header_timeout: 500ms";

#[test]
fn whoever_stalls_is_ended_and_recorded() {
    let Some(stage) = Stage::with(crate::stage::POLICY, |setup| setup.and(SHORT)) else {
        return;
    };
    let stalled = [
        ("443", ""),
        ("443", r"\x16\x03\x01\x02\x00\x01"),
        ("80", ""),
        ("80", r"GET /test/echo HTTP/1.1\r\nHost: plain.allowed.exa"),
        ("4444", ""),
    ];
    for (port, text) in stalled {
        let place = format!("{OUTSIDE}:{port}");
        let exchange: Exchange = stage
            .agent
            .probe(&["raw", &place, "--text", text, "--patience-ms", "15000"])
            .expect("a probe");
        assert_ne!(exchange.ending, "timeout", "{port} `{text}`: {exchange:?}");
        assert!(!exchange.received.contains("200 OK"), "{exchange:?}");
    }
    stage.assert_flows_refused(stalled.len());
    stage.assert_nothing_got_out();
}

#[test]
fn an_oversized_header_block_is_refused() {
    let Some(stage) = Stage::new() else { return };
    let value = format!("X-Large: {}", "x".repeat(90_000));
    for flag in ["--http1.1", "--http2"] {
        let url = "https://api.openai.com/test/echo";
        let answer = stage.curl(&[flag, "-H", &value, url]);
        assert!(
            answer.exit != 0 || answer.status == 431,
            "{flag}: {answer:?}"
        );
    }
    stage.assert_nothing_got_out();
    let after = stage.curl(&["https://api.openai.com/test/echo"]);
    assert_eq!(after.status, 200, "{after:?}");
}

#[test]
fn an_answer_with_an_oversized_header_block_is_a_bad_gateway() {
    let Some(stage) = Stage::new() else { return };
    let answer = stage.curl(&["https://api.openai.com/test/headers?bytes=1000"]);
    assert_eq!(answer.status, 200, "{answer:?}");
    let answer = stage.curl(&["https://api.openai.com/test/headers?bytes=500000"]);
    assert_eq!(answer.status, 502, "{answer:?}");
    stage.recorded("exchange_aborted", |entry| entry["side"] == "upstream");
}

#[test]
fn a_hundred_at_once_are_all_served_and_all_recorded() {
    let Some(stage) = Stage::new() else { return };
    for flag in ["--http1.1", "--http2"] {
        let range = "https://api.openai.com/test/download?bytes=20000&number=[1-100]";
        let many = [
            "--parallel",
            "--parallel-immediate",
            "--parallel-max",
            "100",
            "--fail",
        ];
        let answer = stage.curl(&[&[flag, range][..], &many].concat());
        assert_eq!(answer.exit, 0, "{flag}: {}", answer.error);
    }
    assert_eq!(stage.arrived().len(), 200);
    let closed = || stage.ledger().of("exchange_closed").len();
    let found = stage.ledger().wait(PATIENCE, |_| closed() == 200);
    found.unwrap_or_else(|error| panic!("{} closed: {error}", closed()));
    assert_eq!(stage.ledger().of("exchange_granted").len(), 200);
    let verified = stage.daemon.audit(&["verify"]).expect("verify");
    assert_eq!(verified.code(), 0, "{verified:?}");
}

#[test]
fn more_flows_than_a_workload_may_have_are_refused() {
    let few = "limits:\n  flows_per_workload: 4\n  first_byte_timeout: 30s";
    let Some(stage) = Stage::with(crate::stage::POLICY, |setup| setup.and(few)) else {
        return;
    };
    let place = format!("{OUTSIDE}:443");
    let mut held = Vec::new();
    for _ in 0..4 {
        let mut command = stage.agent.command(&stage.sandbox.binaries().probe);
        command.args(["raw", &place, "--patience-ms", "30000"]);
        held.push(stage.agent.start(&mut command).expect("a probe"));
    }
    let opened = || stage.ledger().of("flow_opened").len();
    let found = stage.ledger().wait(PATIENCE, |_| opened() == 4);
    found.unwrap_or_else(|error| panic!("{} opened: {error}", opened()));
    let one_more: Exchange = stage.agent.probe(&["raw", &place]).expect("a probe");
    assert_ne!(one_more.ending, "timeout", "{one_more:?}");
    stage.recorded("flow_refused", |_| true);
    drop(held);
}

#[test]
fn what_an_agent_opened_is_given_back() {
    let Some(stage) = Stage::new() else { return };
    let fill = || {
        for text in [r"\x16\x03\x01\x02\x00\x01", "GET / HTTP/1.1", "x"] {
            for port in ["443", "80", "4444"] {
                let place = format!("{OUTSIDE}:{port}");
                let arguments = ["raw", &place, "--text", text, "--leave"];
                let _: Exchange = stage.agent.probe(&arguments).expect("a probe");
            }
        }
        let _: Connected = stage
            .agent
            .probe(&["connect", &format!("{OUTSIDE}:443")])
            .expect("a probe");
        stage.curl(&["https://api.openai.com/test/echo"]);
        stage.curl(&["https://api.openai.com/v1/denied"]);
    };
    fill();
    let before = settled(&stage, usize::MAX);
    for _ in 0..5 {
        fill();
    }
    let after = settled(&stage, before + 4);
    assert!(after <= before + 4, "{before} descriptors became {after}");
}

/// The daemon's open descriptors, once they are no more than `enough` or have not changed for a while.
fn settled(stage: &Stage, enough: usize) -> usize {
    let count = || stage.daemon.descriptors().expect("a process");
    let mut last = count();
    for _ in 0..50 {
        std::thread::sleep(Duration::from_millis(50));
        let now = count();
        if now <= enough && now == last {
            return now;
        }
        last = now;
    }
    last
}
