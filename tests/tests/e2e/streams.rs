//! Long and large: events that must not wait for each other, sockets that stay open, bodies that fit no memory.

use std::fs::File;

use enforcer_tests::probe::Spoken;
use enforcer_tests::upstream::State;

use crate::stage::{OUTSIDE, PATIENCE, Stage};

const MIB: u64 = 1 << 20;
/// What the daemon may grow by while a body passes through it; far below the body's size, and room for its pools.
const GROWTH: u64 = 32 * MIB;

#[test]
fn each_event_arrives_before_the_next_is_sent() {
    let Some(stage) = Stage::new() else { return };
    for flag in ["--http1.1", "--http2"] {
        let gate = format!("order{flag}");
        let url = format!("https://api.openai.com/test/sse?n=20&gate={gate}");
        let mut command = stage.agent.command("curl");
        command.args(["-sN", flag, &url]);
        let client = stage.agent.start(&mut command).expect("curl");
        for number in 0..20 {
            // The upstream sends number N only now, after the agent has shown N-1.
            stage.upstream.gates().open(&gate, 1);
            let expected = format!(r#"data: {{"number":{number}}}"#);
            let mut lines = std::iter::from_fn(|| client.line(PATIENCE).ok());
            assert!(lines.any(|line| line == expected), "{flag}: event {number}");
        }
        assert_eq!(client.finish(PATIENCE).expect("an end").code(), 0, "{flag}");
    }
}

#[test]
fn a_websocket_stays_open_and_says_back_what_it_hears() {
    let Some(stage) = Stage::new() else { return };
    let place = format!("{OUTSIDE}:443");
    let long = "long ".repeat(20_000);
    let say = ["--say", "one", "--say", &long, "--say", "three"];
    let door = ["websocket", &place, "--name", "api.openai.com"];
    let spoken: Spoken = stage
        .agent
        .probe(&[&door[..], &say].concat())
        .expect("a probe");
    assert_eq!(spoken.error, None);
    assert_eq!(spoken.status, Some(101));
    assert_eq!(spoken.heard, ["one", &long, "three"]);
    stage.recorded("exchange_closed", |entry| entry["status"] == 101);
}

#[test]
fn a_websocket_that_no_rule_allows_is_refused_before_it_opens() {
    let Some(stage) = Stage::new() else { return };
    let place = format!("{OUTSIDE}:443");
    let door = [
        "websocket",
        &place,
        "--name",
        "api.openai.com",
        "--path",
        "/v1/realtime",
    ];
    let spoken: Spoken = stage
        .agent
        .probe(&[&door[..], &["--say", "x"]].concat())
        .expect("a probe");
    assert_eq!(spoken.status, Some(403), "{spoken:?}");
    stage.assert_nothing_got_out();
}

#[test]
fn a_gibibyte_goes_up_in_constant_memory() {
    let Some(stage) = Stage::new() else { return };
    let path = stage.sandbox.folder().join("gibibyte");
    let file = File::create(&path).expect("a file");
    file.set_len(1024 * MIB).expect("a sparse file");
    let warm = stage.curl(&["-d", "x", "https://api.openai.com/test/upload"]);
    assert_eq!(warm.status, 200, "{warm:?}");
    let before = stage.daemon.peak().expect("a peak");
    let path = path.display().to_string();
    let answer = stage.curl(&[
        "--http1.1",
        "-T",
        &path,
        "https://api.openai.com/test/upload",
    ]);
    assert_eq!(answer.json()["bytes"], 1024 * MIB, "{answer:?}");
    // The digest of as many zeros, so that nothing was lost, doubled or reordered on the way.
    let digest = "49bc20df15e412a64472421e13fe86ff1c5165e18b2afccf160d4dc19fe68a14";
    assert_eq!(answer.json()["sha256"], digest);
    let after = stage.daemon.peak().expect("a peak");
    assert!(
        after.saturating_sub(before) < GROWTH,
        "grew from {before} to {after}"
    );
}

#[test]
fn a_client_that_does_not_read_holds_the_upstream_back() {
    let Some(stage) = Stage::new() else { return };
    let before = stage.daemon.peak().expect("a peak");
    for flag in ["--http1.1", "--http2"] {
        let url = "https://api.openai.com/test/download?bytes=4000000000";
        let slow = ["--limit-rate", "1M", "--max-time", "3"];
        let answer = stage.curl(&[&[flag, url][..], &slow].concat());
        assert!(answer.has_timed_out(), "{flag}: {answer:?}");
        let arrival = stage.upstream.journal().wait(PATIENCE, |seen| {
            let last = seen.last()?;
            (last.response.state != State::Open).then(|| last.clone())
        });
        let sent = arrival.expect("an end upstream").response.bytes;
        assert!(
            sent < 128 * MIB,
            "{flag}: {sent} bytes were taken from the upstream"
        );
    }
    let after = stage.daemon.peak().expect("a peak");
    assert!(
        after.saturating_sub(before) < GROWTH,
        "grew from {before} to {after}"
    );
}
