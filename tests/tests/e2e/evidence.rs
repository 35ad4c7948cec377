//! The ledger: written before anything leaves, complete, linked, and free of secrets.

use std::fs;
use std::path::Path;

use serde_json::Value;

use crate::stage::{PATIENCE, Stage};

const SECRET: &str = "sk-this-must-never-be-written";

#[test]
fn a_grant_is_written_before_the_request_arrives() {
    let Some(stage) = Stage::new() else { return };
    let url = "https://api.openai.com/test/sse?n=1&gate=evidence";
    let mut command = stage.agent.command("curl");
    let client = stage.agent.start(command.args(["-sN", url])).expect("curl");
    let journal = stage.upstream.journal();
    journal
        .wait(PATIENCE, |seen| seen.last().map(|_| ()))
        .expect("an arrival");
    // No waiting here: whatever the upstream has seen must be in the file already.
    let granted = stage.ledger().of("exchange_granted");
    assert_eq!(granted.len(), 1);
    assert_eq!(granted[0]["path"], "/test/sse");
    stage.upstream.gates().open("evidence", 1);
    client.finish(PATIENCE).expect("an end");
}

#[test]
fn what_came_of_security_modules_is_said_from_the_start() {
    let Some(stage) = Stage::new() else { return };
    let told = stage.recorded("enforcer_started", |_| true);
    let lsm = told["lsm"].as_str().expect("words");
    assert!(!lsm.is_empty());
    let status = stage.daemon.cli(&["status", "--json"]).expect("a status");
    let status: Value = serde_json::from_str(&status.stdout).expect("a document");
    let shown = status["watchdog"]["lsm"].as_str().expect("words");
    // The line is bounded.
    assert!(
        lsm == shown || shown.starts_with(&lsm[..200]),
        "{lsm} {shown}"
    );
}

#[test]
fn an_exchange_tells_who_what_and_how_it_ended() {
    let Some(stage) = Stage::new() else { return };
    let answer = stage.curl(&[
        "--http1.1",
        "-d",
        "0123456789",
        "https://api.openai.com/test/upload?x=secret",
    ]);
    assert_eq!(answer.status, 200, "{answer:?}");
    let granted = stage.recorded("exchange_granted", |_| true);
    for (key, value) in [
        ("method", "POST"),
        ("host", "api.openai.com"),
        ("path", "/test/upload"),
    ] {
        assert_eq!(granted[key], value, "{granted}");
    }
    assert_eq!(granted["port"], 443);
    assert_eq!(granted["process"]["comm"], "curl", "{granted}");
    assert_eq!(granted["process"]["uid"], 0);
    let cgroup = stage
        .cgroup
        .path()
        .file_name()
        .expect("a name")
        .to_string_lossy()
        .into_owned();
    let path = granted["workload"]["path"].as_str().unwrap_or_default();
    assert!(path.ends_with(&cgroup), "{granted}");
    assert!(
        granted["rule"]
            .as_str()
            .is_some_and(|rule| rule.contains("api")),
        "{granted}"
    );
    let closed = stage.recorded("exchange_closed", |entry| {
        entry["exchange"] == granted["exchange"]
    });
    assert_eq!(closed["status"], 200);
    assert!(closed["bytes_up"].as_u64() >= Some(10), "{closed}");
    assert!(
        closed["bytes_down"].as_u64() >= Some(answer.body.len() as u64),
        "{closed}"
    );
    assert!(closed["duration_us"].as_u64() > Some(0), "{closed}");
    stage.recorded("flow_closed", |entry| entry["flow"] == granted["flow"]);
}

#[test]
fn secrets_go_to_the_upstream_and_to_nobody_else() {
    let Some(stage) = Stage::new() else { return };
    let bearer = format!("Authorization: Bearer {SECRET}-1");
    let cookie = format!("Cookie: session={SECRET}-2");
    let query = format!("https://api.openai.com/test/echo?key={SECRET}-3");
    let denied = format!("https://api.openai.com/v1/files?key={SECRET}-4");
    let body = format!("{SECRET}-5");
    for flag in ["--http1.1", "--http2"] {
        let headers = ["-H", &bearer, "-H", &cookie, "-d", &body];
        stage.curl(&[&[flag, &query][..], &headers].concat());
        stage.curl(&[&[flag, &denied][..], &headers].concat());
    }
    let arrived = stage.upstream.journal().at("/test/echo");
    assert_eq!(arrived.len(), 2);
    let sent = arrived[0].header("authorization").unwrap_or_default();
    assert!(sent.ends_with("-1"), "the upstream got {sent}");
    let granted = stage.ledger().of("exchange_granted");
    assert!(
        granted[0]["credentials"]
            .as_array()
            .is_some_and(|list| !list.is_empty()),
        "{granted:?}"
    );
    assert_eq!(granted[0]["credentials"], granted[1]["credentials"]);
    let base = stage.daemon.places().state.clone();
    stage.daemon.stop().expect("an end");
    assert_eq!(files_with(&base, SECRET), Vec::<String>::new());
}

#[test]
fn the_chain_verifies_and_a_changed_byte_does_not() {
    let Some(stage) = Stage::new() else { return };
    stage.curl(&["https://api.openai.com/test/echo"]);
    stage.curl(&["https://api.openai.com/v1/files"]);
    // Endings and refusals wait for the next write, a moment at most.
    stage.recorded("exchange_denied", |entry| entry["path"] == "/v1/files");
    let verified = stage.daemon.audit(&["verify"]).expect("verify");
    assert_eq!(verified.code(), 0, "{verified:?}");
    let tail = stage.daemon.audit(&["tail"]).expect("tail");
    assert_eq!(tail.code(), 0, "{tail:?}");
    assert!(
        tail.stdout.contains("/test/echo") && tail.stdout.contains("/v1/files"),
        "{tail:?}"
    );
    let ledger = stage.ledger();
    let places = stage.daemon.places().clone();
    assert_eq!(stage.daemon.stop().expect("an end").code(), 0);
    let text = ledger.text();
    fs::write(ledger.path(), text.replacen("/v1/files", "/v1/filez", 1)).expect("a file");
    let mut command = std::process::Command::new(&stage.sandbox.binaries().enforcer);
    command
        .args(["audit", "verify", "--config"])
        .arg(&places.config);
    let verified = command.output().expect("verify");
    assert!(!verified.status.success(), "{verified:?}");
}

#[test]
fn the_key_of_the_authority_is_for_root_alone() {
    use std::os::unix::fs::MetadataExt as _;

    let Some(stage) = Stage::new() else { return };
    let mut keys = 0;
    for entry in fs::read_dir(&stage.daemon.places().ca)
        .expect("a folder")
        .flatten()
    {
        let text = fs::read_to_string(entry.path()).unwrap_or_default();
        if text.contains("PRIVATE KEY") {
            keys += 1;
            assert_eq!(entry.metadata().expect("a file").mode() & 0o777, 0o600);
        }
    }
    assert_eq!(keys, 1);
}

#[test]
fn every_flow_that_opened_comes_to_an_end() {
    let Some(stage) = Stage::new() else { return };
    for path in ["/test/echo", "/v1/files", "/test/close", "/test/cut"] {
        stage.curl(&[&format!("https://api.openai.com{path}")]);
    }
    let ends = ["flow_closed", "flow_aborted", "flow_refused"];
    let open = || {
        let entries = stage.ledger().entries();
        let of = |events: &[&str]| -> Vec<Value> {
            let event = |entry: &&Value| events.contains(&entry["event"].as_str().unwrap_or(""));
            entries
                .iter()
                .filter(event)
                .map(|entry| entry["flow"].clone())
                .collect()
        };
        let ended = of(&ends);
        let mut open = of(&["flow_opened"]);
        open.retain(|flow| !ended.contains(flow));
        open
    };
    let found = stage.ledger().wait(PATIENCE, |_| open().is_empty());
    found.unwrap_or_else(|error| panic!("still open: {:?}: {error}", open()));
}

#[test]
fn what_is_not_written_one_by_one_is_counted() {
    let Some(stage) = Stage::new() else { return };
    let program = "import socket\ns = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)\n\
        for _ in range(5000):\n  try: s.sendto(b'x', ('203.0.113.9', 4444))\n  except OSError: pass\n";
    let finished = stage
        .agent
        .run("python3", &["-c", program])
        .expect("python3");
    assert_eq!(finished.code(), 0, "{finished:?}");
    let counted = || {
        let written = stage.ledger().of("kernel_refused").len() as u64;
        let suppressed = stage.ledger().of("suppressed");
        let of_kernel = suppressed
            .iter()
            .filter(|entry| entry["of"] == "kernel_refused");
        let hidden: u64 = of_kernel.filter_map(|entry| entry["count"].as_u64()).sum();
        (written, hidden)
    };
    let all = |(written, hidden): (u64, u64)| written + hidden >= 5000;
    let found = stage.ledger().wait(PATIENCE, |_| all(counted()));
    found.unwrap_or_else(|_| panic!("5000 refusals became {:?}", counted()));
    let (written, _) = counted();
    assert!(written < 5000, "an agent decides how long the ledger gets");
}

#[test]
fn an_agent_at_the_control_socket_is_refused_and_recorded() {
    use std::os::unix::fs::MetadataExt as _;
    let Some(stage) = Stage::new() else { return };
    let script = format!(
        "
import socket
control = socket.socket(socket.AF_UNIX); control.connect('{}')
control.sendall(b'GET /status HTTP/1.1\\r\\nhost: enforcer\\r\\n\\r\\n')
print(control.recv(4096).split()[1].decode())
",
        stage.daemon.places().socket.display()
    );
    let finished = stage.agent.run("python3", &["-c", &script]);
    let finished = finished.expect("an end");
    assert_eq!(finished.stdout.trim(), "403", "{finished:?}");
    let line = stage.recorded("kernel_refused", |entry| entry["hook"] == "control");
    assert_eq!(line["cause"], "not_an_operator", "{line}");
    let cgroup = fs::metadata(stage.cgroup.path()).map(|about| about.ino());
    assert_eq!(line["cgroup"].as_u64(), cgroup.ok(), "{line}");
    let process = &line["process"];
    assert!(process["pid"].as_u64().is_some_and(|pid| pid > 1), "{line}");
    let comm = process["comm"].as_str().unwrap_or_default();
    assert!(comm.starts_with("python"), "{line}");
}

/// Files below `folder` that contain `needle`.
fn files_with(folder: &Path, needle: &str) -> Vec<String> {
    let mut found = Vec::new();
    for entry in fs::read_dir(folder).expect("a folder").flatten() {
        let path = entry.path();
        if path.is_dir() {
            found.extend(files_with(&path, needle));
            continue;
        }
        let bytes = fs::read(&path).unwrap_or_default();
        if bytes
            .windows(needle.len())
            .any(|window| window == needle.as_bytes())
        {
            found.push(path.display().to_string());
        }
    }
    found
}
