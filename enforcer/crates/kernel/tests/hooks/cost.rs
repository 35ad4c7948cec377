//! What the programs take, by the kernel's own count. Told, not judged: figures of a machine that others use as well.

use std::collections::BTreeMap;
use std::fs;
use std::io::Read as _;
use std::path::Path;
use std::thread;

use enforcer_kernel::Loopback;

use crate::agent::Agent;
use crate::hollow::Hollow;
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
    // What these are counted with is what counting takes.
    let _hollow = [Hollow::EGRESS, Hollow::CONNECT4, Hollow::ESTABLISHED]
        .map(|hollow| hollow.hang(&sandbox.cgroup));
    let mut agent = sandbox.agent();
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
    tell("connects", &mut agent, "connects 192.0.2.1:443 100 0");
}

/// Turns of connects, without the programs and with them: neighbours in time meet the same neighbours on the machine.
const TURNS: usize = 400;
const EACH: usize = 20;
/// What is written in between, so that nothing of the last connect is in a near cache: nothing, or all that there is room for.
const SWEEPS: [(&str, usize); 2] = [("warm", 0), ("cold", 2 << 20)];

/// Who connects in turn, on one core, to a listener that takes nobody in meanwhile.
struct Turns<'a> {
    sandbox: &'a Sandbox,
    stranger: Agent,
    agent: Agent,
}

impl<'a> Turns<'a> {
    fn of(sandbox: &'a Sandbox) -> Self {
        let (mut agent, mut stranger) = (sandbox.agent(), sandbox.stranger());
        for hands in [&mut agent, &mut stranger] {
            assert_eq!(hands.ask("pin 1"), "ok");
        }
        sandbox.listeners.tcp.set_nonblocking(true).unwrap();
        Self {
            sandbox,
            stranger,
            agent,
        }
    }

    /// Says what the call takes for the agent, which connects to `there`, beside one that no program runs for.
    fn compare(&mut self, what: &str, there: &str) {
        let Self {
            sandbox,
            stranger,
            agent,
        } = self;
        let own = sandbox.listeners.tcp.local_addr().unwrap().to_string();
        let there = if there.is_empty() { &own } else { there };
        for (state, swept) in SWEEPS {
            let median = |hands: &mut Agent, addr: &str| -> i64 {
                let answer = hands.ask(&format!("connects {addr} {EACH} {swept}"));
                while sandbox.listeners.tcp.accept().is_ok() {}
                answer.strip_prefix("ok ").unwrap().parse().unwrap()
            };
            let pairs: Vec<_> = (0..TURNS)
                .map(|_| (median(stranger, &own), median(agent, there)))
                .collect();
            let middle = |mut numbers: Vec<i64>| {
                numbers.sort_unstable();
                numbers[TURNS / 2]
            };
            println!(
                "connect(2), {what}, {state}: {} ns without, added {} ns",
                middle(pairs.iter().map(|(direct, _)| *direct).collect()),
                middle(pairs.iter().map(|(direct, bent)| bent - direct).collect()),
            );
        }
    }
}

#[test]
#[ignore = "a measurement, as above"]
fn what_connecting_takes() {
    let Some(sandbox) = Sandbox::idle() else {
        return;
    };
    let mut turns = Turns::of(&sandbox);
    turns.compare("no programs", "");
    {
        let _hollow = [Hollow::EGRESS, Hollow::CONNECT4, Hollow::ESTABLISHED]
            .map(|hollow| hollow.hang(&sandbox.cgroup));
        turns.compare("programs that do nothing", "");
    }
    sandbox.enforce(Loopback::Redirect);
    turns.compare("ours", "192.0.2.1:443");
    for name in ["egress", "established"] {
        take_off(&sandbox.pins, name);
        turns.compare(&format!("ours without `{name}`, too"), "192.0.2.1:443");
    }
}

/// Removes a link, wherever it is pinned below.
fn take_off(folder: &Path, name: &str) {
    for entry in fs::read_dir(folder).unwrap().flatten() {
        if entry.file_type().unwrap().is_dir() {
            take_off(&entry.path(), name);
        } else if entry.file_name() == name {
            fs::remove_file(entry.path()).unwrap();
        }
    }
}
