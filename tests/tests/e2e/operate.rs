//! What operators do with a running enforcer: the kill switch, observing, looking after the programs, leaving the machine.

use std::fs;
use std::os::unix::net::UnixDatagram;
use std::path::Path;
use std::process::Command;
use std::sync::Arc;
use std::time::{Duration, Instant};

use enforcer_tests::cgroup::Cgroup;
use enforcer_tests::daemon::Daemon;
use enforcer_tests::probe::Connected;
use enforcer_tests::process::Process;
use enforcer_tests::sandbox::Sandbox;
use enforcer_tests::turn::{Runs, Turn};
use serde_json::Value;

use crate::stage::{OUTSIDE, PATIENCE, POLICY, Stage, binaries, setup};

const ECHO: &str = "https://api.openai.com/test/echo";
const PINS: &str = "/sys/fs/bpf/enforcer";
const LOOK_EVERY: Duration = Duration::from_millis(20);

/// What operators call the workload of a cgroup.
fn name(cgroup: &Cgroup) -> String {
    let name = cgroup.path().file_name().expect("a name");
    name.to_string_lossy().into_owned()
}

fn json(text: &str) -> Value {
    serde_json::from_str(text).unwrap_or_else(|error| panic!("{error}: {text}"))
}

fn connect(stage: &Stage) -> Connected {
    let place = format!("{OUTSIDE}:443");
    stage.agent.probe(&["connect", &place]).expect("a probe")
}

/// Refused by the kernel's programs, which is something else than by nobody listening.
fn assert_cut_off(stage: &Stage) {
    let connected = connect(stage);
    assert_eq!(connected.peer, None, "{connected:?}");
    let error = connected.error.expect("an error");
    assert!(
        !["refused", "timeout", "reset"].contains(&&*error),
        "{error}"
    );
}

fn wait_until(what: &str, is_so: impl Fn() -> bool) {
    let until = Instant::now() + PATIENCE;
    while !is_so() {
        assert!(Instant::now() < until, "{what}");
        std::thread::sleep(LOOK_EVERY);
    }
}

#[test]
fn a_quarantine_ends_every_flow_within_a_second_and_outlives_the_daemon() {
    let Some(stage) = Stage::new() else { return };
    assert_eq!(stage.curl(&[ECHO]).status, 200);
    let url = "https://api.openai.com/test/sse?n=2&gate=held";
    let mut command = stage.agent.command("curl");
    let client = stage.agent.start(command.args(["-sN", url])).expect("curl");
    stage.upstream.gates().open("held", 1);
    client.line(PATIENCE).expect("the first event");

    let name = name(&stage.cgroup);
    let begun = Instant::now();
    let done = stage
        .daemon
        .cli(&["quarantine", &name, "--json"])
        .expect("an answer");
    let finished = client.finish(PATIENCE).expect("an end");
    assert!(
        begun.elapsed() < Duration::from_secs(1),
        "{:?}",
        begun.elapsed()
    );
    assert_ne!(finished.code(), 0, "it did not come to its end by itself");
    assert_eq!(done.code(), 0, "{done:?}");
    let view = json(&done.stdout);
    assert_eq!(view["in_force"], true, "{view}");
    assert!(view["flows_ended"].as_u64() >= Some(1), "{view}");
    assert_eq!(view["workloads"][0]["stance"], "quarantine", "{view}");
    assert_cut_off(&stage);
    assert_ne!(stage.curl(&[ECHO]).exit, 0);

    let ordered = stage.recorded("operator_action", |entry| entry["action"] == "quarantine");
    let ended = stage.recorded("exchange_aborted", |entry| entry["cause"] == "quarantined");
    assert!(
        ordered["seq"].as_u64() < ended["seq"].as_u64(),
        "evidence first"
    );
    stage.recorded("kernel_refused", |entry| entry["cause"] == "quarantined");
    let status = stage.daemon.cli(&["status"]).expect("a status").stdout;
    assert!(
        status.contains("IN QUARANTINE") && status.contains("\nquarantine cgroup /"),
        "{status}"
    );

    stage.daemon.strike();
    assert_cut_off(&stage);
    let again = Daemon::start_at(&stage.sandbox, stage.daemon.places().clone()).expect("a daemon");
    let attached = |entry: &Value| {
        let workload = &entry["workload"];
        entry["event"] == "workload_attached" && workload["stance"] == "quarantine"
    };
    again
        .ledger()
        .wait(PATIENCE, attached)
        .expect("it is still in quarantine");
    assert_cut_off(&stage);
    let lifted = again.cli(&["unquarantine", &name]).expect("an answer");
    assert_eq!(lifted.code(), 0, "{lifted:?}");
    assert_eq!(stage.curl(&[ECHO]).status, 200, "{}", again.ledger().text());
    let verified = again.audit(&["verify"]).expect("verify");
    assert_eq!(verified.code(), 0, "{verified:?}");
}

#[test]
fn a_lost_order_lifts_no_quarantine() {
    let Some(stage) = Stage::new() else { return };
    let path = stage.cgroup.path().display().to_string();
    let done = stage.daemon.cli(&["quarantine", &path]).expect("an answer");
    assert_eq!(done.code(), 0, "{done:?}");
    stage.daemon.strike();
    let orders = stage.daemon.places().state.join("quarantine.json");
    fs::remove_file(&orders).expect("the orders are written down");
    let again = Daemon::start_at(&stage.sandbox, stage.daemon.places().clone()).expect("a daemon");
    assert_cut_off(&stage);
    assert!(orders.exists(), "the kernel still knew");
    drop(again);
    fs::write(&orders, "nonsense").expect("a file");
    let refused = Daemon::start_at(&stage.sandbox, stage.daemon.places().clone());
    let said = refused
        .err()
        .map(|error| error.to_string())
        .unwrap_or_default();
    assert!(said.contains("quarantine.json"), "{said}");
}

#[test]
fn everybody_may_be_quarantined_and_nobody_is_said() {
    let Some(stage) = Stage::new() else { return };
    let cli = |arguments: &[&str]| stage.daemon.cli(arguments).expect("an answer");
    let unknown = cli(&["quarantine", "nobody-is-called-so"]);
    assert_eq!(unknown.code(), 1, "{unknown:?}");
    assert!(unknown.stderr.contains("enforcer status"), "{unknown:?}");
    assert_eq!(cli(&["quarantine", "--lift", "--all"]).code(), 1);
    assert_eq!(cli(&["quarantine"]).code(), 2, "somebody must be named");
    assert_eq!(cli(&["quarantine", "--policy", "other"]).code(), 0);
    assert_eq!(stage.curl(&[ECHO]).status, 200, "its label names no policy");
    assert_eq!(cli(&["quarantine", "--all"]).code(), 0);
    assert_cut_off(&stage);
    let fresh = stage.sandbox.cgroup().expect("a cgroup");
    stage.daemon.label(&fresh).expect("a label");
    let later = stage.daemon.agent(&fresh).expect("an agent");
    assert_ne!(
        later.curl(&[ECHO]).expect("curl").exit,
        0,
        "who comes later is meant too"
    );
    assert_eq!(cli(&["quarantine", "--lift", "--all"]).code(), 0);
    assert_eq!(stage.curl(&[ECHO]).status, 200);
}

#[test]
fn an_observed_workload_is_blocked_in_nothing_and_recorded_in_all() {
    let Some(stage) = Stage::new() else { return };
    let path = stage.cgroup.path().display().to_string();
    let denied = "https://good.allowed.example/never/this";
    assert_eq!(stage.curl(&[denied]).status, 403);
    let labelled = stage
        .daemon
        .cli(&["label", "--observe", &path])
        .expect("an answer");
    assert_eq!(labelled.code(), 0, "{labelled:?}");
    assert!(labelled.stdout.contains("OBSERVED"), "{labelled:?}");
    stage.recorded("danger", |entry| {
        entry["what"]
            .as_str()
            .is_some_and(|what| what.contains("observed"))
    });

    assert_ne!(stage.curl(&[denied]).status, 403);
    assert!(
        stage
            .arrived()
            .iter()
            .any(|line| line.ends_with("/never/this"))
    );
    let observed = stage.recorded("exchange_observed", |entry| entry["path"] == "/never/this");
    assert_eq!(
        (&observed["would"], &observed["rule"]),
        (&"deny".into(), &"test/never-this".into())
    );
    assert_eq!(observed["workload"]["stance"], "observe");

    // Datagrams, and TCP to an address that no rule names.
    let mut command = stage.agent.command("bash");
    let send = format!("exec 3<>/dev/udp/{OUTSIDE}/4444 && echo x >&3");
    let sent = stage
        .agent
        .start(command.args(["-c", &send]))
        .expect("bash");
    assert_eq!(sent.finish(PATIENCE).expect("an end").code(), 0);
    stage.recorded("kernel_observed", |entry| {
        entry["protocol"] == "udp" && entry["would"] == "deny"
    });
    wait_until("the datagram leaves", || !stage.leaked().is_empty());
    let status = stage.daemon.cli(&["status"]).expect("a status").stdout;
    assert!(
        status.contains("OBSERVED") && status.contains("\ndanger "),
        "{status}"
    );

    // As it was, once the label says so.
    stage.daemon.label(&stage.cgroup).expect("a label");
    assert_eq!(stage.curl(&[denied]).status, 403);
    let mut command = stage.agent.command("bash");
    let sent = stage
        .agent
        .start(command.args(["-c", &send]))
        .expect("bash");
    assert_ne!(sent.finish(PATIENCE).expect("an end").code(), 0);
}

#[test]
fn an_observed_program_that_distrusts_us_gets_the_real_certificate_the_next_time() {
    let Some(stage) = Stage::new() else { return };
    let path = stage.cgroup.path().display().to_string();
    let labelled = stage
        .daemon
        .cli(&["label", "--observe", &path])
        .expect("an answer");
    assert_eq!(labelled.code(), 0, "{labelled:?}");
    let ca = stage
        .sandbox
        .write("real-ca.pem", stage.upstream.ca_pem())
        .expect("a file");
    let ca = ca.display().to_string();
    let url = "https://good.allowed.example/test/echo";
    // Curl believes the upstream's own authority here and not ours, as programs do that pin it.
    assert_eq!(stage.curl(&["--cacert", &ca, url]).exit, 60);
    stage.recorded("flow_aborted", |entry| entry["cause"] == "ca_not_trusted");
    assert_eq!(stage.curl(&["--cacert", &ca, url]).status, 200);
    let unopened = stage.recorded("exchange_observed", |entry| entry["protocol"] == "tls");
    assert_eq!(unopened["host"], "good.allowed.example");
}

#[test]
fn the_watchdog_puts_back_what_was_taken_off_and_says_so() {
    let Some(stage) = Stage::new() else { return };
    let id =
        fs::metadata(stage.cgroup.path()).map(|about| std::os::unix::fs::MetadataExt::ino(&about));
    let links = Path::new(PINS)
        .join("daemon/links")
        .join(id.expect("an id").to_string());
    for hook in ["egress", "connect4"] {
        fs::remove_file(links.join(hook)).expect("a pin");
    }
    for hook in ["egress", "connect4"] {
        let fault = stage.recorded("hook_fault", |entry| entry["hook"] == hook);
        assert_eq!(
            (&fault["cause"], &fault["outcome"]),
            (&"missing".into(), &"mended".into())
        );
        assert!(links.join(hook).exists());
    }
    assert_eq!(stage.curl(&[ECHO]).status, 200);
    let status = json(
        &stage
            .daemon
            .cli(&["status", "--json"])
            .expect("a status")
            .stdout,
    );
    assert_eq!(status["watchdog"]["mended"], 2, "{status}");
    assert_eq!(
        status["watchdog"]["problems"],
        Value::Array(Vec::new()),
        "{status}"
    );
}

#[test]
fn a_plain_request_by_name_is_no_refusal_to_the_kernel() {
    let Some(stage) = Stage::new() else { return };
    assert_eq!(stage.curl(&[ECHO]).status, 200);
    stage.recorded("exchange_closed", |_| true);
    // Whatever the kernel told before the next thing it tells is there by then.
    assert_ne!(stage.curl(&["http://203.0.113.9:4444/"]).exit, -1);
    let mut command = stage.agent.command("bash");
    let send = format!("exec 3<>/dev/udp/{OUTSIDE}/4444 && echo x >&3");
    let sent = stage
        .agent
        .start(command.args(["-c", &send]))
        .expect("bash");
    assert_ne!(sent.finish(PATIENCE).expect("an end").code(), 0);
    stage.recorded("kernel_refused", |entry| {
        entry["dst"] == format!("{OUTSIDE}:4444")
    });
    let told = stage.ledger().of("kernel_refused");
    assert_eq!(told.len(), 1, "{told:?}");
}

#[test]
fn the_doctor_finds_everything_to_fire_and_says_what_does_not() {
    let Some(stage) = Stage::new() else { return };
    let well = stage.daemon.cli(&["doctor", "--json"]).expect("an answer");
    let report = json(&well.stdout);
    let findings = report["findings"].as_array().expect("findings").clone();
    let hooks: Vec<&Value> = findings
        .iter()
        .filter(|one| one["part"] == "hooks")
        .collect();
    assert!(hooks.len() >= 14, "{report}");
    for hook in hooks {
        assert_eq!(hook["state"], "covered", "{hook}");
    }
    let open: Vec<&Value> = findings
        .iter()
        .filter(|one| one["state"] == "open")
        .collect();
    assert_eq!(open, Vec::<&Value>::new());
    let is_unknown = findings.iter().any(|one| one["state"] == "unknown");
    assert_eq!(well.code(), if is_unknown { 2 } else { 0 }, "{report}");

    let path = stage.cgroup.path().display().to_string();
    stage
        .daemon
        .cli(&["label", "--observe", &path])
        .expect("an answer");
    let ill = stage.daemon.cli(&["doctor"]).expect("an answer");
    assert_eq!(ill.code(), 1, "{ill:?}");
    assert!(ill.stdout.contains("only observed"), "{ill:?}");
}

/// Every mark of ours on a cgroup.
fn marks(path: &Path) -> Vec<String> {
    let mut names = vec![0_u8; 4096];
    let length = rustix::fs::listxattr(path, names.as_mut_slice()).unwrap_or(0);
    let names = String::from_utf8_lossy(&names[..length]).into_owned();
    let ours = names
        .split('\0')
        .filter(|name| name.starts_with("trusted.enforcer"));
    ours.map(str::to_owned).collect()
}

#[test]
fn uninstalling_leaves_nothing_but_evidence() {
    let _alone = Runs::alone().expect("no commands run");
    let Some(stage) = Stage::new() else { return };
    assert_eq!(stage.curl(&[ECHO]).status, 200);
    assert!(!marks(stage.cgroup.path()).is_empty());
    let refused = stage.daemon.cli(&["uninstall"]).expect("an answer");
    assert_ne!(refused.code(), 0);
    assert!(refused.stderr.contains("--stop"), "{refused:?}");
    assert_eq!(stage.curl(&[ECHO]).status, 200, "nothing was touched");

    let done = stage
        .daemon
        .cli(&["uninstall", "--stop", "--json"])
        .expect("an answer");
    assert_eq!(done.code(), 0, "{done:?}");
    let report = json(&done.stdout);
    assert!(!Path::new(PINS).join("daemon").exists());
    assert_eq!(marks(stage.cgroup.path()), Vec::<String>::new());
    let places = stage.daemon.places();
    assert!(!places.socket.exists());
    // The agent is free: its packets leave.
    assert_eq!(stage.leaked(), []);
    let _ = connect(&stage);
    wait_until("the agent is free", || !stage.leaked().is_empty());

    assert!(places.ledger.exists() && places.ca.exists(), "{report}");
    let ledger = stage.ledger();
    let said = ledger.of("operator_action");
    assert!(
        said.iter().any(|entry| entry["action"] == "uninstall"),
        "{said:?}"
    );
    let verified = stage.daemon.audit(&["verify"]).expect("verify");
    assert_eq!(verified.code(), 0, "{verified:?}");
    let again = stage.daemon.cli(&["uninstall"]).expect("an answer");
    assert_eq!(again.code(), 0, "{again:?}");
    // What other policies would have had it keep.
    fs::create_dir_all(places.state.join("recordings")).expect("a folder");
    for name in ["budgets.db", "budgets.db-wal"] {
        fs::write(places.state.join(name), "").expect("a file");
    }
    let purged = stage
        .daemon
        .cli(&["uninstall", "--purge"])
        .expect("an answer");
    assert_eq!(purged.code(), 0, "{purged:?}");
    assert!(!places.state.exists(), "{purged:?}");
    assert!(places.config.exists() && places.policies.exists());
}

#[test]
fn the_service_manager_is_told_that_the_daemon_lives() {
    let Some(binaries) = binaries() else { return };
    let _turn = Turn::take().expect("a turn");
    let sandbox = Arc::new(Sandbox::new(binaries).expect("a sandbox"));
    let upstream = sandbox.upstream().expect("an upstream");
    let places = setup(POLICY, &upstream)
        .write(sandbox.folder(), "notified")
        .expect("a setup");
    let path = sandbox.folder().join("notify");
    let manager = UnixDatagram::bind(&path).expect("a socket");
    manager.set_read_timeout(Some(PATIENCE)).expect("a limit");
    let mut command = Command::new(&sandbox.binaries().enforcer);
    command.arg("daemon").arg("--config").arg(&places.config);
    command.env("NOTIFY_SOCKET", &path);
    let daemon = Process::start(&mut command, Some(sandbox.host())).expect("a daemon");
    let heard = |what: &str| {
        let mut buffer = [0; 512];
        for _ in 0..100 {
            let length = manager.recv(&mut buffer).expect("a message");
            if String::from_utf8_lossy(&buffer[..length]).contains(what) {
                return;
            }
        }
        panic!("`{what}` was not said");
    };
    for what in ["READY=1", "WATCHDOG=1", "WATCHDOG=1"] {
        heard(what);
    }
    daemon.signal(rustix::process::Signal::TERM);
    heard("STOPPING=1");
    assert_eq!(daemon.finish(PATIENCE).expect("an end").code(), 0);
}
