//! The course of a run: what is started, in which order the cells are measured, what is reported.

use std::path::{Path, PathBuf};

use anyhow::{Result, bail, ensure};
use clap::{Args, ValueEnum};
use tokio::{
    runtime, select,
    signal::unix::{SignalKind, signal},
};

use super::{
    contender::Name,
    machine::Machine,
    report::{Outcome, Report, progress},
    round::Cell,
    row::{Row, Timing},
    site,
    stage::Stage,
};
use crate::turn::Turn;

/// Round 0: cells that are measured once, on processes that have carried no load yet.
const FRESH_ROUND: u32 = 0;

/// What to measure, and how long.
#[derive(Debug, Clone, Args)]
pub(super) struct Options {
    /// Rounds; every row goes through every contender once per round.
    #[arg(long, default_value_t = 3, value_parser = clap::value_parser!(u32).range(1..=20))]
    rounds: u32,
    /// Seconds measured per row, contender and round.
    #[arg(long, default_value_t = 3.0)]
    seconds: f64,
    /// Only these rows, separated by commas.
    #[arg(long, value_enum, value_delimiter = ',')]
    rows: Vec<Row>,
    /// Peers to measure beside.
    #[arg(long, value_enum, default_value = "haproxy")]
    peers: Peers,
    /// Where the figures go as JSON.
    #[arg(long, default_value = "target/bench/results.json")]
    json: PathBuf,
    /// One short round: shows that everything works, says little about speed.
    #[arg(long, conflicts_with_all = ["rounds", "seconds"])]
    quick: bool,
    /// The enforcer to measure.
    #[arg(
        long,
        default_value = "target/release/enforcer",
        conflicts_with = "without_enforcer"
    )]
    enforcer: PathBuf,
    /// Measure direct traffic and peers only.
    #[arg(long)]
    without_enforcer: bool,
}

/// Which peers.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
enum Peers {
    Haproxy,
    None,
}

/// Runs the benchmark as the options say; an error when any cell failed, never because of a figure.
pub(super) fn run(options: Options) -> Result<()> {
    ensure!(
        (0.1..=60.0).contains(&options.seconds),
        "`--seconds` must be between 0.1 and 60"
    );
    ensure!(
        options.without_enforcer || options.enforcer.exists(),
        "no enforcer at {}",
        options.enforcer.display()
    );
    site::enter_namespace()?;
    let _turn = options.enforcer().map(|_| take_turn()).transpose()?;
    let report = runtime::Builder::new_current_thread()
        .enable_all()
        .build()?
        .block_on(async {
            let mut interrupt = signal(SignalKind::interrupt())?;
            let mut terminate = signal(SignalKind::terminate())?;
            select! {
                outcome = measure(&options) => outcome.map(Report::of),
                _ = interrupt.recv() => bail!("interrupted"),
                _ = terminate.recv() => bail!("terminated"),
            }
        })?;
    report.print()?;
    report.save(&options.json)?;
    progress(&format!("figures: {}", options.json.display()));
    ensure!(
        report.failures().is_empty(),
        "{} cells failed",
        report.failures().len()
    );
    Ok(())
}

/// Before anything listens for signals, so that whoever is tired of waiting can end this.
fn take_turn() -> Result<Turn> {
    progress("waiting until no test and no other benchmark has a daemon here");
    Turn::take()
}

async fn measure(options: &Options) -> Result<Outcome> {
    let stage = Stage::set(options.enforcer(), options.peers == Peers::Haproxy)?;
    stage.prime().await?;
    let timing = options.timing();
    let (mut cells, mut failures) = (Vec::new(), Vec::new());
    for (round, row) in options.course() {
        for contender in stage.contenders() {
            let label = |name: Name| {
                format!(
                    "round {round}/{}  {:<11} {:<8}",
                    options.rounds(),
                    row.text(),
                    name.text()
                )
            };
            let measured = stage.run((round, row), contender, timing).await;
            for cell in measured.unwrap_or_else(|error| {
                let label = label(contender.name);
                progress(&format!("{label}  FAILED: {error:#}"));
                failures.push(format!("{label}: {error:#}"));
                Vec::new()
            }) {
                let label = label(cell.contender);
                progress(&format!("{label}  {}", summary(&cell)));
                failures.extend(complaint(&cell).map(|text| format!("{label}: {text}")));
                cells.push(cell);
            }
        }
    }
    let (memory_after_load, unread) = stage.memory();
    failures.extend(unread);
    if !failures.is_empty() {
        progress(&stage.last_words());
    }
    let (machine, rounds) = (Machine::ask(), options.rounds());
    Ok(Outcome {
        machine,
        rounds,
        timing,
        cells,
        memory_after_load,
        failures,
    })
}

/// What is wrong with a cell that nevertheless has figures.
fn complaint(cell: &Cell) -> Option<String> {
    let tally = &cell.tally;
    let error = tally.first_error.as_ref()?;
    Some(format!(
        "{} errors beside {} exchanges: {error}",
        tally.errors, tally.total
    ))
}

fn summary(cell: &Cell) -> String {
    let tally = &cell.tally;
    let rate = tally.measured as f64 / tally.seconds;
    let cpu = cell
        .proxy_cpu_seconds
        .map_or_else(String::new, |cpu| format!("  proxy CPU {cpu:.2} s"));
    format!(
        "{rate:>9.0}/s  p50 {:>7.1} µs  p99 {:>8.1} µs  generator CPU {:.2} s{cpu}",
        tally.latency.p50, tally.latency.p99, tally.generator_cpu_seconds
    )
}

// === impl Options ===

impl Options {
    fn enforcer(&self) -> Option<&Path> {
        (!self.without_enforcer).then_some(&self.enforcer)
    }

    fn rounds(&self) -> u32 {
        if self.quick { 1 } else { self.rounds }
    }

    fn timing(&self) -> Timing {
        let seconds = if self.quick { 1.0 } else { self.seconds };
        Timing {
            warmup_ms: 500,
            measure_ms: (seconds * 1e3) as u64,
        }
    }

    /// Rounds and rows in the order they are measured. Memory comes first: idle connections are weighed on a process
    /// that has nothing to reuse from busier times.
    fn course(&self) -> Vec<(u32, Row)> {
        let chosen = |row: &Row| self.rows.is_empty() || self.rows.contains(row);
        let rows: Vec<Row> = Row::value_variants()
            .iter()
            .copied()
            .filter(chosen)
            .collect();
        let first = rows
            .iter()
            .filter(|row| **row == Row::Memory)
            .map(|row| (FRESH_ROUND, *row));
        let rest = (1..=self.rounds()).flat_map(|round| {
            rows.iter()
                .filter(|row| **row != Row::Memory)
                .map(move |row| (round, *row))
        });
        first.chain(rest).collect()
    }
}
