//! What every worker shares.

use std::sync::Arc;
use std::time::Duration;

use enforcer_audit::Fingerprinter;
use enforcer_dns::{Names, Resolver};
use enforcer_flow::Process;
use enforcer_gate::{Gate, Quota};
use enforcer_http::Judging;
use enforcer_identity::Processes;
use enforcer_tls::Leaves;
use tokio::sync::watch;

use crate::{Attribution, Distrust};

/// Bounds on one connection, beside those of HTTP.
#[derive(Clone, Copy, Debug)]
pub struct Limits {
    /// How long an agent may take to send its first bytes.
    pub first_byte_timeout: Duration,
    /// How long a TLS handshake with the agent may take.
    pub handshake_timeout: Duration,
    /// How long a forwarded stream may stand still.
    pub idle_timeout: Duration,
    /// How long connections may take to end once the daemon stops.
    pub drain_timeout: Duration,
    /// HTTP's own.
    pub http: enforcer_http::Limits,
}

/// The parts of a proxy, named so that its maker cannot swap two.
pub struct ProxyParts {
    /// Who a connection belongs to.
    pub attribution: Arc<Attribution>,
    /// How many may be open.
    pub flows: Arc<Quota>,
    /// The door.
    pub gate: Arc<Gate>,
    /// Certificates for the agents' side.
    pub leaves: Arc<Leaves>,
    /// The synthetic addresses that agents were given.
    pub names: Arc<Names>,
    /// Answers the agents' lookups from `names`.
    pub resolver: Arc<Resolver>,
    /// Makes credentials recognisable without keeping them.
    pub fingerprinter: Arc<Fingerprinter>,
    /// What judging bodies takes.
    pub judging: Arc<Judging>,
    /// Who does not believe us.
    pub distrust: Arc<Distrust>,
    /// Bounds.
    pub limits: Limits,
    /// Turns true when the daemon stops.
    pub stopping: watch::Receiver<bool>,
}

/// What every worker shares.
pub struct Proxy {
    pub(crate) parts: ProxyParts,
    processes: Processes,
}

impl Proxy {
    /// A proxy of these parts.
    #[must_use]
    pub fn new(parts: ProxyParts) -> Arc<Self> {
        Arc::new(Self {
            parts,
            processes: Processes::new(),
        })
    }

    /// Adds what `/proc` tells of the process that opened a connection.
    pub(crate) fn identify(&self, seen: Process, at: u32) -> Process {
        let fingerprinter = &self.parts.fingerprinter;
        self.processes.identify(seen, at, |arguments| {
            fingerprinter
                .fingerprint("argv", arguments)
                .to_string()
                .into()
        })
    }

    /// Runs something that holds nothing yet, and gives it up when the daemon stops.
    pub(crate) async fn unless_stopping<T>(&self, work: impl Future<Output = T>) -> Option<T> {
        let mut stopping = self.parts.stopping.clone();
        tokio::select! {
            biased;
            done = work => Some(done),
            _ = stopping.wait_for(|stop| *stop) => None,
        }
    }
}
