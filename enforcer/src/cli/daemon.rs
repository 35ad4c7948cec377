//! `enforcer daemon`: serves labelled cgroups until told to stop.

use std::path::{Path, PathBuf};
use std::process::ExitCode;
use std::sync::atomic::AtomicU64;
use std::sync::{Arc, Mutex};
use std::time::{Duration, Instant};

use anyhow::{Context, ensure};
use clap::Args;
use enforcer_audit::Mode;
use enforcer_control::{Access, Controller, Server};
use enforcer_identity::{Agents, Hierarchy};
use tokio::runtime::Handle;
use tokio::signal::unix::{SignalKind, signal};
use tokio::time::MissedTickBehavior;

use crate::app::{App, Instance, PINS};
use crate::config::{Config, Selected};
use crate::containers::Engines;
use crate::intruders::Intruders;
use crate::notify::Notify;
use crate::operations::{Followed, Operations, Operator};
use crate::policies::Policies;
use crate::quarantine::Orders;
use crate::rotation::Rotation;
use crate::{policy_reports, telemetry};

/// How often labels are looked for. A label that `enforcer label` sets is enforced at once.
const SCAN: Duration = Duration::from_secs(1);

/// Serve labelled cgroups until told to stop.
///
/// Enforcement outlives the daemon: while it is away, connections of labelled cgroups are refused by the kernel.
#[derive(Debug, Args)]
pub(crate) struct DaemonArgs {
    /// The configuration. Without it: /etc/enforcer/enforcer.yaml, or every key's default if there is none
    #[arg(long, value_name = "FILE")]
    config: Option<PathBuf>,
}

pub(crate) fn run(args: DaemonArgs) -> anyhow::Result<ExitCode> {
    let config = Config::find(args.config.as_deref())?;
    telemetry::start(&config.log)?;
    ensure!(
        rustix::process::geteuid().is_root(),
        "the daemon needs root: it attaches programs to cgroups"
    );
    let runtime = tokio::runtime::Builder::new_current_thread()
        .enable_all()
        .build()
        .context("the runtime cannot be made")?;
    runtime.block_on(serve(&config, args.config.as_deref()))?;
    Ok(ExitCode::SUCCESS)
}

async fn serve(config: &Config, file: Option<&Path>) -> anyhow::Result<()> {
    let mut terminate = signal(SignalKind::terminate()).context("signals cannot be awaited")?;
    let mut interrupt = signal(SignalKind::interrupt()).context("signals cannot be awaited")?;
    let policies = Policies::open(&config.policies, config.secret_names())?;
    let orders = Arc::new(Orders::open(&config.state_dir)?);
    let instance = Instance {
        pins: PINS.into(),
        mode: Mode::Daemon,
        ledger: config.ledger.path.clone(),
        policy: policies.current(),
        orders: Arc::clone(&orders),
    };
    let app = App::start(config, instance)?;
    let background = app.background()?;
    policy_reports::record_loaded(&app.ledger, policies.loaded());
    let operations = Arc::new(operations(config, file, &app, &policies, orders)?);
    let watch = policies.watch(policy_reports::reporter(
        Arc::clone(&app.ledger),
        Arc::clone(&operations.policy_problem),
    ))?;
    report(&operations.follow());
    let server = serve_operators(config, &operations)?;
    let engines = operations.engines.follow(&operations);
    let notify = Notify::from_env();
    notify.ready();
    tracing::info!(policies = %config.policies.display(), "the enforcer is serving");
    let mut scan = tokio::time::interval(SCAN);
    scan.set_missed_tick_behavior(MissedTickBehavior::Delay);
    let reason = loop {
        tokio::select! {
            _ = scan.tick() => {
                report(&operations.follow());
                notify.alive(operations.look_after());
            }
            _ = terminate.recv() => break "terminated",
            _ = interrupt.recv() => break "interrupted",
        }
    };
    notify.stopping();
    background.stop().await;
    drop(watch);
    drop(engines);
    drop(server);
    drop(operations);
    app.stop(reason);
    Ok(())
}

fn operations(
    config: &Config,
    file: Option<&Path>,
    app: &App,
    policies: &Policies,
    orders: Arc<Orders>,
) -> anyhow::Result<Operations> {
    Ok(Operations {
        hierarchy: Hierarchy::discover()?,
        enforcement: Arc::clone(&app.enforcement),
        workloads: Arc::clone(&app.workloads),
        flows: Arc::clone(&app.flows),
        ledger: Arc::clone(&app.ledger),
        ca: Rotation {
            config: config.ca.authority(),
            leaves: Arc::clone(&app.leaves),
            trust: app.trust.clone(),
            reminded: AtomicU64::new(0),
        },
        trust: app.trust.clone(),
        distrust: Arc::clone(&app.distrust),
        policy: policies.current(),
        policy_source: config.policies.clone(),
        orders,
        watchdog: Mutex::default(),
        policy_problem: Arc::new(Mutex::new(None)),
        patterns: config
            .workloads
            .iter()
            .map(Selected::pattern)
            .collect::<anyhow::Result<_>>()?,
        engines: Arc::new(Engines::new(config, file)?),
        default_policy: config.containers.default_policy.clone(),
        started: Instant::now(),
        front: Handle::current(),
    })
}

fn serve_operators(config: &Config, operations: &Arc<Operations>) -> anyhow::Result<Server> {
    let workloads = Arc::clone(&operations.workloads);
    let agents = Arc::new(Agents::new(Hierarchy::discover()?, workloads));
    let intruders = Intruders::new(
        Arc::clone(&agents),
        Hierarchy::discover()?,
        Arc::clone(&operations.ledger),
    );
    let access = Access::operators(move |pid| agents.include(pid))
        .telling(move |peer| intruders.record(peer));
    let controller = Controller::new(Operator(Arc::clone(operations)));
    Ok(Server::start(&config.control.socket, access, controller)?)
}

/// Tells operators what is labelled and not served.
fn report(followed: &Followed) {
    for (cgroup, problem) in &followed.problems {
        tracing::error!(cgroup = %cgroup.path(), %problem, "a labelled cgroup is not served");
    }
    for (cgroup, problem) in &followed.scan.refused {
        tracing::warn!(cgroup = %cgroup.path(), %problem, "a label is not honoured");
    }
}
