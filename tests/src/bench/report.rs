//! What is shown: progress while it runs, a table for people, a file for machines.

use std::{
    collections::BTreeMap,
    fs,
    io::{self, Write},
    path::Path,
};

use anyhow::{Context, Result};
use serde::Serialize;

use super::{
    contender::Name,
    figure::{FIGURES, MEMORY_AFTER_LOAD, Relation, Spread, Target},
    machine::Machine,
    round::Cell,
    row::Timing,
};

/// Everything a run came to.
#[derive(Debug, Serialize)]
pub(super) struct Report {
    machine: Machine,
    rounds: u32,
    timing: Timing,
    lines: Vec<Line>,
    cells: Vec<Cell>,
    /// What did not work, row and contender named.
    failures: Vec<String>,
}

/// What a run came to, before it is summed up.
#[derive(Debug)]
pub(super) struct Outcome {
    pub(super) machine: Machine,
    pub(super) rounds: u32,
    pub(super) timing: Timing,
    pub(super) cells: Vec<Cell>,
    pub(super) memory_after_load: BTreeMap<Name, f64>,
    pub(super) failures: Vec<String>,
}

/// One figure over all contenders.
#[derive(Debug, Serialize)]
struct Line {
    name: &'static str,
    unit: &'static str,
    relation: Relation,
    target: Option<Target>,
    contenders: BTreeMap<Name, Spread>,
    met: Option<bool>,
}

/// One line on standard error, where a reader waits.
pub(super) fn progress(text: &str) {
    // A closed standard error must not end a run that has something to report.
    let _unread = writeln!(io::stderr().lock(), "{text}");
}

// === impl Report ===

impl Report {
    pub(super) fn of(outcome: Outcome) -> Self {
        let Outcome {
            machine,
            rounds,
            timing,
            cells,
            memory_after_load,
            failures,
        } = outcome;
        let mut lines: Vec<Line> = FIGURES
            .iter()
            .map(|figure| {
                let contenders = [Name::Direct, Name::Enforcer, Name::Haproxy]
                    .into_iter()
                    .filter_map(|name| Some((name, figure.spread(&cells, name)?)))
                    .collect();
                Line::new(
                    figure.name,
                    figure.unit,
                    figure.relation,
                    figure.target,
                    contenders,
                )
            })
            .collect();
        let (name, unit, target) = MEMORY_AFTER_LOAD;
        let memory = memory_after_load
            .into_iter()
            .filter_map(|(name, mib)| Some((name, Spread::of(vec![mib])?)))
            .collect();
        lines.push(Line::new(
            name,
            unit,
            Relation::Absolute,
            Some(target),
            memory,
        ));
        lines.retain(|line| !line.contenders.is_empty());
        Self {
            machine,
            rounds,
            timing,
            lines,
            cells,
            failures,
        }
    }

    /// The table, and what is needed to read it.
    pub(super) fn print(&self) -> Result<()> {
        let mut out = io::stdout().lock();
        writeln!(out, "\n{}", self.machine.line())?;
        let seconds = self.timing.measure_ms as f64 / 1e3;
        writeln!(
            out,
            "{} rounds, {seconds} s each; median [least … most] of the rounds; x = part of direct, + = added to direct\n",
            self.rounds
        )?;
        let mut table =
            vec![["", "unit", "direct", "enforcer", "target", "", "haproxy"].map(str::to_owned)];
        table.extend(self.lines.iter().map(Line::texts));
        write_aligned(&mut out, &table)?;
        if let Some(share) = self.busiest_generator() {
            writeln!(
                out,
                "\nThe load generator itself used at most {share:.2} cores in a direct run."
            )?;
        }
        writeln!(
            out,
            "A virtual core that has fallen asleep takes long to wake: latencies are to be read beside the peer's."
        )?;
        if let Some(cores) = self.others() {
            writeln!(
                out,
                "Others used up to {cores:.2} cores of this machine meanwhile."
            )?;
        }
        for failure in &self.failures {
            writeln!(out, "FAILED {failure}")?;
        }
        out.flush().context("cannot print the report")
    }

    /// Writes everything as JSON.
    pub(super) fn save(&self, path: &Path) -> Result<()> {
        if let Some(folder) = path.parent() {
            fs::create_dir_all(folder)?;
        }
        let text = serde_json::to_string_pretty(self)?;
        fs::write(path, text + "\n").with_context(|| format!("cannot write {}", path.display()))
    }

    pub(super) fn failures(&self) -> &[String] {
        &self.failures
    }

    fn others(&self) -> Option<f64> {
        self.cells
            .iter()
            .map(|cell| cell.others_cores)
            .max_by(f64::total_cmp)
    }

    fn busiest_generator(&self) -> Option<f64> {
        let direct = self
            .cells
            .iter()
            .filter(|cell| cell.contender == Name::Direct);
        let warmup = self.timing.warmup_ms as f64 / 1e3;
        direct
            .map(|cell| cell.tally.generator_cpu_seconds / (cell.tally.seconds + warmup))
            .max_by(f64::total_cmp)
    }
}

fn write_aligned<const N: usize>(out: &mut impl Write, table: &[[String; N]]) -> Result<()> {
    let mut widths = [0; N];
    for line in table {
        for (width, text) in widths.iter_mut().zip(line) {
            *width = text.chars().count().max(*width);
        }
    }
    for line in table {
        let cells = line
            .iter()
            .zip(widths)
            .map(|(text, width)| format!("{text:<width$}"));
        writeln!(out, "{}", cells.collect::<Vec<_>>().join("  ").trim_end())?;
    }
    Ok(())
}

// === impl Line ===

impl Line {
    fn new(
        name: &'static str,
        unit: &'static str,
        relation: Relation,
        target: Option<Target>,
        contenders: BTreeMap<Name, Spread>,
    ) -> Self {
        let ours = contenders.get(&Name::Enforcer);
        let met = target
            .zip(ours)
            .map(|(target, ours)| target.is_met(ours.median));
        Self {
            name,
            unit,
            relation,
            target,
            contenders,
            met,
        }
    }

    fn texts(&self) -> [String; 7] {
        let show = |name: Name| {
            let relation = if name == Name::Direct {
                Relation::Absolute
            } else {
                self.relation
            };
            self.contenders
                .get(&name)
                .map_or_else(|| "-".to_owned(), |spread| show(spread, relation))
        };
        let target = match self.target {
            Some(Target::AtLeast(value)) => format!("≥ {}", number(value, self.relation)),
            Some(Target::AtMost(value)) => format!("≤ {}", number(value, self.relation)),
            None => String::new(),
        };
        let met = match self.met {
            Some(true) => "met",
            Some(false) => "missed",
            None => "",
        };
        [
            self.name.to_owned(),
            self.unit.to_owned(),
            show(Name::Direct),
            show(Name::Enforcer),
            target,
            met.to_owned(),
            show(Name::Haproxy),
        ]
    }
}

fn show(spread: &Spread, relation: Relation) -> String {
    let Spread {
        rounds,
        median,
        least,
        most,
    } = spread;
    let number = |value: f64| match relation {
        Relation::Added if value >= 0.0 => format!("+{}", number(value, relation)),
        Relation::Absolute | Relation::Added => number(value, relation),
        Relation::Ratio => format!("x{}", number(value, relation)),
    };
    if rounds.len() < 2 {
        return number(*median);
    }
    format!(
        "{} [{} … {}]",
        number(*median),
        number(*least),
        number(*most)
    )
}

fn number(value: f64, relation: Relation) -> String {
    match relation {
        Relation::Ratio => format!("{value:.2}"),
        Relation::Absolute | Relation::Added if value.abs() < 100.0 => format!("{value:.1}"),
        Relation::Absolute | Relation::Added => format!("{value:.0}"),
    }
}
