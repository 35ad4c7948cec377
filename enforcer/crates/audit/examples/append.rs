//! What an exchange pays for its evidence: `cargo run --release -p enforcer-audit --example append [FOLDER]`.
//!
//! Prints nanoseconds of this thread's CPU per entry, alone and with two threads on one ledger, and how long single appends
//! take while the flusher syncs beside them. It states figures; it does not judge them.

use std::path::Path;
use std::sync::Arc;
use std::thread;
use std::time::{Duration, Instant};

use rustix::time::{ClockId, clock_gettime};

use enforcer_audit::{
    Config, Entry, ExchangeClosed, ExchangeFacts, Fingerprint, Fingerprinter, Ledger, Traffic,
};
use enforcer_flow::{CgroupId, ExchangeId, FlowId, Host, Process, Protocol, Secret, Workload};

const ROUNDS: u32 = 20_000;

struct Agent {
    workload: Workload,
    process: Process,
    host: Host,
    credentials: [Fingerprint; 1],
}

type Failure = Box<dyn std::error::Error + Send + Sync>;

fn main() -> Result<(), Failure> {
    let folder = match std::env::args_os().nth(1) {
        Some(folder) => tempfile::tempdir_in(folder)?,
        None => tempfile::tempdir()?,
    };
    let ledger = Arc::new(Ledger::open(Config::at(folder.path().join("audit.jsonl")))?);
    say("append granted", best(|| one(&ledger, Agent::grant))?);
    say("defer closed", best(|| one(&ledger, Agent::close))?);
    say("both", best(|| one(&ledger, Agent::exchange))?);
    say("both, each of two threads", best(|| two(&ledger))?);
    say("fingerprint", fingerprints());
    slowest(&ledger)?;
    size(ledger.path())
}

#[expect(clippy::print_stdout, reason = "printing is what this program is for")]
fn say(what: &str, time: Duration) {
    println!("{what:<28}{:>8} ns", (time / ROUNDS).as_nanos());
}

/// The quietest of several rounds: what else the machine does only adds.
fn best(round: impl Fn() -> Result<Duration, Failure>) -> Result<Duration, Failure> {
    let mut best = round()?;
    for _ in 1..9 {
        best = best.min(round()?);
    }
    Ok(best)
}

fn one(
    ledger: &Ledger,
    work: impl Fn(&Agent, &Ledger) -> Result<(), Failure>,
) -> Result<Duration, Failure> {
    let agent = Agent::new()?;
    let start = cpu()?;
    for _ in 0..ROUNDS {
        work(&agent, ledger)?;
    }
    Ok(cpu()? - start)
}

/// The CPU time of this thread.
fn cpu() -> Result<Duration, Failure> {
    Ok(clock_gettime(ClockId::ThreadCPUTime).try_into()?)
}

fn two(ledger: &Arc<Ledger>) -> Result<Duration, Failure> {
    let mut total = Duration::ZERO;
    let threads = [(); 2].map(|()| {
        let ledger = Arc::clone(ledger);
        thread::spawn(move || one(&ledger, Agent::exchange))
    });
    for thread in threads {
        total += thread.join().map_err(|_| "a thread panicked")??;
    }
    Ok(total / 2)
}

fn fingerprints() -> Duration {
    let fingerprinter = Fingerprinter::from_key(&Secret::new([7; 32]));
    let start = Instant::now();
    for _ in 0..ROUNDS {
        std::hint::black_box(fingerprinter.fingerprint("authorization", &[b'k'; 60]));
    }
    start.elapsed()
}

/// The slowest appends while the flusher syncs beside them.
#[expect(clippy::print_stdout, reason = "printing is what this program is for")]
fn slowest(ledger: &Ledger) -> Result<(), Failure> {
    let agent = Agent::new()?;
    let mut times = Vec::new();
    let start = Instant::now();
    while start.elapsed() < Duration::from_secs(4) {
        let before = Instant::now();
        agent.exchange(ledger)?;
        times.push(before.elapsed());
        thread::sleep(Duration::from_micros(20));
    }
    times.sort_unstable();
    let at = |share: usize| times[(times.len() - 1) * share / 10_000];
    println!(
        "both, paced: p50 {:?}, p99 {:?}, p99.9 {:?}, slowest {:?} of {}",
        at(5_000),
        at(9_900),
        at(9_990),
        at(10_000),
        times.len()
    );
    Ok(())
}

#[expect(clippy::print_stdout, reason = "printing is what this program is for")]
fn size(path: &Path) -> Result<(), Failure> {
    println!("{} MiB written", std::fs::metadata(path)?.len() >> 20);
    Ok(())
}

impl Agent {
    fn new() -> Result<Self, Failure> {
        let fingerprinter = Fingerprinter::from_key(&Secret::new([7; 32]));
        Ok(Self {
            workload: Workload {
                name: "agent-7".into(),
                policy: Some("openai".into()),
                cgroup: CgroupId(4711),
                path: "/enforcer.slice/run-7.scope".into(),
                attributes: Default::default(),
                stance: enforcer_flow::Stance::default(),
            },
            process: Process {
                pid: 4321,
                uid: 1000,
                comm: "python3".into(),
                ..Process::default()
            },
            host: Host::parse("api.openai.com")?,
            credentials: [fingerprinter.fingerprint("authorization", b"Bearer sk-test")],
        })
    }

    fn grant(&self, ledger: &Ledger) -> Result<(), Failure> {
        self.granted(ledger, FlowId::new()).map(drop)
    }

    fn granted(&self, ledger: &Ledger, flow: FlowId) -> Result<ExchangeId, Failure> {
        let exchange = ExchangeId::new();
        let facts = ExchangeFacts {
            exchange,
            flow,
            workload: &self.workload,
            process: &self.process,
            protocol: Protocol::Https,
            host: &self.host,
            port: 443,
            method: Some("POST"),
            path: Some("/v1/chat/completions"),
            query_bytes: Some(0),
            credentials: &self.credentials,
            content: None,
        };
        let receipt = ledger.append(&Entry::ExchangeGranted {
            facts: &facts,
            rule: "openai/chat",
        })?;
        assert!(receipt.grants(exchange));
        Ok(exchange)
    }

    fn close(&self, ledger: &Ledger) -> Result<(), Failure> {
        self.closed(ledger, ExchangeId::new(), FlowId::new());
        Ok(())
    }

    fn closed(&self, ledger: &Ledger, exchange: ExchangeId, flow: FlowId) {
        ledger.defer(&Entry::ExchangeClosed(ExchangeClosed {
            exchange,
            flow,
            status: Some(200),
            traffic: Traffic {
                bytes_up: 1024,
                bytes_down: 1536,
                duration: Duration::from_micros(1234),
            },
            upstream_addr: Some(([192, 0, 2, 1], 443).into()),
            recording: None,
        }));
    }

    fn exchange(&self, ledger: &Ledger) -> Result<(), Failure> {
        let flow = FlowId::new();
        let exchange = self.granted(ledger, flow)?;
        self.closed(ledger, exchange, flow);
        Ok(())
    }
}
