//! Faults of the machine: killed daemons, folders that cannot be written, callers who are not root.

use std::os::unix::process::CommandExt as _;
use std::path::Path;
use std::process::Command;
use std::sync::Arc;
use std::time::Instant;

use enforcer_tests::cgroup;
use enforcer_tests::daemon::{Daemon, Setup};
use enforcer_tests::probe::Connected;
use enforcer_tests::process::{Finished, Process};
use enforcer_tests::sandbox::Sandbox;
use enforcer_tests::turn::Turn;
use nix::sched::{CloneFlags, unshare};
use rustix::mount::{MountPropagationFlags, UnmountFlags, mount_change, unmount};

use crate::stage::{OUTSIDE, PATIENCE, POLICY, Stage, binaries};

const ECHO: &str = "https://api.openai.com/test/echo";
const NOBODY: u32 = 65_534;

#[test]
fn a_killed_daemon_opens_nothing_and_its_successor_serves_again() {
    let Some(stage) = Stage::new() else { return };
    assert_eq!(stage.curl(&[ECHO]).status, 200);
    let Stage {
        agent,
        daemon,
        cgroup,
        upstream,
        sandbox,
        ..
    } = &stage;
    let before = upstream.journal().arrivals().len();
    daemon.strike();
    for place in [format!("{OUTSIDE}:443"), "[2001:db8:9::9]:443".to_owned()] {
        let connected: Connected = agent.probe(&["connect", &place]).expect("a probe");
        assert_eq!(
            connected.error.as_deref(),
            Some("refused"),
            "{place}: {connected:?}"
        );
    }
    let answer = agent.curl(&[ECHO]).expect("curl");
    assert_ne!(answer.exit, 0, "{answer:?}");
    assert_eq!(upstream.journal().arrivals().len(), before);
    assert_eq!(sandbox.world().capture().expect("a capture").packets, []);

    let again = Daemon::start_at(sandbox, daemon.places().clone()).expect("a daemon");
    let attached = again.ledger().wait(PATIENCE, |entry| {
        let place = entry["workload"]["path"].as_str().unwrap_or_default();
        let name = cgroup
            .path()
            .file_name()
            .unwrap_or_default()
            .to_string_lossy();
        entry["event"] == "workload_attached"
            && place.ends_with(&*name)
            && entry["seq"].as_u64() > Some(5)
    });
    attached.expect("the label is found again");
    assert_eq!(agent.curl(&[ECHO]).expect("curl").status, 200);
    let verified = again.audit(&["verify"]).expect("verify");
    assert_eq!(verified.code(), 0, "{verified:?}");
}

#[test]
fn a_stopped_daemon_opens_nothing_either() {
    let Some(stage) = Stage::new() else { return };
    assert_eq!(stage.curl(&[ECHO]).status, 200);
    let Stage {
        agent,
        daemon,
        sandbox,
        cgroup: _cgroup,
        upstream: _upstream,
        ..
    } = stage;
    assert_eq!(daemon.stop().expect("an end").code(), 0);
    let place = format!("{OUTSIDE}:443");
    let connected: Connected = agent.probe(&["connect", &place]).expect("a probe");
    assert_eq!(connected.peer, None, "{connected:?}");
    assert_ne!(connected.error.as_deref(), Some("timeout"), "at once");
    assert_eq!(sandbox.world().capture().expect("a capture").packets, []);
}

#[test]
fn a_stopping_daemon_lets_what_runs_come_to_its_end() {
    let Some(stage) = Stage::new() else { return };
    let url = "https://api.openai.com/test/sse?n=2&gate=stopping";
    let mut command = stage.agent.command("curl");
    let client = stage.agent.start(command.args(["-sN", url])).expect("curl");
    stage.upstream.gates().open("stopping", 1);
    client.line(PATIENCE).expect("the first event");
    stage.daemon.terminate();
    let place = format!("{OUTSIDE}:443");
    let refused = || {
        let connected: Connected = stage.agent.probe(&["connect", &place]).expect("a probe");
        connected.error.is_some()
    };
    let until = Instant::now() + PATIENCE;
    while !refused() {
        assert!(
            Instant::now() < until,
            "a stopping daemon takes no new connections"
        );
    }
    stage.upstream.gates().open("stopping", 1);
    let finished = client.finish(PATIENCE).expect("an end");
    let ledger = stage.ledger().text();
    assert_eq!(finished.code(), 0, "{finished:?} {ledger}");
    assert!(finished.stdout.contains("[DONE]"), "{finished:?}");
    let Stage {
        daemon,
        cgroup: _cgroup,
        sandbox,
        ..
    } = stage;
    assert_eq!(daemon.stop().expect("an end").code(), 0);
    assert_eq!(sandbox.world().capture().expect("a capture").packets, []);
}

#[test]
fn a_daemon_does_not_start_without_what_it_needs() {
    let Some(binaries) = binaries() else { return };
    let _turn = Turn::take().expect("a turn");
    let sandbox = Arc::new(Sandbox::new(binaries).expect("a sandbox"));
    let good = || Setup::with_policy(POLICY);
    let start = |name: &str, setup: Setup, spoil: &dyn Fn(&mut String)| -> Finished {
        let places = setup.write(sandbox.folder(), name).expect("a setup");
        let mut text = std::fs::read_to_string(&places.config).expect("a file");
        spoil(&mut text);
        std::fs::write(&places.config, text).expect("a file");
        let mut command = Command::new(&sandbox.binaries().enforcer);
        command.arg("daemon").arg("--config").arg(&places.config);
        let process = Process::start(&mut command, Some(sandbox.host())).expect("a process");
        process.finish(PATIENCE).expect("an end by itself")
    };
    let told = |finished: Finished, word: &str| {
        assert_ne!(finished.code(), 0, "{finished:?}");
        assert!(
            finished.stderr.contains(word),
            "`{word}` is not in {finished:?}"
        );
    };
    let unwritable = |text: &mut String| {
        *text = text.replace(
            &format!("{}/state", sandbox.folder().join("state").display()),
            "/proc/enforcer",
        );
    };
    told(start("state", good(), &unwritable), "/proc/enforcer");
    let missing = |text: &mut String| *text = text.replace("/policies", "/no-policies");
    told(start("missing", good(), &missing), "no-policies");
    let broken = Setup::with_policy("version: 1\nname: broken\nrules: [{id: x, effect: alow}]\n");
    told(start("broken", broken, &|_| {}), "alow");
    let unknown = |text: &mut String| text.push_str("polcies: /nowhere\n");
    told(start("unknown", good(), &unknown), "polcies");
    let roots = good().believing("no certificate at all");
    told(start("roots", roots, &|_| {}), "upstream-ca.pem");
}

#[test]
fn whoever_is_not_root_is_told_so() {
    let Some(binaries) = binaries() else { return };
    let sandbox = Sandbox::new(binaries).expect("a sandbox");
    // The build's own folder may be closed to others.
    let copy = sandbox.folder().join("enforcer");
    std::fs::copy(&sandbox.binaries().enforcer, &copy).expect("a copy");
    let places = Setup::with_policy(POLICY)
        .write(sandbox.folder(), "nobody")
        .expect("a setup");
    let config = places.config.display().to_string();
    for arguments in [
        ["daemon", "--config", &config].as_slice(),
        &["run", "--", "true"],
    ] {
        let mut command = Command::new(&copy);
        command.args(arguments).uid(NOBODY).gid(NOBODY);
        let process = Process::start(&mut command, Some(sandbox.host())).expect("a process");
        let finished = process.finish(PATIENCE).expect("an end by itself");
        assert_ne!(finished.code(), 0, "{arguments:?}: {finished:?}");
        assert!(
            finished.stderr.contains("root"),
            "{arguments:?}: {finished:?}"
        );
    }
}

#[test]
fn a_full_ledger_denies() {
    let Some(stage) = Stage::new() else { return };
    assert_eq!(stage.curl(&[ECHO]).status, 200);
    let before = stage.arrived().len();
    // From here on every write that would make the file longer fails, as on a full disk.
    let pid = i32::try_from(stage.daemon.id())
        .ok()
        .and_then(rustix::process::Pid::from_raw);
    let limit = rustix::process::Rlimit {
        current: Some(0),
        maximum: Some(0),
    };
    let set = rustix::process::prlimit(pid, rustix::process::Resource::Fsize, limit);
    set.expect("a limit on the daemon's files");
    let answer = stage.curl(&[ECHO]);
    assert_ne!(answer.status, 200, "{answer:?}");
    assert_eq!(stage.arrived().len(), before, "{answer:?}");
}

#[test]
fn without_what_the_kernel_must_have_nothing_runs() {
    let Some(binaries) = binaries() else { return };
    let sandbox = Sandbox::new(binaries).expect("a sandbox");
    let mark = sandbox.folder().join("ran");
    let mut command = Command::new(&sandbox.binaries().enforcer);
    command.args(["run", "--", "touch"]).arg(&mark);
    // As on a machine whose cgroups are all of the old kind.
    let hidden = cgroup::mount().expect("a mount");
    let process = without(&hidden, || {
        Process::start(&mut command, Some(sandbox.host()))
    });
    let finished = process
        .expect("a process")
        .finish(PATIENCE)
        .expect("an end");
    assert_eq!(finished.code(), 125, "{finished:?}");
    assert!(finished.stderr.contains("cgroup"), "{finished:?}");
    assert!(!mark.exists());
}

/// Runs `work` on a thread that sees the machine without what is mounted at `hidden`.
fn without<T: Send>(hidden: &Path, work: impl FnOnce() -> T + Send) -> T {
    std::thread::scope(|scope| {
        let thread = scope.spawn(|| {
            unshare(CloneFlags::CLONE_NEWNS).expect("a namespace of mounts");
            let root = Path::new("/");
            mount_change(
                root,
                MountPropagationFlags::PRIVATE | MountPropagationFlags::REC,
            )
            .expect("mounts of our own");
            unmount(hidden, UnmountFlags::DETACH).expect("one mount less");
            work()
        });
        thread.join().expect("no panic")
    })
}
