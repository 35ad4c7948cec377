//! Real containers: found by what they are labelled, started by our runtime, and what becomes of them then.

#![expect(
    clippy::unwrap_used,
    reason = "a test's own hands may fail like a test"
)]

use std::fs;
use std::sync::Arc;

use enforcer_tests::docker::{BUSYBOX, Docker, MACHINE, Machine, Settings};
use enforcer_tests::podman::Podman;
use enforcer_tests::sandbox::Sandbox;

use crate::stage::{OUTSIDE, PATIENCE, POLICY, Stage, binaries};

/// A page that every agent of these tests may fetch, without TLS: what busybox can.
const PAGE: &str = "http://plain.allowed.example/test/echo";
/// What containers do that are only there to be entered.
const SLEEP: [&str; 3] = [BUSYBOX, "sleep", "1000"];

/// A sandbox with an engine in it; nothing, and the reason on standard output, where there can be none.
#[expect(clippy::print_stdout, reason = "a skipped test says why")]
fn sandbox() -> Option<Arc<Sandbox>> {
    let binaries = binaries()?;
    if let Some(reason) = Docker::missing() {
        println!("skipped: {reason}");
        return None;
    }
    Some(Arc::new(Sandbox::new(binaries).expect("a sandbox")))
}

/// The usual stage, where there can be an engine on it.
pub(crate) fn stage() -> Option<Stage> {
    stage_with("")
}

/// The same with more in the configuration.
#[expect(clippy::print_stdout, reason = "a skipped test says why")]
fn stage_with(more: &str) -> Option<Stage> {
    if let Some(reason) = Docker::missing() {
        println!("skipped: {reason}");
        return None;
    }
    let engines = format!("containers:\n  engines: [../docker/docker.sock]\n{more}");
    Stage::with(POLICY, |setup| setup.and(&engines))
}

/// An engine on the stage that has our runtime.
pub(crate) fn engine(stage: &Stage) -> Docker {
    let config = stage.daemon.places().config.display().to_string();
    let arguments = ["oci-runtime", "--config", &config];
    let enforcer = &stage.sandbox.binaries().enforcer;
    let settings = Settings::default().runtime("enforcer", enforcer, &arguments);
    Docker::start(&stage.sandbox, &settings).unwrap()
}

#[test]
fn an_unlabelled_container_is_left_alone() {
    let Some(sandbox) = sandbox() else { return };
    let docker = Docker::start(&sandbox, &Settings::default()).unwrap();
    let finished = docker.run(&[&[BUSYBOX], &KNOCK[..]].concat()).unwrap();
    assert_eq!(finished.code(), 0, "{}", finished.stderr);
    assert!(knocked(&sandbox));
}

#[test]
fn a_container_is_captured_when_it_is_labelled_and_free_when_it_is_not_any_more() {
    let Some(stage) = stage() else { return };
    let docker = Docker::start(&stage.sandbox, &Settings::default()).unwrap();
    let container = docker.start_container(&SLEEP).unwrap();
    assert_eq!(container.exec(&KNOCK).unwrap().code(), 0);
    assert!(knocked(&stage.sandbox));

    let cgroup = container.cgroup().display().to_string();
    let labelled = stage.daemon.cli(&["label", &cgroup]).unwrap();
    assert_eq!(labelled.code(), 0, "{}", labelled.stderr);
    stage.sandbox.world().forget().unwrap();
    let fetched = container.exec(&["wget", "-qO-", PAGE]).unwrap();
    assert_eq!(fetched.code(), 0, "{}", fetched.stderr);
    container.exec(&KNOCK).unwrap();
    assert_eq!(stage.leaked(), []);
    let opened = stage.recorded("flow_opened", |entry| {
        entry["container"]["id"] == *container.id()
    });
    assert!(
        opened["process"]["exe"]
            .as_str()
            .unwrap()
            .ends_with("busybox"),
        "{opened}"
    );
    assert!(opened["process"]["argv"].is_string(), "{opened}");

    let unlabelled = stage.daemon.cli(&["unlabel", &cgroup]).unwrap();
    assert_eq!(unlabelled.code(), 0, "{}", unlabelled.stderr);
    assert_eq!(container.exec(&KNOCK).unwrap().code(), 0);
    assert!(knocked(&stage.sandbox));
}

#[test]
fn a_labelled_container_is_found_and_captured() {
    let Some(stage) = stage() else { return };
    let docker = engine(&stage);
    let early = [
        &[
            "--label",
            "enforcer.policy=test",
            "--label",
            "enforcer.principal=ada",
        ][..],
        &["--label", "enforcer.groups=support", "--name", "early"],
        &SLEEP[..],
    ]
    .concat();
    let container = docker.start_container(&early).unwrap();
    let attached = stage.recorded("workload_attached", |entry| {
        entry["container"]["id"] == *container.id()
    });
    assert!(
        attached["via"].as_str().unwrap().starts_with("engine-"),
        "{attached}"
    );
    assert_eq!(attached["workload"]["name"], "early");
    assert_eq!(attached["workload"]["policy"], "test");
    assert_eq!(attached["container"]["image"], BUSYBOX);
    assert_eq!(attached["workload"]["principal"], "ada");
    assert_eq!(attached["workload"]["groups"][0], "support");
    let fetched = container.exec(&["wget", "-qO-", PAGE]).unwrap();
    assert_eq!(fetched.code(), 0, "{}", fetched.stderr);
    stage.sandbox.world().forget().unwrap();
    container.exec(&KNOCK).unwrap();
    assert_eq!(stage.leaked(), []);
    let opened = stage.recorded("flow_opened", |entry| entry["container"]["name"] == "early");
    assert_eq!(opened["container"]["id"], *container.id());

    // Started again, it is another cgroup and the same container.
    let restart = ["restart", "--time", "0", container.id()];
    let restarted = docker.cli(&restart).unwrap();
    assert_eq!(restarted.code(), 0, "{}", restarted.stderr);
    let again = stage.recorded("workload_attached", |entry| {
        entry["container"]["id"] == *container.id()
            && entry["workload"]["cgroup"] != attached["workload"]["cgroup"]
    });
    assert_eq!(again["container"]["name"], "early");
    container.exec(&KNOCK).unwrap();
    assert_eq!(stage.leaked(), []);
}

#[test]
fn what_goes_round_the_hooks_of_a_container_is_dropped_on_its_wire() {
    let Some(stage) = stage() else { return };
    let docker = engine(&stage);
    docker.import_machine().unwrap();
    let labelled = ["--label", "enforcer.policy=test"];
    let sleep = [MACHINE, "sleep", "1000"];
    let all = [&labelled[..], &Machine::ARGUMENTS, &sleep].concat();
    let container = docker.start_container(&all).unwrap();
    stage.recorded("workload_attached", |entry| {
        entry["container"]["id"] == *container.id()
    });
    // The engine's own runtime lets it have packet sockets, which no hook of a cgroup sees.
    let sent = container.exec(&["python3", "-c", FRAME]).unwrap();
    assert_eq!(sent.code(), 0, "{}", sent.stderr);
    let told = stage.recorded("kernel_refused", |entry| entry["hook"] == "seal");
    assert_eq!(told["dst"], format!("{OUTSIDE}:9"));
    assert_eq!(told["workload"]["policy"], "test");
    assert_eq!(stage.leaked(), []);
}

#[test]
fn a_container_of_our_runtime_is_confined_and_believes_us() {
    let Some(stage) = stage() else { return };
    let docker = engine(&stage);
    let labelled = ["--label", "enforcer.policy=test", "--runtime", "enforcer"];
    let container = docker
        .start_container(&[&labelled[..], &SLEEP].concat())
        .unwrap();
    let attached = stage.recorded("workload_attached", |entry| {
        entry["container"]["id"] == *container.id()
    });
    assert_eq!(attached["via"], "runtime");
    assert_eq!(attached["workload"]["policy"], "test");
    let says = |command: &[&str]| container.exec(command).unwrap().stdout;
    for of in ["/proc/1/status", "/proc/self/status"] {
        let status = says(&["cat", of]);
        let held = status.lines().find_map(|line| line.strip_prefix("CapBnd:"));
        let held = u64::from_str_radix(held.unwrap().trim(), 16).unwrap();
        assert_eq!(held & (1 << 13 | 1 << 21), 0, "{of}: NET_RAW and SYS_ADMIN");
        assert!(status.contains("Seccomp:\t2"), "{of}: {status}");
    }
    for of in ["/proc/1/environ", "/proc/self/environ"] {
        assert!(
            says(&["cat", of]).contains("SSL_CERT_FILE=/.enforcer/trust/bundle.pem"),
            "{of}"
        );
    }
    assert!(says(&["head", "-1", "/.enforcer/trust/bundle.pem"]).contains("BEGIN CERTIFICATE"));
    let written = container.exec(&["touch", "/.enforcer/trust/x"]).unwrap();
    assert!(written.stderr.contains("Read-only"), "{}", written.stderr);
    let raw = container
        .exec(&["arping", "-c", "1", "-w", "1", "172.17.0.1"])
        .unwrap();
    assert_ne!(raw.code(), 0);
    let fetched = container.exec(&["wget", "-qO-", PAGE]).unwrap();
    assert_eq!(fetched.code(), 0, "{}", fetched.stderr);
}

/// Roots that are compiled in are the one case that needs a variable, and our runtime sets it.
#[test]
fn every_program_of_a_container_of_our_runtime_believes_us_with_nothing_set() {
    const URL: &str = "https://good.allowed.example/test/echo";
    let Some(stage) = stage() else { return };
    let docker = engine(&stage);
    docker.import_machine().unwrap();
    let labelled = ["--label", "enforcer.policy=test", "--runtime", "enforcer"];
    let sleep = [MACHINE, "sleep", "1000"];
    let container = docker
        .start_container(&[&labelled[..], &Machine::ARGUMENTS, &sleep].concat())
        .unwrap();
    let node = format!(
        "require('https').get('{URL}', r => r.pipe(process.stdout)).on('error', e => {{ console.error(e.code); process.exit(1) }})"
    );
    let python = format!(
        "import urllib.request as u; print(u.urlopen('{URL}', timeout=20).read().decode())"
    );
    for command in [
        &["curl", "-sS", "-m", "20", URL][..],
        &["/usr/bin/python3", "-c", &python],
        &["node", "-e", &node],
    ] {
        if container
            .exec(&["sh", "-c", &format!("command -v {}", command[0])])
            .unwrap()
            .code()
            != 0
        {
            continue;
        }
        let fetched = container.exec(command).unwrap();
        assert_eq!(fetched.code(), 0, "{}: {}", command[0], fetched.stderr);
        assert!(
            fetched.stdout.contains("/test/echo"),
            "{}: {}",
            command[0],
            fetched.stdout
        );
    }
}

/// Whether a container has the engine do something for it: by a socket mounted alone, and by one in a mounted folder.
fn engine_answers(container: &enforcer_tests::docker::Container<'_>) -> [bool; 2] {
    ["/tmp/engine.sock", "/tmp/engine/docker.sock"].map(|socket| {
        let ping = ["curl", "-s", "--unix-socket", socket, "http://engine/_ping"];
        container.exec(&ping).unwrap().stdout == "OK"
    })
}

#[test]
fn sockets_of_the_host_are_hidden_from_containers_unless_they_are_allowed() {
    let Some(stage) = stage() else { return };
    let docker = engine(&stage);
    docker.import_machine().unwrap();
    let folder = stage.sandbox.folder().join("docker");
    let folder = format!("{}:/tmp/engine", folder.display());
    let socket = format!("{}:/tmp/engine.sock", docker.socket().display());
    let volumes = ["--volume", &socket, "--volume", &folder];
    let start = |more: &[&str]| {
        let rest = [MACHINE, "sleep", "1000"];
        let arguments = [more, &volumes, &Machine::ARGUMENTS, &rest].concat();
        docker.start_container(&arguments).unwrap()
    };
    assert_eq!(engine_answers(&start(&[])), [true; 2]);

    let label = ["--label", "enforcer.policy=test"];
    let ways: [&[&str]; 2] = [&["--runtime", "enforcer"], &[]];
    for way in ways {
        let container = start(&[&label, way].concat());
        let hidden = stage.recorded("sockets_hidden", |entry| {
            entry["container"]["id"] == *container.id()
                || entry["workload"].to_string().contains(container.id())
        });
        let named = hidden["sockets"].as_str().unwrap();
        assert!(named.contains("/tmp/engine.sock"), "{hidden}");
        assert!(named.contains("/tmp/engine/docker.sock"), "{hidden}");
        assert_eq!(engine_answers(&container), [false; 2], "{way:?}");
        // Released, it sees what its engine gave it.
        let cgroup = container.cgroup().display().to_string();
        stage.daemon.cli(&["unlabel", &cgroup]).unwrap();
        let until = std::time::Instant::now() + PATIENCE;
        while engine_answers(&container) != [true; 2] {
            assert!(std::time::Instant::now() < until, "they stay hidden");
            std::thread::sleep(std::time::Duration::from_millis(50));
        }
    }
}

#[test]
fn a_container_is_left_the_sockets_that_are_allowed() {
    let Some(stage) = stage_with("unix_sockets:\n  allow: [../docker/docker.sock]") else {
        return;
    };
    let docker = engine(&stage);
    docker.import_machine().unwrap();
    let folder = format!(
        "{}:/tmp/engine",
        stage.sandbox.folder().join("docker").display()
    );
    let socket = format!("{}:/tmp/engine.sock", docker.socket().display());
    let enforced = ["--label", "enforcer.policy=test", "--runtime", "enforcer"];
    let volumes = ["--volume", &socket, "--volume", &folder];
    let rest = [MACHINE, "sleep", "1000"];
    let arguments = [&enforced[..], &volumes, &Machine::ARGUMENTS, &rest].concat();
    let container = docker.start_container(&arguments).unwrap();
    assert_eq!(engine_answers(&container), [true; 2]);
}

#[test]
fn a_container_of_our_runtime_never_escapes_however_fast_it_is() {
    let Some(stage) = stage() else { return };
    let docker = engine(&stage);
    let knock = format!(
        "i=0; while [ $i -lt 20 ]; do nc -w 1 {OUTSIDE} 443 -e true & i=$((i+1)); done; wait"
    );
    let run = || {
        let first_act = ["sh", "-c", &knock];
        let labelled = ["--label", "enforcer.policy=test", "--runtime", "enforcer"];
        docker
            .run(&[&labelled[..], &[BUSYBOX], &first_act].concat())
            .unwrap();
    };
    std::thread::scope(|scope| {
        for _ in 0..4 {
            scope.spawn(|| (0..25).for_each(|_| run()));
        }
    });
    let attached = stage.ledger().of("workload_attached");
    let of_ours = attached.iter().filter(|entry| entry["via"] == "runtime");
    assert_eq!(of_ours.count(), 100);
    assert_eq!(stage.leaked(), []);
    assert!(
        !stage.ledger().of("flow_opened").is_empty(),
        "nobody knocked"
    );
}

#[test]
fn without_a_daemon_a_container_of_our_runtime_does_not_start() {
    let Some(stage) = stage() else { return };
    let docker = engine(&stage);
    stage.daemon.strike();
    let finished = docker
        .run(&[&["--runtime", "enforcer", BUSYBOX], &KNOCK[..]].concat())
        .unwrap();
    assert_eq!(finished.code(), 125, "{}", finished.stderr);
    assert!(
        finished.stderr.contains("no enforcer answers"),
        "{}",
        finished.stderr
    );
    assert_eq!(stage.leaked(), []);
}

#[test]
fn a_container_of_podman_is_captured_by_the_hook() {
    if let Some(reason) = Podman::missing() {
        println!("skipped: {reason}");
        return;
    }
    let Some(stage) = Stage::new() else { return };
    let podman = Podman::new(&stage.sandbox).unwrap();
    let printed = stage.daemon.cli(&["oci-hook", "--print-json"]).unwrap();
    assert_eq!(printed.code(), 0, "{}", printed.stderr);
    fs::write(podman.hooks().join("enforcer.json"), printed.stdout).unwrap();

    let free = podman.run(&[], &KNOCK).unwrap();
    assert_eq!(free.code(), 0, "{}", free.stderr);
    assert!(knocked(&stage.sandbox));
    stage.sandbox.world().forget().unwrap();

    let annotated = ["--annotation", "enforcer.policy=test"];
    let script = format!(
        "wget -qO- {PAGE}; echo; nc -w 2 {OUTSIDE} 443 -e true; grep CapBnd /proc/1/status; env"
    );
    let finished = podman.run(&annotated, &["sh", "-c", &script]).unwrap();
    assert!(finished.stdout.contains("/test/echo"), "{finished:?}");
    assert!(
        finished.stdout.contains("SSL_CERT_FILE=/.enforcer"),
        "{finished:?}"
    );
    let held = finished
        .stdout
        .lines()
        .find_map(|line| line.strip_prefix("CapBnd:"));
    let held = u64::from_str_radix(held.unwrap().trim(), 16).unwrap();
    assert_eq!(held & (1 << 13), 0, "NET_RAW");
    assert_eq!(stage.leaked(), []);
    let attached = stage.recorded("workload_attached", |entry| entry["via"] == "oci-hook");
    assert_eq!(attached["workload"]["policy"], "test");
    let gone = stage.recorded("workload_detached", |entry| entry["reason"] == "gone");
    assert_eq!(gone["workload"]["cgroup"], attached["workload"]["cgroup"]);

    stage.daemon.strike();
    let refused = podman.run(&annotated, &KNOCK).unwrap();
    assert_ne!(refused.code(), 0);
    assert_eq!(stage.leaked(), []);
}

/// Sends a datagram to port 9 in the world, as a frame of its own making.
const FRAME: &str = r"
import socket, struct
s = socket.socket(socket.AF_PACKET, socket.SOCK_RAW)
s.bind(('eth0', 0))
udp = struct.pack('!HHHH', 9, 9, 12, 0) + b'data'
ip = struct.pack('!BBHHHBBH4s4s', 0x45, 0, 32, 1, 0, 64, 17, 0, socket.inet_aton('172.17.0.2'), socket.inet_aton('203.0.113.9'))
s.send(b'\xff' * 6 + b'\x02' * 6 + b'\x08\x00' + ip + udp)
";

/// What reaches the world from whoever is not enforced.
const KNOCK: [&str; 7] = ["nc", "-w", "2", OUTSIDE, "443", "-e", "true"];

fn knocked(sandbox: &Sandbox) -> bool {
    let seen = sandbox.world().capture().unwrap().packets;
    let wanted = OUTSIDE.parse::<std::net::IpAddr>().unwrap();
    seen.iter().any(|packet| packet.destination == wanted)
}
