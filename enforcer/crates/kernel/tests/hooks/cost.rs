//! What the programs take, by the kernel's own count. Told, not judged: figures of a machine that others use as well.

use std::collections::BTreeMap;
use std::fs;
use std::io::Read as _;
use std::thread;

use enforcer_kernel::Loopback;

use crate::agent::Agent;
use crate::sandbox::Sandbox;

const SWITCH: &str = "/proc/sys/kernel/bpf_stats_enabled";
/// The least of many short windows is what is left when nobody else was given the processor meanwhile.
const WINDOWS: usize = 60;

/// Counting is on while this lives.
struct Counting(String);

impl Counting {
    fn start() -> Self {
        let before = fs::read_to_string(SWITCH).unwrap();
        fs::write(SWITCH, "1").unwrap();
        Self(before)
    }
}

impl Drop for Counting {
    fn drop(&mut self) {
        let _ = fs::write(SWITCH, self.0.trim());
    }
}

/// Run time and runs of each program that this process holds, by the number that the kernel gave it.
fn work() -> BTreeMap<u32, (u64, u64)> {
    let entries = fs::read_dir("/proc/self/fdinfo").unwrap().flatten();
    let texts = entries.filter_map(|entry| fs::read_to_string(entry.path()).ok());
    let read = |text: String| {
        let number = |name| -> Option<u64> {
            let line = text.lines().find_map(|line| line.strip_prefix(name));
            line?.trim().parse().ok()
        };
        let id = u32::try_from(number("prog_id:")?).ok()?;
        Some((id, (number("run_time_ns:")?, number("run_cnt:")?)))
    };
    texts.filter_map(read).collect()
}

/// Has the agent do `order` again and again; says the least time that each program takes for one run.
fn tell(what: &str, agent: &mut Agent, order: &str) {
    let _counting = Counting::start();
    let mut found = BTreeMap::new();
    for _ in 0..WINDOWS {
        let before = work();
        let answer = agent.ask(order);
        assert!(answer.starts_with("ok"), "{answer}");
        for (id, (nanos, runs)) in work() {
            let (nanos_before, runs_before) = before.get(&id).copied().unwrap_or_default();
            let runs = runs - runs_before;
            if runs > 0 {
                let each = (nanos - nanos_before) as f64 / runs as f64;
                let (least, _) = found.entry(id).or_insert((f64::MAX, runs));
                *least = each.min(*least);
            }
        }
    }
    for info in aya::programs::loaded_programs().flatten() {
        if let Some((least, runs)) = found.get(&info.id()) {
            let name = info.name_as_str().unwrap_or_default();
            println!("{what} {name:<14} {least:>6.0} ns a run, {runs} runs");
        }
    }
}

#[test]
#[ignore = "a measurement: `cargo test -p enforcer-kernel --test hooks -- --ignored --nocapture cost`"]
fn what_the_programs_take() {
    let Some(sandbox) = Sandbox::new(Loopback::Redirect) else {
        return;
    };
    let (mut agent, mut stranger) = (sandbox.agent(), sandbox.stranger());
    agent.ask("socket 2 1 6");
    agent.ask("connect 192.0.2.1:443");
    let (mut stream, _, _) = sandbox.accept();
    let drain = thread::spawn(move || {
        let mut room = vec![0; 1 << 16];
        while stream.read(&mut room).is_ok_and(|read| read > 0) {}
    });
    tell("packets ", &mut agent, "pour 5000");
    agent.ask("close");
    drain.join().unwrap();
    let listener = sandbox.listeners.tcp.try_clone().unwrap();
    thread::spawn(move || while listener.accept().is_ok() {});
    tell("connects", &mut agent, "connects 192.0.2.1:443 100");
    let own = sandbox.listeners.ports(Loopback::Redirect).unwrap().tcp;
    let median = |agent: &mut Agent, addr: &str| -> u64 {
        let answer = agent.ask(&format!("connects {addr} 400"));
        answer.strip_prefix("ok ").unwrap().parse().unwrap()
    };
    let mut pairs: Vec<(u64, u64)> = (0..WINDOWS)
        .map(|_| {
            let direct = median(&mut stranger, &format!("127.0.0.1:{own}"));
            (direct, median(&mut agent, "192.0.2.1:443"))
        })
        .collect();
    let direct = pairs.iter().map(|(direct, _)| *direct).min().unwrap();
    let bent = pairs.iter().map(|(_, bent)| *bent).min().unwrap();
    pairs.sort_by_key(|(direct, bent)| bent.cast_signed() - direct.cast_signed());
    let (usual_direct, usual_bent) = pairs[WINDOWS / 2];
    println!(
        "connect(2), least median of {WINDOWS}: {direct} ns without the programs, {bent} ns with them; \
        median of the pairs: {usual_direct} and {usual_bent}"
    );
}
