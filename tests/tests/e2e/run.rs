//! `enforcer run`: one command, an enforcer of its own, and nothing left afterwards.

use std::io::Write as _;
use std::path::PathBuf;
use std::process::{Command, Stdio};
use std::sync::Arc;

use enforcer_tests::cgroup;
use enforcer_tests::daemon::Places;
use enforcer_tests::ledger::LedgerProbe;
use enforcer_tests::process::{Finished, Process};
use enforcer_tests::sandbox::Sandbox;
use enforcer_tests::turn::Runs;
use enforcer_tests::upstream::Upstream;
use rustix::process::Signal;

use crate::stage::{OUTSIDE, PATIENCE, POLICY, Stage, binaries, setup};

pub(crate) const ECHO: &str = "https://api.openai.com/test/echo";

/// A machine without a daemon.
pub(crate) struct Bare {
    pub(crate) places: Places,
    policy: PathBuf,
    upstream: Upstream,
    pub(crate) sandbox: Arc<Sandbox>,
    _runs: Runs,
}

impl Bare {
    pub(crate) fn new() -> Option<Self> {
        let sandbox = Arc::new(Sandbox::new(binaries()?).expect("a sandbox"));
        let upstream = sandbox.upstream().expect("an upstream");
        let setup = setup(POLICY, &upstream);
        let places = setup.write(sandbox.folder(), "run").expect("a setup");
        let policy = places.policies.join("test.yaml");
        Some(Self {
            places,
            policy,
            upstream,
            sandbox,
            _runs: Runs::share().expect("nobody uninstalls"),
        })
    }

    fn command(&self, arguments: &[&str]) -> Command {
        self.command_with(&[], arguments)
    }

    pub(crate) fn command_with(&self, options: &[&str], arguments: &[&str]) -> Command {
        let mut command = Command::new(&self.sandbox.binaries().enforcer);
        command.arg("run").arg("--config").arg(&self.places.config);
        command.arg("--policy").arg(&self.policy);
        command.args(options).arg("--").args(arguments);
        command
    }

    fn start(&self, command: &mut Command) -> Process {
        Process::start(command, Some(self.sandbox.host())).expect("a process")
    }

    pub(crate) fn run(&self, arguments: &[&str]) -> Finished {
        self.run_with(&[], arguments)
    }

    pub(crate) fn run_with(&self, options: &[&str], arguments: &[&str]) -> Finished {
        let process = self.start(&mut self.command_with(options, arguments));
        process.finish(PATIENCE).expect("an end")
    }
}

#[test]
fn an_unconfigured_curl_is_answered_through_the_pipeline() {
    let Some(bare) = Bare::new() else { return };
    let finished = bare.run(&["curl", "-sS", "--max-time", "15", ECHO]);
    assert!(
        finished.stdout.contains(r#""path":"/test/echo""#),
        "{finished:?}"
    );
    assert_eq!(bare.upstream.journal().at("/test/echo").len(), 1);
    let finished = bare.run(&[
        "curl",
        "-sS",
        "--max-time",
        "15",
        "https://api.openai.com/v1/files",
    ]);
    assert!(finished.stdout.contains("enforcer_denied"), "{finished:?}");
    assert_eq!(bare.upstream.journal().arrivals().len(), 1);
    assert_eq!(
        bare.sandbox.world().capture().expect("a capture").packets,
        []
    );
}

#[test]
fn other_languages_believe_us_without_being_told() {
    let Some(bare) = Bare::new() else { return };
    let python = "import urllib.request; print(urllib.request.urlopen('https://api.openai.com/test/echo').status)";
    let finished = bare.run(&["python3", "-c", python]);
    assert_eq!(finished.stdout.trim(), "200", "{finished:?}");
    if Command::new("node").arg("--version").output().is_ok() {
        let script = "fetch('https://api.openai.com/test/echo').then(r => console.log(r.status))";
        let finished = bare.run(&["node", "-e", script]);
        assert_eq!(finished.stdout.trim(), "200", "{finished:?}");
    }
}

#[test]
fn the_exit_code_is_the_commands() {
    let Some(bare) = Bare::new() else { return };
    assert_eq!(bare.run(&["true"]).code(), 0);
    assert_eq!(bare.run(&["sh", "-c", "exit 7"]).code(), 7);
    assert_eq!(bare.run(&["sh", "-c", "kill -9 $$"]).code(), 137);
    assert_eq!(bare.run(&["/no/such/program"]).code(), 127);
    assert_eq!(bare.run(&["/etc/passwd"]).code(), 126);
}

#[test]
fn what_cannot_be_begun_is_125_and_runs_nothing() {
    let Some(bare) = Bare::new() else { return };
    let mark = bare.sandbox.folder().join("ran");
    std::fs::write(&bare.policy, "version: 1\nname: x\nrules: nonsense\n").expect("a policy");
    let finished = bare.run(&["touch", &mark.display().to_string()]);
    assert_eq!(finished.code(), 125, "{finished:?}");
    assert!(finished.stderr.contains("test.yaml"), "{finished:?}");
    assert!(!mark.exists());
}

#[test]
fn signals_reach_the_command() {
    let Some(bare) = Bare::new() else { return };
    let script = "trap 'echo heard; exit 3' TERM; echo ready; while :; do sleep 0.05; done";
    let process = bare.start(&mut bare.command(&["sh", "-c", script]));
    assert_eq!(process.line(PATIENCE).expect("a line"), "ready");
    process.signal(Signal::TERM);
    assert_eq!(process.line(PATIENCE).expect("a line"), "heard");
    assert_eq!(process.finish(PATIENCE).expect("an end").code(), 3);
}

#[test]
fn standard_streams_are_the_commands() {
    use std::io::Write as _;

    let Some(bare) = Bare::new() else { return };
    let mut command = bare.command(&["cat"]);
    let mut process = bare.start(command.stdin(Stdio::piped()));
    let mut stdin = process.stdin().expect("a pipe");
    stdin.write_all(b"through\n").expect("a write");
    drop(stdin);
    let finished = process.finish(PATIENCE).expect("an end");
    assert_eq!(finished.stdout, "through\n");
}

#[test]
fn the_summary_is_one_line_and_says_where_the_evidence_is() {
    let Some(bare) = Bare::new() else { return };
    let urls = [ECHO, "https://api.openai.com/v1/files"];
    let finished = bare.run(&[
        "curl",
        "-s",
        "-o",
        "/dev/null",
        urls[0],
        "-o",
        "/dev/null",
        urls[1],
    ]);
    let ours = finished
        .stderr
        .lines()
        .filter(|line| line.starts_with("enforcer: "));
    let lines: Vec<&str> = ours.collect();
    assert_eq!(lines.len(), 1, "{finished:?}");
    assert!(
        lines[0].starts_with("enforcer: 1 granted, 1 denied"),
        "{lines:?}"
    );
    let ledger = lines[0].split_whitespace().last().expect("a word");
    let text = std::fs::read_to_string(ledger).expect("the ledger");
    assert!(text.contains("exchange_granted") && text.contains("exchange_denied"));
}

#[test]
fn nothing_else_is_reached_from_inside() {
    let Some(bare) = Bare::new() else { return };
    let probe = bare.sandbox.binaries().probe.display().to_string();
    for place in [format!("{OUTSIDE}:4444"), "[2001:db8:9::9]:4444".to_owned()] {
        bare.run(&[&probe, "escape", &place, "--patience-ms", "1500"]);
    }
    assert_eq!(
        bare.sandbox.world().capture().expect("a capture").packets,
        []
    );
    assert_eq!(bare.upstream.journal().connections(), []);
}

#[test]
fn what_the_command_leaves_running_is_ended_and_nothing_stays() {
    let Some(bare) = Bare::new() else { return };
    let before = leftovers();
    let script = "sleep 300 >/dev/null 2>&1 & echo $!; cat /proc/self/cgroup";
    let finished = bare.run(&["sh", "-c", script]);
    let mut lines = finished.stdout.lines();
    let pid = lines.next().expect("a line").to_owned();
    let own = lines.find_map(|line| line.strip_prefix("0::"));
    let own = own.expect("a cgroup").trim_start_matches('/').to_owned();
    assert!(is_dead(&pid), "{finished:?}");
    let path = cgroup::mount().expect("a mount").join(&own);
    assert!(!path.exists(), "{}", path.display());
    let name = own.rsplit('/').next().expect("a name");
    let after: Vec<String> = leftovers()
        .into_iter()
        .filter(|left| !before.contains(left))
        .collect();
    assert!(!after.iter().any(|left| left.contains(name)), "{after:?}");
}

#[test]
fn a_killed_enforcer_leaves_its_command_without_a_way_out() {
    use std::io::Write as _;

    let Some(bare) = Bare::new() else { return };
    let probe = bare.sandbox.binaries().probe.display().to_string();
    let script = format!(
        "echo ready; read go; {probe} connect {OUTSIDE}:443; {probe} connect {OUTSIDE}:4444"
    );
    let mut command = bare.command(&["sh", "-c", &script]);
    let mut process = bare.start(command.stdin(Stdio::piped()));
    assert_eq!(process.line(PATIENCE).expect("a line"), "ready");
    process.signal(Signal::KILL);
    process.await_end();
    // Either it died with its enforcer, or nothing answers it.
    let _ = process.stdin().map(|mut stdin| stdin.write_all(b"go\n"));
    while let Ok(line) = process.line(PATIENCE) {
        assert!(line.contains("\"peer\":null"), "{line}");
    }
    assert_eq!(
        bare.sandbox.world().capture().expect("a capture").packets,
        []
    );
    assert_eq!(bare.upstream.journal().connections(), []);
}

#[test]
fn many_at_once_do_not_disturb_each_other() {
    let Some(bare) = Bare::new() else { return };
    let running: Vec<Process> = (0..8)
        .map(|number| {
            let url = format!("{ECHO}?number={number}");
            bare.start(&mut bare.command(&["curl", "-sS", "--max-time", "50", &url]))
        })
        .collect();
    let mut ledgers = Vec::new();
    for (number, process) in running.into_iter().enumerate() {
        let finished = process.finish(PATIENCE * 3).expect("an end");
        let expected = format!(r#""query":"number={number}""#);
        assert!(finished.stdout.contains(&expected), "{finished:?}");
        let ledger = finished.stderr.split_whitespace().last().expect("a word");
        ledgers.push(ledger.to_owned());
    }
    ledgers.sort();
    ledgers.dedup();
    assert_eq!(ledgers.len(), 8, "each has a ledger of its own");
    assert_eq!(bare.upstream.journal().arrivals().len(), 8);
}

#[test]
fn every_flow_has_ended_when_the_enforcer_has() {
    let Some(bare) = Bare::new() else { return };
    let program = format!(
        "import socket\nheld = []\nfor i in range(400):\n  \
         s = socket.create_connection(('{OUTSIDE}', 443))\n  held.append(s) if i % 2 else s.close()\n"
    );
    // Two hundred connections are still open when the command ends, and the enforcer right after it.
    let finished = bare.run(&["python3", "-c", &program]);
    assert_eq!(finished.code(), 0, "{finished:?}");
    let ledger = finished.stderr.split_whitespace().last().expect("a word");
    let ledger = LedgerProbe::new(ledger);
    let flows = |events: &[&str]| -> Vec<String> {
        let all = events.iter().flat_map(|event| ledger.of(event));
        all.filter_map(|entry| entry["flow"].as_str().map(str::to_owned))
            .collect()
    };
    let ended = flows(&["flow_aborted", "flow_closed", "flow_refused"]);
    let mut open = flows(&["flow_opened"]);
    open.retain(|flow| !ended.contains(flow));
    assert_eq!(open, Vec::<String>::new());
    assert!(ended.len() >= 200, "{} flows ended", ended.len());
}

#[test]
fn what_was_not_written_is_counted_when_the_enforcer_ends() {
    let Some(bare) = Bare::new() else { return };
    let program = "import socket\ns = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)\n\
        for _ in range(2000):\n  try: s.sendto(b'x', ('203.0.113.9', 4444))\n  except OSError: pass\n";
    let finished = bare.run(&["python3", "-c", program]);
    assert_eq!(finished.code(), 0, "{finished:?}");
    let ledger = finished.stderr.split_whitespace().last().expect("a word");
    let ledger = LedgerProbe::new(ledger);
    let written = ledger.of("kernel_refused").len() as u64;
    let suppressed = ledger.of("suppressed");
    let hidden: u64 = suppressed
        .iter()
        .filter_map(|entry| entry["count"].as_u64())
        .sum();
    assert!(
        written + hidden >= 2000,
        "{written} written, {hidden} counted"
    );
}

#[test]
fn beside_a_daemon_both_work() {
    let Some(stage) = Stage::new() else { return };
    let mut command = Command::new(&stage.sandbox.binaries().enforcer);
    command
        .arg("run")
        .arg("--config")
        .arg(&stage.daemon.places().config);
    command.arg("--policy").arg(&stage.daemon.places().policies);
    command.args(["--", "curl", "-sS", "--max-time", "15", ECHO]);
    let process = Process::start(&mut command, Some(stage.sandbox.host())).expect("a process");
    let finished = process.finish(PATIENCE).expect("an end");
    assert!(
        finished.stdout.contains(r#""path":"/test/echo""#),
        "{finished:?}"
    );
    assert_eq!(stage.curl(&[ECHO]).status, 200);
    assert_eq!(stage.arrived().len(), 2);
    // The command's evidence is in a ledger of its own.
    assert_eq!(stage.ledger().of("exchange_granted").len(), 1);
}

#[test]
fn a_command_is_put_in_quarantine_like_any_workload() {
    let Some(bare) = Bare::new() else { return };
    let program = format!(
        "import sys, urllib.request as u\n\
         def ask():\n  \
         try: print(u.urlopen('{ECHO}', timeout=5).status, flush=True)\n  \
         except Exception as e: print('cut off', flush=True)\n\
         print(next(l for l in open('/proc/self/cgroup') if l.startswith('0::')).strip()[3:], flush=True)\n\
         for line in sys.stdin: ask()\n"
    );
    let mut command = bare.command(&["python3", "-c", &program]);
    command.stdin(Stdio::piped());
    let mut process = bare.start(&mut command);
    let mut stdin = process.stdin().expect("its standard input");
    let cgroup = process.line(PATIENCE).expect("its cgroup");
    let mut ask = || {
        writeln!(stdin, "go").expect("a reader");
        process.line(PATIENCE).expect("an answer")
    };
    assert_eq!(ask(), "200");
    let order = |verb: &str| {
        let mut order = Command::new(&bare.sandbox.binaries().enforcer);
        let cgroup = cgroup::mount().expect("cgroup2").join(&cgroup[1..]);
        order
            .arg(verb)
            .arg("--config")
            .arg(&bare.places.config)
            .arg(cgroup);
        Process::start(&mut order, Some(bare.sandbox.host()))
            .expect("a process")
            .finish(PATIENCE)
            .expect("an end")
    };
    // No daemon is there to honour it, and the enforcer of the command does.
    let ordered = order("quarantine");
    assert_eq!(ordered.code(), 4, "{ordered:?}");
    let until = std::time::Instant::now() + PATIENCE;
    while ask() != "cut off" {
        assert!(std::time::Instant::now() < until, "it goes on");
    }
    order("unquarantine");
    let until = std::time::Instant::now() + PATIENCE;
    while ask() != "200" {
        assert!(std::time::Instant::now() < until, "it stays cut off");
    }
    drop(stdin);
    process.finish(PATIENCE).expect("an end");
}

#[test]
fn without_a_policy_the_shipped_one_is_in_force() {
    let Some(bare) = Bare::new() else { return };
    let run = |url: &str| {
        let mut command = Command::new(&bare.sandbox.binaries().enforcer);
        command.arg("run").arg("--config").arg(&bare.places.config);
        command.args(["--", "curl", "-sS", "-H", "authorization: Bearer x", url]);
        bare.start(&mut command).finish(PATIENCE).expect("an end")
    };
    let models = run("https://api.openai.com/v1/models");
    assert!(models.stdout.contains("gpt-5"), "{models:?}");
    let files = run("https://api.openai.com/v1/files");
    assert!(files.stdout.contains("enforcer_denied"), "{files:?}");
}

/// Gone, or waiting for whoever adopted it to notice.
fn is_dead(pid: &str) -> bool {
    let stat = std::fs::read_to_string(format!("/proc/{pid}/stat"));
    stat.map_or(true, |stat| stat.contains(") Z ") || stat.contains(") X "))
}

/// What enforcers leave in the kernel's file systems while they run.
fn leftovers() -> Vec<String> {
    let names = |folder: &str| -> Vec<String> {
        let entries = std::fs::read_dir(folder).into_iter().flatten().flatten();
        entries
            .map(|entry| entry.path().display().to_string())
            .collect()
    };
    names("/sys/fs/bpf/enforcer")
}
