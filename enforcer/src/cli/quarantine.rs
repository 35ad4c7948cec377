//! `enforcer quarantine` and `enforcer unquarantine`: the kill switch.
//!
//! A running daemon ends the flows and has the kernel refuse new ones. Without a daemon nobody gets out anyway; the order is
//! written down then for the next one, and the exit code says so.

use std::io::{self, Write};
use std::process::ExitCode;

use anyhow::{Context as _, bail};
use clap::Args;
use enforcer_control::{Quarantined, Target};
use enforcer_identity::Hierarchy;

use super::label::unless_alone;
use super::status::{Address, ask};
use crate::quarantine::{Order, Orders};

/// The exit code when the order was written down, but no daemon is there to carry it out.
const NOT_HONOURED: u8 = 4;

/// End every flow of a workload and refuse new ones, until that is lifted.
///
/// It takes hold within a second, goes on when the daemon is restarted or gone, and is for workloads of that name, policy
/// or cgroup that come later too. Commands of `enforcer run` are meant by their cgroup, by one above it, or by `--all`, and
/// obey without a daemon. Exits with 4 when no daemon is there.
#[derive(Debug, Args)]
pub(crate) struct QuarantineArgs {
    #[command(flatten)]
    chosen: Chosen,
    /// Lift the quarantine, as `enforcer unquarantine` does
    #[arg(long)]
    lift: bool,
}

/// Lift a quarantine. Workloads that another order is for stay where they are. Exits with 4 when no daemon is there.
#[derive(Debug, Args)]
pub(crate) struct UnquarantineArgs {
    #[command(flatten)]
    chosen: Chosen,
}

/// Whom it is for.
#[derive(Debug, Args)]
struct Chosen {
    #[command(flatten)]
    daemon: Address,
    #[command(flatten)]
    target: Named,
    /// Print one JSON object
    #[arg(long)]
    json: bool,
}

#[derive(Debug, Args)]
#[group(required = true, multiple = false)]
struct Named {
    /// A workload's name as `enforcer status` shows it, or a cgroup with all below it: its directory, or its path below the
    /// cgroup2 mount
    #[arg(value_name = "NAME")]
    workload: Option<String>,
    /// Every workload whose label names this policy
    #[arg(long, value_name = "NAME")]
    policy: Option<String>,
    /// Every workload
    #[arg(long)]
    all: bool,
}

#[derive(Clone, Copy)]
enum Verb {
    Lift,
    Quarantine,
}

/// Orders a quarantine, or lifts one.
///
/// # Errors
/// When nobody can be meant, or the daemon that is there cannot do it.
pub(crate) fn run(args: QuarantineArgs) -> anyhow::Result<ExitCode> {
    let QuarantineArgs { chosen, lift } = args;
    let verb = if lift { Verb::Lift } else { Verb::Quarantine };
    change(&chosen, verb)
}

/// Lifts a quarantine.
///
/// # Errors
/// As [`run`].
pub(crate) fn lift(args: UnquarantineArgs) -> anyhow::Result<ExitCode> {
    change(&args.chosen, Verb::Lift)
}

fn change(chosen: &Chosen, verb: Verb) -> anyhow::Result<ExitCode> {
    let target = chosen.target.target()?;
    let client = chosen.daemon.client()?;
    let answered = ask(async {
        match verb {
            Verb::Lift => client.lift(&target).await,
            Verb::Quarantine => client.quarantine(&target).await,
        }
    })?;
    match unless_alone(answered)? {
        Some(done) => {
            show(&done, chosen.json)?;
            Ok(ExitCode::SUCCESS)
        }
        None => write_down(chosen, &target, verb),
    }
}

/// What is left to do where no daemon is.
fn write_down(chosen: &Chosen, target: &Target, verb: Verb) -> anyhow::Result<ExitCode> {
    let order = order(target)?;
    let config = chosen.daemon.config()?;
    let orders = Orders::open(&config.state_dir)?;
    let changed = match verb {
        Verb::Lift => orders.remove(&order)?,
        Verb::Quarantine => {
            let (added, kept) = orders.add(&order);
            kept?;
            added
        }
    };
    let in_force = matches!(verb, Verb::Quarantine);
    let warning = "no daemon answers: connections of all workloads are refused until one runs, and this holds from then on";
    let done = Quarantined {
        target: order.to_string(),
        in_force,
        changed,
        workloads: Vec::new(),
        flows_ended: 0,
        warning: Some(warning.to_owned()),
    };
    show(&done, chosen.json)?;
    Ok(ExitCode::from(NOT_HONOURED))
}

fn order(target: &Target) -> anyhow::Result<Order> {
    Ok(match target {
        Target::All => Order::All,
        Target::Policy(name) => Order::Policy(name.clone()),
        Target::Workload(named) if named.starts_with('/') => {
            let hierarchy = Hierarchy::discover()?;
            let cgroup = hierarchy
                .open(named.as_ref())
                .context("without a daemon the cgroup must be there")?;
            Order::Cgroup(cgroup.path().to_string())
        }
        Target::Workload(named) => bail!(
            "no daemon answers that would know which workload is called `{}`; name its cgroup",
            named.escape_debug()
        ),
    })
}

fn show(done: &Quarantined, json: bool) -> anyhow::Result<()> {
    let mut out = io::stdout().lock();
    if json {
        serde_json::to_writer(&mut out, done)?;
        writeln!(out)?;
        return Ok(());
    }
    let Quarantined {
        target,
        in_force,
        changed,
        workloads,
        flows_ended,
        warning,
    } = done;
    let what = match (in_force, changed) {
        (true, true) => "is in quarantine",
        (true, false) => "was in quarantine already and still is",
        (false, true) => "is not in quarantine any more",
        (false, false) => "was not in quarantine",
    };
    writeln!(out, "{target} {what}; {flows_ended} flows were ended")?;
    for workload in workloads {
        writeln!(
            out,
            "  {}  {}  {}",
            workload.name, workload.stance, workload.cgroup
        )?;
    }
    if let Some(warning) = warning {
        writeln!(io::stderr(), "enforcer: {warning}")?;
    }
    Ok(())
}

// === impl Named ===

impl Named {
    fn target(&self) -> anyhow::Result<Target> {
        let Self {
            workload,
            policy,
            all,
        } = self;
        match (workload, policy, all) {
            (Some(name), None, false) => Ok(Target::Workload(name.clone())),
            (None, Some(name), false) => Ok(Target::Policy(name.clone())),
            (None, None, true) => Ok(Target::All),
            // The parser lets exactly one through.
            _ => bail!("name a workload, a policy, or all of them"),
        }
    }
}
