//! Containers come and go, and nothing of them stays behind: no descriptor, thread, mount, link, map entry or line in the
//! status.

#![expect(
    clippy::unwrap_used,
    reason = "a test's own hands may fail like a test"
)]

use std::fs;
use std::path::Path;
use std::process::Command;

use enforcer_tests::docker::{BUSYBOX, Docker};
use serde_json::Value;

use crate::containers::{engine, stage};
use crate::stage::Stage;

/// Where the daemon pins what it attaches.
const PINS: &str = "/sys/fs/bpf/enforcer/daemon";

/// What the daemon holds, as the system counts it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
struct Held {
    descriptors: usize,
    threads: usize,
    mounts: usize,
    links: usize,
    seals: usize,
    workloads: usize,
    /// By map.
    entries: [Option<usize>; 3],
}

impl Held {
    fn by(stage: &Stage) -> Self {
        let daemon = Path::new("/proc").join(stage.daemon.id().to_string());
        let count = |folder: &Path| fs::read_dir(folder).map_or(0, Iterator::count);
        let mounts = fs::read_to_string(daemon.join("mountinfo")).unwrap();
        let status = stage.daemon.cli(&["status", "--json"]).unwrap();
        let status: Value = serde_json::from_str(&status.stdout).unwrap();
        Self {
            descriptors: stage.daemon.descriptors().unwrap(),
            threads: threads(&daemon),
            mounts: mounts.lines().count(),
            links: count(&Path::new(PINS).join("links")),
            seals: count(&Path::new(PINS).join("seals")),
            workloads: status["workloads"].as_array().unwrap().len(),
            entries: ["NETNS", "SEALS", "WORKLOADS"].map(entries),
        }
    }
}

/// Those of a runtime's pool aside, which are bounded and leave when there is nothing to do.
fn threads(daemon: &Path) -> usize {
    let tasks = fs::read_dir(daemon.join("task")).unwrap().flatten();
    let names = tasks.filter_map(|task| fs::read_to_string(task.path().join("comm")).ok());
    names.filter(|name| !name.starts_with("tokio")).count()
}

/// How many entries a pinned map has; none while it changes under the reader's hands.
fn entries(map: &str) -> Option<usize> {
    let layouts = fs::read_dir(PINS).unwrap().flatten();
    let mut pins = layouts.map(|layout| layout.path().join(map));
    let pin = pins.find(|pin| pin.exists()).unwrap();
    let mut bpftool = Command::new("bpftool");
    bpftool.args(["--json", "map", "dump", "pinned"]).arg(pin);
    let output = bpftool
        .output()
        .expect("`bpftool`, which `cargo xtask test` installs");
    let dumped: Value = serde_json::from_slice(&output.stdout).ok()?;
    dumped.as_array().map(Vec::len)
}

/// Starts and removes `count` containers, some by our runtime and some found by their label, a few at a time.
fn churn(docker: &Docker, count: usize) {
    let run = |ours: bool| {
        let labelled = ["--label", "enforcer.policy=test"];
        let runtime: &[&str] = if ours {
            &["--runtime", "enforcer"]
        } else {
            &[]
        };
        let short = [BUSYBOX, "true"];
        let finished = docker
            .run(&[&labelled[..], runtime, &short].concat())
            .unwrap();
        assert_eq!(finished.code(), 0, "{}", finished.stderr);
    };
    std::thread::scope(|scope| {
        for turn in 0..4 {
            scope.spawn(move || (0..count / 4).for_each(|one| run((turn + one) % 2 == 0)));
        }
    });
}

/// Waits until as little is held as before.
fn settled(stage: &Stage, before: &Held) {
    let until = std::time::Instant::now() + crate::stage::PATIENCE * 2;
    loop {
        let now = Held::by(stage);
        // Others mount and unmount beside the daemon, and what they had when it was counted may have gone since.
        let less = now.descriptors <= before.descriptors
            && now.threads <= before.threads
            && now.mounts <= before.mounts;
        let same = Held {
            descriptors: before.descriptors,
            threads: before.threads,
            mounts: before.mounts,
            ..now
        };
        if less && same == *before {
            return;
        }
        assert!(
            std::time::Instant::now() < until,
            "{now:?} instead of {before:?}"
        );
        std::thread::sleep(std::time::Duration::from_millis(100));
    }
}

fn nothing_stays_of(count: usize) {
    let Some(stage) = stage() else { return };
    let docker = engine(&stage);
    // Threads and descriptors that are made once are there then.
    churn(&docker, 8);
    let before = Held::by(&stage);
    let quiet = Held {
        links: 1,
        seals: 0,
        workloads: 1,
        // The host's namespace; the stage's own workload, and whoever is none.
        entries: [Some(1), Some(0), Some(2)],
        ..before
    };
    churn(&docker, count);
    settled(&stage, &quiet);
    let attached = stage.ledger().of("workload_attached");
    let ours = attached.iter().filter(|entry| entry["via"] == "runtime");
    assert!(ours.count() >= count / 2);
}

#[test]
fn nothing_stays_of_containers_that_are_gone() {
    nothing_stays_of(40);
}

#[test]
#[ignore = "takes minutes: 500 containers"]
fn nothing_stays_of_five_hundred_containers() {
    nothing_stays_of(500);
}
