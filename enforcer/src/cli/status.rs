//! `enforcer status`: what a running daemon says of itself.

use std::io::{self, Write};
use std::path::PathBuf;
use std::process::ExitCode;

use anyhow::Context;
use clap::Args;
use enforcer_control::{
    Client, ClientError, LedgerView, PolicyView, Status, WatchdogView, WorkloadView,
};
use jiff::SignedDuration;

use crate::config::Config;

mod trust;

use trust::{write_authority, write_trust};

#[cfg(test)]
mod tests;

/// The exit code when no daemon answers.
const NOT_RUNNING: u8 = 3;

/// The arguments of `enforcer status`. Exits with 3 when no daemon answers.
#[derive(Debug, Args)]
pub(crate) struct StatusArgs {
    #[command(flatten)]
    daemon: Address,
    /// Print one JSON object
    #[arg(long)]
    json: bool,
}

/// Which daemon is meant.
#[derive(Debug, Args)]
pub(crate) struct Address {
    /// The configuration the daemon was started with
    #[arg(long, value_name = "FILE")]
    config: Option<PathBuf>,
}

/// Does what was asked.
///
/// # Errors
/// When a daemon is there and does not answer this user, or not sensibly.
pub(crate) fn run(args: StatusArgs) -> anyhow::Result<ExitCode> {
    let StatusArgs { daemon, json } = args;
    let client = daemon.client()?;
    let status = match ask(client.status())? {
        Ok(status) => status,
        Err(error @ ClientError::NotRunning { .. }) => {
            writeln!(
                io::stderr(),
                "enforcer: {error}; start one with `enforcer daemon --config FILE`"
            )?;
            return Ok(ExitCode::from(NOT_RUNNING));
        }
        Err(error) => return Err(error.into()),
    };
    let mut out = io::stdout().lock();
    if json {
        serde_json::to_writer(&mut out, &status)?;
        writeln!(out)?;
    } else {
        write(&mut out, &status)?;
    }
    Ok(ExitCode::SUCCESS)
}

/// Waits for an answer; the CLI has nothing else to do meanwhile.
///
/// # Errors
/// When no runtime can be made to wait in.
pub(crate) fn ask<T>(question: impl Future<Output = T>) -> anyhow::Result<T> {
    let runtime = tokio::runtime::Builder::new_current_thread()
        .enable_all()
        .build()
        .context("the runtime cannot be made")?;
    Ok(runtime.block_on(question))
}

// === impl Address ===

impl Address {
    /// The configuration itself.
    ///
    /// # Errors
    /// When it cannot be read.
    pub(crate) fn config(&self) -> anyhow::Result<Config> {
        Ok(Config::find(self.config.as_deref())?)
    }

    /// A client of that daemon.
    ///
    /// # Errors
    /// When the configuration cannot be read.
    pub(crate) fn client(&self) -> anyhow::Result<Client> {
        let config = Config::find(self.config.as_deref())?;
        Ok(Client::new(config.control.socket))
    }

    #[cfg(test)]
    pub(crate) fn of(config: PathBuf) -> Self {
        Self {
            config: Some(config),
        }
    }
}

fn write(out: &mut impl Write, status: &Status) -> io::Result<()> {
    let Status {
        version,
        pid,
        uptime_seconds,
        policy,
        workloads,
        ledger,
        authority,
        dangers,
        quarantines,
        watchdog,
        trust,
    } = status;
    let uptime = SignedDuration::from_secs(i64::try_from(*uptime_seconds).unwrap_or(i64::MAX));
    writeln!(out, "enforcer   {version}, process {pid}, up {uptime:#}")?;
    write_policy(out, policy)?;
    write_ledger(out, ledger)?;
    write_authority(out, authority)?;
    for danger in dangers {
        writeln!(out, "danger     {danger}")?;
    }
    for quarantine in quarantines {
        writeln!(out, "quarantine {quarantine}")?;
    }
    if let Some(watchdog) = watchdog {
        write_watchdog(out, watchdog)?;
    }
    write_trust(out, trust)?;
    write_workloads(out, workloads)
}

fn write_policy(out: &mut impl Write, policy: &PolicyView) -> io::Result<()> {
    let PolicyView {
        source,
        digest,
        rules,
        problem,
    } = policy;
    writeln!(out, "policy     {rules} rules from {}", source.display())?;
    writeln!(out, "           {digest}")?;
    if let Some(problem) = problem {
        writeln!(
            out,
            "           the newest files are not in force: {problem}"
        )?;
    }
    Ok(())
}

fn write_ledger(out: &mut impl Write, ledger: &LedgerView) -> io::Result<()> {
    let LedgerView {
        path,
        sequence,
        head,
        problem,
    } = ledger;
    writeln!(out, "ledger     {sequence} entries in {}", path.display())?;
    writeln!(out, "           {head}")?;
    if let Some(problem) = problem {
        writeln!(
            out,
            "           nothing is granted, for nothing can be written: {problem}"
        )?;
    }
    Ok(())
}

fn write_watchdog(out: &mut impl Write, watchdog: &WatchdogView) -> io::Result<()> {
    let WatchdogView {
        seconds_ago,
        programs,
        lsm,
        mended,
        problems,
    } = watchdog;
    writeln!(
        out,
        "programs   {programs} in place {seconds_ago} s ago, {mended} faults mended so far"
    )?;
    for problem in problems {
        writeln!(out, "           NOT IN PLACE: {problem}")?;
    }
    writeln!(out, "lsm        {lsm}")
}

fn write_workloads(out: &mut impl Write, workloads: &[WorkloadView]) -> io::Result<()> {
    if workloads.is_empty() {
        return writeln!(
            out,
            "workloads  none; `enforcer label CGROUP_PATH` adds one"
        );
    }
    writeln!(out, "workloads  {}", workloads.len())?;
    let name_width = workloads.iter().map(|w| w.name.len()).max().unwrap_or(0);
    let policy = |w: &WorkloadView| w.policy.clone().unwrap_or_else(|| "*".to_owned());
    let policy_width = workloads.iter().map(|w| policy(w).len()).max().unwrap_or(0);
    for workload in workloads {
        let WorkloadView {
            name,
            cgroup,
            cgroup_id: _,
            policy: _,
            container: _,
            principal,
            stance,
            flows_open,
            flows_total,
        } = workload;
        let stance = match stance.as_str() {
            "observe" => "  OBSERVED",
            "quarantine" => "  IN QUARANTINE",
            _ => "",
        };
        let policy = policy(workload);
        let person = principal.as_ref().map(|name| format!("  for {name}"));
        let person = person.unwrap_or_default();
        writeln!(
            out,
            "  {name:name_width$}  policy {policy:policy_width$}  flows {flows_open} open, {flows_total} in all{stance}{person}  {cgroup}"
        )?;
    }
    Ok(())
}
