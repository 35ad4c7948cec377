//! The demo: an unmodified agent program under the daemon, on a machine whose every way out is watched.
//!
//! `cargo xtask demo` builds the parts and becomes this program. It claims little and shows how it knows: what reached the
//! upstream is what the upstream wrote down, and "nothing got out" is said by a sniffer that has just seen that something could.

use std::path::PathBuf;
use std::process::ExitCode;
use std::sync::Arc;
use std::time::Duration;

use anyhow::Context as _;
use clap::Parser;
use serde::Deserialize;

mod interruption;
mod teller;

use crate::agent::Agent;
use crate::binaries::Binaries;
use crate::cgroup::Cgroup;
use crate::daemon::{Daemon, Setup};
use crate::probe::Connected;
use crate::process::Process;
use crate::sandbox::Sandbox;
use crate::turn::Turn;
use crate::upstream::{Face, Upstream};
use interruption::Interruption;
use teller::Teller;

/// The place outside that the agent tries to reach; the program has the same one.
const EXFIL: &str = "203.0.113.10:4444";
const API: &str = "api.openai.com:443";
/// What may reach the upstream, and nothing else.
const ALLOWED: [(&str, &str); 2] = [("POST", "/v1/responses"), ("POST", "/v1/chat/completions")];
/// Pieces of what must never be written down.
const SECRETS: [&str; 2] = ["sk-demo-not-a-real-key", "the-secret-the-agent-wants"];
const KEY: &str = "sk-demo-not-a-real-key";
const AGENT_RUN: Duration = Duration::from_secs(180);
const COMMAND: Duration = Duration::from_secs(60);

/// Shows an agent under enforcement.
#[derive(Debug, Parser)]
struct Arguments {
    /// The enforcer
    #[arg(long)]
    enforcer: PathBuf,
    /// A Python that has openai-agents
    #[arg(long)]
    python: PathBuf,
    /// The agent program
    #[arg(long)]
    program: PathBuf,
    /// The policy it runs under
    #[arg(long)]
    policy: PathBuf,
}

/// One line that the agent program reports.
#[derive(Debug, Deserialize)]
struct Step {
    step: String,
    expected: String,
    got: String,
    ok: bool,
}

/// Everything the story is told with; dropped in the order daemon, cgroup, upstream, machine.
struct Stage {
    daemon: Daemon,
    cgroup: Cgroup,
    upstream: Upstream,
    sandbox: Arc<Sandbox>,
}

/// The program.
///
/// # Errors
/// When the stage cannot be set; a claim that does not hold is told and answered with exit code 1.
pub fn main() -> anyhow::Result<ExitCode> {
    let arguments = Arguments::parse();
    let interruption = Interruption::watch()?;
    let _turn = Turn::take()?;
    let mut teller = Teller::new();
    tell(&arguments, &interruption, &mut teller)?;
    interruption.check()?;
    Ok(if teller.end() {
        ExitCode::SUCCESS
    } else {
        ExitCode::FAILURE
    })
}

fn tell(
    arguments: &Arguments,
    interruption: &Interruption,
    teller: &mut Teller,
) -> anyhow::Result<()> {
    let sandbox = machine(arguments, teller)?;
    let stage = Stage::set(arguments, &sandbox, teller)?;
    interruption.kills(stage.cgroup.path());
    stage.agent(arguments, teller)?;
    interruption.check()?;
    stage.one_command(arguments, teller)?;
    interruption.check()?;
    stage.far_side(teller);
    stage.outside(teller)?;
    stage.evidence(teller)?;
    stage.daemon.stop()?;
    Ok(())
}

/// Makes the machine and shows that its way out is open for everybody else.
fn machine(arguments: &Arguments, teller: &mut Teller) -> anyhow::Result<Arc<Sandbox>> {
    teller.heading("A machine with an open, watched way out");
    let probe = std::env::current_exe()?.with_file_name("probe");
    let binaries = Binaries {
        enforcer: arguments.enforcer.clone(),
        probe,
    };
    let sandbox = Arc::new(Sandbox::new(binaries)?);
    let mut command = std::process::Command::new(&sandbox.binaries().probe);
    let process = Process::start(command.args(["connect", EXFIL]), Some(sandbox.host()))?;
    let said = process.finish(COMMAND)?.stdout;
    let connected: Connected = serde_json::from_str(&said).context("the probe's answer")?;
    let seen = sandbox.world().capture()?.packets.len();
    let is_open = connected.peer.is_some() && seen > 0;
    let open =
        format!("without enforcement {EXFIL} answers, and the sniffer sees it ({seen} packets)");
    teller.claim(is_open, open);
    sandbox.world().forget()?;
    Ok(sandbox)
}

impl Stage {
    fn set(
        arguments: &Arguments,
        sandbox: &Arc<Sandbox>,
        teller: &mut Teller,
    ) -> anyhow::Result<Self> {
        teller.heading("The upstream, the daemon and an agent's cgroup");
        let upstream = sandbox.upstream()?;
        let address = upstream.address(Face::Tls)?;
        teller.note(format!(
            "an OpenAI-compatible upstream listens on {address}"
        ));
        let policy = std::fs::read_to_string(&arguments.policy)?;
        let setup = Setup::with_policy(&policy)
            .to(API, address)
            .believing(upstream.ca_pem())
            .and("log:\n  level: warn");
        let daemon = Daemon::start(sandbox, &setup)?;
        let config = std::fs::read_to_string(&daemon.places().config)?;
        teller.note(format!(
            "enforcer daemon --config {}",
            daemon.places().config.display()
        ));
        teller.quote(&config);
        teller.note("with the policy");
        teller.quote(&policy);
        let cgroup = sandbox.cgroup()?;
        daemon.label(&cgroup)?;
        teller.note(format!("enforcer label {}", cgroup.path().display()));
        teller.quote(&daemon.cli(&["status"])?.stdout);
        Ok(Self {
            daemon,
            cgroup,
            upstream,
            sandbox: Arc::clone(sandbox),
        })
    }

    fn agent(&self, arguments: &Arguments, teller: &mut Teller) -> anyhow::Result<()> {
        teller.heading(
            "The agent: unmodified openai-agents, default https://api.openai.com/v1, no proxy",
        );
        let agent: Agent = self.daemon.agent(&self.cgroup)?.with("OPENAI_API_KEY", KEY);
        let mut command = agent.command(&arguments.python);
        let process = agent.start(command.arg(&arguments.program))?;
        let mut steps = 0;
        while let Ok(line) = process.line(AGENT_RUN) {
            let Ok(step) = serde_json::from_str::<Step>(&line) else {
                teller.quote(&line);
                continue;
            };
            steps += 1;
            teller.claim(step.ok, format!("{}: {}", step.step, step.expected));
            teller.quote(&step.got);
        }
        let finished = process.finish(AGENT_RUN)?;
        let ended = format!("the program came to its end after {steps} steps");
        teller.claim(finished.code() == 0 && steps > 0, ended);
        teller.quote(&finished.stderr);
        Ok(())
    }

    /// The other way to use it: no daemon, no label, one command.
    fn one_command(&self, arguments: &Arguments, teller: &mut Teller) -> anyhow::Result<()> {
        teller.heading("One command: enforcer run -- curl");
        let key = format!("authorization: Bearer {KEY}");
        let ask = r#"{"model": "gpt-5", "input": "Say hello"}"#;
        let allowed = ["-H", &key, "-d", ask, "https://api.openai.com/v1/responses"];
        let answered = self.run_curl(arguments, &allowed)?;
        teller.claim(
            answered.contains("You said: Say hello"),
            "POST /v1/responses is answered",
        );
        let denied = ["-H", &key, "https://api.openai.com/v1/models"];
        let refused = self.run_curl(arguments, &denied)?;
        teller.claim(
            refused.contains("enforcer_denied"),
            "GET /v1/models is refused",
        );
        teller.quote(&refused);
        let direct = ["--max-time", "20", &format!("https://{}/", "203.0.113.10")];
        let broken = self.run_curl(arguments, &direct)?;
        teller.claim(
            !broken.contains("HTTP 200"),
            "an address by itself is refused",
        );
        teller.quote(&broken);
        Ok(())
    }

    fn run_curl(&self, arguments: &Arguments, curl: &[&str]) -> anyhow::Result<String> {
        let mut command = std::process::Command::new(&arguments.enforcer);
        command.arg("run").arg("--config");
        command.arg(&self.daemon.places().config);
        command.arg("--policy").arg(&arguments.policy);
        command.args(["--", "curl", "-sS", "-w", "\nHTTP %{http_code}\n"]);
        let process = Process::start(command.args(curl), Some(self.sandbox.host()))?;
        let finished = process.finish(COMMAND)?;
        Ok(format!("{}{}", finished.stdout, finished.stderr))
    }

    fn far_side(&self, teller: &mut Teller) {
        teller.heading("What reached the upstream");
        let arrivals = self.upstream.journal().arrivals();
        for arrival in &arrivals {
            let (method, path) = (&arrival.method, &arrival.path);
            let sent = arrival.request.bytes;
            teller.note(format!(
                "{method} {path} ({sent} bytes) as {}",
                arrival.authority
            ));
        }
        let is_allowed = |method: &str, path: &str| ALLOWED.contains(&(method, path));
        let others = arrivals
            .iter()
            .filter(|arrival| !is_allowed(&arrival.method, &arrival.path))
            .count();
        teller.claim(!arrivals.is_empty(), "the allowed requests arrived");
        teller.claim(others == 0, "no other request arrived");
    }

    fn outside(&self, teller: &mut Teller) -> anyhow::Result<()> {
        teller.heading("What reached the world");
        let packets = self.sandbox.world().capture()?.packets;
        for packet in &packets {
            teller.note(packet);
        }
        teller.claim(
            packets.is_empty(),
            "not one packet left the machine, as the watched wire shows",
        );
        Ok(())
    }

    fn evidence(&self, teller: &mut Teller) -> anyhow::Result<()> {
        teller.heading("The evidence: enforcer audit tail");
        let tail = self.daemon.audit(&["tail", "-n", "1000"])?;
        teller.quote(&tail.stdout);
        teller.claim(tail.code() == 0, "the ledger reads back");
        let verified = self.daemon.audit(&["verify"])?;
        teller.quote(&verified.stdout);
        teller.claim(
            verified.code() == 0,
            "enforcer audit verify: the chain holds",
        );
        self.account(teller);
        Ok(())
    }

    /// Compares what the ledger says with what the far side saw.
    fn account(&self, teller: &mut Teller) {
        let ledger = self.daemon.ledger();
        let granted = ledger.of("exchange_granted").len();
        let arrived = self.arrivals_of_the_agent();
        let counted = format!("{granted} grants for {arrived} requests that arrived");
        teller.claim(granted > 0 && granted == arrived, counted);
        let denials = ledger.of("exchange_denied");
        for path in ["/v1/files", "/v1/traces/ingest"] {
            let is_there = denials.iter().any(|entry| entry["path"] == path);
            teller.claim(is_there, format!("the refusal of {path} is recorded"));
        }
        let text = ledger.text();
        let leaks = SECRETS.iter().any(|secret| text.contains(secret));
        teller.claim(!leaks, "no key and no payload is written in it");
    }

    /// The single commands have ledgers of their own, and are all curl.
    fn arrivals_of_the_agent(&self) -> usize {
        let arrivals = self.upstream.journal().arrivals();
        let agents = arrivals.iter().filter(|arrival| {
            let program = arrival.header("user-agent").unwrap_or_default();
            !program.starts_with("curl/")
        });
        agents.count()
    }
}
