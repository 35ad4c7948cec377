//! What the load generator is asked to do and what it answers, as they cross the pipe between the two processes.

use std::{net::SocketAddr, path::PathBuf};

use serde::{Deserialize, Serialize};

use super::turns::{Medians, Turns};

/// Bytes in the body of a small request.
pub(super) const QUESTION_BYTES: usize = 1024;

/// Bytes in the body of the upstream's small answer.
pub(super) const ANSWER_BYTES: usize = 1536;

/// Bytes in a large body, either way.
pub(super) const LARGE_BYTES: usize = 1 << 20;

/// Events in one stream of the event rows, and the time between two of them.
pub(super) const EVENTS_PER_STREAM: u32 = 20;
pub(super) const EVENT_INTERVAL_MS: u64 = 20;

/// One run of the load generator.
#[derive(Debug, Clone, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct Job {
    /// Where connections go.
    pub(super) target: SocketAddr,
    /// The name asked for: SNI and `Host`.
    pub(super) name: String,
    /// The only certificate authority believed, as PEM: a run that should be intercepted fails when it is not.
    pub(super) trust: PathBuf,
    /// The agent's cgroup, entered before the first socket is made.
    pub(super) cgroup: Option<PathBuf>,
    pub(super) shape: Shape,
    pub(super) connections: usize,
    pub(super) threads: usize,
    pub(super) warmup_ms: u64,
    pub(super) measure_ms: u64,
    /// When bare connects are made.
    pub(super) turns: Turns,
}

/// What the traffic looks like.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub(super) enum Shape {
    /// Bare `connect(2)` calls; nothing is sent.
    Connect,
    /// One large body down per exchange, keep-alive.
    Download,
    /// Server-sent events, one stream after another on each connection.
    Events,
    /// One small exchange after another on each connection.
    Exchange { http: Http },
    /// A new connection with a full handshake for every small exchange.
    Fresh,
    /// Opens every connection, starts a stream that falls silent, and keeps all of them until standard input closes.
    Hold,
    /// One large body up per exchange, keep-alive.
    Upload,
}

/// The HTTP version offered.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub(super) enum Http {
    H1,
    H2,
}

/// What a run came to.
#[derive(Debug, Clone, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct Tally {
    /// Exchanges (or connects) that ended well inside the measured window.
    pub(super) measured: u64,
    /// All that ended well, warm-up and tail included: what a proxy's whole CPU time is divided by.
    pub(super) total: u64,
    /// Large-body bytes moved inside the window.
    pub(super) bytes: u64,
    pub(super) errors: u64,
    pub(super) first_error: Option<String>,
    /// Length of the measured window.
    pub(super) seconds: f64,
    /// The generator's own user and system time over the whole run.
    pub(super) generator_cpu_seconds: f64,
    /// Per exchange, per connect, or per event (from the upstream's write to the agent's read).
    pub(super) latency: Quantiles,
    /// From sending a request for a stream to the first byte of its body.
    pub(super) first_byte: Quantiles,
    /// Of bare connects, turn by turn.
    pub(super) turns: Medians,
}

/// A distribution, in microseconds.
#[derive(Debug, Clone, Copy, Default, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct Quantiles {
    pub(super) count: u64,
    pub(super) p50: f64,
    pub(super) p99: f64,
    pub(super) max: f64,
}

impl Quantiles {
    /// Exact quantiles (nearest rank) of samples in nanoseconds.
    pub(super) fn of(mut nanos: Vec<u32>) -> Self {
        nanos.sort_unstable();
        let Some(last) = nanos.len().checked_sub(1) else {
            return Self::default();
        };
        let at = |permille: usize| {
            f64::from(nanos[(nanos.len() * permille).div_ceil(1000).clamp(1, last + 1) - 1]) / 1e3
        };
        Self {
            count: nanos.len() as u64,
            p50: at(500),
            p99: at(990),
            max: at(1000),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn quantiles_are_the_nearest_ranks() {
        let quantiles = Quantiles::of((1..=200).rev().map(|n| n * 1000).collect());
        assert_eq!(
            (quantiles.count, quantiles.p50, quantiles.p99, quantiles.max),
            (200, 100.0, 198.0, 200.0)
        );
    }

    #[test]
    fn quantiles_of_nothing_and_of_one() {
        assert_eq!(Quantiles::of(Vec::new()).count, 0);
        let one = Quantiles::of(vec![7000]);
        assert_eq!((one.count, one.p50, one.p99, one.max), (1, 7.0, 7.0, 7.0));
    }
}
