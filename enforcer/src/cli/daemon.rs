//! `enforcer daemon`: serves labelled cgroups until told to stop.

use std::path::PathBuf;
use std::process::ExitCode;
use std::sync::Arc;
use std::time::Duration;

use anyhow::{Context, ensure};
use clap::Args;
use enforcer_audit::Mode;
use enforcer_identity::Hierarchy;
use tokio::signal::unix::{SignalKind, signal};
use tokio::time::MissedTickBehavior;

use crate::app::{self, App, Instance, PINS};
use crate::config::Config;
use crate::policies::Policies;
use crate::telemetry;

/// How often labels are looked for. A label that `enforcer label` sets is looked for at once.
const SCAN: Duration = Duration::from_secs(1);

/// Serve labelled cgroups until told to stop.
///
/// Enforcement outlives the daemon: while it is away, connections of labelled cgroups are refused by the kernel.
#[derive(Debug, Args)]
pub(crate) struct DaemonArgs {
    /// The configuration.
    #[arg(long, value_name = "FILE", default_value = "/etc/enforcer/enforcer.yaml")]
    config: PathBuf,
}

pub(crate) fn run(args: DaemonArgs) -> anyhow::Result<ExitCode> {
    let config = Config::load(&args.config)?;
    telemetry::start(&config.log)?;
    ensure!(
        rustix::process::geteuid().is_root(),
        "the daemon needs root: it attaches programs to cgroups"
    );
    let runtime = tokio::runtime::Builder::new_current_thread()
        .enable_all()
        .build()
        .context("the runtime cannot be made")?;
    runtime.block_on(serve(&config))?;
    Ok(ExitCode::SUCCESS)
}
