//! `enforcer uninstall`: removes every trace of the enforcer from the running machine, but for its evidence.
//!
//! What is removed: programs on cgroups and their pins, labels, the cgroups of `enforcer run`, copies laid over trust stores,
//! sockets and other files of the runtime folder. What an auditor may ask for stays unless told otherwise: ledgers, the CA,
//! keys, standing orders. Configuration and policies are the operator's and always stay. It may be repeated.

use std::fs;
use std::io::{self, Write};
use std::path::{Path, PathBuf};
use std::process::ExitCode;
use std::time::Duration;

use anyhow::{Context as _, bail, ensure};
use clap::Args;
use enforcer_audit::{Entry, Ledger, OperatorAction, Recordings};
use enforcer_control::ClientError;
use enforcer_identity::{Hierarchy, RUNS, Unmarked};
use rustix::event::{PollFd, PollFlags, Timespec, poll};
use rustix::process::{Pid, PidfdFlags, Signal, pidfd_open, pidfd_send_signal};
use serde::Serialize;

use super::status::{Address, ask};
use crate::app::PIN_ROOT;
use crate::config::Config;
use crate::trust;

/// How long a daemon may take to stop, beyond what it lets exchanges finish in.
const GRACE: Duration = Duration::from_secs(30);
/// How long a process of a run that is no more may take to end.
const PATIENCE: Duration = Duration::from_secs(5);

/// Remove every trace of the enforcer from this machine, but for its evidence, configuration and policies.
///
/// Agents are free from then on. Refuses while a daemon or an `enforcer run` runs. Exits with 1 when something is left that
/// should not be.
#[derive(Debug, Args)]
pub(crate) struct UninstallArgs {
    #[command(flatten)]
    daemon: Address,
    /// Stop the daemon first; one that a service manager starts again must be stopped there
    #[arg(long)]
    stop: bool,
    /// Remove ledgers, the certificate authority, keys and standing orders too. There is no way back
    #[arg(long)]
    purge: bool,
    /// Print one JSON object
    #[arg(long)]
    json: bool,
}

/// What was done.
#[derive(Debug, Default, Serialize)]
struct Report {
    removed: Vec<String>,
    kept: Vec<String>,
    failed: Vec<String>,
}

/// Does what was asked.
///
/// # Errors
/// When something of the enforcer runs, or nothing can be begun.
pub(crate) fn run(args: UninstallArgs) -> anyhow::Result<ExitCode> {
    ensure!(
        rustix::process::geteuid().is_root(),
        "taking programs off cgroups needs root; run this with sudo"
    );
    let config = args.daemon.config()?;
    if args.stop {
        stop(&args.daemon, &config)?;
    }
    let running = enforcer_kernel::running(Path::new(PIN_ROOT))?;
    if let [place, ..] = running.as_slice() {
        let mend = if place.ends_with("daemon") {
            "stop the daemon first, or add --stop"
        } else {
            "end the `enforcer run` that it belongs to first"
        };
        bail!(
            "nothing was removed: `{}` is in use; {mend}",
            place.display()
        );
    }
    let mut report = Report::default();
    witness(&config, args.purge, &mut report)?;
    report.programs();
    report.labels();
    report.runs();
    report.covers(&config);
    report.runtime(&config);
    report.evidence(&config, args.purge);
    show(&report, args.json)?;
    Ok(if report.failed.is_empty() {
        ExitCode::SUCCESS
    } else {
        ExitCode::FAILURE
    })
}

/// Ends the daemon and waits until it is gone.
fn stop(daemon: &Address, config: &Config) -> anyhow::Result<()> {
    let pid = match ask(daemon.client()?.status())? {
        Ok(status) => status.pid,
        Err(ClientError::NotRunning { .. }) => return Ok(()),
        Err(error) => return Err(error.into()),
    };
    let process = i32::try_from(pid).ok().and_then(Pid::from_raw);
    let process = process.context("the daemon does not say which process it is")?;
    // Held, so that the number stays its own; readable once it has ended, whether its parent has noticed or not.
    let process =
        pidfd_open(process, PidfdFlags::empty()).context("the daemon cannot be watched")?;
    pidfd_send_signal(&process, Signal::TERM).context("the daemon cannot be stopped")?;
    let patience = config.limits.drain_timeout + GRACE;
    let timeout = Timespec::try_from(patience).context("`limits.drain_timeout` is too long")?;
    let ended = poll(&mut [PollFd::new(&process, PollFlags::IN)], Some(&timeout))?;
    ensure!(ended == 1, "the daemon, process {pid}, does not stop");
    Ok(())
}

/// In the ledger before anything is done, where there is one that stays.
fn witness(config: &Config, purge: bool, report: &mut Report) -> anyhow::Result<()> {
    if purge || !config.ledger.path.exists() {
        return Ok(());
    }
    let what = "every program, label and socket of the enforcer on this machine";
    let written = Ledger::open(enforcer_audit::Config::at(&config.ledger.path))
        .map_err(anyhow::Error::from)
        .and_then(|ledger| {
            let entry = Entry::OperatorAction(OperatorAction {
                action: "uninstall",
                detail: &what,
                uid: rustix::process::getuid().as_raw(),
                pid: std::process::id(),
            });
            ledger.append(&entry)?;
            Ok(ledger.flush()?)
        });
    match written {
        Ok(()) => Ok(()),
        // It only takes away, and an operator must be able to leave; but it is said.
        Err(error) => {
            report.failed.push(format!(
                "the ledger does not say that this was done: {error:#}"
            ));
            Ok(())
        }
    }
}

// === impl Report ===

impl Report {
    fn programs(&mut self) {
        match enforcer_kernel::uninstall(Path::new(PIN_ROOT)) {
            Ok(places) => {
                let places = places
                    .iter()
                    .map(|place| format!("programs pinned at {}", place.display()));
                self.removed.extend(places);
            }
            Err(error) => self.failed.push(format!("programs: {}", chain(&error))),
        }
    }

    fn labels(&mut self) {
        match Hierarchy::discover() {
            Ok(hierarchy) => {
                let Unmarked { cgroups, errors } = hierarchy.unmark_all();
                self.removed
                    .extend(cgroups.iter().map(|path| format!("label of {path}")));
                self.failed.extend(
                    errors
                        .iter()
                        .map(|error| format!("labels: {}", chain(error))),
                );
            }
            Err(error) => self.failed.push(format!("labels: {}", chain(&error))),
        }
    }

    /// The cgroups of commands whose enforcer is no more, and what still lives in them.
    fn runs(&mut self) {
        let Ok(hierarchy) = Hierarchy::discover() else {
            return;
        };
        let below = |path: &str| hierarchy.mount().join(path.trim_start_matches('/'));
        let root = below(RUNS);
        let runs = fs::read_dir(&root).into_iter().flatten().flatten();
        let runs: Vec<PathBuf> = runs
            .map(|entry| entry.path())
            .filter(|path| path.is_dir())
            .collect();
        for dir in runs.iter().chain([&root]).filter(|dir| dir.exists()) {
            let done = hierarchy.open(dir).and_then(|cgroup| {
                cgroup.kill_all()?;
                cgroup.remove(PATIENCE)
            });
            match done {
                Ok(()) => self.removed.push(format!("cgroup {}", dir.display())),
                Err(error) => self.failed.push(format!("cgroups: {}", chain(&error))),
            }
        }
    }

    fn covers(&mut self, config: &Config) {
        match trust::clean(&trust::covers(&config.runtime_dir), &[]) {
            Ok(0) => {}
            Ok(count) => self
                .removed
                .push(format!("{count} copies over trust stores of containers")),
            Err(error) => self.failed.push(format!("trust stores: {error:#}")),
        }
    }

    /// The socket, and what is ours in the runtime folder.
    fn runtime(&mut self, config: &Config) {
        self.remove(&config.control.socket);
        let entries = fs::read_dir(&config.runtime_dir)
            .into_iter()
            .flatten()
            .flatten();
        for path in entries
            .map(|entry| entry.path())
            .filter(|path| is_ours(path))
        {
            self.remove(&path);
        }
        // Only if nothing of others is in it.
        if fs::remove_dir(&config.runtime_dir).is_ok() {
            self.removed.push(config.runtime_dir.display().to_string());
        }
    }

    /// What may be asked for later.
    fn evidence(&mut self, config: &Config, purge: bool) {
        let state = &config.state_dir;
        let mut all = ledgers(&config.ledger.path);
        all.extend([
            config.ca.dir.clone(),
            state.join("runs"),
            state.join("fingerprint.key"),
            state.join("masking.key"),
            state.join("quarantine.json"),
            Recordings::beside(&config.ledger.path),
        ]);
        // The database, and what it keeps beside itself while it is written.
        all.extend(["", "-shm", "-wal"].map(|end| {
            let mut name = config.costs.budgets.clone().into_os_string();
            name.push(end);
            PathBuf::from(name)
        }));
        for path in all.iter().filter(|path| path.exists()) {
            if purge {
                self.remove(path);
            } else {
                self.kept.push(path.display().to_string());
            }
        }
        if purge && fs::remove_dir(state).is_ok() {
            self.removed.push(state.display().to_string());
        }
    }

    fn remove(&mut self, path: &Path) {
        let done = match fs::symlink_metadata(path) {
            Ok(about) if about.is_dir() => fs::remove_dir_all(path),
            Ok(_) => fs::remove_file(path),
            Err(error) => Err(error),
        };
        match done {
            Ok(()) => self.removed.push(path.display().to_string()),
            Err(error) if error.kind() == io::ErrorKind::NotFound => {}
            Err(error) => self.failed.push(format!("{}: {error}", path.display())),
        }
    }
}

/// The active file, its parts, and what was set aside of it.
fn ledgers(path: &Path) -> Vec<PathBuf> {
    let (Some(folder), Some(name)) = (
        path.parent(),
        path.file_name().and_then(|name| name.to_str()),
    ) else {
        return Vec::new();
    };
    let parts = format!("{name}.");
    let is_one = |path: &PathBuf| {
        let found = path
            .file_name()
            .and_then(|name| name.to_str())
            .unwrap_or_default();
        found == name || found.starts_with(&parts)
    };
    let entries = fs::read_dir(folder).into_iter().flatten().flatten();
    entries.map(|entry| entry.path()).filter(is_one).collect()
}

/// Whether a file of the runtime folder is the enforcer's: folders of runs, and copies of trust stores.
fn is_ours(path: &Path) -> bool {
    let name = path
        .file_name()
        .and_then(|name| name.to_str())
        .unwrap_or_default();
    name.starts_with("run-") || name == "covers" || name == "trust"
}

fn chain(error: &(dyn std::error::Error + 'static)) -> String {
    let mut text = error.to_string();
    let mut source = error.source();
    while let Some(error) = source {
        text = format!("{text}: {error}");
        source = error.source();
    }
    text
}

fn show(report: &Report, json: bool) -> anyhow::Result<()> {
    let mut out = io::stdout().lock();
    if json {
        serde_json::to_writer(&mut out, report)?;
        writeln!(out)?;
        return Ok(());
    }
    let Report {
        removed,
        kept,
        failed,
    } = report;
    if removed.is_empty() && failed.is_empty() {
        writeln!(out, "nothing of the enforcer was in force on this machine")?;
    }
    for (word, lines) in [("removed", removed), ("kept", kept), ("FAILED", failed)] {
        for line in lines {
            writeln!(out, "{word:7}  {line}")?;
        }
    }
    if !kept.is_empty() {
        writeln!(
            out,
            "what was kept is evidence; `enforcer uninstall --purge` removes it too"
        )?;
    }
    Ok(())
}
