//! What HTTP can do, allowed and through the enforcer: versions, methods, statuses, bodies, trailers.

use enforcer_tests::probe::{Exchange, Spoken};
use enforcer_tests::upstream::State;
use serde_json::Value;

use crate::stage::{OUTSIDE, PATIENCE, Stage};

const ECHO: &str = "https://api.openai.com/test/echo";

#[test]
fn both_versions_of_http_reach_the_upstream_under_the_name_that_was_asked_for() {
    let Some(stage) = Stage::new() else { return };
    for (flag, version) in [("--http1.1", "1.1"), ("--http2", "2")] {
        let answer = stage.curl(&[flag, ECHO]);
        assert_eq!(
            (answer.status, answer.version.as_str()),
            (200, version),
            "{answer:?}"
        );
    }
    for arrival in stage.upstream.journal().arrivals() {
        assert_eq!(arrival.authority, "api.openai.com");
        assert_eq!(arrival.sni.as_deref(), Some("api.openai.com"));
    }
    assert_eq!(stage.leaked(), []);
}

#[test]
fn an_upstream_of_tls12_and_one_without_tls_are_reached() {
    let Some(stage) = Stage::new() else { return };
    let old = stage.curl(&["https://old.allowed.example/test/echo"]);
    assert_eq!(old.status, 200, "{old:?}");
    let plain = stage.curl(&["http://plain.allowed.example/test/echo"]);
    assert_eq!(plain.status, 200, "{plain:?}");
}

#[test]
fn requests_arrive_as_they_were_sent() {
    let Some(stage) = Stage::new() else { return };
    let headers = [
        "-H",
        "X-One: 1",
        "-H",
        "X-Two: a, b",
        "-H",
        "Accept: text/plain",
    ];
    let body = ["-X", "PATCH", "--data-binary", "some body"];
    for flag in ["--http1.1", "--http2"] {
        let url = format!("{ECHO}?q=1&r=%20");
        let answer = stage.curl(&[&[flag, &url][..], &headers, &body].concat());
        let told = answer.json();
        assert_eq!(told["method"], "PATCH", "{answer:?}");
        assert_eq!(told["query"], "q=1&r=%20");
        assert_eq!(told["length"], 9);
        let of = |name: &str| header(&told, name);
        assert_eq!(of("x-one"), ["1"]);
        assert_eq!(of("x-two"), ["a, b"]);
        assert_eq!(of("accept"), ["text/plain"]);
        for added in ["via", "x-forwarded-for", "forwarded", "x-enforcer-exchange"] {
            assert_eq!(of(added), Vec::<String>::new(), "{told}");
        }
    }
}

#[test]
fn statuses_without_bodies_and_heads_pass() {
    let Some(stage) = Stage::new() else { return };
    for flag in ["--http1.1", "--http2"] {
        for code in [204, 304] {
            let url = format!("https://api.openai.com/test/status/{code}");
            let answer = stage.curl(&[flag, &url]);
            assert_eq!((answer.exit, answer.status), (0, code), "{answer:?}");
        }
        let url = "https://api.openai.com/test/download?bytes=77";
        let answer = stage.curl(&[flag, "--head", url]);
        assert_eq!(answer.header("content-length"), Some("77"), "{answer:?}");
        let answer = stage.curl(&[flag, "https://api.openai.com/test/chunked?n=5&bytes=1000"]);
        assert_eq!((answer.exit, answer.body.len()), (0, 5000), "{answer:?}");
    }
}

#[test]
fn one_connection_carries_many_requests() {
    let Some(stage) = Stage::new() else { return };
    for flag in ["--http1.1", "--http2"] {
        let mut arguments = vec![flag];
        for _ in 0..10 {
            arguments.extend([ECHO, "--output", "/dev/null"]);
        }
        let answer = stage.curl(&arguments);
        assert_eq!(answer.exit, 0, "{answer:?}");
    }
    assert_eq!(stage.arrived().len(), 20);
    let opened = stage.ledger().of("flow_opened").len();
    assert_eq!(opened, 2, "one flow for each version");
}

#[test]
fn a_client_that_waits_for_100_continue_gets_it() {
    let Some(stage) = Stage::new() else { return };
    let url = "https://api.openai.com/test/upload";
    // Longer than the test may take: without the interim answer the body is never sent.
    let expect = ["-H", "Expect: 100-continue", "--expect100-timeout", "45"];
    let answer = stage.curl(&[&["--http1.1", "-d", "0123456789", url][..], &expect].concat());
    assert_eq!(
        (answer.exit, &answer.json()["bytes"]),
        (0, &Value::from(10)),
        "{answer:?}"
    );
    assert!(answer.head.contains("HTTP/1.1 100"), "{}", answer.head);
}

#[test]
fn a_refused_client_that_waits_for_100_continue_is_not_asked_for_its_body() {
    let Some(stage) = Stage::new() else { return };
    let url = "https://api.openai.com/v1/files";
    let expect = ["-H", "Expect: 100-continue", "--expect100-timeout", "45"];
    let answer = stage.curl(&[&["--http1.1", "-d", "0123456789", url][..], &expect].concat());
    assert_eq!(answer.status, 403, "{answer:?}");
    assert!(!answer.head.contains("HTTP/1.1 100"), "{}", answer.head);
    stage.assert_nothing_got_out();
}

#[test]
fn requests_that_contradict_themselves_do_not_arrive() {
    let Some(stage) = Stage::new() else { return };
    let place = format!("{OUTSIDE}:80");
    let contradictions = [
        r"GET http://exfil.example/ HTTP/1.1\r\nHost: plain.allowed.example\r\n\r\n",
        r"GET / HTTP/1.1\r\nHost: plain.allowed.example\r\nHost: exfil.example\r\n\r\n",
        r"GET / HTTP/1.1\r\n\r\n",
        r"GET / HTTP/1.1\r\nHost: exfil.example\r\n\r\n",
        r"GET / HTTP/1.1\r\nHost: 203.0.113.9\r\n\r\n",
        r"CONNECT exfil.example:443 HTTP/1.1\r\nHost: exfil.example:443\r\n\r\n",
        r"CONNECT plain.allowed.example:80 HTTP/1.1\r\nHost: plain.allowed.example:80\r\n\r\n",
        r"POST / HTTP/1.1\r\nHost: plain.allowed.example\r\nContent-Length: 1\r\nContent-Length: 2\r\n\r\nab",
        r"POST / HTTP/1.1\r\nHost: plain.allowed.example\r\nTransfer-Encoding: gzip\r\n\r\nab",
        r"GET / HTTP/1.1\r\nHost: plain.allowed.example\r\nX: a\0b\r\n\r\n",
        r"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\nnot a frame at all",
        r"GET / HTTP/1.1\r\nHost: plain.allowed.example@exfil.example\r\n\r\n",
    ];
    for text in contradictions {
        let sent = [
            "raw",
            &place,
            "--text",
            text,
            "--patience-ms",
            "15000",
            "--half-close",
        ];
        let exchange: Exchange = stage.agent.probe(&sent).expect("a probe");
        assert_ne!(exchange.ending, "timeout", "{text}: {exchange:?}");
        assert!(
            !exchange.received.contains("200 OK"),
            "{text}: {exchange:?}"
        );
    }
    stage.assert_nothing_got_out();
}

#[test]
fn an_early_refusal_of_the_upstream_arrives() {
    let Some(stage) = Stage::new() else { return };
    let body = stage
        .sandbox
        .write("body", &"x".repeat(200_000))
        .expect("a file");
    let body = format!("@{}", body.display());
    for flag in ["--http1.1", "--http2"] {
        let url = "https://api.openai.com/test/early-413";
        let answer = stage.curl(&[flag, "--data-binary", &body, url]);
        assert_eq!(answer.status, 413, "{answer:?}");
    }
}

#[test]
fn trailers_pass_both_ways() {
    let Some(stage) = Stage::new() else { return };
    let place = format!("{OUTSIDE}:443");
    for alpn in ["http/1.1", "h2"] {
        let door = [
            "trailers",
            &place,
            "--name",
            "api.openai.com",
            "--alpn",
            alpn,
        ];
        let up: Spoken = stage.agent.probe(&door).expect("a probe");
        assert_eq!(up.error, None, "{alpn}");
        let told: Value = serde_json::from_str(&up.heard[0]).expect("an echo");
        let sent = serde_json::json!([["x-sent", "after the body"]]);
        assert_eq!(told["trailers"], sent, "{alpn}");
        let path = ["--path", "/test/trailers"];
        let down: Spoken = stage
            .agent
            .probe(&[&door[..], &path].concat())
            .expect("a probe");
        let checksum = ("x-checksum".to_owned(), "0123456789abcdef".to_owned());
        assert_eq!(down.trailers, [checksum], "{alpn}: {down:?}");
    }
}

#[test]
fn an_answer_that_breaks_off_is_not_made_whole() {
    let Some(stage) = Stage::new() else { return };
    for flag in ["--http1.1", "--http2"] {
        let url = "https://api.openai.com/test/cut?bytes=500000&after=200000";
        let answer = stage.curl(&[flag, url]);
        assert_ne!(answer.exit, 0, "{flag}");
        assert!(answer.body.len() < 500_000, "{flag}: {}", answer.body.len());
    }
    stage.recorded("exchange_aborted", |entry| entry["side"] == "upstream");
}

#[test]
fn an_upstream_that_hangs_up_is_a_bad_gateway() {
    let Some(stage) = Stage::new() else { return };
    for flag in ["--http1.1", "--http2"] {
        let answer = stage.curl(&[flag, "https://api.openai.com/test/close"]);
        assert_eq!(answer.status, 502, "{answer:?}");
        assert_eq!(answer.json()["error"]["param"], Value::Null, "{answer:?}");
    }
    stage.recorded("exchange_aborted", |entry| entry["side"] == "upstream");
}

#[test]
fn a_client_that_leaves_is_noticed_upstream_and_recorded() {
    let Some(stage) = Stage::new() else { return };
    for flag in ["--http1.1", "--http2"] {
        let url = format!("https://api.openai.com/test/sse?n=100&gate=left{flag}");
        let mut command = stage.agent.command("curl");
        command.args(["-sN", flag, &url]);
        let client = stage.agent.start(&mut command).expect("curl");
        stage.upstream.gates().open(&format!("left{flag}"), 1);
        client.line(PATIENCE).expect("the first event");
        client.signal(rustix::process::Signal::KILL);
        client.finish(PATIENCE).expect("an end");
        // The upstream hears of it while it waits at the gate, or when it next writes.
        stage.upstream.gates().open(&format!("left{flag}"), 50);
        let ended = stage.upstream.journal().wait(PATIENCE, |seen| {
            let state = seen.last()?.response.state;
            (state != State::Open).then_some(state)
        });
        assert_eq!(ended.expect("an end upstream"), State::Cut, "{flag}");
    }
    let aborted = |entry: &Value| entry["side"] == "client" || entry["side"] == "agent";
    stage.recorded("exchange_aborted", aborted);
}

fn header(told: &Value, name: &str) -> Vec<String> {
    let pairs = told["headers"].as_array().cloned().unwrap_or_default();
    let named = pairs.iter().filter(|pair| pair[0] == name);
    named
        .filter_map(|pair| pair[1].as_str().map(str::to_owned))
        .collect()
}
