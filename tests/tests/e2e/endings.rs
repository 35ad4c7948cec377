//! What is open ends when what let it through does: with a new label, without one, and for what was there before any.

use enforcer_tests::cgroup::Cgroup;
use enforcer_tests::process::Process;
use serde_json::Value;

use crate::stage::{OUTSIDE, PATIENCE, Stage};

/// Opens a connection over which one request was answered, another that became a WebSocket; then waits for their ends.
const HOLD: &str = "
import socket
def connect():
    held = socket.create_connection(('plain.allowed.example', 80)); held.settimeout(20); return held
kept, stream = connect(), connect()
kept.sendall(b'GET /test/echo HTTP/1.1\\r\\nHost: plain.allowed.example\\r\\n\\r\\n')
stream.sendall(b'GET /test/websocket HTTP/1.1\\r\\nHost: plain.allowed.example\\r\\nConnection: Upgrade\\r\\n'
    b'Upgrade: websocket\\r\\nSec-WebSocket-Version: 13\\r\\nSec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\\r\\n\\r\\n')
print(kept.recv(65536)[9:12].decode(), stream.recv(65536)[9:12].decode(), flush=True)
for one in (kept, stream):
    try: print('ended', len(one.recv(1)), flush=True)
    except OSError as error: print('error', error.errno, flush=True)
";

fn hold(stage: &Stage) -> Process {
    let mut command = stage.agent.command("python3");
    let process = stage
        .agent
        .start(command.args(["-c", HOLD]))
        .expect("an agent");
    assert_eq!(process.line(PATIENCE).expect("two answers"), "200 101");
    process
}

/// Both connections were reset, and the ledger says that we did it and why.
fn check(stage: &Stage, process: Process, cause: &str) {
    for _ in 0..2 {
        assert_eq!(process.line(PATIENCE).expect("an end"), "error 104");
    }
    assert_eq!(process.finish(PATIENCE).expect("an end").code(), 0);
    let by_us = |entry: &Value| entry["side"] == "own" && entry["cause"] == cause;
    stage.recorded("exchange_aborted", by_us);
    stage.recorded("flow_aborted", by_us);
    let endings = stage.ledger().of("flow_aborted");
    assert_eq!(endings.iter().filter(|entry| by_us(entry)).count(), 2);
}

#[test]
fn a_new_label_ends_what_the_old_one_let_through() {
    let Some(stage) = Stage::new() else { return };
    let process = hold(&stage);
    let path = stage.cgroup.path().display().to_string();
    let labelled = stage.daemon.cli(&["label", &path, "--policy", "other"]);
    assert_eq!(labelled.expect("a label").code(), 0);
    check(&stage, process, "relabelled");
}

#[test]
fn without_a_label_nothing_that_it_let_through_goes_on() {
    let Some(stage) = Stage::new() else { return };
    let process = hold(&stage);
    let path = stage.cgroup.path().display().to_string();
    let unlabelled = stage.daemon.cli(&["unlabel", &path]);
    assert_eq!(unlabelled.expect("no label").code(), 0);
    check(&stage, process, "released");
}

#[test]
fn connections_from_before_the_label_are_ended_and_recorded() {
    let Some(stage) = Stage::new() else { return };
    let cgroup = stage.sandbox.cgroup().expect("a cgroup");
    let agent = stage.daemon.agent(&cgroup).expect("an agent");
    let script = format!(
        "
import socket
tcp = socket.create_connection(('{OUTSIDE}', 4444)); udp = socket.socket(socket.AF_INET, socket.SOCK_DGRAM); udp.connect(('{OUTSIDE}', 4444))
print('ready', flush=True)
for one in (tcp, udp):
    one.settimeout(20)
    try: print('ended', len(one.recv(1)), flush=True)
    except OSError as error: print('error', error.errno, flush=True)
"
    );
    let mut command = agent.command("python3");
    let process = agent
        .start(command.args(["-c", &script]))
        .expect("a process");
    assert_eq!(process.line(PATIENCE).expect("a line"), "ready");
    stage.daemon.label(&cgroup).expect("a label");
    for _ in 0..2 {
        assert_eq!(process.line(PATIENCE).expect("an end"), "error 103");
    }
    for protocol in ["tcp", "udp"] {
        let entry = stage.recorded("kernel_refused", |entry| {
            entry["hook"] == "sock_destroy" && entry["protocol"] == protocol
        });
        assert_eq!(entry["cause"], "from_before");
        assert!(
            entry.to_string().contains(&format!("{OUTSIDE}:4444")),
            "{entry}"
        );
    }
    assert_eq!(process.finish(PATIENCE).expect("an end").code(), 0);
}

#[test]
fn connections_of_a_workload_that_is_only_observed_go_on() {
    use std::io::Write as _;

    let Some(stage) = Stage::new() else { return };
    let cgroup = stage.sandbox.cgroup().expect("a cgroup");
    let agent = stage.daemon.agent(&cgroup).expect("an agent");
    let script = format!(
        "
import socket
udp = socket.socket(socket.AF_INET, socket.SOCK_DGRAM); udp.connect(('{OUTSIDE}', 4444))
print('ready', flush=True); input()
print(udp.send(b'x'), flush=True)
"
    );
    let mut command = agent.command("python3");
    command
        .args(["-c", &script])
        .stdin(std::process::Stdio::piped());
    let mut process = agent.start(&mut command).expect("a process");
    assert_eq!(process.line(PATIENCE).expect("a line"), "ready");
    let path = cgroup.path().display().to_string();
    let labelled = stage.daemon.cli(&["label", &path, "--observe"]);
    assert_eq!(labelled.expect("a label").code(), 0);
    let is_it = |entry: &Value| entry["hook"] == "sock_destroy";
    let entry = stage.recorded("kernel_observed", is_it);
    assert_eq!(entry["cause"], "from_before");
    let mut stdin = process.stdin().expect("a pipe");
    stdin.write_all(b"go\n").expect("a write");
    assert_eq!(process.line(PATIENCE).expect("an answer"), "1");
    assert!(!stage.ledger().of("kernel_refused").iter().any(is_it));
}

/// The daemon looks for labels every second. What is labelled while it looks had none a moment ago.
#[test]
fn a_label_holds_from_the_moment_it_is_set() {
    let Some(stage) = Stage::new() else { return };
    let cgroups: Vec<Cgroup> = (0..80)
        .map(|number| Cgroup::new(&format!("held-{number}")).expect("a cgroup"))
        .collect();
    for cgroup in &cgroups {
        stage.daemon.label(cgroup).expect("a label");
    }
    assert_eq!(
        stage.ledger().of("workload_detached"),
        Vec::<serde_json::Value>::new()
    );
}
