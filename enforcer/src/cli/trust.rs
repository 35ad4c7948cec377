//! `enforcer trust`: who believes the local CA, proved by handshakes, and what to do about those that do not.

use std::ffi::OsString;
use std::io::{self, Write};
use std::path::{Path, PathBuf};
use std::process::ExitCode;

use anyhow::{Context, bail, ensure};
use clap::{Args, Subcommand, ValueEnum};
use enforcer_control::{ClientError, Status, TrustView, WorkloadView};
use enforcer_identity::Hierarchy;
use enforcer_tls::trust::{self, Placed};
use serde::Serialize;

use super::status::{Address, ask};
use crate::config::Config;

mod program;
mod report;

use program::{Checked, Verdict};

/// The exit code when no daemon answers.
const NOT_RUNNING: u8 = 3;
/// The exit code when a program does not believe the CA.
const NOT_TRUSTED: u8 = 4;

/// The arguments of `enforcer trust`.
#[derive(Debug, Args)]
pub(crate) struct TrustArgs {
    #[command(subcommand)]
    command: Command,
}

#[derive(Debug, Subcommand)]
enum Command {
    /// Have each runtime that a workload has shake hands with the enforcer, and say which of them believe it.
    Check(CheckArgs),
    /// Print the variables that point programs at the CA.
    Env(EnvArgs),
    /// List the trust stores that were covered, and the programs that refused the CA.
    List(ListArgs),
}

/// Runs what it finds of curl, wget, openssl, Python, Node, Deno, Java and others as the workload would: in its cgroup, its
/// namespaces, its root and with its environment. Each opens a connection to a name that only the enforcer answers for.
/// Exits with 0 when all that were checked believe the CA, with 4 when one does not, with 3 when no daemon answers.
#[derive(Debug, Args)]
struct CheckArgs {
    #[command(flatten)]
    daemon: Address,
    /// The workload, by its name or its cgroup's path
    #[arg(long, value_name = "NAME")]
    workload: String,
    /// Print one JSON object
    #[arg(long)]
    json: bool,
}

#[derive(Debug, Args)]
struct ListArgs {
    #[command(flatten)]
    daemon: Address,
    /// Print one JSON array
    #[arg(long)]
    json: bool,
}

/// Without --inside: the files on this host, for a workload that sees its files. A running daemon keeps them.
#[derive(Debug, Args)]
struct EnvArgs {
    /// The configuration the daemon was started with
    #[arg(long, value_name = "FILE")]
    config: Option<PathBuf>,
    /// The files as a container sees them that was started by the enforcer's runtime
    #[arg(long)]
    inside: bool,
    /// How they are written
    #[arg(long, value_enum, default_value_t = Format::Shell)]
    format: Format,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
enum Format {
    /// NAME=VALUE lines, as `docker run --env-file` and systemd's `EnvironmentFile=` take them.
    EnvFile,
    /// One JSON object.
    Json,
    /// `export` lines for a shell.
    Shell,
}

/// What a check came to.
#[derive(Debug, Serialize)]
struct Report {
    workload: String,
    trusted: bool,
    checked: Vec<Checked>,
    /// The trust stores of its containers that hold the CA.
    stores: Vec<PathBuf>,
    /// What could not be done there.
    problems: Vec<String>,
    /// Names that its programs refused to be opened for, since it is served.
    refused: Vec<String>,
    /// A rule that lets those pass unopened.
    rule: Option<String>,
}

/// Does what was asked.
///
/// # Errors
/// When there is no such workload, it has no process, or the daemon does not answer this user.
pub(crate) fn run(args: TrustArgs) -> anyhow::Result<ExitCode> {
    match args.command {
        Command::Check(args) => check(&args),
        Command::Env(args) => environment(&args),
        Command::List(args) => list(&args),
    }
}

fn check(args: &CheckArgs) -> anyhow::Result<ExitCode> {
    let Some(status) = status(&args.daemon)? else {
        return Ok(ExitCode::from(NOT_RUNNING));
    };
    ensure!(
        rustix::process::geteuid().is_root(),
        "running a workload's programs where it lives needs root"
    );
    let workload = find(&status, &args.workload)?;
    let cgroup = Hierarchy::discover()?.open(Path::new(&workload.cgroup))?;
    let pids = cgroup.processes()?;
    let checked = program::check(&pids)?;
    let mut views = status.trust.into_iter();
    let view = views.find(|view| view.workload == workload.name);
    let report = Report::new(workload.name, checked, view);
    let mut out = io::stdout().lock();
    if args.json {
        serde_json::to_writer(&mut out, &report)?;
        writeln!(out)?;
    } else {
        report::write(&mut out, &report)?;
    }
    Ok(if report.trusted {
        ExitCode::SUCCESS
    } else {
        ExitCode::from(NOT_TRUSTED)
    })
}

fn list(args: &ListArgs) -> anyhow::Result<ExitCode> {
    let Some(status) = status(&args.daemon)? else {
        return Ok(ExitCode::from(NOT_RUNNING));
    };
    let mut out = io::stdout().lock();
    if args.json {
        serde_json::to_writer(&mut out, &status.trust)?;
        writeln!(out)?;
    } else {
        report::write_list(&mut out, &status.trust)?;
    }
    Ok(ExitCode::SUCCESS)
}

fn environment(args: &EnvArgs) -> anyhow::Result<ExitCode> {
    let placed = if args.inside {
        Placed::at(Path::new(trust::INSIDE))
    } else {
        let config = Config::find(args.config.as_deref())?;
        let placed = Placed::at(&trust::folder(&config.runtime_dir));
        ensure!(
            placed.ca.exists(),
            "there is no `{}`; a running daemon writes it",
            placed.ca.display()
        );
        placed
    };
    let variables = trust::environment(&placed, None);
    let mut out = io::stdout().lock();
    write_variables(&mut out, args.format, &variables)?;
    Ok(ExitCode::SUCCESS)
}

fn write_variables(
    out: &mut impl Write,
    format: Format,
    variables: &[(&'static str, OsString)],
) -> anyhow::Result<()> {
    let mut object = serde_json::Map::new();
    for (name, value) in variables {
        let value = value
            .to_str()
            .context("a path that is no text cannot be printed")?;
        match format {
            Format::EnvFile => writeln!(out, "{name}={value}")?,
            Format::Json => {
                object.insert((*name).to_owned(), value.into());
            }
            Format::Shell => writeln!(out, "export {name}='{}'", value.replace('\'', r"'\''"))?,
        }
    }
    if format == Format::Json {
        writeln!(out, "{}", serde_json::Value::Object(object))?;
    }
    Ok(())
}

/// The status; none when no daemon answers, which is said.
fn status(daemon: &Address) -> anyhow::Result<Option<Status>> {
    match ask(daemon.client()?.status())? {
        Ok(status) => Ok(Some(status)),
        Err(error @ ClientError::NotRunning { .. }) => {
            writeln!(
                io::stderr(),
                "enforcer: {error}; start one with `enforcer daemon --config FILE`"
            )?;
            Ok(None)
        }
        Err(error) => Err(error.into()),
    }
}

fn find(status: &Status, named: &str) -> anyhow::Result<WorkloadView> {
    let mut workloads = status.workloads.iter();
    let found = workloads.find(|one| one.name == named || one.cgroup == named);
    if let Some(found) = found {
        return Ok(found.clone());
    }
    let names: Vec<_> = status
        .workloads
        .iter()
        .map(|one| one.name.as_str())
        .collect();
    bail!(
        "no workload is called `{named}`; served are: {}",
        if names.is_empty() {
            "none".to_owned()
        } else {
            names.join(", ")
        }
    )
}

// === impl Report ===

impl Report {
    fn new(workload: String, checked: Vec<Checked>, view: Option<TrustView>) -> Self {
        let (stores, problems, distrusted) = match view {
            Some(view) => (view.stores, view.problems, view.distrusted),
            None => (Vec::new(), Vec::new(), Vec::new()),
        };
        let mut refused: Vec<String> = distrusted.into_iter().map(|one| one.host).collect();
        refused.retain(|host| host != enforcer_flow::CHECK_NAME);
        refused.sort();
        refused.dedup();
        let trusted = checked.iter().all(|one| one.verdict != Verdict::NotTrusted);
        let rule = (!trusted || !refused.is_empty()).then(|| report::rule(&workload, &refused));
        Self {
            workload,
            trusted,
            checked,
            stores,
            problems,
            refused,
            rule,
        }
    }
}

#[cfg(test)]
mod tests;
