//! The composition root: a configuration becomes a running enforcer. The only file that knows everyone.

use std::os::unix::fs::DirBuilderExt;
use std::path::{Path, PathBuf};
use std::sync::{Arc, Mutex, PoisonError};

use anyhow::Context;
use arc_swap::ArcSwap;
use enforcer_audit::{
    Durability, EnforcerStarted, Entry, Fingerprinter, Ledger, Mode, Recordings, open_key,
};
use enforcer_cost::{Estimator, Prices};
use enforcer_credentials::{Hooks, Secrets};
use enforcer_dns::{Names, Resolver};
use enforcer_gate::{Costs, Gate, Lookups, Quota, Sessions, UpstreamConfig};
use enforcer_http::{Aside, Judging, PoolConfig, Spilling};
use enforcer_identity::Workloads;
use enforcer_kernel::Programs;
use enforcer_policy::{Obligation, PolicySet};
use enforcer_proxy::{Attribution, Distrust, Limits, Proxy, ProxyParts, Workers, WorkersConfig};
use enforcer_tls::{Authority, Connector, Leaves};
use tokio::sync::watch;
use tokio::task::JoinSet;

use crate::config::{Config, Spill};
use crate::enforcement::{Enforcement, Tools};
use crate::kernel_events;
use crate::lsm;
use crate::quarantine::Orders;
use crate::stances::Stances;
use crate::trust::Trust;
use crate::unix_sockets::UnixRefusals;

/// Where everything is pinned.
pub(crate) const PIN_ROOT: &str = "/sys/fs/bpf/enforcer";
/// Where the daemon keeps its pinned programs and maps.
pub(crate) const PINS: &str = "/sys/fs/bpf/enforcer/daemon";
/// Where runs keep theirs, a folder each.
pub(crate) const RUN_PINS: &str = "/sys/fs/bpf/enforcer/runs";

/// The file with the key of hashes, placeholders and fingerprints of what is masked.
const MASKING_KEY: &str = "masking.key";

/// What an instance is started with, beside the configuration.
pub(crate) struct Instance {
    /// Where its programs and maps are pinned; unique among running instances.
    pub pins: PathBuf,
    /// Whether it serves labels or one command.
    pub mode: Mode,
    /// Where its ledger is written.
    pub ledger: PathBuf,
    /// The policy in force; whoever loads policies swaps it.
    pub policy: Arc<ArcSwap<PolicySet>>,
    /// Whom operators put in quarantine.
    pub orders: Arc<Orders>,
}

/// A running enforcer.
pub(crate) struct App {
    pub flows: Arc<Quota>,
    pub enforcement: Arc<Mutex<Enforcement>>,
    pub ledger: Arc<Ledger>,
    pub programs: Arc<Programs>,
    pub resolver: Arc<Resolver>,
    pub workloads: Arc<Workloads>,
    pub leaves: Arc<Leaves>,
    /// For containers of labelled workloads; a run has none.
    pub trust: Option<Arc<Trust>>,
    /// Whose programs do not believe the CA.
    pub distrust: Arc<Distrust>,
    gate: Arc<Gate>,
    workers: Arc<Workers>,
    stopping: watch::Sender<bool>,
}

/// What runs beside the connections.
pub(crate) struct Background {
    tasks: JoinSet<()>,
    stop: watch::Sender<bool>,
}

impl Background {
    /// Ends it, once it has written what it still knows.
    pub(crate) async fn stop(self) {
        self.stop.send_replace(true);
        self.tasks.join_all().await;
    }
}

impl App {
    /// Builds and starts everything but the enforcement of particular cgroups. Must be called within the front runtime.
    ///
    /// # Errors
    /// When any part cannot be had. Nothing is in force then, and what was in force before stays so.
    pub(crate) fn start(config: &Config, instance: Instance) -> anyhow::Result<Self> {
        private_folder(&config.state_dir)?;
        let ledger = open_ledger(config, &instance.ledger)?;
        let authority = Arc::new(Authority::open(&config.ca.authority())?);
        let mut programs = Programs::load(&instance.pins)?;
        let lsm: Arc<str> = lsm::add(config.lsm, &mut programs)?.into();
        let programs = Arc::new(programs);
        let workloads = Arc::new(Workloads::new(config.limits.workloads));
        let flows = Quota::new(config.limits.flows, config.limits.flows_per_workload);
        let attribution = Attribution::new(Box::new(programs.origins()?), Arc::clone(&workloads));
        let gate = gate(config, &instance, &ledger)?;
        let names = Arc::new(Names::new());
        let resolver = Resolver::new(
            Arc::clone(&names),
            Arc::clone(&instance.policy),
            Arc::clone(&ledger),
            Arc::clone(&attribution) as Arc<dyn enforcer_dns::Attribution>,
        );
        let resolver = Arc::new(resolver.asking(Lookups::from_system()));
        let leaves = Arc::new(Leaves::new(Arc::clone(&authority))?);
        let trust = match instance.mode {
            Mode::Daemon => {
                let ledger = Arc::clone(&ledger);
                let sockets = &config.unix_sockets.allow;
                let trust = Trust::start(&config.runtime_dir, sockets, authority, ledger)?;
                Some(Arc::new(trust))
            }
            Mode::Run => None,
        };
        let distrust = Arc::<Distrust>::default();
        let (stopping, stop) = watch::channel(false);
        let proxy = Proxy::new(ProxyParts {
            attribution,
            flows: Arc::clone(&flows),
            gate: Arc::clone(&gate),
            distrust: Arc::clone(&distrust),
            leaves: Arc::clone(&leaves),
            names,
            resolver: Arc::clone(&resolver),
            fingerprinter: Arc::new(Fingerprinter::open(&config.state_dir)?),
            judging: Arc::new(judging(config)?),
            limits: limits(config),
            stopping: stop,
        });
        let workers = Arc::new(start_workers(config, &proxy)?);
        ledger.defer(&started(instance.mode, &instance.policy.load(), &lsm));
        let enforcement = Enforcement::start(Tools {
            programs: Arc::clone(&programs),
            workloads: Arc::clone(&workloads),
            resolver: Arc::clone(&resolver),
            flows: Arc::clone(&flows),
            gate: Arc::clone(&gate),
            ledger: Arc::clone(&ledger),
            proxy,
            workers: Arc::clone(&workers),
            unix: unix_refusals(config, instance.mode)?,
            stances: Arc::new(Stances::new(
                Arc::clone(&instance.orders),
                config.danger.observe.clone(),
            )),
            trust: trust.clone(),
            lsm,
        })?;
        Ok(Self {
            flows,
            enforcement: Arc::new(Mutex::new(enforcement)),
            ledger,
            programs,
            resolver,
            workloads,
            leaves,
            trust,
            distrust,
            gate,
            workers,
            stopping,
        })
    }

    /// The CA that signs now.
    pub(crate) fn authority(&self) -> Arc<Authority> {
        self.leaves.authority()
    }

    /// Starts what runs beside the connections. Must be called within the front runtime.
    ///
    /// # Errors
    /// When the kernel's refusals cannot be followed.
    pub(crate) fn background(&self) -> anyhow::Result<Background> {
        let (stop, stopped) = watch::channel(false);
        let mut tasks = JoinSet::new();
        tasks.spawn(kernel_events::record(
            self.programs.events()?,
            Arc::clone(&self.ledger),
            Arc::clone(&self.workloads),
            stopped.clone(),
        ));
        let resolver = Arc::clone(&self.resolver);
        let mut stopped = stopped;
        tasks.spawn(async move {
            tokio::select! {
                () = resolver.settle() => {}
                _ = stopped.wait_for(|stop| *stop) => {}
            }
        });
        Ok(Background { tasks, stop })
    }

    /// Lets what runs come to its end and writes the last entry. Enforcement itself stays in the kernel: agents are
    /// refused until an enforcer is back, unless the caller releases the programs.
    pub(crate) fn stop(self, reason: &str) -> Arc<Programs> {
        let Self {
            enforcement,
            gate,
            ledger,
            programs,
            workers,
            stopping,
            ..
        } = self;
        // No new connections, first of all in the kernel: a port that we leave must not be somebody else's to listen on.
        let mut enforcement = enforcement.lock().unwrap_or_else(PoisonError::into_inner);
        enforcement.leave();
        gate.close();
        stopping.send_replace(true);
        workers.stop();
        ledger.defer(&Entry::EnforcerStopped { reason });
        if let Err(error) = ledger.flush() {
            tracing::error!(%error, "the last entries could not be written");
        }
        programs
    }
}

/// The command of `enforcer run` sees no sockets of the host's.
fn unix_refusals(config: &Config, mode: Mode) -> anyhow::Result<UnixRefusals> {
    let sockets = &config.unix_sockets;
    match mode {
        Mode::Daemon => UnixRefusals::new(sockets.refuse.clone(), sockets.allow.clone()),
        Mode::Run => UnixRefusals::new(Vec::new(), Vec::new()),
    }
}

fn open_ledger(config: &Config, path: &Path) -> anyhow::Result<Arc<Ledger>> {
    if let Some(folder) = path.parent() {
        private_folder(folder)?;
    }
    let mut ledger = enforcer_audit::Config::at(path);
    ledger.rotate_at = config.ledger.rotate_size;
    ledger.durability = if config.ledger.sync_interval.is_zero() {
        Durability::EveryEntry
    } else {
        Durability::Every(config.ledger.sync_interval)
    };
    let ledger = Ledger::open(ledger)
        .with_context(|| format!("the ledger `{}` cannot be opened", path.display()))?;
    Ok(Arc::new(ledger))
}

/// Makes a folder that only its owner may look into, unless it is there.
pub(crate) fn private_folder(folder: &Path) -> anyhow::Result<()> {
    std::fs::DirBuilder::new()
        .recursive(true)
        .mode(0o700)
        .create(folder)
        .with_context(|| format!("the folder `{}` cannot be made", folder.display()))
}

fn start_workers(config: &Config, proxy: &Arc<Proxy>) -> anyhow::Result<Workers> {
    let upstream = &config.upstream;
    let connector = Arc::new(Connector::new(&upstream.extra_roots)?);
    let dialling = Arc::new(UpstreamConfig {
        connect_to: upstream.connect_to.clone(),
        connect_timeout: upstream.connect_timeout,
        // One workload may use as many upstream connections as it may have flows; the rest is for the others.
        places: Quota::new(upstream.max_connections, config.limits.flows_per_workload),
    });
    let pool = PoolConfig {
        max_idle_per_host: upstream.max_idle_per_host,
        max_idle: upstream.max_connections / 2,
        idle_timeout: upstream.idle_timeout,
    };
    let workers = WorkersConfig {
        count: config.workers,
        busy_poll: config.busy_poll,
    };
    Ok(Workers::start(workers, proxy, &dialling, &connector, pool)?)
}

/// The gate, with all that what it lets through may be asked to pay, to hide and to leave behind.
fn gate(config: &Config, instance: &Instance, ledger: &Arc<Ledger>) -> anyhow::Result<Arc<Gate>> {
    let costs = costs(config, &instance.policy.load())?;
    let gate = Gate::new(Arc::clone(&instance.policy), Arc::clone(ledger)).with_costs(costs);
    let key = open_key(&config.state_dir, MASKING_KEY)?;
    let gate = gate.with_sessions(Sessions::new(key.expose()));
    Ok(Arc::new(gate.with_recordings(recordings(config, instance))))
}

/// Of a daemon and of a run, beside the ledger that names them.
fn recordings(config: &Config, instance: &Instance) -> Arc<Recordings> {
    let folder = Recordings::beside(&instance.ledger);
    let recordings = Recordings::new(folder, config.recordings.max_bytes);
    // Who wants something kept is refused until it is mended; nobody else minds.
    if let Err(error) = recordings.look_ahead() {
        let source = std::error::Error::source(&error).map(ToString::to_string);
        tracing::error!(%error, source, "recordings cannot be kept");
    }
    recordings
}

/// The prices that came with this version.
const PRICES: &str = include_str!("../deploy/prices.yaml");

fn costs(config: &Config, policy: &PolicySet) -> anyhow::Result<Arc<Costs>> {
    let own = config.costs.prices.as_deref();
    let text = match own {
        None => PRICES.to_owned(),
        Some(path) => std::fs::read_to_string(path)
            .with_context(|| format!("the prices `{}` cannot be read", path.display()))?,
    };
    let prices = Prices::parse(&text).with_context(|| {
        let file = own.map_or("deploy/prices.yaml".into(), |path| {
            path.display().to_string()
        });
        format!("the prices `{file}` are not understood")
    })?;
    let path = &config.costs.budgets;
    let costs = Costs::new(Estimator::new(prices), path.clone());
    let limits = |obligation: &Obligation| matches!(obligation, Obligation::Limit(_));
    if policy.obligations().any(limits) {
        costs.open().with_context(|| {
            format!(
                "the budgets' database `{}` cannot be opened",
                path.display()
            )
        })?;
    }
    Ok(costs)
}

fn judging(config: &Config) -> anyhow::Result<Judging> {
    let limits = &config.limits;
    let sources = config.secrets.iter();
    let secrets = Secrets::load(
        sources.map(|(name, source)| (name.as_str(), source)),
        |variable| std::env::var_os(variable),
    )?;
    Ok(Judging {
        hooks: Hooks::new(&config.webhooks, &secrets)?,
        secrets,
        memory: Quota::new(limits.body_memory, limits.body_memory_per_workload),
        spilling: spilling(config),
        body_bytes: limits.body_bytes,
        body_timeout: limits.body_timeout,
        held_text_timeout: limits.held_text_timeout,
        message_bytes: limits.message_bytes,
        structure: enforcer_prompt::Limits::default(),
        aside: Aside::default(),
    })
}

/// Where long bodies wait. What is there has no name and goes with its process, so a run has it where a daemon has.
fn spilling(config: &Config) -> Option<Arc<Spilling>> {
    let Spill {
        above,
        max_bytes,
        max_bytes_per_workload,
        max_files,
        max_files_per_workload,
    } = config.spill;
    Some(Arc::new(Spilling {
        place: enforcer_spill::Spill::new(&config.state_dir.join("spill")),
        above: above?,
        disk: Quota::new(max_bytes, max_bytes_per_workload),
        files: Quota::new(max_files, max_files_per_workload),
    }))
}

fn limits(config: &Config) -> Limits {
    let limits = &config.limits;
    Limits {
        first_byte_timeout: limits.first_byte_timeout,
        handshake_timeout: limits.handshake_timeout,
        idle_timeout: limits.idle_timeout,
        drain_timeout: limits.drain_timeout,
        http: enforcer_http::Limits {
            header_bytes: limits.header_bytes,
            header_timeout: limits.header_timeout,
            streams: limits.streams_per_flow,
            idle_timeout: limits.idle_timeout,
            response_timeout: config.upstream.response_timeout,
        },
    }
}

fn started<'a>(mode: Mode, policy: &'a PolicySet, lsm: &'a str) -> Entry<'a> {
    Entry::EnforcerStarted(EnforcerStarted {
        version: env!("CARGO_PKG_VERSION"),
        mode,
        policy_digest: policy.digest(),
        rules: policy.rules() as u64,
        lsm,
    })
}
