//! `enforcer run`: one command under enforcement, by an enforcer of its own.

use std::convert::Infallible;
use std::io::Write;
use std::path::{Path, PathBuf};
use std::process::{Command, ExitCode};
use std::sync::{Arc, PoisonError};
use std::time::Duration;

use anyhow::{Context, bail, ensure};
use arc_swap::ArcSwap;
use clap::{Args, ValueEnum};
use enforcer_audit::{Entry, Mode, TrustPlaced, Verifier};
use enforcer_flow::Workload;
use enforcer_identity::{Cgroup, Hierarchy, Label, RUNS};
use enforcer_kernel::{Netns, Placement};
use enforcer_policy::{PolicySet, Source};
use enforcer_tls::trust::Placed;
use uuid::Uuid;

use crate::app::{App, Instance, RUN_PINS};
use crate::child;
use crate::config::Config;
use crate::enforcement::Watchdog;
use crate::quarantine::Orders;
use crate::{policies, telemetry};

mod confinement;
mod leftovers;

use super::label::PersonArgs;
use confinement::{ConfinementArgs, Runner};

/// What is in force when no policy is named: what an OpenAI agent needs, and nothing else.
const DEFAULT_POLICY: &str = include_str!("../../../policies/examples/openai-agent.yaml");
/// How often it is looked for orders, and after the programs.
const LOOK: Duration = Duration::from_millis(500);
/// How long processes that outlive the command may take to die.
const PATIENCE: Duration = Duration::from_secs(5);

/// Run a command under enforcement.
///
/// The command and everything it starts live in a cgroup of their own. Every connection they open is captured, judged
/// and recorded. It sees a network with nothing but loopback, gets no new privileges, has few capabilities even as root,
/// and does not reach processes, cgroups and settings of the host. The command trusts the local certificate authority; its exit code becomes this one's. Failures of the
/// enforcer itself exit with 125, a command that cannot be executed with 126, one that is not found with 127.
#[derive(Debug, Args)]
pub(crate) struct RunArgs {
    /// The policy in force: a file or a folder. Without it: what an OpenAI agent needs, and nothing else
    #[arg(long, value_name = "FILE")]
    policy: Option<PathBuf>,
    /// The configuration. Without it: /etc/enforcer/enforcer.yaml, or every key's default if there is none
    #[arg(long, value_name = "FILE")]
    config: Option<PathBuf>,
    /// The network the command sees
    #[arg(long, value_enum, default_value_t = Net::Isolated)]
    net: Net,
    #[command(flatten)]
    person: PersonArgs,
    #[command(flatten)]
    confinement: ConfinementArgs,
    /// The command and its arguments
    #[arg(
        required = true,
        trailing_var_arg = true,
        allow_hyphen_values = true,
        value_name = "COMMAND"
    )]
    command: Vec<std::ffi::OsString>,
}

/// The network a command sees.
#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
enum Net {
    /// A namespace of its own with a loopback and nothing else: even what no cgroup hook sees has nowhere to go.
    Isolated,
    /// The host's. Raw packets and sockets made elsewhere are then held by the cgroup's hooks alone.
    Host,
}

/// The events by which the enforcer said no.
const DENIALS: [&str; 5] = [
    "answer_blocked",
    "exchange_denied",
    "flow_refused",
    "message_denied",
    "name_refused",
];

/// What its caller wants of a run.
struct Wanted<'a> {
    args: &'a RunArgs,
    config: &'a Config,
    runner: Option<&'a Runner>,
}

/// What belongs to one run and goes with it.
struct Room {
    id: String,
    cgroup: Cgroup,
    /// Public files that the command must be able to read.
    trust: PathBuf,
    ledger: PathBuf,
}

/// What `--net host` gives up.
const NET_HOST: &str = "--net host: the command's packets can leave this machine wherever the hooks on its cgroup do \
    not see them, as those of sockets handed to it do not";

pub(crate) fn run(args: RunArgs) -> anyhow::Result<ExitCode> {
    args.confinement.seal()?;
    let mut config = Config::find(args.config.as_deref())?;
    if args.config.is_none() {
        // Standard error belongs to the command.
        "warn".clone_into(&mut config.log.level);
    }
    telemetry::start(&config.log)?;
    ensure!(
        rustix::process::geteuid().is_root(),
        "capturing connections needs root; run this with sudo"
    );
    args.person.principal()?;
    let policy = policy(args.policy.as_deref(), &config)?;
    let runner = args.confinement.runner()?;
    let runtime = tokio::runtime::Builder::new_current_thread()
        .enable_all()
        .build()
        .context("the runtime cannot be made")?;
    let room = Room::make(&config)?;
    let wanted = Wanted {
        args: &args,
        config: &config,
        runner: runner.as_ref(),
    };
    let ended = runtime.block_on(serve(&wanted, policy, &room));
    let left = room.leave();
    let code = ended?;
    left?;
    summarise(&room.ledger);
    Ok(code)
}

async fn serve(wanted: &Wanted<'_>, policy: PolicySet, room: &Room) -> anyhow::Result<ExitCode> {
    let orders = Arc::new(Orders::of_others(&wanted.config.state_dir)?);
    let instance = Instance {
        pins: Path::new(RUN_PINS).join(&room.id),
        mode: Mode::Run,
        ledger: room.ledger.clone(),
        policy: Arc::new(ArcSwap::from_pointee(policy)),
        orders: Arc::clone(&orders),
    };
    let app = App::start(wanted.config, instance)?;
    let background = app.background()?;
    let ended = tokio::select! {
        ended = command(wanted, &app, room) => ended,
        never = look_after(&app, &orders) => match never {},
    };
    background.stop().await;
    let programs = Arc::into_inner(app.stop("command_ended"));
    programs
        .context("the programs are still in use and stay attached")?
        .release()?;
    ended
}

/// Carries out what operators order, and puts back programs that were taken off.
async fn look_after(app: &App, orders: &Orders) -> Infallible {
    let mut watchdog = Watchdog::default();
    let mut looks = tokio::time::interval(LOOK);
    loop {
        looks.tick().await;
        let ordered = orders.read_again().unwrap_or_else(|error| {
            tracing::warn!(
                error = format!("{error:#}"),
                "orders of quarantine cannot be read; what was ordered before holds"
            );
            false
        });
        // Each of its changes is whole, also where somebody panicked with it.
        let mut enforcement = app
            .enforcement
            .lock()
            .unwrap_or_else(PoisonError::into_inner);
        if ordered {
            let (flows_ended, problems) = enforcement.resettle("order");
            tracing::warn!(
                flows_ended,
                ?problems,
                "an operator's order was carried out"
            );
        }
        enforcement.look_after(&mut watchdog);
    }
}

/// Runs the command to its end, and ends what it left behind.
async fn command(wanted: &Wanted<'_>, app: &App, room: &Room) -> anyhow::Result<ExitCode> {
    let Wanted {
        args,
        config,
        runner,
    } = wanted;
    let netns = network(args.net, app)?;
    args.confinement.record(&app.ledger)?;
    let placed = enforcer_tls::trust::place(
        &room.trust,
        &app.authority().anchors(std::time::SystemTime::now()),
    )?;
    let label = Label::new(None)?.with_principal(args.person.principal()?);
    let workload = enforce(app, room, netns.as_ref(), &label)?;
    app.ledger.defer(&Entry::TrustPlaced(TrustPlaced {
        workload: Some(&workload),
        place: &room.trust.display(),
        authority: &app.authority().fingerprint().to_string(),
        problem: None,
    }));
    let [program, arguments @ ..] = args.command.as_slice() else {
        bail!("no command was given");
    };
    let mut command = Command::new(program);
    command.args(arguments);
    trust(&mut command, &placed);
    command.envs(runner.iter().flat_map(|runner| runner.environment()));
    let confining = args.confinement.confining(config, &placed, *runner)?;
    let placement = Placement::new(room.cgroup.dir(), netns.as_ref())?.confine(&confining)?;
    let progress = placement.apply(&mut command)?;
    let ending = child::supervise(command, Some(progress)).await;
    room.cgroup.kill_all()?;
    Ok(match ending {
        Ok(ending) => ending.exit_code(),
        Err(error) => {
            // Said here and not by the caller: the exit code is the command's, as shells have it.
            let _ = writeln!(std::io::stderr(), "enforcer: {error}");
            error.exit_code()
        }
    })
}

/// The network that the command is to see; none is the host's, which the caller and the ledger are told.
fn network(net: Net, app: &App) -> anyhow::Result<Option<Netns>> {
    match net {
        Net::Host => {
            app.ledger.append(&Entry::Danger { what: &"net host" })?;
            let _ = writeln!(std::io::stderr(), "enforcer: {NET_HOST}");
            Ok(None)
        }
        Net::Isolated => Ok(Some(Netns::isolated()?)),
    }
}

/// Puts the room under enforcement, before anything lives in it.
fn enforce(
    app: &App,
    room: &Room,
    netns: Option<&Netns>,
    label: &Label,
) -> anyhow::Result<Arc<Workload>> {
    // Nobody else holds the lock yet, so nobody can have panicked with it.
    let mut enforcement = app
        .enforcement
        .lock()
        .unwrap_or_else(PoisonError::into_inner);
    if let Some(netns) = netns {
        enforcement.serve(netns)?;
    }
    enforcement.enforce(&room.cgroup, label, "run")
}

/// Points the programs that read such variables at the roots they are to believe.
fn trust(command: &mut Command, placed: &Placed) {
    let java = std::env::var_os("JAVA_TOOL_OPTIONS");
    command.envs(enforcer_tls::trust::environment(placed, java.as_deref()));
}

fn policy(path: Option<&Path>, config: &Config) -> anyhow::Result<PolicySet> {
    match path {
        Some(path) => policies::load(path, &config.secret_names()),
        None => {
            let source = Source {
                name: "openai-agent.yaml",
                text: DEFAULT_POLICY,
            };
            let (set, _) = PolicySet::compile(&[source])
                .map_err(|found| anyhow::anyhow!("the shipped policy is broken: {found:?}"))?;
            Ok(set)
        }
    }
}

/// One line on what happened, counted from the evidence itself.
fn summarise(ledger: &Path) {
    let line = match Verifier::new().verify(ledger) {
        Ok(report) => {
            let count = |events: &[&str]| -> u64 {
                let counts = events.iter().filter_map(|event| report.events.get(*event));
                counts.sum()
            };
            format!(
                "enforcer: {} granted, {} denied, {} blocked in the kernel; audit: {}",
                count(&["exchange_granted"]),
                count(&DENIALS),
                count(&["kernel_refused"]),
                ledger.display()
            )
        }
        Err(error) => format!("enforcer: {error}; audit: {}", ledger.display()),
    };
    // The command may have closed its terminal; the ledger is there all the same.
    let _ = writeln!(std::io::stderr(), "{line}");
}

// === impl Room ===

impl Room {
    fn make(config: &Config) -> anyhow::Result<Self> {
        let short = Uuid::now_v7().simple().to_string();
        let id = format!("{}{short}", leftovers::PREFIX);
        let state = config.state_dir.join("runs").join(&id);
        let hierarchy = Hierarchy::discover()?;
        leftovers::clear(&hierarchy, &config.runtime_dir);
        Ok(Self {
            cgroup: hierarchy.create(&format!("{RUNS}/{id}"))?,
            trust: config.runtime_dir.join(&id).join("trust"),
            ledger: state.join("ledger.jsonl"),
            id,
        })
    }

    /// Removes what only the run needed. The ledger stays.
    fn leave(&self) -> anyhow::Result<()> {
        self.cgroup.remove(PATIENCE)?;
        if let Some(folder) = self.trust.parent()
            && folder.exists()
        {
            std::fs::remove_dir_all(folder)
                .with_context(|| format!("`{}` cannot be removed", folder.display()))?;
        }
        Ok(())
    }
}
