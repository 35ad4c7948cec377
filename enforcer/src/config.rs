//! What the operator decided: one YAML file, lowered to plain typed values.
//!
//! `file` reads the text and remembers where everything stood; `lower` turns it into a [`Config`] and collects every mistake
//! on the way. Nothing here touches what the values name: no folder is made, no certificate is read.
//! `deploy/enforcer.yaml` shows every key with its default; a test holds the two together.

use std::collections::{BTreeMap, BTreeSet, HashMap};
use std::fmt;
use std::io::{self, Read};
use std::net::SocketAddr;
use std::num::NonZeroUsize;
use std::path::{Path, PathBuf};
use std::time::Duration;

use enforcer_credentials::{Registered, Source};
use enforcer_flow::Destination;
use enforcer_tls::{AuthorityConfig, OwnFiles, Subtree};

mod containers;
mod file;
mod lower;
mod lsm;
mod section;

pub(crate) use containers::{Containers, Selected};
pub(crate) use lsm::Lsm;

/// Where the configuration is looked for when no other file is named.
pub(crate) const DEFAULT_FILE: &str = "/etc/enforcer/enforcer.yaml";

/// Longest configuration file that is read.
const MAX_FILE: u64 = 1024 * 1024;

/// The whole configuration. Its default is what an empty file means.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Config {
    /// `state_dir`: what must survive a restart (the CA, the ledger) lives below it.
    pub state_dir: PathBuf,
    /// `runtime_dir`: what belongs to the running daemon (its socket) lives below it.
    pub runtime_dir: PathBuf,
    /// `policies`: a policy file, or a folder of them.
    pub policies: PathBuf,
    /// `workers`: data-plane threads, each with a runtime of its own; by default one per core this process may use.
    pub workers: NonZeroUsize,
    /// `busy_poll`: the longest wait that a worker spends awake; zero: none.
    pub busy_poll: Duration,
    /// `control`: the operators' interface.
    pub control: Control,
    /// `ledger`: the evidence.
    pub ledger: Ledger,
    /// `ca`: the local certificate authority.
    pub ca: Ca,
    /// `upstream`: the connections we open.
    pub upstream: Upstream,
    /// `containers`: engines that are listened to, and the runtime behind ours.
    pub containers: Containers,
    /// `workloads`: what the configuration labels.
    pub workloads: Vec<Selected>,
    /// `limits`: what one agent, and all of them together, may take.
    pub limits: Limits,
    /// `spill`: bodies that wait on disk.
    pub spill: Spill,
    /// `recordings`: what rules want recorded.
    pub recordings: Recordings,
    /// `costs`: what requests to models cost, and what was spent.
    pub costs: Costs,
    /// `secrets`: where the secrets come from that policies and webhooks name, by name.
    pub secrets: BTreeMap<String, Source>,
    /// `webhooks`: webhooks whose URL is the secret.
    pub webhooks: Vec<Registered>,
    /// `unix_sockets`: those of the host.
    pub unix_sockets: UnixSockets,
    /// `lsm`: whether programs for the kernel's security modules are wanted.
    pub lsm: Lsm,
    /// `danger`: what weakens security.
    pub danger: Danger,
    /// `log`: what operators read on standard error.
    pub log: Log,
}

/// `unix_sockets`: sockets of the host by which its services could act for an agent.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct UnixSockets {
    /// `unix_sockets.allow`: those that commands of `enforcer run` and containers may reach; all others are hidden from them.
    pub allow: Vec<PathBuf>,
    /// `unix_sockets.refuse`: policies whose labelled workloads connect none by name; `*` for all.
    pub refuse: Vec<String>,
}

/// `danger`: what weakens security. Nothing of it is on unless it is asked for, and the ledger says so when it is.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(crate) struct Danger {
    /// `danger.observe`: policies whose workloads are only observed; `*` for all workloads.
    pub observe: Vec<String>,
}

/// `control`: the operators' interface.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Control {
    /// `control.socket`: the unix socket; by default `control.sock` below `runtime_dir`.
    pub socket: PathBuf,
}

/// `ledger`: the evidence.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Ledger {
    /// `ledger.path`: the file that is written; by default `audit.jsonl` below `state_dir`.
    pub path: PathBuf,
    /// `ledger.rotate_size`: a file that has grown this far is closed and a new one continues its chain.
    pub rotate_size: u64,
    /// `ledger.sync_interval`: longest time between two flushes to the disk; zero flushes every entry before its effect.
    pub sync_interval: Duration,
}

/// `ca`: the local certificate authority.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Ca {
    /// `ca.dir`: where its certificate and key live; by default `ca` below `state_dir`.
    pub dir: PathBuf,
    /// `ca.cert_file` and `ca.key_file`: the operator's own, in place of one that is made.
    pub own: Option<OwnFiles>,
    /// `ca.permitted_names`: what it may sign for; empty for everything.
    pub permitted_names: Vec<Subtree>,
    /// `ca.overlap`: how long agents go on believing a CA after another has taken its place.
    pub overlap: Duration,
}

/// `upstream`: the connections we open.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Upstream {
    /// `upstream.connect_to`: where a destination is dialled instead of what its name resolves to. The name stays what
    /// policy judges and what the certificate must be for.
    pub connect_to: HashMap<Destination, SocketAddr>,
    /// `upstream.extra_roots`: PEM files of authorities that are believed beside the system's.
    pub extra_roots: Vec<PathBuf>,
    /// `upstream.connect_timeout`: name lookup, TCP and TLS handshake together.
    pub connect_timeout: Duration,
    /// `upstream.response_timeout`: from a request's end to the first byte of its answer; a model may think for minutes.
    pub response_timeout: Duration,
    /// `upstream.idle_timeout`: an unused connection is closed after this time.
    pub idle_timeout: Duration,
    /// `upstream.max_idle_per_host`: unused connections kept for one destination.
    pub max_idle_per_host: usize,
    /// `upstream.max_connections`: open connections, used and unused, to all destinations.
    pub max_connections: usize,
}

/// `limits`: what one agent, and all of them together, may take.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Limits {
    /// `limits.workloads`: labelled cgroups served at once.
    pub workloads: usize,
    /// `limits.flows`: open connections of all workloads.
    pub flows: usize,
    /// `limits.flows_per_workload`: open connections of one workload.
    pub flows_per_workload: usize,
    /// `limits.streams_per_flow`: exchanges an HTTP/2 connection may have open at once.
    pub streams_per_flow: u32,
    /// `limits.header_bytes`: a request's or response's whole header block.
    pub header_bytes: usize,
    /// `limits.body_bytes`: the longest body that a rule may read.
    pub body_bytes: usize,
    /// `limits.body_timeout`: how long such a body may take to come.
    pub body_timeout: Duration,
    /// `limits.body_memory`: bytes of bodies that are kept while they are judged, of all workloads.
    pub body_memory: usize,
    /// `limits.body_memory_per_workload`: of them, those of one workload.
    pub body_memory_per_workload: usize,
    /// `limits.held_text_timeout`: how long text of a streamed answer is held that could become a finding.
    pub held_text_timeout: Duration,
    /// `limits.message_bytes`: the longest message on a WebSocket that rules read.
    pub message_bytes: usize,
    /// `limits.first_byte_timeout`: from accept to the first byte.
    pub first_byte_timeout: Duration,
    /// `limits.handshake_timeout`: the agent's side of a TLS handshake.
    pub handshake_timeout: Duration,
    /// `limits.header_timeout`: how long a request's header block may take; a connection that waits for its next request
    /// waits no longer either.
    pub header_timeout: Duration,
    /// `limits.idle_timeout`: a flow on which nothing moves is closed after this time.
    pub idle_timeout: Duration,
    /// `limits.drain_timeout`: how long a stopping daemon lets open exchanges finish.
    pub drain_timeout: Duration,
}

/// `spill`: bodies that wait on disk until all of them is here.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Spill {
    /// `spill.above`: longer ones wait there; none waits there without.
    pub above: Option<usize>,
    /// `spill.max_bytes`: of all workloads.
    pub max_bytes: usize,
    /// `spill.max_bytes_per_workload`: of them, those of one workload.
    pub max_bytes_per_workload: usize,
    /// `spill.max_files`: open at once.
    pub max_files: usize,
    /// `spill.max_files_per_workload`: of them, those of one workload.
    pub max_files_per_workload: usize,
}

/// `recordings`: what rules want recorded.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Recordings {
    /// `recordings.max_bytes`: how much there may be of them; the oldest make room.
    pub max_bytes: u64,
}

/// `costs`: what requests to models cost, and what was spent.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Costs {
    /// `costs.prices`: a price table; none is the one that came with this version.
    pub prices: Option<PathBuf>,
    /// `costs.budgets`: the database of what was spent; by default `budgets.db` below `state_dir`.
    pub budgets: PathBuf,
}

/// `log`: what operators read on standard error.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Log {
    /// `log.level`: a level, or directives as `tracing_subscriber::EnvFilter` reads them (`info,enforcer_gate=debug`).
    pub level: String,
    /// `log.format`: lines for people or for machines.
    pub format: LogFormat,
}

/// How log lines look.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum LogFormat {
    /// One JSON object per line.
    Json,
    /// One readable line per event.
    Text,
}

/// Why there is no configuration; prints one line per mistake, each as `file:line:column: key: what and what instead`.
#[derive(Debug, thiserror::Error)]
pub(crate) enum ConfigError {
    /// The file's content is not a configuration.
    #[error(transparent)]
    Mistakes(#[from] Mistakes),
    /// The file cannot be read.
    #[error("cannot read the configuration `{}`: {source}", path.display())]
    Read {
        /// The file.
        path: PathBuf,
        /// What the system said.
        source: io::Error,
    },
}

/// All mistakes of one file, in the order of the file.
#[derive(Debug, thiserror::Error)]
pub(crate) struct Mistakes {
    /// The file.
    pub path: PathBuf,
    /// At least one.
    pub list: Vec<Mistake>,
}

/// One thing that is wrong with the text.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Mistake {
    /// From one; zero where the position is not known.
    pub line: u64,
    /// From one, in characters.
    pub column: u64,
    /// The key with its sections (`upstream.connect_to`); empty for the file as a whole.
    pub key: String,
    /// What is wrong and what would be right.
    pub message: String,
}

// === impl Config ===

impl Config {
    /// The names of the secrets that rules may take.
    pub(crate) fn secret_names(&self) -> BTreeSet<String> {
        self.secrets.keys().cloned().collect()
    }

    /// The configuration that `--config` names; without it the one at [`DEFAULT_FILE`], or the defaults if there is none.
    ///
    /// # Errors
    /// As [`Config::load`].
    pub(crate) fn find(named: Option<&Path>) -> Result<Self, ConfigError> {
        if let Some(path) = named {
            return Self::load(path);
        }
        match Self::load(Path::new(DEFAULT_FILE)) {
            Err(ConfigError::Read { source, .. }) if source.kind() == io::ErrorKind::NotFound => {
                Ok(Self::default())
            }
            found => found,
        }
    }

    /// Reads and lowers a file; relative paths in it start at the file's folder.
    ///
    /// # Errors
    /// When the file cannot be read, is larger than 1 MiB, or says anything that is not understood.
    pub(crate) fn load(path: &Path) -> Result<Self, ConfigError> {
        let read_error = |source| ConfigError::Read {
            path: path.to_owned(),
            source,
        };
        let path = std::path::absolute(path).map_err(read_error)?;
        let mut text = String::new();
        let opened = std::fs::File::open(&path).map_err(read_error)?;
        opened
            .take(MAX_FILE + 1)
            .read_to_string(&mut text)
            .map_err(read_error)?;
        if text.len() as u64 > MAX_FILE {
            return Err(read_error(io::ErrorKind::FileTooLarge.into()));
        }
        Ok(Self::parse(&text, &path)?)
    }

    /// Lowers a text as if it stood in the file `path`.
    ///
    /// # Errors
    /// When the text says anything that is not understood; with every mistake, not only the first.
    pub(crate) fn parse(text: &str, path: &Path) -> Result<Self, Mistakes> {
        let base = path.parent().unwrap_or(Path::new("/"));
        file::read(text)
            .map_err(|mistake| vec![mistake])
            .and_then(|document| lower::lower(&document, base))
            .map_err(|list| Mistakes {
                path: path.to_owned(),
                list,
            })
    }

    /// The defaults below the two folders.
    fn below(state_dir: PathBuf, runtime_dir: PathBuf) -> Self {
        Self {
            policies: PathBuf::from("/etc/enforcer/policies"),
            workers: std::thread::available_parallelism().unwrap_or(NonZeroUsize::MIN),
            busy_poll: Duration::from_micros(100),
            control: Control {
                socket: runtime_dir.join("control.sock"),
            },
            ledger: Ledger {
                path: state_dir.join("audit.jsonl"),
                rotate_size: 256 * 1024 * 1024,
                sync_interval: Duration::from_secs(1),
            },
            ca: Ca {
                dir: state_dir.join("ca"),
                own: None,
                permitted_names: Vec::new(),
                overlap: Duration::from_secs(7 * 24 * 3600),
            },
            upstream: Upstream::default(),
            containers: Containers::default(),
            workloads: Vec::new(),
            limits: Limits::default(),
            spill: Spill::default(),
            recordings: Recordings { max_bytes: 1 << 30 },
            costs: Costs {
                prices: None,
                budgets: state_dir.join("budgets.db"),
            },
            secrets: BTreeMap::new(),
            webhooks: Vec::new(),
            unix_sockets: UnixSockets::default(),
            lsm: Lsm::default(),
            danger: Danger::default(),
            log: Log::default(),
            state_dir,
            runtime_dir,
        }
    }
}

impl Default for Config {
    fn default() -> Self {
        Self::below("/var/lib/enforcer".into(), "/run/enforcer".into())
    }
}

// === impl Ca ===

impl Ca {
    /// As the CA itself wants to be told.
    pub(crate) fn authority(&self) -> AuthorityConfig {
        let Self {
            dir,
            own,
            permitted_names,
            overlap,
        } = self;
        AuthorityConfig {
            dir: dir.clone(),
            own: own.clone(),
            permitted: permitted_names.clone(),
            overlap: *overlap,
        }
    }
}

// === impl Upstream ===

impl Default for Upstream {
    fn default() -> Self {
        Self {
            connect_to: HashMap::new(),
            extra_roots: Vec::new(),
            connect_timeout: Duration::from_secs(10),
            response_timeout: Duration::from_secs(900),
            idle_timeout: Duration::from_secs(60),
            max_idle_per_host: 32,
            max_connections: 8192,
        }
    }
}

// === impl Limits ===

impl Default for UnixSockets {
    fn default() -> Self {
        let logs = [
            "/dev/log",
            "/run/systemd/journal/dev-log",
            "/run/systemd/journal/socket",
            "/run/systemd/journal/stdout",
        ];
        Self {
            allow: logs.map(PathBuf::from).into(),
            refuse: Vec::new(),
        }
    }
}

impl Default for Limits {
    fn default() -> Self {
        Self {
            workloads: 1024,
            flows: 16_384,
            flows_per_workload: 2048,
            streams_per_flow: 128,
            header_bytes: 64 * 1024,
            body_bytes: 16 << 20,
            body_timeout: Duration::from_secs(60),
            body_memory: 512 << 20,
            body_memory_per_workload: 128 << 20,
            held_text_timeout: Duration::from_secs(5),
            message_bytes: 4 << 20,
            first_byte_timeout: Duration::from_secs(10),
            handshake_timeout: Duration::from_secs(10),
            header_timeout: Duration::from_secs(60),
            idle_timeout: Duration::from_secs(300),
            drain_timeout: Duration::from_secs(10),
        }
    }
}

// === impl Spill ===

impl Default for Spill {
    fn default() -> Self {
        Self {
            above: Some(1 << 20),
            max_bytes: 4 << 30,
            max_bytes_per_workload: 1 << 30,
            max_files: 1024,
            max_files_per_workload: 256,
        }
    }
}

// === impl Log ===

impl Default for Log {
    fn default() -> Self {
        Self {
            level: "info".to_owned(),
            format: LogFormat::Text,
        }
    }
}

// === impl Mistakes ===

impl fmt::Display for Mistakes {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self { path, list } = self;
        for (index, mistake) in list.iter().enumerate() {
            if index > 0 {
                f.write_str("\n")?;
            }
            write!(f, "{}:{mistake}", path.display())?;
        }
        Ok(())
    }
}

// === impl Mistake ===

impl fmt::Display for Mistake {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self {
            line,
            column,
            key,
            message,
        } = self;
        write!(f, "{line}:{column}: ")?;
        if !key.is_empty() {
            write!(f, "`{key}`: ")?;
        }
        f.write_str(message)
    }
}

#[cfg(test)]
mod tests;
