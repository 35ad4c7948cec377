//! What is read off the cells: one figure per line of the report, with its target.

use std::collections::BTreeMap;

use serde::Serialize;

use super::{
    contender::Name,
    round::Cell,
    row::{HELD, Row},
};

const MIB: f64 = 1024.0 * 1024.0;

/// How a contender's value is shown beside direct traffic of the same round.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
#[serde(rename_all = "snake_case")]
pub(super) enum Relation {
    /// Its own value.
    Absolute,
    /// What it adds to direct.
    Added,
    /// Its part of direct.
    Ratio,
}

/// What the enforcer is meant to reach.
#[derive(Debug, Clone, Copy, PartialEq, Serialize)]
#[serde(rename_all = "snake_case")]
pub(super) enum Target {
    AtLeast(f64),
    AtMost(f64),
}

/// A line of the report.
#[derive(Debug, Clone, Copy)]
pub(super) struct Figure {
    pub(super) name: &'static str,
    pub(super) unit: &'static str,
    pub(super) row: Row,
    pub(super) relation: Relation,
    pub(super) target: Option<Target>,
    pub(super) read: fn(&Cell) -> Option<f64>,
}

/// A figure's values over the rounds.
#[derive(Debug, Clone, Serialize)]
pub(super) struct Spread {
    pub(super) rounds: Vec<f64>,
    pub(super) median: f64,
    pub(super) least: f64,
    pub(super) most: f64,
}

/// Every figure, in the order of the report.
pub(super) const FIGURES: &[Figure] = &[
    added(
        "latency p50, 1 connection",
        "µs",
        Row::Latency,
        Some(Target::AtMost(65.0)),
        |cell| Some(cell.tally.latency.p50),
    ),
    added(
        "latency p99, 1 connection",
        "µs",
        Row::Latency,
        None,
        |cell| Some(cell.tally.latency.p99),
    ),
    absolute(
        "proxy CPU per request, 1 connection",
        "µs",
        Row::Latency,
        None,
        proxy_cpu,
    ),
    ratio(
        "h1 throughput, 32 connections",
        "req/s",
        Row::H1,
        0.48,
        per_second,
    ),
    absolute(
        "h1 proxy CPU per request",
        "µs",
        Row::H1,
        Some(Target::AtMost(46.0)),
        proxy_cpu,
    ),
    ratio(
        "h2 throughput, 32 connections",
        "req/s",
        Row::H2,
        0.65,
        per_second,
    ),
    absolute("h2 proxy CPU per request", "µs", Row::H2, None, proxy_cpu),
    ratio("new TLS connections", "conn/s", Row::New, 1.25, per_second),
    ratio(
        "1 MiB bodies down",
        "MiB/s",
        Row::Down,
        0.65,
        mib_per_second,
    ),
    ratio("1 MiB bodies up", "MiB/s", Row::Up, 0.60, mib_per_second),
    added(
        "SSE first byte p50",
        "µs",
        Row::Events,
        Some(Target::AtMost(200.0)),
        |cell| Some(cell.tally.first_byte.p50),
    ),
    added(
        "SSE event gap p50",
        "µs",
        Row::Events,
        Some(Target::AtMost(150.0)),
        |cell| Some(cell.tally.latency.p50),
    ),
    added(
        "SSE event gap p99",
        "µs",
        Row::Events,
        Some(Target::AtMost(10_000.0)),
        |cell| Some(cell.tally.latency.p99),
    ),
    absolute("SSE longest stall", "µs", Row::Events, None, |cell| {
        Some(cell.tally.latency.max)
    }),
    ratio(
        "passthrough h1 throughput",
        "req/s",
        Row::Passthrough,
        0.70,
        per_second,
    ),
    absolute(
        "passthrough proxy CPU per request",
        "µs",
        Row::Passthrough,
        None,
        proxy_cpu,
    ),
    added(
        "connect(2) p50, all turns",
        "µs",
        Row::Connect,
        None,
        |cell| Some(cell.tally.latency.p50),
    ),
    absolute(
        "added to connect(2) by the hooks, p50",
        "µs",
        Row::Connect,
        Some(Target::AtMost(2.0)),
        |cell| cell.added_by_hooks,
    ),
    absolute(
        "the same beside a listener at work",
        "µs",
        Row::Connect,
        None,
        |cell| cell.added,
    ),
    absolute(
        "eBPF programs per bare connection",
        "µs",
        Row::Connect,
        None,
        hooks_per_connection,
    ),
    absolute(
        "egress backstop per packet",
        "ns",
        Row::Up,
        Some(Target::AtMost(80.0)),
        |cell| Some(cell.hooks?.backstop_nanos),
    ),
    absolute(
        "taken off both: counting one run",
        "ns",
        Row::Up,
        None,
        |cell| Some(cell.hooks?.counting_nanos),
    ),
    absolute(
        "memory per idle connection pair",
        "KiB",
        Row::Memory,
        Some(Target::AtMost(32.0)),
        kib_per_pair,
    ),
];

/// Read once at the end, from the processes that carried all the load.
pub(super) const MEMORY_AFTER_LOAD: (&str, &str, Target) =
    ("memory after load", "MiB", Target::AtMost(40.0));

const fn absolute(
    name: &'static str,
    unit: &'static str,
    row: Row,
    target: Option<Target>,
    read: fn(&Cell) -> Option<f64>,
) -> Figure {
    Figure {
        name,
        unit,
        row,
        relation: Relation::Absolute,
        target,
        read,
    }
}

const fn added(
    name: &'static str,
    unit: &'static str,
    row: Row,
    target: Option<Target>,
    read: fn(&Cell) -> Option<f64>,
) -> Figure {
    Figure {
        name,
        unit,
        row,
        relation: Relation::Added,
        target,
        read,
    }
}

const fn ratio(
    name: &'static str,
    unit: &'static str,
    row: Row,
    target: f64,
    read: fn(&Cell) -> Option<f64>,
) -> Figure {
    Figure {
        name,
        unit,
        row,
        relation: Relation::Ratio,
        target: Some(Target::AtLeast(target)),
        read,
    }
}

fn per_second(cell: &Cell) -> Option<f64> {
    Some(cell.tally.measured as f64 / cell.tally.seconds)
}

fn mib_per_second(cell: &Cell) -> Option<f64> {
    Some(cell.tally.bytes as f64 / MIB / cell.tally.seconds)
}

fn proxy_cpu(cell: &Cell) -> Option<f64> {
    Some(cell.proxy_cpu_seconds? * 1e6 / cell.tally.total as f64)
}

fn hooks_per_connection(cell: &Cell) -> Option<f64> {
    Some(cell.hooks?.micros)
}

fn kib_per_pair(cell: &Cell) -> Option<f64> {
    let memory = cell.memory?;
    (cell.tally.total == HELD as u64)
        .then(|| (memory.held as f64 - memory.before as f64) / 1024.0 / HELD as f64)
}

// === impl Target ===

impl Target {
    pub(super) fn is_met(self, value: f64) -> bool {
        match self {
            Self::AtLeast(least) => value >= least,
            Self::AtMost(most) => value <= most,
        }
    }
}

// === impl Figure ===

impl Figure {
    /// What is shown for `name`: its own values for direct traffic, else as the relation says, round by round.
    pub(super) fn spread(&self, cells: &[Cell], name: Name) -> Option<Spread> {
        let own = self.by_round(cells, name);
        if name == Name::Direct || self.relation == Relation::Absolute {
            return Spread::of(own.into_values().collect());
        }
        let direct = self.by_round(cells, Name::Direct);
        let related = own.into_iter().filter_map(|(round, value)| {
            let direct = *direct.get(&round)?;
            match self.relation {
                Relation::Absolute => Some(value),
                Relation::Added => Some(value - direct),
                Relation::Ratio => (direct > 0.0).then(|| value / direct),
            }
        });
        Spread::of(related.collect())
    }

    fn by_round(&self, cells: &[Cell], name: Name) -> BTreeMap<u32, f64> {
        let mine = cells
            .iter()
            .filter(|cell| cell.row == self.row && cell.contender == name);
        mine.filter_map(|cell| Some((cell.round, (self.read)(cell)?)))
            .collect()
    }
}

// === impl Spread ===

impl Spread {
    /// Nothing, when there is nothing to spread.
    pub(super) fn of(rounds: Vec<f64>) -> Option<Self> {
        let mut sorted = rounds.clone();
        sorted.sort_by(f64::total_cmp);
        let (least, most) = (*sorted.first()?, *sorted.last()?);
        let middle = sorted.len() / 2;
        let median = if sorted.len() % 2 == 1 {
            sorted[middle]
        } else {
            f64::midpoint(sorted[middle - 1], sorted[middle])
        };
        Some(Self {
            rounds,
            median,
            least,
            most,
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::bench::{
        job::{Quantiles, Tally},
        turns::Medians,
    };

    fn cell(round: u32, contender: Name, measured: u64) -> Cell {
        let latency = Quantiles {
            count: measured,
            p50: measured as f64,
            p99: 0.0,
            max: 0.0,
        };
        let tally = Tally {
            measured,
            total: measured * 2,
            bytes: 0,
            errors: 0,
            first_error: None,
            seconds: 2.0,
            generator_cpu_seconds: 0.0,
            latency,
            first_byte: Quantiles::default(),
            turns: Medians::default(),
        };
        Cell {
            round,
            row: Row::H1,
            contender,
            tally,
            proxy_cpu_seconds: Some(0.001),
            memory: None,
            added: None,
            added_by_hooks: None,
            hooks: None,
            others_cores: 0.0,
        }
    }

    #[test]
    fn a_ratio_compares_within_its_round() {
        let figure = ratio("x", "req/s", Row::H1, 0.5, per_second);
        let cells = [
            cell(1, Name::Direct, 100),
            cell(1, Name::Enforcer, 50),
            cell(2, Name::Direct, 200),
            cell(2, Name::Enforcer, 50),
            cell(3, Name::Enforcer, 7),
        ];
        let ours = figure.spread(&cells, Name::Enforcer).expect("two rounds");
        assert_eq!(
            (ours.rounds, ours.median, ours.least, ours.most),
            (vec![0.5, 0.25], 0.375, 0.25, 0.5)
        );
        assert_eq!(
            figure
                .spread(&cells, Name::Direct)
                .expect("two rounds")
                .median,
            75.0
        );
        assert!(figure.spread(&cells, Name::Haproxy).is_none());
    }

    #[test]
    fn what_is_added_is_a_difference_and_cpu_counts_every_request() {
        let cells = [cell(1, Name::Direct, 100), cell(1, Name::Enforcer, 130)];
        let figure = added("x", "µs", Row::H1, None, |cell| {
            Some(cell.tally.latency.p50)
        });
        assert_eq!(
            figure
                .spread(&cells, Name::Enforcer)
                .expect("one round")
                .median,
            30.0
        );
        assert_eq!(proxy_cpu(&cells[0]), Some(5.0));
    }

    #[test]
    fn the_median_of_three_is_the_middle_one() {
        assert_eq!(Spread::of(vec![9.0, 1.0, 4.0]).expect("three").median, 4.0);
        assert!(Spread::of(Vec::new()).is_none());
    }
}
