//! The rows: what traffic is made, by itself and through each contender.

use std::{net::SocketAddr, path::Path};

use clap::ValueEnum;
use serde::Serialize;

use super::{
    certificates::{API, EVENTS, OPAQUE},
    contender::Contender,
    job::{Http, Job, Shape},
    turns::Turns,
};

/// Connections of the throughput rows.
const MANY: usize = 32;
/// Connections of the large-body rows.
const FEW: usize = 4;
/// Handshakes under way at the same time.
const FRESH: usize = 4;
/// Streams read at the same time.
const STREAMS: usize = 8;
/// Silent pairs of connections whose memory is read.
pub(super) const HELD: usize = 400;
/// Threads of the load generator where one would be the bottleneck.
const THREADS: usize = 2;

/// One kind of traffic.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Serialize, ValueEnum)]
#[serde(rename_all = "snake_case")]
pub(super) enum Row {
    /// One keep-alive connection, small exchanges: latency.
    Latency,
    /// 32 keep-alive connections over HTTP/1.1: throughput and CPU.
    H1,
    /// 32 keep-alive connections over HTTP/2: throughput and CPU.
    H2,
    /// A new connection for every exchange.
    New,
    /// 1 MiB down per exchange.
    Down,
    /// 1 MiB up per exchange.
    Up,
    /// Server-sent events: first byte and delay of each event.
    Events,
    /// Like h1, on connections that are passed on unopened.
    Passthrough,
    /// Bare connect(2) calls.
    Connect,
    /// Resident memory: fresh, with silent connections held, and after the load of all other rows.
    Memory,
}

impl Row {
    /// The name given to `--rows`.
    pub(super) fn text(self) -> &'static str {
        match self {
            Self::Latency => "latency",
            Self::H1 => "h1",
            Self::H2 => "h2",
            Self::New => "new",
            Self::Down => "down",
            Self::Up => "up",
            Self::Events => "events",
            Self::Passthrough => "passthrough",
            Self::Connect => "connect",
            Self::Memory => "memory",
        }
    }

    /// The load generator's part of the row; none when the row says nothing about this contender.
    pub(super) fn job(
        self,
        contender: &Contender,
        upstream_authority: &Path,
        timing: Timing,
    ) -> Option<Job> {
        let (shape, connections, threads) = self.shape();
        let (target, name) = self.way(contender)?;
        let trust = match self {
            Self::Passthrough => upstream_authority,
            Self::Latency
            | Self::H1
            | Self::H2
            | Self::New
            | Self::Down
            | Self::Up
            | Self::Events
            | Self::Connect
            | Self::Memory => &contender.authority,
        };
        Some(Job {
            target,
            name: name.to_owned(),
            trust: trust.to_owned(),
            cgroup: contender.cgroup.clone(),
            shape,
            connections,
            threads,
            warmup_ms: timing.warmup_ms,
            measure_ms: timing.measure_ms,
            turns: Turns::All,
        })
    }

    /// Where connections go and which name they ask for.
    fn way(self, contender: &Contender) -> Option<(SocketAddr, &'static str)> {
        match self {
            Self::Latency | Self::H1 | Self::New | Self::Down | Self::Up => {
                Some((contender.api, API))
            }
            Self::H2 => Some((contender.h2, API)),
            Self::Events => Some((contender.events, EVENTS)),
            Self::Passthrough => Some((contender.opaque, OPAQUE)),
            Self::Connect => contender.bare.map(|bare| (bare, API)),
            Self::Memory => contender.process.map(|_| (contender.events, EVENTS)),
        }
    }

    fn shape(self) -> (Shape, usize, usize) {
        match self {
            Self::Latency => (Shape::Exchange { http: Http::H1 }, 1, 1),
            Self::H1 | Self::Passthrough => (Shape::Exchange { http: Http::H1 }, MANY, THREADS),
            Self::H2 => (Shape::Exchange { http: Http::H2 }, MANY, THREADS),
            Self::New => (Shape::Fresh, FRESH, THREADS),
            Self::Down => (Shape::Download, FEW, THREADS),
            Self::Up => (Shape::Upload, FEW, THREADS),
            Self::Events => (Shape::Events, STREAMS, 1),
            Self::Connect => (Shape::Connect, 1, 1),
            Self::Memory => (Shape::Hold, HELD, 1),
        }
    }
}

/// How long a run warms up and counts.
#[derive(Debug, Clone, Copy, Serialize)]
pub(super) struct Timing {
    pub(super) warmup_ms: u64,
    pub(super) measure_ms: u64,
}
