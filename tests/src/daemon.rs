//! The daemon under test, with a configuration of its own; killed and reaped with the value.

use std::collections::BTreeMap;
use std::fmt::Write as _;
use std::fs;
use std::net::SocketAddr;
use std::os::unix::net::UnixStream;
use std::path::{Path, PathBuf};
use std::process::Command;
use std::sync::Arc;
use std::time::{Duration, Instant};

use anyhow::Context as _;
use rustix::process::Signal;

use crate::agent::{Agent, PATIENCE};
use crate::cgroup::Cgroup;
use crate::ledger::LedgerProbe;
use crate::process::{Finished, Process};
use crate::sandbox::Sandbox;

const START: Duration = Duration::from_secs(30);
const LOOK_EVERY: Duration = Duration::from_millis(10);

/// What a daemon is told, before it is written down as YAML.
#[derive(Debug, Clone, Default)]
pub struct Setup {
    /// Policy files by name, without `.yaml`.
    pub policies: BTreeMap<String, String>,
    /// `upstream.connect_to`.
    pub connect_to: Vec<(String, SocketAddr)>,
    /// The PEM text behind `upstream.extra_roots`.
    pub extra_root: Option<String>,
    /// More keys of `upstream`, one line each.
    pub upstream: Vec<String>,
    /// More keys of `ca`, one line each.
    pub ca: Vec<String>,
    /// More lines of configuration, as YAML.
    pub more: String,
}

/// The places of one configuration.
#[derive(Debug, Clone)]
pub struct Places {
    /// The configuration file.
    pub config: PathBuf,
    /// `state_dir`.
    pub state: PathBuf,
    /// `runtime_dir`.
    pub runtime: PathBuf,
    /// `policies`.
    pub policies: PathBuf,
    /// `control.socket`.
    pub socket: PathBuf,
    /// `ledger.path`.
    pub ledger: PathBuf,
    /// `ca.dir`.
    pub ca: PathBuf,
}

/// A running daemon.
#[derive(Debug)]
pub struct Daemon {
    sandbox: Arc<Sandbox>,
    places: Places,
    process: Process,
}

// === impl Setup ===

impl Setup {
    /// A setup whose only policy is `policy`.
    #[must_use]
    pub fn with_policy(policy: &str) -> Self {
        let policies = BTreeMap::from([("test".to_owned(), policy.to_owned())]);
        Self {
            policies,
            ..Self::default()
        }
    }

    /// Sends `name:port` to `address`.
    #[must_use]
    pub fn to(mut self, name: &str, address: SocketAddr) -> Self {
        self.connect_to.push((name.to_owned(), address));
        self
    }

    /// Believes this authority.
    #[must_use]
    pub fn believing(mut self, pem: &str) -> Self {
        self.extra_root = Some(pem.to_owned());
        self
    }

    /// Adds a key below `upstream`.
    #[must_use]
    pub fn upstream(mut self, line: &str) -> Self {
        self.upstream.push(line.to_owned());
        self
    }

    /// Adds a key below `ca`.
    #[must_use]
    pub fn ca(mut self, line: &str) -> Self {
        self.ca.push(line.to_owned());
        self
    }

    /// Adds lines of YAML.
    #[must_use]
    pub fn and(mut self, yaml: &str) -> Self {
        self.more.push_str(yaml);
        self.more.push('\n');
        self
    }

    /// Writes everything below `folder/name`.
    ///
    /// # Errors
    /// When a file cannot be written.
    pub fn write(&self, folder: &Path, name: &str) -> anyhow::Result<Places> {
        let base = folder.join(name);
        let places = Places {
            config: base.join("enforcer.yaml"),
            state: base.join("state"),
            runtime: base.join("run"),
            policies: base.join("policies"),
            socket: base.join("run/control.sock"),
            ledger: base.join("state/ledger.jsonl"),
            ca: base.join("state/ca"),
        };
        fs::create_dir_all(&places.policies)?;
        for (policy, text) in &self.policies {
            fs::write(places.policies.join(format!("{policy}.yaml")), text)?;
        }
        let root = base.join("upstream-ca.pem");
        if let Some(pem) = &self.extra_root {
            fs::write(&root, pem)?;
        }
        fs::write(&places.config, self.yaml(&places, &root)?)?;
        Ok(places)
    }

    fn yaml(&self, places: &Places, root: &Path) -> anyhow::Result<String> {
        let mut text = String::new();
        writeln!(text, "state_dir: {}", places.state.display())?;
        writeln!(text, "runtime_dir: {}", places.runtime.display())?;
        writeln!(text, "policies: {}", places.policies.display())?;
        writeln!(text, "control:\n  socket: {}", places.socket.display())?;
        writeln!(text, "ledger:\n  path: {}", places.ledger.display())?;
        writeln!(text, "ca:\n  dir: {}", places.ca.display())?;
        for line in &self.ca {
            writeln!(text, "  {line}")?;
        }
        let is_silent = self.connect_to.is_empty() && self.upstream.is_empty();
        if !is_silent || self.extra_root.is_some() {
            writeln!(text, "upstream:")?;
        }
        for line in &self.upstream {
            writeln!(text, "  {line}")?;
        }
        if self.extra_root.is_some() {
            writeln!(text, "  extra_roots: [{}]", root.display())?;
        }
        if !self.connect_to.is_empty() {
            writeln!(text, "  connect_to:")?;
        }
        for (name, address) in &self.connect_to {
            writeln!(text, "    \"{name}\": \"{address}\"")?;
        }
        text.push_str(&self.more);
        Ok(text)
    }
}

// === impl Daemon ===

impl Daemon {
    /// Writes the setup down and starts a daemon with it.
    ///
    /// # Errors
    /// When it does not come up; with what it said.
    pub fn start(sandbox: &Arc<Sandbox>, setup: &Setup) -> anyhow::Result<Self> {
        let places = setup.write(sandbox.folder(), "daemon")?;
        Self::start_at(sandbox, places)
    }

    /// Starts a daemon on a configuration that is already there.
    ///
    /// # Errors
    /// As [`Daemon::start`].
    pub fn start_at(sandbox: &Arc<Sandbox>, places: Places) -> anyhow::Result<Self> {
        let mut command = Command::new(&sandbox.binaries().enforcer);
        command.arg("daemon").arg("--config").arg(&places.config);
        let mut process = Process::start(&mut command, Some(sandbox.host()))?;
        let until = Instant::now() + START;
        while UnixStream::connect(&places.socket).is_err() {
            if process.has_ended() || Instant::now() >= until {
                let finished = process.finish(Duration::ZERO)?;
                anyhow::bail!("the daemon did not start: {}", finished.stderr);
            }
            std::thread::sleep(LOOK_EVERY);
        }
        Ok(Self {
            sandbox: Arc::clone(sandbox),
            places,
            process,
        })
    }

    /// Where its files are.
    #[must_use]
    pub fn places(&self) -> &Places {
        &self.places
    }

    /// Its process id.
    #[must_use]
    pub fn id(&self) -> u32 {
        self.process.id()
    }

    /// Its ledger.
    #[must_use]
    pub fn ledger(&self) -> LedgerProbe {
        LedgerProbe::new(&self.places.ledger)
    }

    /// Runs the enforcer with this daemon's configuration: `arguments`, then `--config FILE`.
    ///
    /// # Errors
    /// When it cannot be started or does not end.
    pub fn cli(&self, arguments: &[&str]) -> anyhow::Result<Finished> {
        let mut command = Command::new(&self.sandbox.binaries().enforcer);
        command.args(arguments);
        command.arg("--config").arg(&self.places.config);
        Process::start(&mut command, Some(self.sandbox.host()))?.finish(PATIENCE)
    }

    /// Runs `enforcer audit` on this daemon's ledger: `arguments`, then `--file LEDGER`.
    ///
    /// # Errors
    /// When it cannot be started or does not end.
    pub fn audit(&self, arguments: &[&str]) -> anyhow::Result<Finished> {
        let mut command = Command::new(&self.sandbox.binaries().enforcer);
        command.arg("audit").args(arguments);
        command.arg("--file").arg(&self.places.ledger);
        Process::start(&mut command, Some(self.sandbox.host()))?.finish(PATIENCE)
    }

    /// Puts a cgroup under the daemon's care.
    ///
    /// # Errors
    /// When the daemon refuses; with what was said.
    pub fn label(&self, cgroup: &Cgroup) -> anyhow::Result<()> {
        let path = cgroup.path().display().to_string();
        let finished = self.cli(&["label", &path])?;
        anyhow::ensure!(finished.code() == 0, "label: {}", finished.stderr);
        Ok(())
    }

    /// An agent in `cgroup` that believes this daemon's CA.
    ///
    /// # Errors
    /// When the CA cannot be had.
    pub fn agent(&self, cgroup: &Cgroup) -> anyhow::Result<Agent> {
        let shown = self.cli(&["ca", "show", "--pem"])?;
        anyhow::ensure!(shown.code() == 0, "ca show: {}", shown.stderr);
        let trust = self.sandbox.write("agent-trust.pem", &shown.stdout)?;
        Ok(Agent::new(&self.sandbox, cgroup.path(), &trust))
    }

    /// Asks it to stop, and does not wait.
    pub fn terminate(&self) {
        self.process.signal(Signal::TERM);
    }

    /// Asks it to stop and waits until it has.
    ///
    /// # Errors
    /// When it does not.
    pub fn stop(self) -> anyhow::Result<Finished> {
        self.terminate();
        self.process.finish(PATIENCE)
    }

    /// Kills it without a word and without waiting for this value's end; [`Daemon::places`] stay as they are.
    pub fn strike(&self) {
        self.process.signal(Signal::KILL);
        self.process.await_end();
    }

    /// The most memory it ever had resident, in bytes.
    ///
    /// # Errors
    /// When /proc does not say.
    pub fn peak(&self) -> anyhow::Result<u64> {
        let text = fs::read_to_string(format!("/proc/{}/status", self.id()))?;
        let line = text.lines().find_map(|line| line.strip_prefix("VmHWM:"));
        let line = line.context("a process has a peak")?;
        let kibibytes: u64 = line.trim().trim_end_matches(" kB").trim().parse()?;
        Ok(kibibytes * 1024)
    }

    /// How many descriptors it has open.
    ///
    /// # Errors
    /// When /proc does not say.
    pub fn descriptors(&self) -> anyhow::Result<usize> {
        Ok(fs::read_dir(format!("/proc/{}/fd", self.id()))?.count())
    }
}
